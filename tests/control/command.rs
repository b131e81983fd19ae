//! `andross ctl`, the program itself, against a server.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use super::desk::{Desk, TOKEN};

fn command(url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
    command.args(["ctl", "--url", url]).args(args).stdin(Stdio::null()).env_remove("RUST_LOG");
    // No proxy of the environment may stand between ctl and the relay.
    command.env("http_proxy", "http://127.0.0.1:1").env("ALL_PROXY", "http://127.0.0.1:1");
    command
}

fn ctl(desk: &Desk, args: &[&str]) -> Output {
    command(&format!("http://{}", desk.address), args).output().unwrap()
}

#[track_caller]
fn good(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a failure says: one line.
#[track_caller]
fn bad(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("andross: "), "{said}");
    said
}

#[test]
fn tables_show_the_state_in_100_columns() {
    let desk = Desk::new();
    good(ctl(
        &desk,
        &["add", "Side stage with a rather long name=raw:some.very.long.host.example:53742"],
    ));
    for args in [&["status"][..], &["stations"], &["clients"], &["discovered"]] {
        let text = good(ctl(&desk, args));
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        let harmless = |c: char| !c.is_control() || c == '\n';
        assert!(text.chars().all(harmless), "{text:?}");
    }
    let stations = good(ctl(&desk, &["stations"]));
    for word in ["Stream", "192.168.1.20", "1234", "51441"] {
        assert!(stations.contains(word), "{word}: {stations}");
    }
    assert!(good(ctl(&desk, &["discovered"])).contains("[31mred"));
    let json = good(ctl(&desk, &["status", "--json"]));
    let status: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status["stations"][0]["name"], "Stream");
}

#[test]
fn stations_are_added_changed_and_removed_by_name_or_number() {
    let desk = Desk::new();
    let added = good(ctl(&desk, &["add", "Side=192.168.1.21", "--delay", "2.5", "--no-record"]));
    assert_eq!(added, "added: station 1, Side (192.168.1.21:51441)\n");
    good(ctl(&desk, &["rename", "side", "Best"]));
    let changed = good(ctl(&desk, &["set", "1", "--delay", "7"]));
    assert_eq!(changed, "changed: station 1, Best (192.168.1.21:51441)\n");
    good(ctl(&desk, &["record", "Best", "off"]));
    let station = desk.get("/api/stations/1").json();
    assert_eq!((&station["name"], &station["consoleDelay"]), (&"Best".into(), &7.0.into()));
    assert_eq!(station["recording"]["wanted"], false);
    let program = good(ctl(&desk, &["program", "Best", "--now"]));
    assert_eq!(program, "the program output shows Best\n");
    assert_eq!(good(ctl(&desk, &["program", "none"])), "the program output shows nothing\n");
    good(ctl(&desk, &["remove", "Best"]));
    desk.get("/api/stations/1").is_error(404, "no-station");
    assert!(bad(ctl(&desk, &["remove", "Best"])).contains("andross ctl stations"));
    good(ctl(&desk, &["kick", "7"]));
    assert!(bad(ctl(&desk, &["kick", "7"])).contains("no spectator 7"));
    assert_eq!(good(ctl(&desk, &["clients", "--station", "Stream"])).lines().count(), 1);
    assert_eq!(good(ctl(&desk, &["reload"])), "nothing\n");
    assert_eq!(good(ctl(&desk, &["shutdown"])), "the relay ends\n");
    desk.wait_for_end();
}

#[test]
fn a_name_that_means_two_stations_means_none() {
    let desk = Desk::new();
    good(ctl(&desk, &["add", "10.0.0.5", "--name", "0"]));
    assert!(bad(ctl(&desk, &["remove", "0"])).contains("may be any of"));
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_code_2() {
    let desk = Desk::new();
    for args in [
        &["set", "Stream"][..],
        &["set", "Stream", "--delay", "-1"],
        &["set", "Stream", "--delay", "nan"],
        &["record", "Stream", "maybe"],
        &["kick", "x"],
        &[],
    ] {
        assert_eq!(ctl(&desk, args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn the_token_comes_from_a_file() {
    let desk = Desk::with_token();
    assert!(bad(ctl(&desk, &["reload"])).contains("--token-file"));
    let file = desk.folder.path().join("mine.txt");
    let path = file.to_str().unwrap();
    assert!(bad(ctl(&desk, &["--token-file", path, "reload"])).contains("cannot read the token"));
    std::fs::write(&file, "not-the-token-of-this\n").unwrap();
    assert!(bad(ctl(&desk, &["reload", "--token-file", path])).contains("not the token"));
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    good(ctl(&desk, &["reload", "--token-file", path]));
}

#[test]
fn a_relay_that_is_not_there_is_asked_for() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let said = bad(command(&url, &["status"]).output().unwrap());
    assert!(said.contains("andross relay") && said.contains("--url"), "{said}");
    for url in ["ftp://x", "localhost:51480", "https://127.0.0.1:1", "http://", "http://a b"] {
        assert!(bad(command(url, &["status"]).output().unwrap()).contains("--url"), "{url}");
    }
}

#[test]
fn nobody_minds_a_reader_that_leaves() {
    let desk = Desk::new();
    let url = format!("http://{}", desk.address);
    for args in [&["status"][..], &["status", "--watch"]] {
        let mut child =
            command(&url, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success() && said.is_empty(), "{said}");
    }
}

#[test]
fn the_state_is_shown_again_and_again() {
    let desk = Desk::new();
    let url = format!("http://{}", desk.address);
    let mut child =
        command(&url, &["status", "--watch", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        let line = lines.next().unwrap().unwrap();
        let status: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(status["maxClients"], 64);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

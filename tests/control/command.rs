//! `andross ctl`, the program itself, against a relay that is the program itself.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use andross::simulator::Simulator;
use tempfile::TempDir;

use super::desk::{TOKEN, console, first_game};
use crate::common::ConsoleSpectator;
use crate::common::http::Http;
use crate::common::process::RelayProcess;
use crate::common::{wait_until, write_secret};

/// A real `andross relay` of a pretend console.
pub struct Program {
    pub relay: RelayProcess,
    pub http: Http,
    pub folder: TempDir,
    _console: Simulator,
}

impl Program {
    pub fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let console = console(vec![first_game()], 5000.0);
        let source = format!("Stream={}", console.local_addr());
        let args = [&source, "--listen", "127.0.0.1:0", "--raw-listen", "127.0.0.1:0", "--http"];
        let mut args: Vec<OsString> = args.iter().map(OsString::from).collect();
        args.extend(["127.0.0.1:0", "--replays"].map(OsString::from));
        args.push(folder.path().join("replays").into());
        args.extend(more.iter().map(OsString::from));
        let relay = RelayProcess::start(args);
        relay.wait_for_log("a game was saved");
        let http = Http { address: relay.http() };
        Self { relay, http, folder, _console: console }
    }

    /// One whose changes need [`TOKEN`].
    pub fn with_token() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), TOKEN).unwrap();
        // Read once, at the start.
        Self::start(&["--http-token-file", file.path().to_str().unwrap()])
    }
}

fn command(url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
    command.args(["ctl", "--url", url]).args(args).stdin(Stdio::null()).env_remove("RUST_LOG");
    // No proxy of the environment may stand between ctl and the relay.
    command.env("http_proxy", "http://127.0.0.1:1").env("ALL_PROXY", "http://127.0.0.1:1");
    command
}

fn ctl(program: &Program, args: &[&str]) -> Output {
    command(&format!("http://{}", program.http.address), args).output().unwrap()
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
    let program = Program::start(&[]);
    good(ctl(
        &program,
        &["add", "Side stage with a rather long name=raw:some.very.long.host.example:53742"],
    ));
    for args in [&["status"][..], &["stations"], &["clients"], &["discovered"]] {
        let text = good(ctl(&program, args));
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        let harmless = |c: char| !c.is_control() || c == '\n';
        assert!(text.chars().all(harmless), "{text:?}");
    }
    let stations = good(ctl(&program, &["stations"]));
    let port = program.relay.spectators().port().to_string();
    for word in ["Stream", "127.0.0.1", "on", "over", &port] {
        assert!(stations.contains(word), "{word}: {stations}");
    }
    assert!(good(ctl(&program, &["discovered"])).contains("does not listen"));
    let json = good(ctl(&program, &["status", "--json"]));
    let status: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status["stations"][0]["name"], "Stream");
}

#[test]
fn a_game_that_nobody_may_see_yet_is_in_no_table() {
    let program = Program::start(&["--delay", "900"]);
    let table = good(ctl(&program, &["status"]));
    let row: Vec<&str> =
        table.lines().find(|line| line.contains("Stream")).unwrap().split_whitespace().collect();
    // State, game and frame; it is recorded, and spectators are behind.
    assert_eq!(row[3..6], ["on", "-", "-"], "{table}");
    assert!(row.contains(&"900") && table.contains("games go to"), "{table}");
    good(ctl(&program, &["set", "Stream", "--delay", "0"]));
    let table = good(ctl(&program, &["stations"]));
    let row = table.lines().find(|line| line.contains("Stream")).unwrap();
    assert!(row.contains(" 1 ") && row.contains(" over "), "{table}");
}

#[test]
fn stations_are_added_changed_and_removed_by_name_or_number() {
    let mut program = Program::start(&[]);
    let mut spectator = ConsoleSpectator::connect(program.relay.spectators());
    let side = console(vec![first_game()], 5000.0);
    let address = side.local_addr().to_string();
    let add = format!("Side={address}");
    let added = good(ctl(&program, &["add", &add, "--delay", "2.5", "--no-record"]));
    assert_eq!(added, format!("added: station 2, Side ({address})\n"));
    wait_until("it is connected", || side.client().is_some());
    let station = program.http.get("/api/stations/2").json();
    assert_eq!(
        (&station["rawDelay"], &station["recording"]["wanted"]),
        (&2.5.into(), &false.into())
    );
    assert!(bad(ctl(&program, &["add", &add])).contains("is called `Side`"));
    assert!(bad(ctl(&program, &["add", "STREAM=10.0.0.5"])).contains("another name"));

    good(ctl(&program, &["rename", "side", "Best"]));
    let changed = good(ctl(&program, &["set", "2", "--delay", "7", "--raw-delay", "0"]));
    assert_eq!(changed, format!("changed: station 2, Best ({address})\n"));
    good(ctl(&program, &["record", "Best", "on"]));
    let station = program.http.get("/api/stations/2").json();
    assert_eq!((&station["name"], &station["consoleDelay"]), (&"Best".into(), &7.0.into()));
    assert_eq!(
        (&station["rawDelay"], &station["recording"]["wanted"]),
        (&0.0.into(), &true.into())
    );

    let shown = good(ctl(&program, &["program", "Best", "--now"]));
    assert_eq!(shown, "the program output shows Best\n");
    let next = good(ctl(&program, &["program", "1"]));
    assert_eq!(next, "the program output shows Best, and Stream when its next game begins\n");
    assert!(good(ctl(&program, &["status"])).contains(&next));
    assert_eq!(good(ctl(&program, &["program", "none"])), "the program output shows nothing\n");
    good(ctl(&program, &["remove", "Best"]));
    program.http.get("/api/stations/2").is_error(404, "no-station");
    wait_until("it is disconnected", || side.client().is_none());
    assert!(bad(ctl(&program, &["remove", "Best"])).contains("andross ctl stations"));

    assert_eq!(good(ctl(&program, &["clients", "--station", "Stream"])).lines().count(), 2);
    good(ctl(&program, &["kick", "1"]));
    spectator.read_to_end();
    assert!(bad(ctl(&program, &["kick", "1"])).contains("no spectator 1"));
    assert_eq!(good(ctl(&program, &["clients", "--station", "Stream"])).lines().count(), 1);
    assert!(bad(ctl(&program, &["reload"])).contains("--config"));
    assert_eq!(good(ctl(&program, &["shutdown"])), "the relay ends\n");
    assert_eq!(program.relay.wait().code(), Some(0));
    program.relay.wait_for_log("ending because of a control call");
}

#[test]
fn a_name_that_means_two_stations_means_none() {
    let program = Program::start(&[]);
    good(ctl(&program, &["add", "127.0.0.1:9", "--name", "1"]));
    assert!(bad(ctl(&program, &["remove", "1"])).contains("may be any of"));
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_code_2() {
    let program = Program::start(&[]);
    for args in [
        &["set", "Stream"][..],
        &["set", "Stream", "--delay", "-1"],
        &["set", "Stream", "--delay", "nan"],
        &["record", "Stream", "maybe"],
        &["kick", "x"],
        &[],
    ] {
        assert_eq!(ctl(&program, args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn the_token_comes_from_a_file() {
    let program = Program::with_token();
    assert!(bad(ctl(&program, &["reload"])).contains("--token-file"));
    let file = program.folder.path().join("mine.txt");
    let path = file.to_str().unwrap();
    assert!(
        bad(ctl(&program, &["--token-file", path, "reload"])).contains("cannot read the token")
    );
    write_secret(&file, "not-the-token-of-this\n");
    assert!(bad(ctl(&program, &["reload", "--token-file", path])).contains("not the token"));
    write_secret(&file, &format!("{TOKEN}\n"));
    let renamed = ctl(&program, &["rename", "Stream", "Best", "--token-file", path]);
    assert!(renamed.stderr.is_empty(), "{renamed:?}");
    good(renamed);
    assert_eq!(program.http.get("/api/stations/1").json()["name"], "Best");
}

#[cfg(unix)]
#[test]
fn whoever_shows_everyone_the_token_is_told_so() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::with_token();
    let file = program.folder.path().join("mine.txt");
    write_secret(&file, TOKEN);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let path = file.to_str().unwrap();
    let renamed = ctl(&program, &["rename", "Stream", "Best", "--token-file", path]);
    let said = String::from_utf8_lossy(&renamed.stderr).into_owned();
    assert!(said.contains(&format!("chmod 600 {path}")) && !said.contains(TOKEN), "{said}");
    good(renamed);
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
    let program = Program::start(&[]);
    let url = format!("http://{}", program.http.address);
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
    let program = Program::start(&[]);
    let url = format!("http://{}", program.http.address);
    let mut child =
        command(&url, &["status", "--watch", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        let line = lines.next().unwrap().unwrap();
        let status: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(status["stations"][0]["name"], "Stream");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

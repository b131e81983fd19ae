//! The real binary: what it is told, by the command line and by a file, and how it logs.

use std::path::{Path, PathBuf};
use std::process::Command;

use andross::config::file;
use tempfile::TempDir;

fn andross(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_andross"))
        .args(args)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A folder with an `andross.toml` in it, and that file's path.
fn file_with(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("andross.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn example() -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/andross.example.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The example's settings or tables without the `#` in front of them.
fn uncommented(example: &str) -> String {
    let is_setting = |line: &str| {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        is_key || line.starts_with('[')
    };
    let lines = example.lines().map(|line| match line.strip_prefix("# ") {
        Some(setting) if is_setting(setting) => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_good_as_it_stands() {
    let (path, text) = example();
    let config = file::parse(&text, &path).unwrap().into_config().unwrap();
    assert_eq!(config.stations.len(), 1);
    assert!(config.program.is_none() && config.discovery.is_none());
}

#[test]
fn the_example_s_comments_are_good_whole_and_true() {
    let (_, text) = example();
    let all = uncommented(&text);
    let path = Path::new("andross.toml");
    let config = file::parse(&all, path).unwrap().into_config().unwrap();
    for key in file::keys().iter().filter(|key| !matches!(key.as_str(), "station" | "program")) {
        let top = all.split("\n[program]").next().unwrap();
        assert!(top.contains(&format!("\n{key} = ")), "the example lacks `{key}`");
    }
    // What is said to be a default is one.
    let defaults = file::parse("", path).unwrap().into_config().unwrap();
    assert_eq!((config.listen, config.raw_listen), (defaults.listen, defaults.raw_listen));
    assert_eq!(config.http.unwrap().listen, defaults.http.unwrap().listen);
    assert_eq!(config.replays, defaults.replays);
    assert_eq!(config.replay_folders, defaults.replay_folders);
    assert_eq!(config.away_limit, defaults.away_limit);
    assert_eq!(format!("{:?}", config.limits), format!("{:?}", defaults.limits));
    assert_eq!(config.discovery, defaults.discovery);
    let names: Vec<&str> = config.stations.iter().map(|s| s.source.name.as_str()).collect();
    assert_eq!(names, ["Stream", "Side"]);
    assert!(config.stations.iter().all(|station| station.record));
    assert_eq!(config.program.unwrap().station.as_deref(), Some("Stream"));
}

#[test]
fn a_good_file_is_called_good_in_one_line() {
    let (_folder, path) = file_with(
        "http = 'off'\n[program]\n[[station]]\nname = 'Stream'\nsource = 'wii'\n\
         [[station]]\nname = 'Side'\nsource = 'wii2'\n",
    );
    let (code, told, complaint) = andross(&["relay", "--config", &path, "--check-config"]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in ["andross.toml is good: 2 stations (Stream, Side)", "http off", "program output"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // The sources of the command line are in front, and what it says holds.
    let args = ["relay", "First=wii3", "--config", &path, "--check-config", "--http=[::1]:1"];
    let (code, told, _) = andross(&args);
    assert_eq!(code, Some(0));
    assert!(told.contains("(First, Stream, Side)") && told.contains("http [::1]:1"), "{told}");
    let (code, told, _) = andross(&["relay", "wii", "--check-config"]);
    assert_eq!(code, Some(0));
    assert!(told.starts_with("the command line is good: 1 station (wii); "), "{told}");
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_place_and_exits_with_2() {
    for (text, named) in [
        ("listen = \"off\n", ":1:"),
        ("\ndelya = 5", ":2:1: unknown key `delya`; did you mean `delay`?"),
        ("[[station]]\nsource = 'wii'\n  recrod = true", ":3:3: unknown key `recrod`; did you"),
        ("delay = 1000", ":1:9: `delay`: write a number of seconds from 0 to 900"),
        ("[[station]]\nsource = 'wii:x'", ":2:10: `source`: `x` is not a port"),
        ("[program]\nstation = 'Stream'", "the program output cannot show `Stream`"),
    ] {
        let (_folder, path) = file_with(text);
        // Both when it is only checked and when it is used.
        for args in [&["--check-config"][..], &[]] {
            let (code, told, complaint) = andross(&[&["relay", "--config", &path], args].concat());
            assert_eq!((code, told.as_str()), (Some(2), ""), "{text}: {complaint}");
            assert!(complaint.contains(named), "{text}: {complaint}");
            assert_eq!(complaint.lines().count(), 1, "{complaint}");
        }
    }
    let (_folder, path) = file_with("[[station]]\nsource = 'wii'");
    let (code, _, complaint) = andross(&["relay", "wii", "--config", &path]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("two stations are called `wii`"), "{complaint}");
    let (code, _, complaint) = andross(&["relay", "--config", "no/such/file.toml"]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("no/such/file.toml"), "{complaint}");
}

#[test]
fn with_nothing_to_relay_one_line_says_so() {
    let (code, told, complaint) = andross(&["relay"]);
    assert_eq!((code, told.as_str()), (Some(2), ""));
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.contains("SOURCE") && complaint.contains("--config"), "{complaint}");
}

/// The lines of a log as objects.
fn objects(log: &str) -> Vec<serde_json::Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn logs_for_programs_are_an_object_a_line() {
    // A port in use, so that it logs something and ends.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = [
        "relay",
        "127.0.0.1:9",
        "--raw-listen=off",
        "--dolphin-listen=off",
        "--replays=off",
        "--http",
    ];
    let log_format = ["--listen=127.0.0.1:0", "--log-format=json"];
    let (code, told, log) = andross(&[&args[..], &[&address], &log_format[..]].concat());
    assert_eq!((code, told.as_str()), (Some(1), ""));
    let lines = objects(&log);
    assert!(lines.len() >= 2, "{log}");
    for line in &lines {
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        assert!(line["level"].is_string() && line["fields"]["message"].is_string(), "{line}");
    }
    assert!(!log.contains('\x1b'), "no colours");
    let station = lines.iter().find(|line| line["fields"]["station"] == "127.0.0.1");
    assert_eq!(station.expect(&log)["level"], "INFO");
    let last = lines.last().unwrap();
    assert_eq!(last["level"], "ERROR");
    assert!(last["fields"]["message"].as_str().unwrap().contains(&address), "{last}");
    // Also in front of the command, and for what is wrong with a file.
    let (_folder, path) = file_with("delay = -1");
    let (code, _, log) = andross(&["--log-format", "json", "relay", "--config", &path]);
    assert_eq!(code, Some(2));
    assert!(objects(&log)[0]["fields"]["message"].as_str().unwrap().contains(":1:9: "), "{log}");
}

#[cfg(unix)]
mod signals {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, ChildStderr, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    use super::{Command, file_with};

    /// A relay that listens nowhere.
    struct Running {
        child: Child,
        log: BufReader<ChildStderr>,
    }

    impl Running {
        fn start(args: &[&str]) -> Self {
            let mut child = Command::new(env!("CARGO_BIN_EXE_andross"))
                .args(["relay", "127.0.0.1:9", "--raw-listen=off", "--dolphin-listen=off"])
                .args(["--http=off", "--replays=off"])
                .arg("--listen=127.0.0.1:0")
                .args(args)
                .env_remove("RUST_LOG")
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let log = BufReader::new(child.stderr.take().unwrap());
            Self { child, log }
        }

        /// Reads the log up to a line with `text`. A relay that ends without it fails the test.
        fn wait_for(&mut self, text: &str) {
            let mut line = String::new();
            while !line.contains(text) {
                line.clear();
                assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "it never said {text:?}");
            }
        }

        fn signal(&self, signal: Signal) {
            let id = i32::try_from(self.child.id()).unwrap();
            kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    fn sighup_ends_a_relay_without_a_file() {
        let mut relay = Running::start(&[]);
        relay.wait_for("spectators connect to");
        relay.signal(Signal::HUP);
        relay.wait_for("ending because of a signal");
        assert_eq!(relay.child.wait().unwrap().code(), Some(0));
    }

    #[test]
    fn sighup_reads_the_file_again_and_the_relay_goes_on() {
        let (_folder, path) = file_with("delay = 1\n");
        let mut relay = Running::start(&["--config", &path]);
        relay.wait_for("spectators connect to");
        std::fs::write(&path, "delay = 1\n\nno = 1\n").unwrap();
        relay.signal(Signal::HUP);
        relay.wait_for("andross.toml:3:1: unknown key `no`");
        std::fs::write(&path, "delay = 2\n").unwrap();
        relay.signal(Signal::HUP);
        relay.wait_for("configuration: the delay for all stations");
        relay.signal(Signal::INT);
        relay.wait_for("ending because of a signal");
        assert_eq!(relay.child.wait().unwrap().code(), Some(0));
    }

    #[test]
    fn sighup_while_the_relay_starts_is_heard_once_it_has() {
        let (_folder, path) = file_with("delay = 1\n");
        let mut relay = Running::start(&["--config", &path]);
        // The first line of all; listeners and threads come after it.
        relay.wait_for("files may be open");
        relay.signal(Signal::HUP);
        relay.wait_for("configuration");
        relay.signal(Signal::INT);
        relay.wait_for("ending because of a signal");
        assert_eq!(relay.child.wait().unwrap().code(), Some(0));
    }
}

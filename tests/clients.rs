//! The real clients: slippi-js of two generations, connected to the relay with `ConsoleConnection`,
//! and slippi-js and peppi reading what the recorder saved.
//!
//! Needs Node and the packages of `tests/clients` (`npm ci --prefix tests/clients`); says so and
//! passes without them, unless ANDROSS_REQUIRE_CLIENTS is set.

mod common;

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use andross::simulator::{Options, Recording};
use common::{Venue, assert_same_bytes, events_of, fixtures, shared_replays};
use serde_json::Value;

const VERSIONS: [&str; 2] = ["9", "6"];

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn clients_are_there() -> bool {
    let node = Command::new("node").arg("--version").output().is_ok_and(|out| out.status.success());
    if node && scripts().join("node_modules").is_dir() {
        return true;
    }
    assert!(
        std::env::var_os("ANDROSS_REQUIRE_CLIENTS").is_none(),
        "the real clients are required: install Node and run `npm ci --prefix tests/clients`"
    );
    eprintln!("skipped: no Node, or no packages (npm ci --prefix tests/clients)");
    false
}

fn node(script: &str, args: &[&str]) -> Child {
    Command::new("node")
        .arg(scripts().join(script))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The JSON lines a script answered with.
fn answers(child: Child) -> Vec<Value> {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read_with(version: &str, files: &[PathBuf]) -> Vec<Value> {
    let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    answers(node("read.cjs", &[&[version], &files[..]].concat()))
}

fn has_game_end(recording: &Recording) -> bool {
    let mut scanner = andross::slp::Scanner::new();
    let mut rest = &recording.events()[..];
    let mut last = None;
    while let Ok(Some(event)) = scanner.next(rest) {
        last = Some(event.code());
        rest = &rest[event.len()..];
    }
    last == Some(andross::slp::EventCode::GAME_END)
}

fn playable() -> Vec<PathBuf> {
    [fixtures(), shared_replays()].concat()
}

/// A slippi-js that follows the relay, greeted.
struct Watching {
    child: Child,
    answers: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
    details: Value,
}

impl Watching {
    fn start(version: &str, port: u16, folder: &Path, games: usize, last: &str) -> Self {
        let (port, games) = (port.to_string(), games.to_string());
        let folder = folder.to_str().unwrap();
        let mut child = node("watch.cjs", &[version, &port, folder, &games, last]);
        let mut answers = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let details = next(&mut answers);
        Self { child, answers, details }
    }

    /// The event bytes of the files that it wrote.
    fn files(mut self) -> Vec<Vec<u8>> {
        let files = next(&mut self.answers);
        assert!(self.child.wait().unwrap().success());
        let files = files.as_array().unwrap().iter();
        files.map(|file| events_of(Path::new(file.as_str().unwrap()))).collect()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn next(answers: &mut impl Iterator<Item = std::io::Result<String>>) -> Value {
    let line = answers.next().expect("slippi-js ended without an answer").unwrap();
    serde_json::from_str(&line).unwrap()
}

/// slippi-js, as Slippi Launcher uses it, writes files that have the recorder's event bytes: each
/// recording, and all fixtures in a row over one connection.
#[test]
fn slippi_js_writes_what_the_recorder_writes() {
    if !clients_are_there() {
        return;
    }
    let mut evenings: Vec<Vec<PathBuf>> = playable().into_iter().map(|path| vec![path]).collect();
    evenings.push(fixtures().into_iter().filter(|path| has_game_end(&load(path))).collect());
    for evening in evenings {
        let games: Vec<Recording> = evening.iter().map(|path| load(path)).collect();
        let expected: Vec<_> = games.iter().map(|game| game.events().to_vec()).collect();
        let names: Vec<_> = games.iter().map(|game| game.name().to_string()).collect();
        let last = if games.iter().all(has_game_end) { "end" } else { "no-end" };
        let folder = tempfile::tempdir().unwrap();
        // All are greeted before the console is switched on: a short game would be over before
        // Node has started.
        let (mut venue, address) = Venue::without_console(|_| {});
        let port = venue.console_address().port();
        let watching = VERSIONS.map(|v| Watching::start(v, port, folder.path(), games.len(), last));
        venue.switch_on(Options {
            listen: address,
            recordings: games,
            fps: 3_000.0,
            pause: Duration::from_millis(100),
            ..Options::default()
        });
        for (version, watching) in VERSIONS.iter().zip(watching) {
            for (name, (file, expected)) in names.iter().zip(watching.files().iter().zip(&expected))
            {
                assert_same_bytes(&format!("{name}, slippi-js {version}"), file, expected);
            }
        }
        let recorded = venue.end();
        assert_eq!(recorded.len(), expected.len());
        for (name, (file, expected)) in names.iter().zip(recorded.iter().zip(&expected)) {
            assert_same_bytes(&format!("{name}, the recorder"), file, expected);
        }
    }
}

#[test]
fn slippi_js_is_told_the_consoles_own_name() {
    if !clients_are_there() {
        return;
    }
    let options = Options {
        recordings: vec![common::synthetic(1, 100, true)],
        nick: "Bühne 1".to_owned(),
        version: "1.11.9".to_owned(),
        ..Options::default()
    };
    let venue = Venue::start(options, |_| {});
    venue.wait_for_bytes(1);
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let port = venue.console_address().port();
        let watching = Watching::start(version, port, folder.path(), 1, "end");
        assert_eq!(watching.details["nick"], "Bühne 1", "slippi-js {version}");
        assert_eq!(watching.details["version"], "1.11.9", "slippi-js {version}");
    }
}

fn load(path: &Path) -> Recording {
    Recording::load(path).unwrap()
}

/// Every recorded file, read by slippi-js and peppi: the same facts as the original.
#[test]
fn recorded_files_say_the_same_as_their_originals() {
    for path in playable() {
        let recording = Recording::load(&path).unwrap();
        let name = recording.name().to_string();
        let venue = Venue::play(vec![recording.clone()], 6_000.0);
        venue.wait_for_bytes(recording.events().len());
        let folder = tempfile::tempdir().unwrap();
        let saved = folder.path().join("saved.slp");
        let recorded = venue.station().recording();
        venue.shutdown.request(andross::shutdown::Reason::Finished);
        venue.relay.run_to_end().unwrap();
        std::fs::copy(recorded.unwrap(), &saved).unwrap();

        let is_complete = andross::replay::survey(&path).unwrap().is_ok();
        compare_with_peppi(&name, &path, &saved, is_complete);
        if clients_are_there() {
            for version in VERSIONS {
                compare_with_slippi_js(version, &name, &path, &saved, is_complete);
            }
        }
    }
}

fn compare_with_slippi_js(
    version: &str,
    name: &str,
    original: &Path,
    saved: &Path,
    complete: bool,
) {
    let mut facts = read_with(version, &[saved.to_owned()]);
    let ours = facts.remove(0);
    assert_eq!(ours["metadata"]["playedOn"], "nintendont", "{name}");
    assert_eq!(ours["metadata"]["consoleNick"], "andross", "{name}");
    if !complete {
        // Cut off inside a frame: the original has no facts to compare with.
        return;
    }
    let theirs = read_with(version, &[original.to_owned()]).remove(0);
    // Early recorders wrote less metadata; what they wrote must agree.
    for fact in ["lastFrame", "characters"] {
        let said = &theirs["metadata"][fact];
        if said.is_null() || said.as_object().is_some_and(|object| object.is_empty()) {
            continue;
        }
        assert_eq!(
            ours["metadata"][fact], theirs["metadata"][fact],
            "{name}: {fact} in the metadata"
        );
    }
    for fact in ["stage", "players", "lastFrame", "end"] {
        assert_eq!(ours[fact], theirs[fact], "{name}, slippi-js {version}: {fact}");
    }
}

fn compare_with_peppi(name: &str, original: &Path, saved: &Path, complete: bool) {
    let read = |path: &Path| {
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        peppi::io::slippi::read(file, None)
    };
    if !complete {
        return;
    }
    // peppi does not know every way a game can end (break the targets); then it can read neither.
    let (ours, theirs) = match (read(saved), read(original)) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(_), Err(_)) => return,
        (ours, theirs) => {
            panic!("{name}: peppi reads only one of both: {:?} {:?}", ours.err(), theirs.err())
        }
    };
    assert_eq!(ours.start, theirs.start, "{name}: Game Start");
    assert_eq!(ours.end, theirs.end, "{name}: Game End");
    assert_eq!(ours.frames.id, theirs.frames.id, "{name}: frames");
}

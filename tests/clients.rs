//! The real clients: slippi-js of two generations, connected to the relay with `ConsoleConnection`
//! and `DolphinConnection`; libmelee, stepping from frame to frame; and slippi-js and peppi reading
//! what the recorder saved.
//!
//! Needs Node and the packages of `tests/clients` (`npm ci --prefix tests/clients`), and Python with
//! those of `tests/clients/requirements.txt` in `target/libmelee`; says so and passes without them,
//! unless ANDROSS_REQUIRE_CLIENTS is set.

mod common;

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use andross::simulator::{Options, Recording};
use andross::slp::{EventCode, Scanner};
use common::{Venue, assert_same_bytes, events_of, fixtures, shared_replays};
use serde_json::{Map, Value, json};

const VERSIONS: [&str; 2] = ["9", "6"];

/// More bytes than any frame of the recordings has.
const LONGEST_FRAME: usize = 2_000;

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
    fn start(
        version: &str,
        (address, protocol): (SocketAddr, &str),
        folder: &Path,
        games: usize,
        last: &str,
    ) -> Self {
        let (port, games) = (address.port().to_string(), games.to_string());
        let folder = folder.to_str().unwrap();
        let mut child = node("watch.cjs", &[version, &port, folder, &games, last, protocol]);
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
    let line = answers.next().expect("the client ended without an answer").unwrap();
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
        let both = [(venue.console_address(), "console"), (venue.dolphin_address(), "dolphin")];
        let clients = VERSIONS.iter().flat_map(|version| both.map(|at| (version, at)));
        let start = |(version, at): (&&str, (SocketAddr, &'static str))| {
            let client = format!("slippi-js {version}, {}", at.1);
            (client, Watching::start(version, at, folder.path(), games.len(), last))
        };
        let watching: Vec<_> = clients.map(start).collect();
        venue.switch_on(Options {
            listen: address,
            recordings: games,
            fps: 3_000.0,
            pause: Duration::from_millis(100),
            ..Options::default()
        });
        for (client, watching) in watching {
            for (name, (file, expected)) in names.iter().zip(watching.files().iter().zip(&expected))
            {
                // Dolphin's batches are frames: one that broke off comes with the relay's end.
                let is_cut = last == "no-end" && client.ends_with("dolphin");
                let len = if is_cut { expected.len().min(file.len()) } else { expected.len() };
                assert!(expected.len() - len < LONGEST_FRAME, "{name}, {client}");
                assert_same_bytes(&format!("{name}, {client}"), file, &expected[..len]);
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
    let both = [(venue.console_address(), "console"), (venue.dolphin_address(), "dolphin")];
    for (version, at) in VERSIONS.iter().flat_map(|version| both.map(|at| (version, at))) {
        let watching = Watching::start(version, at, folder.path(), 1, "end");
        assert_eq!(watching.details["nick"], "Bühne 1", "slippi-js {version}, {}", at.1);
        assert_eq!(watching.details["version"], "1.11.9", "slippi-js {version}, {}", at.1);
    }
}

/// The Python that has libmelee, if there is one.
fn libmelee() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/libmelee");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let imports = Command::new(&python).args(["-c", "import melee"]).output();
    if imports.is_ok_and(|out| out.status.success()) {
        return Some(python);
    }
    assert!(
        std::env::var_os("ANDROSS_REQUIRE_CLIENTS").is_none(),
        "the real clients are required: see tests/clients/requirements.txt"
    );
    eprintln!("skipped: no libmelee (tests/clients/requirements.txt says how to install it)");
    None
}

/// What libmelee is to make of a game: a state at each bookend.
fn states(recording: &Recording) -> Vec<Value> {
    let (mut scanner, mut rest) = (Scanner::new(), &recording.events()[..]);
    let (mut states, mut players, mut nanas) = (Vec::new(), Map::new(), Map::new());
    while let Ok(Some(event)) = scanner.next(rest) {
        rest = &rest[event.len()..];
        let float = |at| u32::from_be_bytes(event.array(at).unwrap());
        match event.code() {
            EventCode::POST_FRAME => {
                let to = if event.u8(6) == Some(1) { &mut nanas } else { &mut players };
                let port = (event.u8(5).unwrap() + 1).to_string();
                let stocks = event.u8(0x21).unwrap();
                to.insert(port, json!([float(0xA), float(0xE), float(0x16), stocks]));
            }
            EventCode::FRAME_BOOKEND => states.push(json!({
                "frame": event.frame().unwrap().0,
                "players": std::mem::take(&mut players),
                "nanas": std::mem::take(&mut nanas),
            })),
            _ => {}
        }
    }
    states
}

/// libmelee, from a station as from a Dolphin: every frame, and in each what the console sent. It
/// knows no recorders before 3.0.
#[test]
fn libmelee_sees_every_frame() {
    let Some(python) = libmelee() else { return };
    let games = fixtures().into_iter().map(|path| load(&path));
    let games: Vec<_> = games.filter(|game| !states(game).is_empty()).collect();
    assert!(games.len() > 3);
    for game in games {
        let expected = states(&game);
        let (mut venue, listen) = Venue::without_console(|_| {});
        let port = venue.dolphin_address().port().to_string();
        let mut child = Command::new(&python)
            .arg(scripts().join("libmelee.py"))
            .args([port, expected.len().to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(next(&mut answers)["nick"], "test");
        let name = game.name().clone();
        venue.switch_on(Options {
            listen,
            recordings: vec![game],
            fps: 3_000.0,
            ..Options::default()
        });
        let seen = next(&mut answers);
        for (n, (seen, expected)) in seen.as_array().unwrap().iter().zip(&expected).enumerate() {
            assert_eq!(seen, expected, "{name}: state {n}");
        }
        assert_eq!(seen.as_array().unwrap().len(), expected.len(), "{name}");
        assert!(child.wait().unwrap().success());
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

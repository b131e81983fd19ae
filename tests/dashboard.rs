//! The dashboard in a real browser: headless Chromium, driven by the scripts of
//! `tests/clients/dashboard`, on pages of the real binary.
//!
//! Needs Chromium, Node and the packages of `tests/clients` (`npm ci --prefix tests/clients`); says so
//! and passes without them, unless ANDROSS_REQUIRE_CLIENTS is set. With ANDROSS_PICTURES=FOLDER the
//! scripts save what the pages look like.

mod common;

use std::io::Write;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use andross::protocol::discovery::{Announcement, Mac};
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Recording, Repeat, Simulator};
use andross::slp::state::{MatchReader, MatchState};
use andross::slp::{EventCode, Scanner};
use common::browser::{chromium, scripts, works};
use common::process::RelayProcess;
use common::{fixture, wait_until};
use serde_json::{Value, json};

/// Chromium, if there is all that is needed to drive it.
fn browser() -> Option<PathBuf> {
    let has_node = works(Command::new("node").arg("--version"))
        && scripts().join("node_modules/playwright-core").is_dir();
    let chromium = chromium().filter(|_| has_node);
    if chromium.is_none() {
        assert!(
            std::env::var_os("ANDROSS_REQUIRE_CLIENTS").is_none(),
            "a browser is required: install Chromium (CHROMIUM names another), Node, and run `npm ci --prefix tests/clients`"
        );
        eprintln!("skipped: no Chromium, no Node, or no packages (npm ci --prefix tests/clients)");
    }
    chromium
}

/// Runs a script on the relay's pages. What is known goes to its standard input.
fn browse(browser: &Path, script: &str, relay: &RelayProcess, known: &Value) {
    let mut node = Command::new("node")
        .arg(scripts().join("dashboard").join(script))
        .arg(format!("http://{}", relay.http()))
        .env("CHROMIUM", browser)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(known.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {told}");
}

/// Consoles that play these games for ever, and a relay of them.
struct Stage {
    relay: RelayProcess,
    replays: tempfile::TempDir,
    _consoles: Vec<Simulator>,
    shutdown: Shutdown,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shutdown.request(andross::shutdown::Reason::Finished);
    }
}

impl Stage {
    fn new(consoles: &[(&str, &[&str])], options: &[&str]) -> Self {
        let shutdown = Shutdown::new();
        let replays = tempfile::tempdir().unwrap();
        let play = |games: &[&str]| {
            let options = Options {
                recordings: games.iter().map(|game| fixture(game)).collect(),
                repeat: Repeat::Forever,
                pause: Duration::from_millis(500),
                nick: "<b>nick".to_owned(),
                ..Options::default()
            };
            Simulator::start(options, &shutdown).unwrap()
        };
        let simulators: Vec<_> = consoles.iter().map(|(_, games)| play(games)).collect();
        let named = consoles.iter().zip(&simulators);
        let sources = named.map(|((name, _), console)| format!("{name}={}", console.local_addr()));
        let mut args: Vec<String> = sources.collect();
        let own = ["--listen=127.0.0.1:0", "--raw-listen=off", "--http=127.0.0.1:0"];
        args.extend(own.iter().chain(options).map(|&option| option.to_owned()));
        args.push(format!("--replays={}", replays.path().display()));
        let relay = RelayProcess::start(args);
        for (name, _) in consoles {
            relay.wait_until_connected(name);
        }
        Self { relay, replays, _consoles: simulators, shutdown }
    }
}

/// The match's state at the end of a game.
fn end_of(game: &Recording) -> MatchState {
    let mut reader = MatchReader::new();
    reader.feed(game.events());
    reader.state().clone()
}

fn characters(state: &MatchState) -> Vec<String> {
    state.players.iter().map(|player| player.character.name.to_string()).collect()
}

const ROLLBACKS: &str = "v3.18.0-rollback-names.slp";
const FOUR: &str = "v3.18.0-four-players.slp";
const ICE_CLIMBERS: &str = "v3.7.0-ice-climbers.slp";
const ITEMS: &str = "v3.7.0-items.slp";

#[test]
fn the_stations_are_shown_and_changed_on_all_pages_at_once() {
    let Some(browser) = browser() else { return };
    let stage = Stage::new(&[("Main", &[ROLLBACKS]), ("Side", &[FOUR])], &["--program"]);
    let state = end_of(&fixture(ROLLBACKS));
    let known = json!({
        "stations": ["Main", "Side", "program"],
        "stage": state.stage.as_ref().unwrap().name,
        "players": characters(&state),
    });
    browse(&browser, "stations.mjs", &stage.relay, &known);
}

#[test]
fn a_token_is_asked_for_once() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (path, token) = (folder.path().join("token"), "correct-horse-battery-staple");
    std::fs::write(&path, token).unwrap();
    let option = format!("--http-token-file={}", path.display());
    let stage = Stage::new(&[("Main", &[FOUR])], &[&option]);
    browse(&browser, "token.mjs", &stage.relay, &json!({ "token": token }));
}

#[test]
fn the_overlay_shows_the_match_on_nothing_and_follows_the_program() {
    let Some(browser) = browser() else { return };
    let stage = Stage::new(&[("Main", &[ROLLBACKS]), ("Side", &[FOUR])], &["--program"]);
    let (first, next) = (end_of(&fixture(ROLLBACKS)), end_of(&fixture(FOUR)));
    let switch = json!({ "station": stage.relay.station("Main").id(), "at": "now" });
    assert_eq!(stage.relay.post("/api/program", Some(switch)).0, 200);
    let names: Vec<_> = first.players.iter().map(|player| player.name.clone()).collect();
    let known = json!({
        "station": "program",
        "names": names,
        "characters": characters(&first),
        "next": { "id": stage.relay.station("Side").id(), "characters": characters(&next) },
    });
    browse(&browser, "overlay.mjs", &stage.relay, &known);
}

#[test]
fn the_viewer_shows_saved_and_live_matches_as_they_are() {
    let Some(browser) = browser() else { return };
    let stage = Stage::new(&[("Main", &[FOUR])], &[]);
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(ROLLBACKS);
    std::fs::copy(original, stage.replays.path().join("saved.slp")).unwrap();
    let known = json!({
        "station": stage.relay.station("Main").id(),
        "name": "Main",
        "frames": frames_of(&fixture(FOUR)),
        "saved": { "path": "saved.slp", "state": end_of(&fixture(ROLLBACKS)) },
    });
    browse(&browser, "viewer.mjs", &stage.relay, &known);
}

/// The players behind each frame, by its number.
fn frames_of(game: &Recording) -> Value {
    let (mut scanner, mut state) = (Scanner::new(), MatchState::new());
    let mut frames = serde_json::Map::new();
    let mut rest = &game.events()[..];
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        state.observe(event);
        if event.code() == EventCode::FRAME_BOOKEND {
            let players = serde_json::to_value(&state.players).unwrap();
            frames.insert(event.frame().unwrap().0.to_string(), players);
        }
    }
    frames.into()
}

#[test]
fn the_library_finds_sorts_opens_and_hands_out_what_is_saved() {
    let Some(browser) = browser() else { return };
    let stage = Stage::new(&[("Main", &[FOUR])], &[]);
    let copy = |name: &str| {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        let path = stage.replays.path().join(name);
        std::fs::copy(original, &path).unwrap();
        path
    };
    let saved = [ROLLBACKS, ICE_CLIMBERS, ITEMS].map(|name| (name, copy(name)));
    let games = saved.iter().map(|(name, file)| {
        let state = end_of(&fixture(name));
        let players = state.players.iter();
        let players = players.map(|player| format!("{} ({})", player.name, player.character.name));
        json!({
            "path": name,
            "file": file,
            "stage": state.stage.as_ref().unwrap().name,
            "players": players.collect::<Vec<_>>(),
            "winners": winners(&stage.relay, name),
        })
    });
    let known = json!({
        "games": games.collect::<Vec<_>>(),
        "search": "climbers",
        "found": [ICE_CLIMBERS],
    });
    browse(&browser, "library.mjs", &stage.relay, &known);
}

/// The ports of those who won a saved game, as the library's call has them, once it has looked at it.
fn winners(relay: &RelayProcess, path: &str) -> Vec<u64> {
    let mut ports = Vec::new();
    wait_until("the library has the game", || {
        let page = relay.get("/api/replays?limit=200");
        let games = page["replays"].as_array().unwrap().clone();
        let game = games.into_iter().find(|game| game["path"] == path);
        let won = game.iter().flat_map(|game| game["players"].as_array().unwrap());
        let won = won.filter(|player| player["isWinner"] == true);
        ports = won.map(|player| player["port"].as_u64().unwrap()).collect();
        game.is_some()
    });
    ports
}

#[test]
fn every_page_is_without_fault_and_accessible() {
    let Some(browser) = browser() else { return };
    let stage = Stage::new(&[("Main", &[ROLLBACKS]), ("Side", &[FOUR])], &["--program"]);
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(ROLLBACKS);
    std::fs::copy(original, stage.replays.path().join("saved.slp")).unwrap();
    let known = json!({ "pages": [
        ["stations", "/", ".card .player"],
        ["library", "/library", "#rows tr"],
        ["replay", "/replay?path=saved.slp", "match-viewer canvas"],
        ["live", "/live/Main", "match-viewer canvas"],
        ["overlay", "/overlay/Main", ".player"],
        ["health", "/health", "img"],
        ["api", "/api", "table"],
    ]});
    browse(&browser, "pages.mjs", &stage.relay, &known);
}

#[test]
fn a_console_that_was_removed_is_adopted_again_by_a_button() {
    let Some(browser) = browser() else { return };
    let ears = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let discover = format!("--discover={ears}");
    let options = ["--listen=127.0.0.1:0", "--raw-listen=off", "--http=127.0.0.1:0"];
    // Nobody is at this port: what counts is that the console announces itself.
    let relay = RelayProcess::start(options.into_iter().chain([
        "--replays=off",
        "--discover-port=9",
        &discover,
    ]));
    relay.wait_for_log("control calls are answered");
    let mac = Mac([0, 9, 0xBF, 1, 2, 3]);
    let announcement = Announcement { mac, nick: "Wii 7".to_owned() };
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&announcement.encode(), ears).unwrap();
    wait_until("it is adopted", || relay.find_station("Wii 7").is_some());
    browse(&browser, "adopt.mjs", &relay, &json!({ "nick": "Wii 7", "mac": mac.to_string() }));
}

//! Every recording, through the whole relay, to several spectators of both protocols and onto the
//! disk: identical to the byte.

mod common;

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use andross::simulator::{Options, Recording};
use common::{
    ConsoleSpectator, RawSpectator, Venue, assert_same_bytes, fixtures, shared_replays, synthetic,
    wait_until,
};

/// Far above the game's own pace, slow enough that a 3 MiB ring never runs over.
const FAST: f64 = 6_000.0;

/// A relay whose spectators, `n` of each protocol, are there before the console is switched on: at
/// this pace a short game would be over before a late one has come.
fn audience(n: usize) -> (Venue, SocketAddr, Vec<ConsoleSpectator>, Vec<RawSpectator>) {
    let (venue, address) = Venue::without_console(|_| {});
    let console = (0..n).map(|_| ConsoleSpectator::connect(venue.console_address())).collect();
    let raw = (0..n).map(|_| RawSpectator::connect(venue.raw_address())).collect();
    wait_until("all are there", || venue.station().stats.clients() == 2 * n as i64);
    (venue, address, console, raw)
}

/// Everybody reads at the same time: one that waits for another would be games behind.
fn all_get(console: Vec<ConsoleSpectator>, raw: Vec<RawSpectator>, name: &str, expected: &[u8]) {
    thread::scope(|scope| {
        for mut spectator in console {
            scope.spawn(move || {
                spectator.read_bytes(expected.len());
                assert_same_bytes(&format!("{name}, console"), &spectator.data, expected);
                let forced = spectator.replays.iter().filter(|(_, forced)| *forced).count();
                assert_eq!(forced, 0, "{name}: a gap");
            });
        }
        for mut spectator in raw {
            scope.spawn(move || {
                spectator.read_bytes(expected.len());
                assert_same_bytes(&format!("{name}, raw"), &spectator.data, expected);
            });
        }
    });
}

fn passes_unchanged(path: &Path) {
    let recording = Recording::load(path).unwrap();
    let name = recording.name().clone();
    let expected = recording.events().clone();
    let (mut venue, listen, console, raw) = audience(3);
    let recordings = vec![recording];
    venue.switch_on(Options { listen, recordings, fps: FAST, ..Options::default() });
    all_get(console, raw, &name, &expected);
    let files = venue.end();
    assert_eq!(files.len(), 1, "{name}: one game, one file");
    assert_same_bytes(&format!("{name}, recorded"), &files[0], &expected);
}

#[test]
fn every_fixture_passes_unchanged() {
    for path in fixtures() {
        passes_unchanged(&path);
    }
}

#[test]
fn every_real_recording_passes_unchanged() {
    for path in shared_replays() {
        passes_unchanged(&path);
    }
}

#[test]
fn games_in_a_row_are_files_of_their_own() {
    let games: Vec<Recording> =
        fixtures().iter().map(|path| Recording::load(path).unwrap()).collect();
    let events: Vec<Vec<u8>> = games.iter().map(|game| game.events().to_vec()).collect();
    let all = events.concat();
    let (mut venue, listen, console, raw) = audience(2);
    let pause = Duration::from_millis(1);
    venue.switch_on(Options { listen, recordings: games, fps: FAST, pause, ..Options::default() });
    all_get(console, raw, "all games", &all);
    let files = venue.end();
    assert_eq!(files.len(), events.len());
    for (file, events) in files.iter().zip(&events) {
        assert_same_bytes("a file", file, events);
    }
}

#[test]
fn late_joiners_get_the_whole_game_so_far_and_then_the_rest() {
    let game = synthetic(1, 600, true);
    let options = Options { recordings: vec![game.clone()], fps: 300.0, ..Options::default() };
    let venue = Venue::start(options, |_| {});
    let (mut console, mut raw) = (Vec::new(), Vec::new());
    for quarter in 0..4 {
        venue.wait_for_bytes(1 + quarter * game.events().len() / 4);
        console.push(ConsoleSpectator::connect(venue.console_address()));
        raw.push(RawSpectator::connect(venue.raw_address()));
    }
    all_get(console, raw, "late joiners", game.events());
}

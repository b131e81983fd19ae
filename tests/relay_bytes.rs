//! Every recording, through the whole relay, to several spectators of both protocols and onto the
//! disk: identical to the byte.

mod common;

use std::thread;

use andross::simulator::{Options, Recording};
use common::{ConsoleSpectator, RawSpectator, Venue, assert_same_bytes, fixtures, shared_replays};

/// Far above the game's own pace, slow enough that a 3 MiB ring never runs over.
const FAST: f64 = 6_000.0;

fn passes_unchanged(path: &std::path::Path) {
    let recording = Recording::load(path).unwrap();
    let name = recording.name().clone();
    let expected = recording.events().clone();
    let venue = Venue::play(vec![recording], FAST);
    let (console, raw) = (venue.console_address(), venue.raw_address());
    thread::scope(|scope| {
        for n in 0..3 {
            let (name, expected) = (&name, &expected);
            scope.spawn(move || {
                let mut spectator = ConsoleSpectator::connect(console);
                spectator.read_bytes(expected.len());
                assert_same_bytes(&format!("{name}, console {n}"), &spectator.data, expected);
                assert!(
                    spectator.replays.iter().all(|(_, forced)| !forced),
                    "{name}: a gap"
                );
            });
            scope.spawn(move || {
                let mut spectator = RawSpectator::connect(raw);
                spectator.read_bytes(expected.len());
                assert_same_bytes(&format!("{name}, raw {n}"), &spectator.data, expected);
            });
        }
    });
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
    let games: Vec<Recording> = fixtures()
        .iter()
        .map(|path| Recording::load(path).unwrap())
        .collect();
    let events: Vec<Vec<u8>> = games.iter().map(|game| game.events().to_vec()).collect();
    let all = events.concat();
    // The player waits for the relay, and the relay for the spectators: a slow first game is time
    // enough for them, later ones come without a pause.
    let options = Options {
        recordings: games,
        fps: FAST,
        pause: std::time::Duration::from_millis(1),
        ..Options::default()
    };
    let venue = Venue::start(options, |_| {});
    let mut console = ConsoleSpectator::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    console.read_bytes(all.len());
    raw.read_bytes(all.len());
    assert_same_bytes("console", &console.data, &all);
    assert_same_bytes("raw", &raw.data, &all);
    let files = venue.end();
    assert_eq!(files.len(), events.len());
    for (file, events) in files.iter().zip(&events) {
        assert_same_bytes("a file", file, events);
    }
}

//! What the log keeps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use andross::protocol::Cursor;
use andross::session::{Horizon, Station, StationId, Writer};

use crate::common::synthetic;
use crate::{FRAME, HEAD, write};

/// Was: dropping old games that the recorder pins also halves the current one, needed or not.
#[test]
fn the_current_game_stays_whole_while_the_disk_fails() {
    let station = Arc::new(Station::new(StationId(0), "test"));
    let mut writer = Writer::new(station.clone());
    // The recorder's disk is away from the first game on.
    station.log.pin(Default::default());
    let old = synthetic(7, 32_000, true);
    let mut pos = 0;
    for _ in 0..5 {
        for piece in old.events().chunks(24_000) {
            write(&mut writer, pos, false, piece);
            pos += piece.len();
        }
    }
    let game = synthetic(8, 4_000, false);
    let start = pos;
    for piece in game.events().chunks(FRAME) {
        write(&mut writer, pos, false, piece);
        pos += piece.len();
    }
    // Trimmed again, as happens every 4 MiB.
    let more = synthetic(8, 16_000, false).events()[game.events().len()..].to_vec();
    for piece in more.chunks(FRAME) {
        write(&mut writer, pos, false, piece);
        pos += piece.len();
    }
    let from = station.log.fresh(Cursor(0), Horizon::at(Instant::now(), Duration::ZERO)).pos;
    let whole = station.log.bytes_from(from, usize::MAX);
    eprintln!("retained {} MB", station.log.retained() / 1_000_000);
    assert_eq!(from, Cursor(start as u64), "from its beginning");
    assert_eq!(whole.len(), pos - start, "and without a hole");
}

/// Was: a game whose first message already holds frames loses its beginning when it is trimmed.
#[test]
fn a_game_that_outgrows_the_log_keeps_its_beginning() {
    let station = Arc::new(Station::new(StationId(0), "test"));
    let mut writer = Writer::new(station.clone());
    let game = synthetic(9, 180_000, false);
    let mut pos = 0;
    for piece in game.events().chunks(24_400) {
        write(&mut writer, pos, false, piece);
        pos += piece.len();
    }
    eprintln!("sent {} MB, retained {} MB", pos / 1_000_000, station.log.retained() / 1_000_000);
    assert!(station.log.retained() < pos, "it was trimmed");
    assert!(station.log.game_start(1).is_some(), "the game's start is kept");
}

/// Was: a repetition that reaches a hole in the log is appended behind the end at old positions.
#[test]
fn a_repetition_over_a_hole_does_not_go_back() {
    let game = synthetic(10, 60, false);
    let events = game.events();
    let station = Arc::new(Station::new(StationId(0), "test"));
    let mut writer = Writer::new(station.clone());
    let (a, b) = (HEAD + 20 * FRAME, HEAD + 40 * FRAME);
    write(&mut writer, 0, false, &events[..a]);
    write(&mut writer, b, true, &events[b..]);
    writer.reconnected();
    for piece in 0..events.len().div_ceil(24_000) {
        let at = piece * 24_000;
        write(&mut writer, at, false, &events[at..(at + 24_000).min(events.len())]);
    }
    let mut chunks = Vec::new();
    station.log.read(Default::default(), usize::MAX, &mut chunks);
    let places: Vec<_> = chunks.iter().map(|chunk| (chunk.epoch(), chunk.pos())).collect();
    assert!(places.is_sorted(), "positions of one epoch only grow: {places:?}");
}

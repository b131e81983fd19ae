use std::time::Instant;

use super::*;
use crate::protocol::console::Replay;
use crate::session::{Divergence, Station, StationId, Writer};

/// Payload sizes: Game Start 1 byte, Pre-Frame 4 + padding, Game End 1 byte.
const TABLE: [u8; 11] = [0x35, 10, 0x36, 0, 1, 0x37, 0, 99, 0x39, 0, 1];

fn frame(number: i32) -> Vec<u8> {
    let mut event = vec![0x37];
    event.extend(number.to_be_bytes());
    event.resize(100, 0xAB);
    event
}

struct Bench {
    station: Arc<Station>,
    writer: Writer,
    pos: u64,
}

impl Bench {
    fn new() -> Self {
        let station = Arc::new(Station::new(StationId(0), "test"));
        Self { writer: Writer::new(station.clone()), station, pos: 1000 }
    }

    fn write(&mut self, data: &[u8]) {
        let replay = Replay { pos: Cursor(self.pos), force_pos: false, data };
        self.writer.write(replay, Divergence::NewPositions, Instant::now());
        self.pos += data.len() as u64;
    }

    fn game(&mut self, frames: i32, end: bool) {
        self.write(&TABLE);
        self.write(&[0x36, 1]);
        for number in 0..frames {
            self.write(&frame(number));
        }
        if end {
            self.write(&[0x39, 2]);
        }
    }

    fn log(&self) -> &Log {
        &self.station.log
    }
}

#[test]
fn a_newcomer_gets_the_game_that_is_on_or_waits_for_the_next() {
    let mut bench = Bench::new();
    let empty = ReadFrom { seq: Seq(0), pos: Cursor(77) };
    assert_eq!(bench.log().fresh(Cursor(77)), empty);
    bench.game(3, false);
    assert_eq!(bench.log().fresh(Cursor(77)), ReadFrom { seq: Seq(0), pos: Cursor(1000) });
    bench.write(&[0x39, 2]);
    let end = ReadFrom { seq: bench.log().end(), pos: Cursor(bench.pos) };
    assert_eq!(bench.log().fresh(Cursor(77)), end);
}

#[test]
fn a_cursor_resumes_at_a_chunk_or_inside_one_and_nowhere_else() {
    let mut bench = Bench::new();
    bench.game(3, false);
    let log = bench.log();
    assert_eq!(log.resume(Cursor(1000)).unwrap().seq, Seq(0));
    let inside = log.resume(Cursor(1005)).unwrap();
    assert_eq!((inside.seq, inside.pos), (Seq(0), Cursor(1005)));
    assert_eq!(log.resume(Cursor(1011)).unwrap().seq, Seq(1));
    assert_eq!(log.resume(Cursor(bench.pos)).unwrap().seq, log.end());
    assert_eq!(log.resume(Cursor(999)), None);
    assert_eq!(log.resume(Cursor(bench.pos + 1)), None);
}

#[test]
fn two_games_are_kept_and_the_recorder_can_hold_on_to_more() {
    let mut bench = Bench::new();
    bench.game(2, true);
    let second = bench.pos;
    bench.game(2, true);
    bench.game(2, true);
    assert_eq!(bench.log().resume(Cursor(second)).unwrap().pos, Cursor(second));
    assert_eq!(bench.log().resume(Cursor(second - 1)), None, "the first game is gone");

    let held = bench.log().resume(Cursor(second)).unwrap().seq;
    bench.log().pin(held);
    bench.game(2, true);
    bench.game(2, true);
    assert!(bench.log().resume(Cursor(second)).is_some(), "pinned");
    bench.log().pin(bench.log().end());
    bench.game(2, true);
    assert!(bench.log().resume(Cursor(second)).is_none(), "let go");
}

#[test]
fn an_endless_game_keeps_its_beginning_and_its_newest_part() {
    let mut bench = Bench::new();
    bench.game(400, false);
    let retained = bench.log().trim_to(100_000);
    assert!(retained <= 100_000, "{retained}");
    let mut chunks = Vec::new();
    bench.log().read(Seq(0), usize::MAX, &mut chunks);
    assert!(chunks[0].starts_game());
    assert_eq!(chunks[1].data()[..], [0x36, 1]);
    assert!(chunks[2].seq() > Seq(50));
    assert_eq!(chunks.last().unwrap().next_pos(), Cursor(bench.pos));
    let hole = bench.log().resume(Cursor(2000)).unwrap();
    assert_eq!((hole.seq, hole.pos), (chunks[2].seq(), Cursor(2000)), "forced on from a hole");
}

#[test]
fn bytes_are_read_back_up_to_a_hole() {
    let mut bench = Bench::new();
    bench.game(2, false);
    assert_eq!(bench.log().bytes_from(Cursor(1000), 13), [TABLE.as_slice(), &[0x36, 1]].concat());
    assert_eq!(bench.log().bytes_from(Cursor(1011), 1), [0x36]);
    assert_eq!(bench.log().bytes_from(Cursor(5), 10), b"");
    bench.pos += 7;
    bench.write(&frame(9));
    assert_eq!(bench.log().bytes_from(Cursor(1000), 9999).len(), 213, "the hole ends it");
}

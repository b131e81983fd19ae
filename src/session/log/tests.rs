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
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let station = Arc::new(Station::new(StationId(0), "test"));
        let writer = Writer::new(station.clone());
        Self { writer, station, pos: 1000, now: Instant::now() }
    }

    fn write(&mut self, data: &[u8]) {
        let replay = Replay { pos: Cursor(self.pos), force_pos: false, data };
        self.writer.write(replay, Divergence::NewPositions, self.now);
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

fn live() -> Horizon {
    Horizon::at(Instant::now(), Duration::ZERO)
}

#[test]
fn a_newcomer_gets_the_game_that_is_on_or_waits_for_the_next() {
    let mut bench = Bench::new();
    let empty = ReadFrom { seq: Seq(0), pos: Cursor(77) };
    assert_eq!(bench.log().fresh(Cursor(77), live()), empty);
    bench.game(3, false);
    assert_eq!(bench.log().fresh(Cursor(77), live()), ReadFrom { seq: Seq(0), pos: Cursor(1000) });
    bench.write(&[0x39, 2]);
    let end = ReadFrom { seq: bench.log().end(), pos: Cursor(bench.pos) };
    assert_eq!(bench.log().fresh(Cursor(77), live()), end);
}

#[test]
fn a_cursor_resumes_at_a_chunk_or_inside_one_and_nowhere_else() {
    let mut bench = Bench::new();
    bench.game(3, false);
    let log = bench.log();
    assert_eq!(log.resume(Cursor(1000), live()).unwrap().seq, Seq(0));
    let inside = log.resume(Cursor(1005), live()).unwrap();
    assert_eq!((inside.seq, inside.pos), (Seq(0), Cursor(1005)));
    assert_eq!(log.resume(Cursor(1011), live()).unwrap().seq, Seq(1));
    assert_eq!(log.resume(Cursor(bench.pos), live()).unwrap().seq, log.end());
    assert_eq!(log.resume(Cursor(999), live()), None);
    assert_eq!(log.resume(Cursor(bench.pos + 1), live()), None);
}

#[test]
fn two_games_are_kept_and_the_recorder_can_hold_on_to_more() {
    let mut bench = Bench::new();
    bench.game(2, true);
    let second = bench.pos;
    bench.game(2, true);
    bench.game(2, true);
    assert_eq!(bench.log().resume(Cursor(second), live()).unwrap().pos, Cursor(second));
    assert_eq!(bench.log().resume(Cursor(second - 1), live()), None, "the first game is gone");

    let held = bench.log().resume(Cursor(second), live()).unwrap().seq;
    bench.log().pin(held);
    bench.game(2, true);
    bench.game(2, true);
    assert!(bench.log().resume(Cursor(second), live()).is_some(), "pinned");
    bench.log().pin(bench.log().end());
    bench.game(2, true);
    assert!(bench.log().resume(Cursor(second), live()).is_none(), "let go");
}

#[test]
fn an_endless_game_keeps_its_beginning_and_its_newest_part() {
    let mut bench = Bench::new();
    bench.game(400, false);
    let retained = bench.log().trim_to(100_000, Instant::now());
    assert!(retained <= 100_000, "{retained}");
    let mut chunks = Vec::new();
    bench.log().read(Seq(0), usize::MAX, &mut chunks);
    assert!(chunks[0].starts_game());
    assert_eq!(chunks[1].data()[..], [0x36, 1]);
    assert!(chunks[2].seq() > Seq(50));
    assert_eq!(chunks.last().unwrap().next_pos(), Cursor(bench.pos));
    let hole = bench.log().resume(Cursor(2000), live()).unwrap();
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

#[test]
fn who_is_behind_sees_the_log_as_it_was_and_finds_it_kept() {
    const DELAY: Duration = Duration::from_secs(100);
    let mut bench = Bench::new();
    bench.log().hold(DELAY);
    let begin = bench.now;
    let second = Duration::from_secs(1);
    let mut starts = Vec::new();
    for _ in 0..4 {
        starts.push((bench.log().end(), Cursor(bench.pos)));
        bench.game(8, true);
        bench.now += 10 * second;
    }
    let at = |seconds: u32| Horizon::at(begin + DELAY + seconds * second, DELAY);
    let log = bench.log();
    // Nothing is visible yet: whoever comes begins where it all began.
    let early = Horizon::at(begin + DELAY - second, DELAY);
    assert_eq!(log.fresh(Cursor(9), early), ReadFrom { seq: Seq(0), pos: Cursor(1000) });
    assert_eq!((log.end_within(early), log.last_within(early).is_none()), (Seq(0), true));
    assert_eq!(log.newest_game(early), Seq(0));
    // Then one game after the other, over as soon as it came.
    for (k, (seq, pos)) in starts.iter().enumerate().skip(1) {
        let before = at(10 * k as u32 - 1);
        assert_eq!(log.fresh(Cursor(9), before), ReadFrom { seq: *seq, pos: *pos });
        assert_eq!(log.end_within(before), *seq);
        assert_eq!(log.newest_game(before), starts[k - 1].0);
        let mut chunks = Vec::new();
        log.read_within(starts[k - 1].0, usize::MAX, before, &mut chunks);
        assert_eq!(chunks.len() as u64, seq.0 - starts[k - 1].0.0);
    }
    assert_eq!(log.arrival(starts[1].0), Some(begin + 10 * second));
    assert_eq!(log.arrival(log.end()), None);
    // Four games are kept for 100 s, then the last two of them.
    bench.now = begin + DELAY + 35 * second;
    bench.game(1, false);
    assert_eq!(bench.log().arrival(Seq(0)), Some(begin + 20 * second));
}

/// Was: a log beyond its limit let go of all games before the newest, also of the end of one that its
/// delayed readers were in, while the recorder held on to games that everyone had seen.
#[test]
fn what_nobody_has_seen_is_kept_rather_than_what_the_recorder_waits_for() {
    const DELAY: Duration = Duration::from_secs(100);
    let mut bench = Bench::new();
    bench.log().hold(DELAY);
    bench.log().pin(Seq(0));
    for _ in 0..3 {
        bench.game(100, true);
    }
    bench.now += DELAY;
    let hidden = bench.log().end();
    bench.game(8, true);
    bench.game(8, false);
    assert_eq!(
        bench.log().arrival(Seq(0)),
        Some(bench.now - DELAY),
        "the recorder holds on to all"
    );
    let all = bench.log().trim_to(usize::MAX, bench.now);
    bench.log().trim_to(all - 1, bench.now);
    let mut chunks = Vec::new();
    bench.log().read(Seq(0), usize::MAX, &mut chunks);
    let games: Vec<u64> = chunks.iter().map(|chunk| chunk.game()).collect();
    assert!(games.is_sorted() && games[0] == 2, "the last two games that are seen: {games:?}");
    let unseen = chunks.iter().filter(|chunk| chunk.seq() >= hidden).count() as u64;
    assert_eq!(unseen, bench.log().end().0 - hidden.0);
}

#[test]
fn the_distance_is_what_a_reader_has_not_been_given() {
    let mut bench = Bench::new();
    let start = bench.pos;
    bench.game(5, true);
    let second = (bench.log().end(), bench.pos);
    bench.game(3, false);
    let far = bench.log().distance(Seq(0), live());
    assert_eq!(far, Distance { bytes: bench.pos - start, game: Some(2), frames: 3 });
    let near = bench.log().distance(second.0, live());
    assert_eq!(near, Distance { bytes: bench.pos - second.1, game: Some(2), frames: 3 });
    let last = bench.log().distance(Seq(bench.log().end().0 - 1), live());
    assert_eq!(last, Distance { bytes: 100, game: Some(2), frames: 1 });
    assert_eq!(bench.log().distance(bench.log().end(), live()), Distance::default());
}

#[test]
fn the_newest_game_is_the_one_that_is_seen() {
    const DELAY: Duration = Duration::from_secs(100);
    let mut bench = Bench::new();
    bench.log().hold(DELAY);
    assert_eq!(bench.log().game_within(live()), None);
    let begin = bench.now;
    let seen = |bench: &Bench, seconds: u64| {
        let horizon = Horizon::at(begin + DELAY + Duration::from_secs(seconds), DELAY);
        bench.log().game_within(horizon)
    };
    bench.write(&TABLE);
    let first = GameSeen { number: 1, is_on: true, frame: None };
    assert_eq!(bench.log().game_within(live()), Some(first));
    bench.now += Duration::from_secs(10);
    bench.write(&frame(7));
    bench.now += Duration::from_secs(10);
    bench.write(&[0x39, 2]);
    bench.now += Duration::from_secs(10);
    bench.game(3, false);
    let horizon = Horizon::at(begin, DELAY);
    assert_eq!(bench.log().game_within(horizon), None, "nothing is seen yet");
    assert_eq!(seen(&bench, 9), Some(first));
    let frame = Some(FrameIndex(7));
    assert_eq!(seen(&bench, 19), Some(GameSeen { frame, ..first }));
    assert_eq!(seen(&bench, 29), Some(GameSeen { is_on: false, frame, ..first }));
    let second = GameSeen { number: 2, is_on: true, frame: Some(FrameIndex(2)) };
    assert_eq!(seen(&bench, 30), Some(second));
    assert_eq!(bench.log().game_within(live()), Some(second));
}

#[test]
fn the_first_chunk_of_the_positions_is_the_first_behind_the_restart() {
    let mut bench = Bench::new();
    assert!(bench.log().first_of_positions().is_none());
    bench.game(5, true);
    assert_eq!(bench.log().first_of_positions().unwrap().seq(), Seq(0));
    let restarted = bench.log().end();
    // Positions that were there before, with other bytes.
    bench.pos = 1000;
    bench.write(&[&TABLE[..], &[0x36, 2]].concat());
    bench.write(&frame(0));
    let first = bench.log().first_of_positions().unwrap();
    assert_eq!((first.seq(), first.pos()), (restarted, Cursor(1000)));
}

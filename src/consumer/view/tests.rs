use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::audience::Admission;
use crate::protocol::Cursor;
use crate::protocol::console::Replay;
use crate::session::{Divergence, StationId, Writer};

const SECOND: Duration = Duration::from_secs(1);

/// Payload sizes: Game Start 1 byte, Pre-Frame 20,000, Game End 1 byte.
const TABLE: [u8; 11] = [0x35, 10, 0x36, 0, 1, 0x37, 0x4E, 0x20, 0x39, 0, 1];

struct Bench {
    station: Arc<Station>,
    writer: Writer,
    pos: u64,
}

impl Bench {
    fn new() -> Self {
        let station = Arc::new(Station::new(StationId(1), "test"));
        Self { writer: Writer::new(station.clone()), station, pos: 0 }
    }

    fn write(&mut self, data: &[u8], now: Instant) {
        let replay = Replay { pos: Cursor(self.pos), force_pos: false, data };
        self.writer.write(replay, Divergence::NewPositions, now);
        self.pos += data.len() as u64;
    }

    /// A whole game that comes at `now`.
    fn game(&mut self, frames: i32, now: Instant) {
        self.write(&TABLE, now);
        self.write(&[0x36, 1], now);
        for number in 0..frames {
            let mut event = vec![0x37];
            event.extend(number.to_be_bytes());
            event.resize(20_001, 0xAB);
            self.write(&event, now);
        }
        self.write(&[0x39, 2], now);
    }
}

/// A raw spectator of `view` that comes `now`, and its side of the connection.
fn spectator(view: &View, now: Instant) -> (Client, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let reader = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, peer) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let place = Admission::new(1, 1).admit(peer.ip()).unwrap();
    let stream = mio::net::TcpStream::from_std(stream);
    crate::net::prepare_spectator(&stream).unwrap();
    let mut client = Client::new(stream, peer, 0, Dialect::Raw, place, now);
    client.begin_raw(&view.station, view.horizon());
    (client, reader)
}

/// Was: the thread waited for the arrival of a chunk that the log had let go of, and as that was past,
/// never slept again until the next one was due.
#[test]
fn a_chunk_that_is_due_and_gone_is_not_waited_for() {
    let mut bench = Bench::new();
    let delay = Duration::from_millis(20);
    bench.station.set_delays(delay, delay, delay);
    let mut view = View::new(bench.station.clone(), Dialect::Console);
    let begin = Instant::now();
    bench.game(1, begin);
    assert_eq!(view.due(), Due::At(begin + delay));
    // The log lets go of the first game as the fourth begins, seen from that one's time.
    for n in 1..4 {
        bench.game(1, begin + n * 1_000 * SECOND);
    }
    let oldest = bench.station.log.arrival(Seq(0)).unwrap();
    assert!(oldest > begin, "the first game is gone");
    while !view.has_news() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut fresh = Vec::new();
    view.look(&mut fresh);
    assert!(fresh.is_empty());
    assert_eq!(view.due(), Due::At(oldest + delay));
    assert!(!view.has_news());
}

/// Was: a raw spectator that waited for its thread while two games began was hung up on, though it had
/// had no byte that could be missed.
#[test]
fn a_raw_spectator_that_had_nothing_yet_goes_on_with_the_newest_game() {
    let mut bench = Bench::new();
    let begin = Instant::now();
    bench.write(&TABLE, begin);
    bench.write(&[0x36, 1], begin);
    let mut view = View::new(bench.station.clone(), Dialect::Raw);
    let (mut client, mut reader) = spectator(&view, begin);
    assert_eq!(client.next, Seq(0));
    bench.write(&[0x39, 2], begin);
    for n in 1..4 {
        bench.game(1, begin + n * SECOND);
    }
    assert!(bench.station.log.game_start(1).is_none(), "the first game is gone");
    let mut chunks = Vec::new();
    while view.catch_up(&mut client, &mut chunks).unwrap() != Progress::UpToDate {}
    let mut game = vec![0; TABLE.len() + 2 + 20_001 + 2];
    reader.read_exact(&mut game).unwrap();
    assert!(game.starts_with(&TABLE) && game.ends_with(&[0x39, 2]));

    // What it has now would go on with a hole.
    for n in 4..8 {
        bench.game(1, begin + n * SECOND);
    }
    let left_behind = view.catch_up(&mut client, &mut chunks);
    assert!(matches!(left_behind, Err(Farewell::LeftBehind)));
}

/// Was: only what came since a spectator did counted as taken, so that one which needed longer than a
/// minute for the history was hung up on as stalled.
#[test]
fn a_spectator_that_takes_history_slowly_is_not_idle() {
    let mut bench = Bench::new();
    bench.game(400, Instant::now());
    let mut view = View::new(bench.station.clone(), Dialect::Raw);
    let mut clock = Instant::now();
    let (mut client, mut reader) = spectator(&view, clock);
    reader.set_nonblocking(true).unwrap();
    // Put back to the game's start: it is over by now, and a raw spectator would wait for the next.
    client.next = Seq(0);
    let (mut chunks, mut scratch, mut taken) = (Vec::new(), vec![0; 20_000], 0);
    while client.next < bench.station.log.end() || !client.is_flushed() {
        let next = client.next;
        let progress = view.catch_up(&mut client, &mut chunks).unwrap();
        clock += Duration::from_secs(1);
        client.look_at_progress(clock);
        if client.next > next {
            assert_eq!(client.idle(clock), Duration::ZERO, "it took chunks and counts as idle");
        }
        match reader.read(&mut scratch) {
            Ok(read) => taken += read,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert!(progress != Progress::UpToDate || client.next >= bench.station.log.end());
    }
    assert!(taken > 0);
}

#[test]
fn whoever_is_served_last_is_first_in_the_next_frame() {
    let bench = Bench::new();
    let mut view = View::new(bench.station.clone(), Dialect::Raw);
    view.clients = vec![3, 5, 8];
    let mut turns = vec![9];
    for expected in [[3, 5, 8], [8, 5, 3], [3, 5, 8]] {
        view.turns(&mut turns);
        assert_eq!(turns, expected);
    }
}

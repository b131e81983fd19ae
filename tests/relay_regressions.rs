//! Faults that were found once and must not come back: each test failed before its fault was mended.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use andross::config::SourceProtocol;
use andross::protocol::console::{Handshake, HandshakeReply, Replay};
use andross::protocol::{ClientToken, Cursor};
use andross::replay::survey;
use andross::session::{Divergence, Horizon, SourceState, Station, StationId, Writer};
use andross::shutdown::{Reason, Shutdown};
use andross::simulator::{Options, Simulator};
use common::{ConsoleSpectator, Venue, assert_same_bytes, events_of, synthetic, wait_until};

/// One frame of `synthetic`.
const FRAME: usize = 601 + 9;
/// What stands before the first frame: Event Payloads and Game Start.
const HEAD: usize = 14 + 0x1A0;

/// A console that says what the test wants.
struct Scripted {
    listener: TcpListener,
}

impl Scripted {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn accept(&self, token: u32, pos: usize) -> TcpStream {
        let (mut stream, _) = self.listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut len = [0; 4];
        stream.read_exact(&mut len).unwrap();
        stream.read_exact(&mut vec![0; u32::from_be_bytes(len) as usize]).unwrap();
        let reply = HandshakeReply {
            nick: b"Wii"[..].into(),
            version: b"1.11.9"[..].into(),
            token: ClientToken(token),
            pos: Cursor(pos as u64),
        };
        stream.write_all(&reply.encode()).unwrap();
        stream
    }
}

fn say(stream: &mut TcpStream, pos: usize, force_pos: bool, data: &[u8]) {
    let replay = Replay { pos: Cursor(pos as u64), force_pos, data };
    stream.write_all(&replay.encode().0).unwrap();
}

fn say_all(stream: &mut TcpStream, mut pos: usize, data: &[u8]) {
    for piece in data.chunks(24_000) {
        say(stream, pos, false, piece);
        pos += piece.len();
    }
}

fn write(writer: &mut Writer, pos: usize, force_pos: bool, data: &[u8]) {
    let replay = Replay { pos: Cursor(pos as u64), force_pos, data };
    writer.write(replay, Divergence::NewPositions, Instant::now());
}

/// Was: `catching_up` keeps the key of a client that left; a newcomer that takes its place in
/// the same turn is sent the log before it has said its handshake.
#[test]
fn a_newcomer_gets_nothing_before_its_handshake() {
    let game = synthetic(1, 8_000, false);
    let venue = Venue::start(
        Options {
            recordings: vec![game.clone()],
            fps: 5_000.0,
            pause: Duration::ZERO,
            ..Options::default()
        },
        |config| config.consumers = 1,
    );
    venue.wait_for_bytes(game.events().len());
    let address = venue.console_address();
    let stop = Arc::new(AtomicBool::new(false));
    // A few that catch up all the time, so that turns are long.
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let stop = stop.clone();
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.write_all(&Handshake::default().encode()).unwrap();
                    let mut scratch = vec![0; 1 << 20];
                    let until = Instant::now() + Duration::from_millis(5);
                    while Instant::now() < until {
                        let _ = stream.read(&mut scratch);
                    }
                }
            })
        })
        .collect();
    let mut too_early = 0;
    let mut scratch = vec![0; 1 << 16];
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut rounds = 0;
    while Instant::now() < deadline && too_early == 0 {
        rounds += 1;
        // Begins to catch up, and leaves.
        let mut leaves = TcpStream::connect(address).unwrap();
        leaves.write_all(&Handshake::default().encode()).unwrap();
        let _ = leaves.read(&mut scratch);
        drop(leaves);
        // Comes and says nothing.
        let mut silent = TcpStream::connect(address).unwrap();
        silent.set_read_timeout(Some(Duration::from_millis(15))).unwrap();
        if let Ok(read) = silent.read(&mut scratch)
            && read > 0
        {
            too_early = read;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(
        too_early, 0,
        "bytes sent to a spectator that had not said its handshake (round {rounds})"
    );
}

/// Was: what comes after a gap between games is appended to the finished file of the game before.
#[test]
fn a_finished_recording_stays_as_it_is() {
    let (game, next) = (synthetic(2, 60, true), synthetic(3, 60, true));
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |_| {});
    let mut stream = console.accept(7, 0);
    say_all(&mut stream, 0, game.events());
    wait_until("the game is saved", || venue.station().stats.files.get() == 1);
    let path = venue.station().recording().unwrap();
    assert_same_bytes("saved", &events_of(&path), game.events());
    drop(stream);
    // While the relay's computer slept, the next game began and outgrew the console's 3 MiB.
    let end = game.events().len();
    let mut stream = console.accept(7, end);
    let missed = HEAD + 30 * FRAME;
    let mut pos = end + missed;
    for (n, frame) in next.events()[missed..].chunks(FRAME).enumerate() {
        say(&mut stream, pos, n == 0, frame);
        pos += frame.len();
    }
    venue.wait_for_bytes(end + next.events().len() - missed);
    let files = venue.station().stats.files.get();
    venue.shutdown.request(Reason::Finished);
    venue.relay.run_to_end().unwrap();
    assert_same_bytes("a finished game", &events_of(&path), game.events());
    assert_eq!(files, 1, "and it is counted once");
}

/// Was: no gap is noted in a file that was completed because the console stayed away.
#[test]
fn a_gap_after_a_long_absence_is_noted() {
    let game = synthetic(4, 60, true);
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |config| {
        config.away_limit = Duration::from_millis(50)
    });
    let mut stream = console.accept(7, 0);
    let before = HEAD + 20 * FRAME;
    say(&mut stream, 0, false, &game.events()[..before]);
    venue.wait_for_bytes(before);
    drop(stream);
    wait_until("the file is saved", || venue.station().stats.files.get() == 1);
    let path = venue.station().recording().unwrap();
    let mut stream = console.accept(7, before);
    let after = HEAD + 40 * FRAME;
    say(&mut stream, after, true, &game.events()[after..]);
    venue.wait_for_bytes(game.events().len() - (after - before));
    venue.shutdown.request(Reason::Finished);
    venue.relay.run_to_end().unwrap();
    let notes = survey(&path).unwrap().metadata.unwrap().recording;
    assert_eq!(
        notes.map(|notes| (notes.gaps, notes.lost_bytes)),
        Some((1, (after - before) as u64))
    );
}

/// Was: `forcePos` on bytes the log already has is taken for a restarted console. It comes from
/// another andross that was restarted and greeted this one before its own console answered.
#[test]
fn a_forced_repetition_is_still_a_repetition() {
    let game = synthetic(5, 60, true);
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |_| {});
    let base = 5_000;
    let mut stream = console.accept(7, base);
    let half = HEAD + 30 * FRAME;
    say(&mut stream, base, false, &game.events()[..half]);
    venue.wait_for_bytes(half);
    let mut spectator = ConsoleSpectator::connect(venue.console_address());
    spectator.read_bytes(half);
    drop(stream);
    // The upstream relay has been restarted: an own token, position 0; then its console's game.
    let mut stream = console.accept(99, 0);
    say(&mut stream, base, true, game.events());
    while !spectator.data.ends_with(&[0x39, 2]) {
        assert!(spectator.read_message());
    }
    assert_same_bytes("the spectator", &spectator.data, game.events());
    let epoch = venue.station().log.last().unwrap().epoch();
    assert_eq!(epoch, 0, "no console was restarted");
    assert_eq!(venue.end().len(), 1, "one game, one file");
}

/// The real thing: A is restarted between a console and B.
#[test]
fn restarting_a_relay_in_a_chain_does_not_restart_the_game() {
    let (earlier, game) = (synthetic(26, 50, true), synthetic(6, 4_000, true));
    let both = [earlier.events().as_ref(), game.events()].concat();
    let simulator = Simulator::start(
        Options {
            recordings: vec![earlier, game],
            fps: 600.0,
            pause: Duration::ZERO,
            ..Options::default()
        },
        &Shutdown::new(),
    )
    .unwrap();
    let first = Venue::relay(simulator.local_addr(), Shutdown::new(), |_| {});
    let listen = first.console_address();
    let second = Venue::relay(listen, Shutdown::new(), |_| {});
    let mut spectator = ConsoleSpectator::connect(second.console_address());
    spectator.read_bytes(200_000);
    first.end();
    // Its console is slower to answer than B is to come back, as a Wii behind Wi-Fi is.
    let proxy = common::cable::Cable::to(simulator.local_addr());
    proxy.pull();
    let _first = Venue::relay(proxy.address(), Shutdown::new(), |config| {
        config.listen = Some(listen);
    });
    wait_until("B is back", || {
        second.station().source() == SourceState::Connected
            && second.station().stats.reconnects.get() > 0
    });
    proxy.put_back();
    while !spectator.data.ends_with(&both[both.len() - 10_000..]) {
        assert!(spectator.read_message());
    }
    assert_same_bytes("the spectator", &spectator.data, &both);
    assert_eq!(second.station().log.last().unwrap().epoch(), 0);
    assert_eq!(second.end().len(), 2, "two games, two files");
}

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

/// Was: after the disk worked again the file is completed with "the console stayed away".
#[test]
fn a_disk_that_works_again_does_not_end_the_game() {
    let folder = tempfile::tempdir().unwrap();
    let replays = folder.path().join("replays");
    std::fs::write(&replays, "a file where the folder should be").unwrap();
    let game = synthetic(11, 60, true);
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |config| {
        config.replays = Some(replays.clone())
    });
    let mut stream = console.accept(7, 0);
    let half = HEAD + 30 * FRAME;
    say(&mut stream, 0, false, &game.events()[..half]);
    wait_until("the disk fails", || venue.station().stats.recorder_failing.get() == 1);
    std::fs::remove_file(&replays).unwrap();
    let alive = AtomicBool::new(true);
    let files = thread::scope(|scope| {
        // A console that has nothing to say says so.
        scope.spawn(|| {
            while alive.load(Ordering::Relaxed) {
                let _ = stream.write_all(&andross::protocol::console::KEEP_ALIVE);
                thread::sleep(Duration::from_millis(300));
            }
        });
        wait_until("the disk works", || venue.station().stats.recorder_failing.get() == 0);
        alive.store(false, Ordering::Relaxed);
        venue.station().stats.files.get()
    });
    assert_eq!(venue.station().source(), SourceState::Connected);
    assert_eq!(files, 0, "the game goes on, no file is complete");
    venue.end_quietly();
}

trait EndQuietly {
    fn end_quietly(self);
}

impl EndQuietly for Venue {
    fn end_quietly(self) {
        self.shutdown.request(Reason::Finished);
        let _ = self.relay.run_to_end();
    }
}

/// Was: a repair at the start that cannot be done now forgets its file for good.
#[test]
fn a_repair_that_failed_is_tried_again_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let game = synthetic(12, 60, false);
    let slp = folder.path().join("Game_20260101T000000.slp");
    let note = folder.path().join("Game_20260101T000000.slp.open");
    let mut bytes = b"{U\x03raw[$U#l\0\0\0\0".to_vec();
    bytes.extend(game.events());
    std::fs::write(&slp, bytes).unwrap();
    std::fs::write(&note, "{\"startAt\":\"2026-01-01T00:00:00Z\"}").unwrap();
    // Another program has it now: a virus scanner, `andross replay repair`; a full disk is the same.
    let other = std::fs::File::open(&slp).unwrap();
    other.lock().unwrap();
    let start = || {
        let path = folder.path().to_owned();
        let (venue, _) = Venue::without_console(|config| config.replays = Some(path));
        venue.end_quietly();
    };
    start();
    drop(other);
    start();
    assert_ne!(
        andross::slp::file::events_len(&std::fs::read(&slp).unwrap()),
        Ok(0),
        "the second start repairs it"
    );
}

/// Was: a raw source that hangs up at once is never backed off from, and never counts as away.
#[test]
fn a_raw_source_that_hangs_up_is_backed_off_from() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = attempts.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            drop(stream);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let venue = Venue::relay(address, Shutdown::new(), |config| {
        config.stations[0].source.protocol = SourceProtocol::Raw;
        config.timing.back_off = (Duration::from_millis(20), Duration::from_secs(60));
    });
    wait_until("it was tried some times", || attempts.load(Ordering::Relaxed) >= 4);
    assert_eq!(venue.station().source(), SourceState::Connecting, "nothing ever came from it");
    assert_eq!(venue.station().stats.reconnects.get(), 0);
    venue.end_quietly();
}

#[cfg(unix)]
mod process {
    use super::*;
    use std::net::SocketAddr;
    use std::process::{Child, Command, Stdio};

    /// A relay whose log goes to `log`, and where it listens.
    fn relay(log: Stdio) -> (Child, SocketAddr) {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_andross"))
            .args(["relay", "127.0.0.1:1", "--listen", &address.to_string()])
            .args([
                "--raw-listen",
                "off",
                "--dolphin-listen",
                "off",
                "--http",
                "off",
                "--replays",
                "off",
            ])
            .env("RUST_LOG", "debug")
            .stderr(log)
            .spawn()
            .unwrap();
        wait_until("it listens", || TcpStream::connect(address).is_ok());
        (child, address)
    }

    /// Many spectators come and go, each of them a few lines of log, and all are greeted.
    fn come_and_go(address: SocketAddr) {
        for _ in 0..1500 {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(common::PATIENCE)).unwrap();
            stream.write_all(&Handshake::default().encode()).unwrap();
            stream.read_exact(&mut [0; 60]).unwrap();
        }
    }

    fn ends_at_a_signal(mut child: Child) {
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut status = None;
        wait_until("it ends", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(0));
    }

    /// Was: a log that cannot be written (full disk, closed pipe) panics whoever logs.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_log_on_a_full_disk_does_not_end_the_relay() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (child, address) = relay(Stdio::from(full));
        come_and_go(address);
        ends_at_a_signal(child);
    }

    /// Was: a terminal that takes no output (text selected in a Windows console, Ctrl-S, a stuck
    /// pipe) stops every thread that logs, and the end.
    #[test]
    fn a_log_that_nobody_reads_stops_nothing() {
        let (child, address) = relay(Stdio::piped());
        come_and_go(address);
        ends_at_a_signal(child);
    }
}

//! The pretend console over real sockets: each quirk of the real one.

use std::time::{Duration, Instant};

use andross::protocol::Cursor;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Recording, Simulator};

#[path = "simulator/command.rs"]
mod command;
#[path = "common/console_client.rs"]
mod console_client;
#[path = "simulator/handshake.rs"]
mod handshake;
#[path = "simulator/life.rs"]
mod life;
#[path = "simulator/resume.rs"]
mod resume;
#[path = "simulator/stream.rs"]
mod stream;

use console_client::PATIENCE;

/// Bytes of the event that the tests call filler: nearly as many as a message holds.
const FILLER_LEN: u16 = 24_000;

/// Event Payloads and Game Start: Game Start has 2 bytes, Post-Frame `frame_len`, Frame Bookend 4,
/// Game End 1, and an event that no specification names [`FILLER_LEN`].
fn prologue(frame_len: u16) -> Vec<u8> {
    let mut events = vec![0x35, 16];
    for (code, len) in [(0x36, 2), (0x38, frame_len), (0x3C, 4), (0x39, 1), (0x66, FILLER_LEN)] {
        events.push(code);
        events.extend(len.to_be_bytes());
    }
    events.extend([0x36, 3, 18]);
    events
}

/// Appends a Post-Frame of `frame_len` bytes, the filler if asked for, and a bookend.
fn add_frame(events: &mut Vec<u8>, frame: i32, frame_len: u16, filler: bool) {
    let number = (frame - 123).to_be_bytes();
    events.push(0x38);
    events.extend(number);
    let rest = usize::from(frame_len) - number.len();
    events.resize(events.len() + rest, frame as u8);
    if filler {
        events.push(0x66);
        events.resize(events.len() + usize::from(FILLER_LEN), frame as u8);
    }
    events.push(0x3C);
    events.extend(number);
}

/// A game without Game End.
fn unended_game(frames: i32, frame_len: u16) -> Vec<u8> {
    let mut events = prologue(frame_len);
    for frame in 0..frames {
        add_frame(&mut events, frame, frame_len, false);
    }
    events
}

fn game(frames: i32, frame_len: u16) -> Vec<u8> {
    let mut events = unended_game(frames, frame_len);
    events.extend([0x39, 2]);
    events
}

fn recording(events: &[u8]) -> Recording {
    Recording::from_events("test", events.to_vec().into()).unwrap()
}

/// As fast as possible, without a pause.
fn options(games: &[&[u8]]) -> Options {
    Options {
        recordings: games.iter().map(|events| recording(events)).collect(),
        fps: 100_000.0,
        pause: Duration::ZERO,
        ..Options::default()
    }
}

fn start(options: Options) -> Simulator {
    Simulator::start(options, &Shutdown::new()).unwrap()
}

/// A console that has played one game of 10 frames to nobody, and the game.
fn idle_console() -> (Simulator, Vec<u8>) {
    let events = game(10, 60);
    let simulator = start(Options { wait_for_client: false, ..options(&[&events]) });
    assert!(simulator.wait_until_played(PATIENCE));
    (simulator, events)
}

/// Waits for a state that no thread tells about.
fn wait_until(what: &str, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn end_of(events: &[u8]) -> Cursor {
    Cursor(events.len() as u64)
}

/// Equality of what is too long to be printed.
#[track_caller]
fn assert_same(received: &[u8], wanted: &[u8]) {
    let differs = received.iter().zip(wanted).position(|(a, b)| a != b);
    assert_eq!(differs, None, "the first byte that differs");
    assert_eq!(received.len(), wanted.len(), "as many bytes");
}

//! Faults that were found once and must not come back: each test failed before its fault was mended.

mod common;

#[path = "relay_regressions/kept.rs"]
mod kept;
#[cfg(unix)]
#[path = "relay_regressions/logging.rs"]
mod logging;
#[path = "relay_regressions/recordings.rs"]
mod recordings;
#[path = "relay_regressions/sources.rs"]
mod sources;
#[path = "relay_regressions/spectators.rs"]
mod spectators;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use andross::protocol::console::{HandshakeReply, Replay};
use andross::protocol::{ClientToken, Cursor};
use andross::session::{Divergence, Writer};
use andross::shutdown::Reason;
use common::{SYNTHETIC_FRAME as FRAME, SYNTHETIC_HEAD as HEAD, Venue};

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

trait EndQuietly {
    fn end_quietly(self);
}

impl EndQuietly for Venue {
    fn end_quietly(self) {
        self.shutdown.request(Reason::Finished);
        let _ = self.relay.run_to_end();
    }
}

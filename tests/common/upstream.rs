//! The two ends of what relays say to each other, as a test says and hears it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use andross::protocol::console::{
    Handshake, HandshakeReply, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, RelayNotice, Replay,
    split_message,
};
use andross::protocol::{ClientToken, Cursor, RelayId};

use super::PATIENCE;

/// An upstream that says what the test wants.
pub struct Upstream {
    listener: TcpListener,
}

impl Upstream {
    pub fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Waits for a client and its handshake.
    pub fn accept(&self) -> (TcpStream, Handshake) {
        let (mut stream, _) = self.listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut len = [0; LENGTH_PREFIX];
        stream.read_exact(&mut len).unwrap();
        let mut body = vec![0; u32::from_be_bytes(len) as usize];
        stream.read_exact(&mut body).unwrap();
        (stream, Handshake::decode(&body).unwrap())
    }

    /// Waits for a client and answers it; `notice` follows in the same write.
    pub fn greet(&self, token: u32, pos: usize, notice: &[u8]) -> (TcpStream, Handshake) {
        let (mut stream, handshake) = self.accept();
        let mut words = reply(token, pos);
        words.extend(notice);
        stream.write_all(&words).unwrap();
        (stream, handshake)
    }
}

pub fn reply(token: u32, pos: usize) -> Vec<u8> {
    HandshakeReply {
        nick: b"Wii"[..].into(),
        version: b"1.11.9"[..].into(),
        token: ClientToken(token),
        pos: Cursor(pos as u64),
    }
    .encode()
}

/// A notice whose stream comes through `relays` relays, none of them of this test.
pub fn notice(tokens: &[u32], relays: u64) -> Vec<u8> {
    RelayNotice {
        nick: b"Wii"[..].into(),
        version: b"1.11.9"[..].into(),
        tokens: tokens.iter().map(|&token| ClientToken(token)).collect(),
        path: (0..relays).map(RelayId).collect(),
    }
    .encode()
}

/// Sends events from `pos` on, as a console cuts them.
pub fn say(stream: &mut TcpStream, mut pos: usize, events: &[u8]) {
    for data in events.chunks(24_000) {
        let replay = Replay { pos: Cursor(pos as u64), force_pos: false, data };
        stream.write_all(&replay.encode().0).unwrap();
        pos += data.len();
    }
}

/// Connects as a relay does and waits until the relay at `address` says that its stream comes
/// through `relays` relays, itself counted; their ids.
pub fn wait_for_path(address: SocketAddr, relays: usize) -> Vec<RelayId> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let relay = Some(RelayId(fastrand::u64(..)));
    stream.write_all(&Handshake { relay, ..Handshake::default() }.encode()).unwrap();
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let mut len = [0; LENGTH_PREFIX];
        stream.read_exact(&mut len).unwrap();
        let mut message = len.to_vec();
        message.resize(LENGTH_PREFIX + u32::from_be_bytes(len) as usize, 0);
        stream.read_exact(&mut message[LENGTH_PREFIX..]).unwrap();
        let body = split_message(&message, MAX_MESSAGE_LEN).unwrap().unwrap();
        match Message::decode(body).unwrap() {
            Message::Notice(notice) if notice.path.len() == relays => return notice.path,
            Message::KeepAlive => panic!("a relay says more than that to a relay"),
            _ => {}
        }
        assert!(std::time::Instant::now() < deadline, "the chain is never {relays} relays long");
    }
}

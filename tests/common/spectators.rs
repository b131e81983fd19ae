//! Spectators of both TCP protocols, which check all that they can.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use andross::protocol::console::{
    Handshake, HandshakeReply, KEEP_ALIVE, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, split_message,
};
use andross::protocol::{ClientToken, Cursor, raw};

use super::PATIENCE;

/// Tells a spectator that hears nothing but keep-alives from one whose events come.
struct Waiting {
    have: usize,
    until: Instant,
}

impl Waiting {
    fn new() -> Self {
        Self { have: 0, until: Instant::now() + PATIENCE }
    }

    #[track_caller]
    fn check(&mut self, have: usize, wanted: usize) {
        if have > self.have {
            *self = Self { have, ..Self::new() };
        }
        assert!(Instant::now() < self.until, "no more events come at {have} of {wanted}");
    }
}

/// A spectator of the console protocol that checks every position.
pub struct ConsoleSpectator {
    pub stream: TcpStream,
    pub nick: Vec<u8>,
    pub token: ClientToken,
    /// The next position expected.
    pub cursor: Cursor,
    /// Where the first reply said to start.
    pub start: Cursor,
    /// All event bytes so far.
    pub data: Vec<u8>,
    /// Replay messages so far: position and whether it was forced.
    pub replays: Vec<(Cursor, bool)>,
    pub keep_alives: usize,
    unread: Vec<u8>,
}

impl ConsoleSpectator {
    pub fn connect(address: SocketAddr) -> Self {
        Self::resume(address, Cursor(0), ClientToken::NONE)
    }

    pub fn resume(address: SocketAddr, cursor: Cursor, token: ClientToken) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(&Handshake { cursor, token, realtime: true, relay: None }.encode())
            .unwrap();
        let mut spectator = Self {
            stream,
            nick: Vec::new(),
            token,
            cursor,
            start: cursor,
            data: Vec::new(),
            replays: Vec::new(),
            keep_alives: 0,
            unread: Vec::new(),
        };
        let HandshakeReply { nick, token, pos, .. } = spectator.read_reply();
        (spectator.nick, spectator.token) = (nick.into_owned(), token);
        (spectator.cursor, spectator.start) = (pos, pos);
        spectator
    }

    fn read_reply(&mut self) -> HandshakeReply<'static> {
        let body = self.read_body().expect("the relay hung up");
        match Message::decode(&body).unwrap() {
            Message::Reply(reply) => {
                assert_eq!(reply.encode()[LENGTH_PREFIX..], body, "the console's layout");
                HandshakeReply {
                    nick: reply.nick.into_owned().into(),
                    version: reply.version.into_owned().into(),
                    ..reply
                }
            }
            other => panic!("a reply comes first, not {other:?}"),
        }
    }

    /// Reads one message; false when the relay has hung up.
    pub fn read_message(&mut self) -> bool {
        let Some(body) = self.read_body() else {
            return false;
        };
        match Message::decode(&body).unwrap() {
            Message::Replay(replay) => {
                if !replay.force_pos {
                    assert_eq!(replay.pos, self.cursor, "an unexpected position");
                }
                self.replays.push((replay.pos, replay.force_pos));
                self.cursor = replay.next_pos();
                self.data.extend_from_slice(replay.data);
                assert_eq!(replay.encode().0[LENGTH_PREFIX..], body, "the console's layout");
            }
            Message::KeepAlive => {
                assert_eq!(KEEP_ALIVE[LENGTH_PREFIX..], body, "the console's keep-alive");
                self.keep_alives += 1;
            }
            other => panic!("unexpected: {other:?}"),
        }
        true
    }

    /// Reads until `len` event bytes have come.
    #[track_caller]
    pub fn read_bytes(&mut self, len: usize) {
        let mut waiting = Waiting::new();
        while self.data.len() < len {
            assert!(self.read_message(), "the relay hung up at {} of {len}", self.data.len());
            waiting.check(self.data.len(), len);
        }
    }

    /// Reads until the relay hangs up.
    pub fn read_to_end(&mut self) {
        while self.read_message() {}
    }

    fn read_body(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(body) = split_message(&self.unread, MAX_MESSAGE_LEN).unwrap() {
                let body = body.to_vec();
                self.unread.drain(..LENGTH_PREFIX + body.len());
                return Some(body);
            }
            let mut scratch = [0; 64 * 1024];
            match self.stream.read(&mut scratch) {
                Ok(0) => return None,
                Ok(read) => self.unread.extend_from_slice(&scratch[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing comes any more: {error}"),
            }
        }
    }
}

/// A spectator of the raw protocol.
pub struct RawSpectator {
    pub stream: TcpStream,
    pub data: Vec<u8>,
    decoder: raw::Decoder,
    unread: Vec<u8>,
}

impl RawSpectator {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, data: Vec::new(), decoder: raw::Decoder::new(), unread: Vec::new() }
    }

    /// Reads once; false when the relay has hung up.
    pub fn read_some(&mut self) -> bool {
        let mut scratch = [0; 64 * 1024];
        let read = match self.stream.read(&mut scratch) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing comes any more: {error}"),
        };
        self.unread.extend_from_slice(&scratch[..read]);
        let decoded = self.decoder.decode(&self.unread, &mut self.data);
        assert_eq!(decoded.lost, 0, "a raw spectator cannot read what came");
        self.unread.drain(..decoded.consumed);
        read > 0
    }

    #[track_caller]
    pub fn read_bytes(&mut self, len: usize) {
        let mut waiting = Waiting::new();
        while self.data.len() < len {
            assert!(self.read_some(), "the relay hung up at {} of {len}", self.data.len());
            waiting.check(self.data.len(), len);
        }
    }
}

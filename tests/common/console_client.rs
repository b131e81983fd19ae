//! A client of the console protocol that does one thing at a time and checks what it hears.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use andross::protocol::console::{
    Handshake, LENGTH_PREFIX, MAX_MESSAGE_LEN, MAX_REPLAY_DATA, Message, split_message,
};
use andross::protocol::{ClientToken, Cursor};

/// How long anything may take that must come. Only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a console says, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Reply {
        nick: String,
        version: String,
        token: ClientToken,
        pos: Cursor,
    },
    Replay {
        pos: Cursor,
        force_pos: bool,
        data: Vec<u8>,
    },
    KeepAlive,
    /// The connection is over.
    End,
}

pub struct ConsoleClient {
    pub stream: TcpStream,
    received: Vec<u8>,
}

impl ConsoleClient {
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, received: Vec::new() }
    }

    /// Connects as a new client; the client, its token and where it starts.
    pub fn fresh(addr: SocketAddr) -> (Self, ClientToken, Cursor) {
        Self::resume(addr, ClientToken::NONE, Cursor(0))
    }

    /// Connects with what is known from another time.
    pub fn resume(
        addr: SocketAddr,
        token: ClientToken,
        cursor: Cursor,
    ) -> (Self, ClientToken, Cursor) {
        let mut client = Self::connect(addr);
        client.send(&Handshake { cursor, token, realtime: true, relay: None }.encode());
        let (token, pos) = client.reply();
        (client, token, pos)
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Waits for the answer to the handshake.
    pub fn reply(&mut self) -> (ClientToken, Cursor) {
        match self.next() {
            Said::Reply { token, pos, .. } => (token, pos),
            other => panic!("a handshake reply, not {other:?}"),
        }
    }

    /// Waits for the next message, whatever it is.
    pub fn next(&mut self) -> Said {
        loop {
            if let Some(body) = split_message(&self.received, MAX_MESSAGE_LEN).unwrap() {
                let len = LENGTH_PREFIX + body.len();
                let said = own(Message::decode(body).unwrap());
                self.received.drain(..len);
                return said;
            }
            if !self.receive_more() {
                return Said::End;
            }
        }
    }

    /// Waits for the next Replay message, past keep-alives.
    pub fn next_replay(&mut self) -> (Cursor, bool, Vec<u8>) {
        loop {
            match self.next() {
                Said::Replay { pos, force_pos, data } => {
                    assert!(!data.is_empty() && data.len() <= MAX_REPLAY_DATA);
                    return (pos, force_pos, data);
                }
                Said::KeepAlive => {}
                other => panic!("a Replay message, not {other:?}"),
            }
        }
    }

    /// Waits for the stream's bytes from `from` up to `to`, none of them missing.
    pub fn events(&mut self, from: Cursor, to: Cursor) -> Vec<u8> {
        let mut events = Vec::new();
        while from.plus(events.len()) < to {
            let (pos, force_pos, data) = self.next_replay();
            assert_eq!((pos, force_pos), (from.plus(events.len()), false), "no byte is missing");
            events.extend(data);
        }
        assert_eq!(from.plus(events.len()), to, "and none too many came");
        events
    }

    /// Waits for the connection's end; nothing may come before it.
    pub fn expect_end(&mut self) {
        assert_eq!(self.next(), Said::End);
    }

    /// Whether nothing has come so far.
    pub fn heard_nothing(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        self.received.is_empty()
            && matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// `false` at the connection's end.
    fn receive_more(&mut self) -> bool {
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(len) => {
                self.received.extend_from_slice(&buffer[..len]);
                true
            }
            Err(error) if is_over(error.kind()) => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}

/// A console that hangs up on unread bytes resets the connection.
fn is_over(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
    )
}

fn own(message: Message<'_>) -> Said {
    match message {
        Message::Reply(reply) => Said::Reply {
            nick: String::from_utf8_lossy(&reply.nick).into_owned(),
            version: String::from_utf8_lossy(&reply.version).into_owned(),
            token: reply.token,
            pos: reply.pos,
        },
        Message::Replay(replay) => Said::Replay {
            pos: replay.pos,
            force_pos: replay.force_pos,
            data: replay.data.to_vec(),
        },
        Message::KeepAlive => Said::KeepAlive,
        Message::Notice(notice) => panic!("a notice for relays: {notice:?}"),
        Message::Unknown(kind) => panic!("a message of type {kind}"),
    }
}

//! A console that says what the test wants, when the test wants it, and remembers when that was.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use andross::protocol::console::{HandshakeReply, KEEP_ALIVE, Replay};
use andross::protocol::{ClientToken, Cursor};

use super::loopback;

/// The most that a console puts into one message; the test's go a little below.
const PIECE: usize = 24_000;

/// How often a console says that it is there.
const KEEP_ALIVE_PERIOD: Duration = Duration::from_millis(500);

/// A scripted console. It sends keep-alives only if it is told to: else its relay must be patient.
pub struct ScriptedConsole {
    listener: TcpListener,
    stream: Option<Arc<Mutex<TcpStream>>>,
    /// All that was said, and when each piece of it was begun.
    said: Vec<u8>,
    times: Vec<(usize, Instant)>,
}

impl ScriptedConsole {
    pub fn new() -> Self {
        let listener = TcpListener::bind(loopback()).unwrap();
        Self { listener, stream: None, said: Vec::new(), times: Vec::new() }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Waits for the relay and greets it.
    pub fn accept(&mut self) {
        let (mut stream, _) = self.listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut len = [0; 4];
        stream.read_exact(&mut len).unwrap();
        stream.read_exact(&mut vec![0; u32::from_be_bytes(len) as usize]).unwrap();
        let reply = HandshakeReply {
            nick: b"Wii"[..].into(),
            version: b"1.11.9"[..].into(),
            token: ClientToken(7),
            pos: Cursor(self.said.len() as u64),
        };
        stream.write_all(&reply.encode()).unwrap();
        self.stream = Some(Arc::new(Mutex::new(stream)));
    }

    /// Sends keep-alives from now on, until the relay hangs up or this is gone.
    pub fn stay_alive(&self) {
        let stream = Arc::downgrade(self.stream.as_ref().expect("the relay was not accepted"));
        thread::spawn(move || {
            while stream
                .upgrade()
                .is_some_and(|stream| stream.lock().unwrap().write_all(&KEEP_ALIVE).is_ok())
            {
                thread::sleep(KEEP_ALIVE_PERIOD);
            }
        });
    }

    /// Says events behind those said before.
    pub fn say(&mut self, events: &[u8]) {
        let stream = self.stream.as_ref().expect("the relay was not accepted");
        for data in events.chunks(PIECE) {
            let pos = Cursor(self.said.len() as u64);
            self.times.push((self.said.len(), Instant::now()));
            stream
                .lock()
                .unwrap()
                .write_all(&Replay { pos, force_pos: false, data }.encode().0)
                .unwrap();
            self.said.extend_from_slice(data);
        }
    }

    /// All that was said.
    pub fn said(&self) -> &[u8] {
        &self.said
    }

    /// When the byte at `pos` was said, or a moment before.
    pub fn said_at(&self, pos: usize) -> Instant {
        let behind = self.times.partition_point(|(begin, _)| *begin <= pos);
        self.times[behind - 1].1
    }
}

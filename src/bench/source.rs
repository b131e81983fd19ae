//! The pretend console of the bench: one client, one game, frames at absolute deadlines.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::game::{Game, write_stamp};
use super::stamp::{self, Stamp};
use crate::protocol::console::{
    Handshake, HandshakeReply, KEEP_ALIVE, KEEP_ALIVE_MS, LENGTH_PREFIX, MAX_HANDSHAKE_LEN,
    split_message,
};
use crate::protocol::{ClientToken, Cursor};

/// How often the source looks for its client, and whether it is still wanted.
const ACCEPT_POLL: Duration = Duration::from_millis(5);

/// How long the client may take for its handshake, and not read, before the source gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the source has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// It answered its client's handshake.
    Greeted,
    /// It sent the last byte of the game.
    Played,
    /// It cannot go on.
    Failed(String),
}

/// Which console a source is, and how it plays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The station it is of, from 0.
    pub(super) station: usize,
    /// Frames a second.
    pub(super) fps: f64,
    /// How much later than the first console's its frames are.
    pub(super) phase: Duration,
}

/// A source that waits for its client, then keeps it alive until it is told to play. It ends when
/// this is dropped.
pub(super) struct Source {
    address: SocketAddr,
    length: Duration,
    play: Option<Sender<Instant>>,
    news: Receiver<News>,
    unwanted: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Source {
    /// Listens on a free port and sends `game` once told so.
    pub(super) fn start(game: Arc<Game>, part: Part) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let length = Duration::from_secs_f64(game.frames() as f64 / part.fps);
        let (play, wait) = channel();
        let (tell, news) = channel();
        let unwanted = Arc::new(AtomicBool::new(false));
        let player = Player { game, part, wait, tell, unwanted: unwanted.clone() };
        let thread = std::thread::Builder::new()
            .name("source".into())
            .spawn(move || player.run(&listener))?;
        Ok(Self { address, length, play: Some(play), news, unwanted, thread: Some(thread) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long the game takes.
    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Lets the game begin: its phase after `begin`, which is the same for all sources.
    pub(super) fn play(&self, begin: Instant) {
        if let Some(play) = &self.play {
            // A source that has failed tells so itself.
            let _ = play.send(begin);
        }
    }

    /// What happened since the last call.
    pub(super) fn news(&self) -> Option<News> {
        match self.news.try_recv() {
            Ok(news) => Some(news),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(News::Failed("it ended".into())),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        self.play = None;
        if let Some(thread) = self.thread.take() {
            // Its panic would have been told by `news`.
            let _ = thread.join();
        }
    }
}

struct Player {
    game: Arc<Game>,
    part: Part,
    wait: Receiver<Instant>,
    tell: Sender<News>,
    unwanted: Arc<AtomicBool>,
}

impl Player {
    fn run(self, listener: &TcpListener) {
        let ended = self.accept(listener).and_then(|client| match client {
            Some(client) => self.serve(client),
            None => Ok(()),
        });
        if let Err(error) = ended {
            self.tell(News::Failed(error.to_string()));
        }
    }

    /// Whoever owned the source may be gone.
    fn tell(&self, news: News) {
        let _ = self.tell.send(news);
    }

    fn is_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::Relaxed)
    }

    fn accept(&self, listener: &TcpListener) -> io::Result<Option<TcpStream>> {
        while !self.is_unwanted() {
            match listener.accept() {
                Ok((stream, _)) => return Ok(Some(stream)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(ACCEPT_POLL);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nonblocking(false)?;
        client.set_nodelay(true)?;
        client.set_read_timeout(Some(PATIENCE))?;
        client.set_write_timeout(Some(PATIENCE))?;
        read_handshake(&mut client)?;
        let reply = HandshakeReply {
            nick: b"Bench"[..].into(),
            version: b"1.11"[..].into(),
            token: ClientToken(1),
            pos: Cursor(0),
        };
        client.write_all(&reply.encode())?;
        self.tell(News::Greeted);
        loop {
            match self.wait.recv_timeout(Duration::from_millis(KEEP_ALIVE_MS)) {
                Ok(begin) => {
                    self.play(&mut client, begin + self.part.phase)?;
                    self.tell(News::Played);
                }
                Err(RecvTimeoutError::Timeout) => client.write_all(&KEEP_ALIVE)?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn play(&self, client: &mut TcpStream, begin: Instant) -> io::Result<()> {
        let Part { station, fps, .. } = self.part;
        for (k, replay) in self.game.messages().enumerate() {
            let (message, data_at) = replay.encode();
            let mut message = message.to_vec();
            let due = begin + Duration::from_secs_f64(k as f64 / fps);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if self.is_unwanted() {
                return Ok(());
            }
            let data = &mut message[data_at..][..replay.data.len()];
            write_stamp(data, Stamp::new(stamp::now(), station));
            client.write_all(&message)?;
        }
        Ok(())
    }
}

fn read_handshake(client: &mut TcpStream) -> io::Result<Handshake> {
    let invalid = |error| io::Error::new(ErrorKind::InvalidData, error);
    let mut said = vec![0; LENGTH_PREFIX + MAX_HANDSHAKE_LEN];
    let mut len = 0;
    loop {
        let read = client.read(&mut said[len..])?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        len += read;
        if let Some(body) = split_message(&said[..len], MAX_HANDSHAKE_LEN).map_err(invalid)? {
            return Handshake::decode(body).map_err(invalid);
        }
    }
}

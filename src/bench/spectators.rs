//! The spectators: many connections of one process, which check every byte and take the times.
//!
//! They share the machine with what is measured, so they must be cheap: one thread, one poll, one
//! read a message, no allocation.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use thiserror::Error;

use super::game::Game;
use super::tally::{Findings, Tally};
use super::{is_drained, stamp};
use crate::net::{nonblocking, raise_open_files_limit, sleep_in};
use crate::protocol::console::{
    ConsoleError, Handshake, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, split_message,
};
use crate::shutdown::Shutdown;

const DOORBELL: Token = Token(usize::MAX);

/// Events taken from the system at once.
const EVENTS: usize = 1024;

/// What one read takes at most, in bytes.
const READ_LEN: usize = 256 * 1024;

/// How long a connection may take, also when the system's queue of them is full for a moment.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// When nothing comes to anybody for so long, nothing will: there is a keep-alive every 0.5 s.
const SILENCE: Duration = Duration::from_secs(10);

/// What the process says when everybody has been greeted.
pub(super) const READY: &str = "ready";

/// Whom to watch, and what is expected.
#[derive(Clone, Debug)]
pub struct SpectatorsOptions {
    /// The stations of a relay or of the floor, in order.
    pub addresses: Vec<SocketAddr>,
    /// Spectators of other processes before these: number k of all watches station k, and behind
    /// the last station comes the first one again.
    pub first: usize,
    /// How many to be.
    pub count: usize,
    /// Frames of the game that will be played.
    pub frames: usize,
}

/// Why the spectators give up.
#[derive(Debug, Error)]
pub enum SpectatorsError {
    /// A socket or the poll failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What came is not the console protocol.
    #[error("what came is not the console protocol: {0}")]
    Protocol(#[from] ConsoleError),
    /// Not everyone was greeted.
    #[error("only {greeted} of {count} spectators were greeted")]
    NotGreeted {
        /// So many were.
        greeted: usize,
        /// Of so many.
        count: usize,
    },
}

/// Connects, says `ready` on standard output when everyone was greeted, watches the whole game
/// and writes the [`Tally`] as a line of JSON.
///
/// # Errors
/// [`SpectatorsError`]; wrong or missing bytes are none, they are in the tally.
pub fn run_spectators(
    options: &SpectatorsOptions,
    shutdown: &Shutdown,
) -> Result<(), SpectatorsError> {
    raise_open_files_limit();
    let mut audience = Audience::new(options, shutdown)?;
    if !audience.watch(shutdown, Audience::is_greeted)? {
        return Ok(());
    }
    say(READY)?;
    if !audience.watch(shutdown, Audience::is_over)? {
        return Ok(());
    }
    let tally = serde_json::to_string(&audience.tally()).map_err(io::Error::from)?;
    say(&tally)?;
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

struct Audience {
    poll: Poll,
    /// Kept as long as the poll: a `Waker` that is dropped takes its last ring with it.
    _doorbell: Arc<Waker>,
    game: Game,
    spectators: Vec<Spectator>,
    greeted: usize,
    /// Who has nothing to expect any more.
    done: usize,
    buffer: Vec<u8>,
    findings: Findings,
    last_byte: Instant,
}

struct Spectator {
    /// `None` once it was hung up on.
    stream: Option<TcpStream>,
    /// Which it watches, from 0.
    station: usize,
    is_greeted: bool,
    /// The position expected next.
    pos: usize,
    /// The beginning of a message whose end has not come.
    carry: Vec<u8>,
}

impl Audience {
    fn new(options: &SpectatorsOptions, shutdown: &Shutdown) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let mut spectators = Vec::with_capacity(options.count);
        let stations = options.addresses.iter().enumerate().cycle().skip(options.first);
        for (station, &address) in stations.take(options.count) {
            if shutdown.is_requested() {
                break;
            }
            let mut stream = connect(address)?;
            let token = Token(spectators.len());
            poll.registry().register(&mut stream, token, Interest::READABLE)?;
            spectators.push(Spectator {
                stream: Some(stream),
                station,
                is_greeted: false,
                pos: 0,
                carry: Vec::new(),
            });
        }
        Ok(Self {
            poll,
            _doorbell: doorbell,
            game: Game::new(options.frames),
            spectators,
            greeted: 0,
            done: 0,
            buffer: vec![0; READ_LEN],
            findings: Findings::new(options.addresses.len(), options.frames),
            last_byte: Instant::now(),
        })
    }

    fn is_greeted(&self) -> bool {
        self.greeted == self.spectators.len()
    }

    fn is_over(&self) -> bool {
        self.done == self.spectators.len()
    }

    /// Reads what comes until `is_enough`, or until nothing comes any more; false if somebody asked
    /// to stop.
    fn watch(
        &mut self,
        shutdown: &Shutdown,
        is_enough: fn(&Self) -> bool,
    ) -> Result<bool, SpectatorsError> {
        let mut events = Events::with_capacity(EVENTS);
        self.last_byte = Instant::now();
        while !is_enough(self) {
            sleep_in(&mut self.poll, &mut events, Some(SILENCE));
            if shutdown.is_requested() {
                return Ok(false);
            }
            for event in &events {
                if let Some(spectator) = self.spectators.get_mut(event.token().0) {
                    let before = (spectator.is_greeted, spectator.is_done(&self.game));
                    spectator.read(event, &self.game, &mut self.buffer, &mut self.findings)?;
                    let after = (spectator.is_greeted, spectator.is_done(&self.game));
                    self.greeted += usize::from(before.0 != after.0);
                    self.done += usize::from(before.1 != after.1);
                }
            }
            let now = Instant::now();
            if !events.is_empty() {
                self.last_byte = now;
            } else if now > self.last_byte + SILENCE {
                break;
            }
        }
        if !self.is_greeted() {
            return Err(SpectatorsError::NotGreeted {
                greeted: self.greeted,
                count: self.spectators.len(),
            });
        }
        Ok(true)
    }

    fn tally(self) -> Tally {
        let total = self.game.events().len();
        let missing = |spectator: &Spectator| total.saturating_sub(spectator.pos) as u64;
        self.findings.into_tally(self.spectators.iter().map(missing).sum())
    }
}

impl Spectator {
    fn is_done(&self, game: &Game) -> bool {
        self.stream.is_none() || self.pos >= game.events().len()
    }

    /// Reads until the socket has no more.
    fn read(
        &mut self,
        event: &Event,
        game: &Game,
        buffer: &mut [u8],
        findings: &mut Findings,
    ) -> Result<(), SpectatorsError> {
        while let Some(stream) = &mut self.stream {
            let len = match nonblocking(|| stream.read(buffer)) {
                Ok(Some(len @ 1..)) => len,
                Ok(None) => return Ok(()),
                Ok(Some(0)) | Err(_) => {
                    findings.tally.closed += u64::from(!self.is_done(game));
                    self.stream = None;
                    return Ok(());
                }
            };
            let now = stamp::now();
            if self.carry.is_empty() {
                let used = self.take(&buffer[..len], game, now, findings)?;
                self.carry.extend_from_slice(&buffer[used..len]);
            } else {
                let mut whole = std::mem::take(&mut self.carry);
                whole.extend_from_slice(&buffer[..len]);
                let used = self.take(&whole, game, now, findings)?;
                whole.drain(..used);
                self.carry = whole;
            }
            if is_drained(len, buffer.len(), event) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes the whole messages of `bytes`, which were read at `now`; how many bytes those are.
    fn take(
        &mut self,
        bytes: &[u8],
        game: &Game,
        now: u64,
        findings: &mut Findings,
    ) -> Result<usize, ConsoleError> {
        let mut used = 0;
        while let Some(body) = split_message(&bytes[used..], MAX_MESSAGE_LEN)? {
            used += LENGTH_PREFIX + body.len();
            match Message::decode(body)? {
                Message::Reply(reply) => {
                    self.is_greeted = true;
                    self.pos = usize::try_from(reply.pos.0).unwrap_or(usize::MAX);
                }
                Message::Replay(replay) => {
                    let pos = usize::try_from(replay.pos.0).unwrap_or(usize::MAX);
                    if pos != self.pos || replay.force_pos {
                        findings.tally.gaps += 1;
                        findings.tally.missing += pos.saturating_sub(self.pos) as u64;
                    }
                    let wrong = game.compare(pos, replay.data, |frame, stamp| {
                        findings.frame(self.station, frame, stamp, now);
                    });
                    findings.tally.wrong += wrong;
                    self.pos = pos.saturating_add(replay.data.len());
                }
                Message::KeepAlive | Message::Notice(_) | Message::Unknown(_) => {}
            }
        }
        Ok(used)
    }
}

/// Connects and says the handshake.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = std::net::TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
    let handshake = Handshake { realtime: true, ..Handshake::default() };
    stream.write_all(&handshake.encode())?;
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream))
}

//! The spectators: many connections of one process, which check every byte and take the times.
//!
//! They share the machine with what is measured, so they must be cheap: one thread, one poll, one
//! read a message, no allocation.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::game::{self, Game};
use super::is_drained;
use crate::net::{nonblocking, raise_open_files_limit, sleep_in};
use crate::protocol::console::{
    ConsoleError, Handshake, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, split_message,
};
use crate::shutdown::Shutdown;
use crate::stats::FRAME_WINDOW;

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
#[derive(Clone, Copy, Debug)]
pub struct SpectatorsOptions {
    /// A relay or the floor.
    pub address: SocketAddr,
    /// How many to be.
    pub count: usize,
    /// Frames of the game that will be played.
    pub frames: usize,
}

/// What the spectators of one process found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Frames that arrived, summed over spectators.
    pub deliveries: u64,
    /// Those that came later than the frame window after their write.
    pub late: u64,
    /// Bytes that differ from the game.
    pub wrong: u64,
    /// Bytes that did not come.
    pub missing: u64,
    /// Times that a message began elsewhere than the one before ended.
    pub gaps: u64,
    /// Connections that ended before the game did.
    pub closed: u64,
    /// Microseconds from write to read, and how often they occurred.
    pub latencies: Vec<(u64, u64)>,
}

impl Tally {
    /// Adds another process's findings, but for the latencies.
    pub(super) fn merge(&mut self, other: &Self) {
        self.deliveries += other.deliveries;
        self.late += other.late;
        self.wrong += other.wrong;
        self.missing += other.missing;
        self.gaps += other.gaps;
        self.closed += other.closed;
    }

    /// Whether every byte arrived everywhere.
    pub(super) fn is_exact(&self) -> bool {
        (self.wrong, self.missing, self.gaps, self.closed) == (0, 0, 0, 0)
    }
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
    is_greeted: bool,
    /// The position expected next.
    pos: usize,
    /// The beginning of a message whose end has not come.
    carry: Vec<u8>,
}

struct Findings {
    tally: Tally,
    latency: Histogram<u64>,
    /// The stamp of each frame as the first spectator got it, 0 before: all must get the same.
    stamps: Vec<u64>,
}

impl Audience {
    fn new(options: &SpectatorsOptions, shutdown: &Shutdown) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let mut spectators = Vec::with_capacity(options.count);
        while spectators.len() < options.count && !shutdown.is_requested() {
            let mut stream = connect(options.address)?;
            let token = Token(spectators.len());
            poll.registry().register(&mut stream, token, Interest::READABLE)?;
            spectators.push(Spectator {
                stream: Some(stream),
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
            findings: Findings {
                tally: Tally::default(),
                latency: latency_histogram(),
                stamps: vec![0; options.frames],
            },
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
        let latencies = self.findings.latency.iter_recorded();
        Tally {
            missing: self.findings.tally.missing + self.spectators.iter().map(missing).sum::<u64>(),
            latencies: latencies
                .map(|step| (step.value_iterated_to(), step.count_at_value()))
                .collect(),
            ..self.findings.tally
        }
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
            let now = game::now();
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
                        findings.frame(frame, stamp, now);
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

impl Findings {
    fn frame(&mut self, frame: usize, stamp: u64, now: u64) {
        let first = &mut self.stamps[frame];
        if *first == 0 {
            *first = stamp;
        } else if *first != stamp {
            self.tally.wrong += size_of_val(&stamp) as u64;
        }
        let latency = Duration::from_nanos(now.saturating_sub(stamp));
        self.tally.deliveries += 1;
        self.tally.late += u64::from(latency > FRAME_WINDOW);
        self.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }
}

/// Microseconds up to a minute, three digits.
pub(super) fn latency_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3)
        .expect("the bounds are constants that hdrhistogram accepts")
}

/// Connects and says the handshake.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = std::net::TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
    let handshake = Handshake { realtime: true, ..Handshake::default() };
    stream.write_all(&handshake.encode())?;
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream))
}

//! One spectator: its socket, its cursor and what is on the way to it.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::{Buf, Bytes};
use mio::net::TcpStream;
use thiserror::Error;

use super::admission::Place;
use super::inbox::ClientId;
use super::view::Progress;
use crate::net::nonblocking;
use crate::protocol::console::{ConsoleError, Handshake, KEEP_ALIVE, LENGTH_PREFIX, split_message};
use crate::protocol::{Cursor, Protocol, raw};
use crate::session::{Chunk, Horizon, Seq, Station};

/// The most slices that one vectored write takes; far below every system's limit.
const MAX_SLICES: usize = 64;

/// What a spectator may send in its life, in bytes: it has one handshake to say, and nothing else.
const MAX_INPUT: usize = 64 * 1024;

/// Why a spectator is hung up on.
#[derive(Debug, Error)]
pub(super) enum Farewell {
    #[error("it hung up")]
    Closed,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("its handshake cannot be understood: {0}")]
    Handshake(#[from] ConsoleError),
    #[error("it said no handshake in time")]
    HandshakeTimeout,
    #[error("it sends instead of listening")]
    Chatter,
    #[error("it was more than a game behind")]
    LeftBehind,
    #[error("its connection took no byte for a minute")]
    Stalled,
    #[error("somebody hung up on it by hand")]
    Kicked,
    #[error("its station was removed")]
    StationRemoved,
    #[error("the relay ends")]
    Shutdown,
}

/// How far a delivery got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Delivery {
    /// Everything offered is with the kernel.
    Done,
    /// The socket takes no more now.
    Blocked,
}

/// A spectator.
pub(super) struct Client {
    pub(super) id: ClientId,
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) since: SystemTime,
    /// The place of its view in the thread's list.
    pub(super) view: usize,
    pub(super) protocol: Protocol,
    /// The chunk to send next, once greeted.
    pub(super) next: Seq,
    /// The game of the last chunk begun, 0 before the first.
    pub(super) game: u64,
    /// The socket took less than it was offered; the poll tells when it takes more.
    pub(super) blocked: bool,
    /// It is on its thread's list of those that are behind.
    pub(super) is_catching_up: bool,
    /// Its place in the station's order.
    pub(super) order: usize,
    /// It is another andross, which hears more than a spectator does.
    pub(super) is_relay: bool,
    /// What it must hear before the next chunk; only ever for a relay.
    notice: Option<Bytes>,
    /// The last time the socket took something.
    pub(super) progress: Instant,
    /// It has taken something since `progress` was last set.
    pub(super) has_taken: bool,
    /// What it said of its handshake so far; `None` once greeted.
    greeting: Option<Vec<u8>>,
    /// How much it said in all.
    input: usize,
    /// The position it expects next.
    pub(super) expected: Cursor,
    /// It resumed inside the chunk that is due: the rest of it goes out as a message of its own.
    is_inside: bool,
    /// What must go out before the next chunk: a message begun, the reply, a keep-alive.
    pending: Bytes,
    /// Since when it follows: later chunks count for the latency, its history does not.
    joined: Instant,
    /// When the chunk in `pending` arrived, if it counts.
    pending_arrived: Option<Instant>,
    _place: Place,
}

impl Client {
    pub(super) fn new(
        id: ClientId,
        stream: TcpStream,
        peer: SocketAddr,
        view: usize,
        protocol: Protocol,
        place: Place,
        now: Instant,
    ) -> Self {
        Self {
            id,
            stream,
            peer,
            since: SystemTime::now(),
            view,
            protocol,
            next: Seq(0),
            game: 0,
            blocked: false,
            is_catching_up: false,
            order: 0,
            is_relay: false,
            notice: None,
            progress: now,
            has_taken: false,
            greeting: (protocol == Protocol::Console).then(Vec::new),
            input: 0,
            expected: Cursor(0),
            is_inside: false,
            pending: Bytes::new(),
            joined: now,
            pending_arrived: None,
            _place: place,
        }
    }

    /// Whether the stream is on for it.
    pub(super) fn is_live(&self) -> bool {
        self.greeting.is_none()
    }

    /// Whether nothing is on the way to it.
    pub(super) fn is_flushed(&self) -> bool {
        self.pending.is_empty()
    }

    /// Begins a raw spectator's stream: there is no handshake to wait for.
    pub(super) fn begin_raw(&mut self, station: &Station, horizon: Horizon) {
        let from = station.log.fresh(station.identity().start(), horizon);
        (self.next, self.expected) = (from.seq, from.pos);
        self.joined = joined(horizon);
    }

    /// Reads what the spectator says until the socket has no more. Greets it when its handshake is
    /// whole (true); ignores everything else up to a limit.
    pub(super) fn read(
        &mut self,
        station: &Station,
        max_handshake: usize,
        horizon: Horizon,
    ) -> Result<bool, Farewell> {
        let mut scratch = [0; 2048];
        let mut greeted = false;
        while let Some(read) = nonblocking(|| self.stream.read(&mut scratch))? {
            if read == 0 {
                // A raw spectator may close its sending side, as `nc` does when its input ends. One
                // that is gone altogether shows at the next write.
                return if self.protocol == Protocol::Raw {
                    Ok(false)
                } else {
                    Err(Farewell::Closed)
                };
            }
            self.input += read;
            if self.input > MAX_INPUT {
                return Err(Farewell::Chatter);
            }
            let Some(greeting) = &mut self.greeting else {
                continue;
            };
            greeting.extend_from_slice(&scratch[..read]);
            if let Some(body) = split_message(greeting, max_handshake)? {
                let handshake = Handshake::decode(body)?;
                self.greet(station, handshake, horizon);
                greeted = true;
            } else if greeting.len() > LENGTH_PREFIX + max_handshake {
                return Err(Farewell::Chatter);
            }
        }
        Ok(greeted)
    }

    fn greet(&mut self, station: &Station, handshake: Handshake, horizon: Horizon) {
        let (from, mut reply) = station.greet(handshake, horizon);
        tracing::debug!(peer = %self.peer, pos = from.pos.0, "a spectator was greeted");
        (self.next, self.expected) = (from.seq, from.pos);
        self.greeting = None;
        self.joined = joined(horizon);
        self.is_inside = true;
        if handshake.relay.is_some() {
            self.is_relay = true;
            reply.extend(station.notice(horizon));
        }
        self.pending = reply.into();
    }

    fn advance(&mut self, chunk: &Chunk) {
        self.next = chunk.seq().next();
        self.expected = chunk.next_pos();
        self.game = chunk.game();
    }

    /// Sends what is pending, then `chunks`, of which the first is the one due next. `on_sent` gets
    /// the arrival time of each chunk that is entirely with the kernel now and that came since the
    /// spectator did.
    pub(super) fn deliver(
        &mut self,
        chunks: &[Arc<Chunk>],
        on_sent: &mut impl FnMut(Instant),
    ) -> Result<Delivery, Farewell> {
        if let [chunk] = chunks
            && self.pending.is_empty()
        {
            return self.deliver_one(chunk, on_sent);
        }
        let mut chunks = chunks;
        loop {
            if self.pending.is_empty() {
                let Some((chunk, rest)) = chunks.split_first() else {
                    return Ok(Delivery::Done);
                };
                self.begin(chunk);
                chunks = rest;
            }
            let batch = self.batch_len(chunks);
            let (batch, rest) = chunks.split_at(batch);
            match self.write_batch(batch, on_sent)? {
                Delivery::Done => chunks = rest,
                Delivery::Blocked => return Ok(Delivery::Blocked),
            }
        }
    }

    /// The hot path: one chunk to a spectator that is up to date, one write, nothing copied or
    /// counted but the cursor.
    fn deliver_one(
        &mut self,
        chunk: &Arc<Chunk>,
        on_sent: &mut impl FnMut(Instant),
    ) -> Result<Delivery, Farewell> {
        let bytes = match self.protocol {
            Protocol::Console if self.takes_shared() && chunk.follows(self.expected) => {
                chunk.shared_message()
            }
            Protocol::Console => {
                self.begin(chunk);
                return self.write_batch(&[], on_sent);
            }
            Protocol::Raw => chunk.data(),
        };
        match nonblocking(|| self.stream.write(bytes))? {
            None => Ok(Delivery::Blocked),
            Some(written) if written == bytes.len() => {
                self.has_taken = true;
                self.advance(chunk);
                if chunk.arrived() >= self.joined {
                    on_sent(chunk.arrived());
                }
                Ok(Delivery::Done)
            }
            Some(written) => {
                self.has_taken |= written > 0;
                self.begin(chunk);
                self.pending.advance(written);
                self.write_batch(&[], on_sent)
            }
        }
    }

    /// Whether it takes the message that everyone shares.
    fn takes_shared(&self) -> bool {
        !self.is_inside && self.notice.is_none()
    }

    /// Makes `chunk` the one on the way.
    fn begin(&mut self, chunk: &Chunk) {
        let is_inside = std::mem::replace(&mut self.is_inside, false)
            && chunk.pos() < self.expected
            && self.expected < chunk.next_pos();
        self.pending = match self.protocol {
            Protocol::Console if is_inside => chunk.message_from(self.expected),
            Protocol::Console => chunk.message(self.expected),
            Protocol::Raw => chunk.data().clone(),
        };
        if let Some(notice) = self.notice.take() {
            self.pending = [notice, std::mem::take(&mut self.pending)].concat().into();
        }
        self.pending_arrived = (chunk.arrived() >= self.joined).then_some(chunk.arrived());
        self.advance(chunk);
    }

    /// How many of `chunks` can follow in the same write: those that go on where the one before
    /// ended, so that their shared message will do.
    fn batch_len(&self, chunks: &[Arc<Chunk>]) -> usize {
        if self.notice.is_some() {
            return 0;
        }
        let mut expected = self.expected;
        let fits = |chunk: &&Arc<Chunk>| {
            let fits = chunk.pos() == expected;
            expected = chunk.next_pos();
            fits
        };
        chunks.iter().take(MAX_SLICES - 1).take_while(fits).count()
    }

    /// Writes what is pending and then `batch`. Ends with everything out, or with the rest of the
    /// chunk that was begun pending.
    fn write_batch(
        &mut self,
        batch: &[Arc<Chunk>],
        on_sent: &mut impl FnMut(Instant),
    ) -> Result<Delivery, Farewell> {
        let mut batch = batch;
        loop {
            let written = if batch.is_empty() {
                nonblocking(|| self.stream.write(&self.pending))?
            } else {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                slices[0] = IoSlice::new(&self.pending);
                for (slice, chunk) in slices[1..].iter_mut().zip(batch) {
                    *slice = IoSlice::new(match self.protocol {
                        Protocol::Console => chunk.shared_message(),
                        Protocol::Raw => chunk.data(),
                    });
                }
                let slices = &slices[..=batch.len()];
                nonblocking(|| self.stream.write_vectored(slices))?
            };
            let Some(mut written) = written else {
                return Ok(Delivery::Blocked);
            };
            if written == 0 && !self.pending.is_empty() {
                return Err(Farewell::Closed);
            }
            self.has_taken |= written > 0;
            while written >= self.pending.len() {
                written -= self.pending.len();
                self.pending = Bytes::new();
                if let Some(arrived) = self.pending_arrived.take() {
                    on_sent(arrived);
                }
                let Some((chunk, rest)) = batch.split_first() else {
                    return Ok(Delivery::Done);
                };
                self.begin(chunk);
                batch = rest;
            }
            // A short write nearly always means that the next would block, but only the next tells.
            self.pending.advance(written);
        }
    }

    /// Something is new that a relay must hear before the next chunk.
    pub(super) fn note(&mut self, notice: &Bytes) {
        if self.is_relay {
            self.notice = Some(notice.clone());
        }
    }

    /// Says that this relay is still there, to a client that has everything else; to another relay it
    /// says `notice`.
    pub(super) fn keep_alive(
        &mut self,
        now: Instant,
        notice: &Bytes,
    ) -> Result<Progress, Farewell> {
        self.notice = None;
        self.pending = match self.protocol {
            Protocol::Console if self.is_relay => notice.clone(),
            Protocol::Console => Bytes::from_static(&KEEP_ALIVE),
            Protocol::Raw => Bytes::from_static(&raw::KEEP_ALIVE),
        };
        self.pending_arrived = None;
        Ok(match self.write_batch(&[], &mut |_| {})? {
            Delivery::Done => {
                self.progress = now;
                Progress::UpToDate
            }
            Delivery::Blocked => Progress::Blocked,
        })
    }

    /// It was left behind: goes on at `seq`, the newest game's start, with `forcePos`.
    pub(super) fn skip_to(&mut self, seq: Seq) {
        self.next = seq;
    }
}

/// Chunks that arrived since then count for the latency: earlier ones are history.
fn joined(horizon: Horizon) -> Instant {
    // So shortly after the machine's start that the clock cannot say when: nothing is older.
    horizon.newest().unwrap_or_else(Instant::now)
}

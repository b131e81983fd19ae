//! One spectator: its socket, its cursor and what is on the way to it.

mod greeting;

use std::io::{IoSlice, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::{Buf, Bytes};
use mio::net::TcpStream;

use super::farewell::Farewell;
use super::view::Progress;
use crate::audience::{ClientId, Place};
use crate::net::nonblocking;
use crate::protocol::console::KEEP_ALIVE;
use crate::protocol::{Cursor, Dialect, raw};
use crate::session::{Chunk, Seq};

/// The most slices that one vectored write takes; far below every system's limit.
const MAX_SLICES: usize = 64;

/// How far a delivery got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Delivery {
    /// Everything offered is with the kernel.
    Done,
    /// The socket takes no more now.
    Blocked,
}

/// A spectator: what every frame looks at, which is to be little (thousands of them take turns, and
/// the processor's cache is full of the kernel's sockets), and its life.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// The place of its view in the thread's list.
    pub(super) view: usize,
    /// The chunk to send next, once greeted.
    pub(super) next: Seq,
    /// The position it expects next.
    pub(super) expected: Cursor,
    /// The game of the last chunk begun, 0 before the first.
    pub(super) game: u64,
    pub(super) dialect: Dialect,
    /// It has said its handshake, if it has one to say.
    is_greeted: bool,
    /// The socket took less than it was offered; the poll tells when it takes more.
    pub(super) blocked: bool,
    /// It is on its thread's list of those that are behind.
    pub(super) is_catching_up: bool,
    /// `Life::pending` is empty.
    is_flushed: bool,
    /// It has taken something since `Life::progress` was last set.
    has_taken: bool,
    /// It resumed inside the chunk that is due: the rest of it goes out as a message of its own.
    is_inside: bool,
    /// Its next message begins with `Life::notice`.
    has_notice: bool,
    /// What arrives now counts for the latency: it has had its history.
    counts: bool,
    pub(super) life: Box<Life>,
}

/// What is rarely looked at of a spectator.
pub(super) struct Life {
    pub(super) id: ClientId,
    pub(super) peer: SocketAddr,
    pub(super) since: SystemTime,
    /// Its place in the station's order.
    pub(super) order: usize,
    /// It is another andross, which hears more than a spectator does.
    pub(super) is_relay: bool,
    /// What it must hear before the next chunk; only ever for a relay.
    notice: Bytes,
    /// The last time the socket was seen to have taken something.
    progress: Instant,
    /// What it said of its handshake so far.
    greeting: Vec<u8>,
    /// How much it said in all.
    input: usize,
    /// Since when it follows: later chunks count for the latency, its history does not.
    joined: Instant,
    /// What must go out before the next chunk: a message begun, the reply, a keep-alive.
    pending: Bytes,
    /// When the chunk in `pending` arrived, if it counts.
    pending_arrived: Option<Instant>,
    _place: Place,
}

impl Client {
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        view: usize,
        dialect: Dialect,
        place: Place,
        now: Instant,
    ) -> Self {
        Self {
            stream,
            view,
            next: Seq(0),
            expected: Cursor(0),
            game: 0,
            dialect,
            is_greeted: dialect == Dialect::Raw,
            blocked: false,
            is_catching_up: false,
            is_flushed: true,
            has_taken: false,
            is_inside: false,
            has_notice: false,
            counts: false,
            life: Box::new(Life {
                id: place.client(),
                peer,
                since: SystemTime::now(),
                order: 0,
                is_relay: false,
                notice: Bytes::new(),
                progress: now,
                greeting: Vec::new(),
                input: 0,
                joined: now,
                pending: Bytes::new(),
                pending_arrived: None,
                _place: place,
            }),
        }
    }

    /// Whether the stream is on for it.
    pub(super) fn is_live(&self) -> bool {
        self.is_greeted
    }

    /// Whether nothing is on the way to it.
    pub(super) fn is_flushed(&self) -> bool {
        self.is_flushed
    }

    /// Makes `bytes` what must go out next.
    fn put(&mut self, bytes: Bytes) {
        self.is_flushed = bytes.is_empty();
        self.life.pending = bytes;
    }

    fn advance(&mut self, chunk: &Chunk) {
        self.next = chunk.seq().next();
        self.expected = chunk.next_pos();
        self.game = chunk.game();
    }

    /// Whether `chunk` counts for the latency. Chunks come in the order of their arrival.
    fn counts(&mut self, chunk: &Chunk) -> bool {
        self.counts = self.counts || chunk.arrived() >= self.life.joined;
        self.counts
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
            && self.is_flushed
        {
            return self.deliver_one(chunk, on_sent);
        }
        let mut chunks = chunks;
        loop {
            if self.is_flushed {
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
        let bytes = match self.dialect {
            Dialect::Console if self.takes_shared() && chunk.follows(self.expected) => {
                chunk.shared_message()
            }
            Dialect::Console => {
                self.begin(chunk);
                return self.write_batch(&[], on_sent);
            }
            Dialect::Raw => chunk.data(),
        };
        match nonblocking(|| self.stream.write(bytes))? {
            None => Ok(Delivery::Blocked),
            Some(written) if written == bytes.len() => {
                self.has_taken = true;
                self.advance(chunk);
                if self.counts(chunk) {
                    on_sent(chunk.arrived());
                }
                Ok(Delivery::Done)
            }
            Some(written) => {
                self.has_taken |= written > 0;
                self.begin(chunk);
                self.life.pending.advance(written);
                self.write_batch(&[], on_sent)
            }
        }
    }

    /// Whether it takes the message that everyone shares.
    fn takes_shared(&self) -> bool {
        !self.is_inside && !self.has_notice
    }

    /// Makes `chunk` the one on the way.
    fn begin(&mut self, chunk: &Chunk) {
        let is_inside = std::mem::replace(&mut self.is_inside, false)
            && chunk.pos() < self.expected
            && self.expected < chunk.next_pos();
        let mut message = match self.dialect {
            Dialect::Console if is_inside => chunk.message_from(self.expected),
            Dialect::Console => chunk.message(self.expected),
            Dialect::Raw => chunk.data().clone(),
        };
        if std::mem::take(&mut self.has_notice) {
            message = [std::mem::take(&mut self.life.notice), message].concat().into();
        }
        self.put(message);
        self.life.pending_arrived = self.counts(chunk).then_some(chunk.arrived());
        self.advance(chunk);
    }

    /// How many of `chunks` can follow in the same write: those that go on where the one before
    /// ended, so that their shared message will do.
    fn batch_len(&self, chunks: &[Arc<Chunk>]) -> usize {
        if self.has_notice {
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
                nonblocking(|| self.stream.write(&self.life.pending))?
            } else {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                slices[0] = IoSlice::new(&self.life.pending);
                for (slice, chunk) in slices[1..].iter_mut().zip(batch) {
                    *slice = IoSlice::new(match self.dialect {
                        Dialect::Console => chunk.shared_message(),
                        Dialect::Raw => chunk.data(),
                    });
                }
                let slices = &slices[..=batch.len()];
                nonblocking(|| self.stream.write_vectored(slices))?
            };
            let Some(mut written) = written else {
                return Ok(Delivery::Blocked);
            };
            if written == 0 && !self.is_flushed {
                return Err(Farewell::Closed);
            }
            self.has_taken |= written > 0;
            while written >= self.life.pending.len() {
                written -= self.life.pending.len();
                self.put(Bytes::new());
                if let Some(arrived) = self.life.pending_arrived.take() {
                    on_sent(arrived);
                }
                let Some((chunk, rest)) = batch.split_first() else {
                    return Ok(Delivery::Done);
                };
                self.begin(chunk);
                batch = rest;
            }
            // A short write nearly always means that the next would block, but only the next tells.
            self.life.pending.advance(written);
        }
    }

    /// Something is new that a relay must hear before the next chunk.
    pub(super) fn note(&mut self, notice: &Bytes) {
        if self.life.is_relay {
            self.life.notice = notice.clone();
            self.has_notice = true;
        }
    }

    /// Says that this relay is still there, to a client that has everything else; to another relay it
    /// says `notice`.
    pub(super) fn keep_alive(&mut self, notice: &Bytes) -> Result<Progress, Farewell> {
        self.has_notice = false;
        self.put(match self.dialect {
            Dialect::Console if self.life.is_relay => notice.clone(),
            Dialect::Console => Bytes::from_static(&KEEP_ALIVE),
            Dialect::Raw => Bytes::from_static(&raw::KEEP_ALIVE),
        });
        self.life.pending_arrived = None;
        Ok(match self.write_batch(&[], &mut |_| {})? {
            Delivery::Done => Progress::UpToDate,
            Delivery::Blocked => Progress::Blocked,
        })
    }

    /// How long its socket has taken nothing, as far as was looked.
    pub(super) fn idle(&self, now: Instant) -> Duration {
        match self.has_taken {
            true => Duration::ZERO,
            false => now.saturating_duration_since(self.life.progress),
        }
    }

    /// Looks whether its socket has taken something since the last look: a delivery takes no time.
    pub(super) fn look_at_progress(&mut self, now: Instant) {
        if std::mem::take(&mut self.has_taken) {
            self.life.progress = now;
        }
    }

    /// It was left behind: goes on at `seq`, the newest game's start, with `forcePos`.
    pub(super) fn skip_to(&mut self, seq: Seq) {
        self.next = seq;
    }
}

#[cfg(test)]
mod tests {
    use mio::net::TcpStream;

    use super::Client;

    /// A processor's cache has lines of 64 bytes, nearly everywhere. A socket is a number in it, but for
    /// what mio checks in builds like this one.
    #[test]
    fn what_every_frame_looks_at_is_little() {
        let own = size_of::<Client>() - size_of::<TcpStream>();
        assert!(own + size_of::<u64>() <= 64, "{own} bytes and a socket");
    }
}

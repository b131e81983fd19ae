//! A station as one consumer thread sees it: how far it has looked into the log, and who of its
//! clients gets what from there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::client::{Client, Delivery};
use super::farewell::Farewell;
use super::stopwatch::Stopwatch;
use crate::protocol::Dialect;
use crate::session::{Chunk, Horizon, Seq, Station};

/// The most a lagging spectator gets in one turn, in event bytes: catching up must not delay
/// anybody's live frame.
const CATCH_UP_BYTES: usize = 128 * 1024;

/// Chunks looked at for one such turn.
const CATCH_UP_CHUNKS: usize = 256;

/// Chunks taken from the log at once for those who are up to date. A frame is one or a few.
const FRESH_CHUNKS: usize = 64;

/// A station and this thread's share of its spectators of one dialect.
pub(super) struct View {
    pub(super) station: Arc<Station>,
    pub(super) dialect: Dialect,
    /// Slab keys of its clients; each knows its place here.
    pub(super) clients: Vec<usize>,
    /// What was known of the console when those of its clients that are relays were last told.
    changes: u64,
    /// When its spectators last heard something.
    pub(super) last_sent: Instant,
    /// The end of what was visible when the thread last looked.
    seen: Seq,
    /// When chunk `seen` arrived, once that was looked up: who is behind waits for it.
    next_arrival: Option<(Seq, Instant)>,
    /// How late its clients were when the thread last looked.
    last_delay: Duration,
    /// The last frame went from the first client to the last; this one goes back.
    is_way_back: bool,
    latency: Stopwatch,
}

/// When there is more to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// When more has come.
    Never,
    /// There is.
    Now,
    /// What has come becomes visible then.
    At(Instant),
}

/// How far a client is after its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// It waits for what this thread has not looked at yet.
    UpToDate,
    /// It takes more, and there is more.
    Behind,
    /// Its socket takes no more now.
    Blocked,
}

impl View {
    pub(super) fn new(station: Arc<Station>, dialect: Dialect) -> Self {
        let horizon = Horizon::at(Instant::now(), station.delay(dialect.into()));
        Self {
            seen: station.log.end_within(horizon),
            next_arrival: None,
            last_delay: station.delay(dialect.into()),
            changes: station.changes(),
            station,
            dialect,
            clients: Vec::new(),
            last_sent: Instant::now(),
            is_way_back: true,
            latency: Stopwatch::default(),
        }
    }

    /// How late its clients see what happens.
    pub(super) fn delay(&self) -> Duration {
        self.station.delay(self.dialect.into())
    }

    /// What its clients may see now.
    pub(super) fn horizon(&self) -> Horizon {
        Horizon::at(Instant::now(), self.delay())
    }

    /// Whether there is more to see than the thread has looked at.
    pub(super) fn has_news(&mut self) -> bool {
        match self.due() {
            Due::Never => false,
            Due::Now => true,
            Due::At(due) => due <= Instant::now(),
        }
    }

    /// When there will be more to see, as far as is known.
    pub(super) fn due(&mut self) -> Due {
        let delay = self.delay();
        if delay > self.last_delay {
            // What was seen is hidden again to newcomers: they begin where it is visible now.
            self.seen = self.seen.min(self.station.log.end_within(self.horizon()));
            self.next_arrival = None;
        }
        self.last_delay = delay;
        if self.seen >= self.station.log.end() {
            return Due::Never;
        }
        if delay.is_zero() {
            return Due::Now;
        }
        if self.next_arrival.is_none_or(|(seq, _)| seq != self.seen) {
            let arrival = self.station.log.arrival(self.seen);
            self.next_arrival = arrival.map(|arrival| (self.seen, arrival));
        }
        self.next_arrival.map_or(Due::Never, |(_, arrival)| Due::At(arrival + delay))
    }

    /// What relays among its clients must hear, if that is new.
    pub(super) fn news_for_relays(&mut self) -> Option<Bytes> {
        let changes = self.station.changes();
        (std::mem::replace(&mut self.changes, changes) != changes)
            .then(|| self.station.notice(self.horizon()).into())
    }

    /// Looks at what is new, with one short look under the log's lock for all its clients.
    pub(super) fn look(&mut self, fresh: &mut Vec<Arc<Chunk>>) {
        fresh.clear();
        self.latency.set_delay(self.delay());
        self.station.log.read_within(self.seen, FRESH_CHUNKS, self.horizon(), fresh);
        match fresh.last() {
            Some(last) => self.seen = last.seq().next(),
            // The chunk that was due is gone: the next one is due later.
            None => self.next_arrival = None,
        }
    }

    /// The clients in the order of this frame, there and back in turn: whoever was late is early, and
    /// what the processor's cache still has of the last is used first.
    pub(super) fn turns(&mut self, turns: &mut Vec<usize>) {
        turns.clear();
        turns.extend(&self.clients);
        self.is_way_back = !self.is_way_back;
        if self.is_way_back {
            turns.reverse();
        }
    }

    /// Hands fresh chunks to a client that is up to date: nothing is looked up, copied or encoded
    /// for it. One that came while the log was ahead of this thread is behind.
    pub(super) fn serve(
        &mut self,
        client: &mut Client,
        fresh: &[Arc<Chunk>],
    ) -> Result<Progress, Farewell> {
        let due = match (fresh.first(), fresh.last()) {
            (Some(first), _) if first.seq() == client.next => fresh,
            // It had this before the delay grew, or resumed in what is still hidden.
            (_, Some(last)) if last.seq() < client.next => return Ok(Progress::UpToDate),
            (Some(_), _) => match fresh.iter().position(|chunk| chunk.seq() == client.next) {
                Some(at) => &fresh[at..],
                None => return Ok(Progress::Behind),
            },
            (None, _) => return Ok(Progress::UpToDate),
        };
        Ok(match self.deliver(client, due)? {
            Delivery::Done => Progress::UpToDate,
            Delivery::Blocked => Progress::Blocked,
        })
    }

    /// Gives a client that is behind a bounded slice, looked up by its own cursor. One that was left
    /// behind by more than a game goes on with the newest.
    pub(super) fn catch_up(
        &mut self,
        client: &mut Client,
        chunks: &mut Vec<Arc<Chunk>>,
    ) -> Result<Progress, Farewell> {
        let log = &self.station.log;
        let horizon = self.horizon();
        self.latency.set_delay(self.delay());
        chunks.clear();
        log.read_within(client.next, CATCH_UP_CHUNKS, horizon, chunks);
        if let Some(first) = chunks.first()
            && first.seq() != client.next
            && first.game() != client.game
        {
            // Raw bytes cannot say that some are missing; to one that had none yet, none are.
            let is_new = client.dialect == Dialect::Raw && client.game == 0;
            if !is_new {
                self.station.stats.skipped.add(1);
                if client.dialect == Dialect::Raw {
                    return Err(Farewell::LeftBehind);
                }
                tracing::info!(
                    station = %self.station.name(),
                    peer = %client.life.peer,
                    "a spectator was more than a game behind and is skipped to the newest"
                );
            }
            client.skip_to(log.newest_game(horizon));
            chunks.clear();
            log.read_within(client.next, CATCH_UP_CHUNKS, horizon, chunks);
        }
        let mut bytes = 0;
        let within = chunks.iter().take_while(|chunk| {
            bytes += chunk.data().len();
            bytes <= CATCH_UP_BYTES
        });
        // At least one, however large it is.
        let some = within.count().max(1).min(chunks.len());
        let delivery = self.deliver(client, &chunks[..some])?;
        self.settle_latency();
        Ok(match delivery {
            Delivery::Blocked => Progress::Blocked,
            // Nothing may be visible of what was before the delay grew.
            Delivery::Done if client.next >= self.seen || some == 0 => Progress::UpToDate,
            Delivery::Done => Progress::Behind,
        })
    }

    /// Delivers, and counts what went out for the latency.
    fn deliver(
        &mut self,
        client: &mut Client,
        chunks: &[Arc<Chunk>],
    ) -> Result<Delivery, Farewell> {
        let latency = &mut self.latency;
        client.deliver(chunks, &mut |arrived| latency.add(arrived))
    }

    /// Ends a turn of deliveries: the clock is read for those that wait for it.
    pub(super) fn settle_latency(&mut self) {
        self.latency.settle();
    }

    /// How far a client is behind what it may see: bytes, and frames if they are of its game.
    pub(super) fn lag(&self, client: &Client) -> (u64, Option<u64>) {
        let log = &self.station.log;
        if !client.is_live() || client.next >= log.end_within(self.horizon()) {
            return (0, Some(0));
        }
        let lag = log.distance(client.next, self.horizon());
        let is_of_its_game = lag.game == Some(client.game) || client.game == 0;
        (lag.bytes, is_of_its_game.then_some(lag.frames))
    }

    /// Hands in the latencies gathered.
    pub(super) fn report(&mut self) {
        self.latency.hand_in(&self.station.stats.latency);
    }
}

#[cfg(test)]
mod tests;

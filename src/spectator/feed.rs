//! A station's stream as the messages of Dolphin's protocol, numbered, the last two games of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::protocol::Protocol;
use crate::protocol::spectator::{Message, encode_game_event};
use crate::session::{Chunk, Horizon, Seq, Station};
use crate::slp::Batcher;

/// Chunks taken from the log at once.
const CHUNKS: usize = 64;

/// The most memory that the messages take, in bytes, like the log's own bound. Their event bytes are
/// the log's; they count all the same, for the log may have let go of its.
const MAX_RETAINED: usize = 96 * 1024 * 1024;

/// What a message takes in memory beside its event bytes.
const MESSAGE_COST: usize = 128;

/// How much of a game's beginning is kept when the game outgrows [`MAX_RETAINED`]: the sizes, Game
/// Start and the gecko list, without which nothing later can be read.
const PROLOGUE: usize = 256 * 1024;

/// So many of the newest messages are kept as they are sent. Who is further behind has them encoded
/// anew: that takes a microsecond, to keep all of them would take more memory than the log does.
const KEPT_ENCODED: usize = 64;

/// The messages of one station, as far as its spectators may see them now.
pub(super) struct Feed {
    station: Arc<Station>,
    /// The chunk to read next.
    seen: Seq,
    /// The game of the last chunk read, as the log numbers it.
    game: u64,
    /// Whether a game is on: what comes between games is none of a spectator's business.
    in_game: bool,
    batcher: Batcher,
    /// What belongs to a batch that is not at its end, and where it begins in the game's stream.
    pending: VecDeque<Bytes>,
    pending_at: u64,
    messages: VecDeque<Entry>,
    /// The number of the next message.
    end: u64,
    /// Games begun.
    games: u64,
    /// Event bytes in all messages so far.
    total: u64,
    retained: usize,
    /// Kept from turn to turn so that no turn allocates.
    chunks: Vec<Arc<Chunk>>,
    ends: Vec<u64>,
}

struct Entry {
    cursor: u64,
    /// The feed's own number of the game.
    game: u64,
    content: Content,
    /// When its last byte came.
    arrived: Instant,
    /// The newest frame in it or before.
    frame: Option<i32>,
    /// Event bytes in all messages before.
    before: u64,
    encoded: Option<Arc<[u8]>>,
}

enum Content {
    Start,
    Events(Bytes),
    End,
}

impl Entry {
    fn len(&self) -> usize {
        match &self.content {
            Content::Events(bytes) => bytes.len(),
            Content::Start | Content::End => 0,
        }
    }

    fn encode(&self) -> Arc<[u8]> {
        let (cursor, next_cursor) = (self.cursor, self.cursor + 1);
        let packet = match &self.content {
            Content::Start => Message::StartGame { cursor, next_cursor }.encode(),
            Content::Events(bytes) => encode_game_event(cursor, next_cursor, bytes),
            Content::End => {
                Message::EndGame { cursor, next_cursor, dolphin_closed: false }.encode()
            }
        };
        packet.into()
    }
}

/// A message to be sent.
pub(super) struct Sendable {
    pub(super) cursor: u64,
    pub(super) packet: Arc<[u8]>,
    /// When its last byte came.
    pub(super) arrived: Instant,
}

impl Feed {
    /// The stream of `station`, from the oldest chunk kept on.
    pub(super) fn new(station: Arc<Station>) -> Self {
        Self {
            station,
            seen: Seq(0),
            game: 0,
            in_game: false,
            batcher: Batcher::new(),
            pending: VecDeque::new(),
            pending_at: 0,
            messages: VecDeque::new(),
            // Never 0, which is what newcomers ask for; and a cursor of an earlier run of the relay
            // most likely names nothing now.
            end: u64::from(fastrand::u32(1..1 << 30)),
            games: 0,
            total: 0,
            retained: 0,
            chunks: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The station.
    pub(super) fn station(&self) -> &Arc<Station> {
        &self.station
    }

    /// The number that the next message will have.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Reads what can be seen by now.
    pub(super) fn look(&mut self, now: Instant) {
        let mut chunks = std::mem::take(&mut self.chunks);
        while self.seen < self.station.log.end() {
            let horizon = Horizon::at(now, self.station.delay(Protocol::Dolphin));
            chunks.clear();
            self.station.log.read_within(self.seen, CHUNKS, horizon, &mut chunks);
            let Some(last) = chunks.last() else { break };
            self.seen = last.seq().next();
            for chunk in &chunks {
                self.take(chunk);
            }
        }
        chunks.clear();
        self.chunks = chunks;
        self.trim_to(MAX_RETAINED);
    }

    /// When there will be more to see, as far as is known.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.seen >= self.station.log.end() {
            return None;
        }
        let arrived = self.station.log.arrival(self.seen)?;
        Some(arrived + self.station.delay(Protocol::Dolphin))
    }

    fn take(&mut self, chunk: &Chunk) {
        if chunk.starts_game() {
            self.close_game(chunk.arrived());
            self.open_game(chunk.arrived());
        } else if chunk.game() != self.game {
            // A game whose beginning was lost: nobody could read it.
            self.close_game(chunk.arrived());
        }
        self.game = chunk.game();
        if !self.in_game {
            return;
        }
        let frame = chunk.frame().map(|frame| frame.0);
        self.pending.push_back(chunk.data().clone());
        let mut ends = std::mem::take(&mut self.ends);
        self.batcher.push(chunk.data(), &mut ends);
        for end in ends.drain(..) {
            // A batch that was flushed before its end had come. An empty one would say that Dolphin closes.
            if end <= self.pending_at {
                continue;
            }
            let batch = self.cut(end);
            self.push(Content::Events(batch), frame, chunk.arrived());
        }
        self.ends = ends;
        if !chunk.in_game() {
            self.close_game(chunk.arrived());
        }
    }

    fn open_game(&mut self, now: Instant) {
        self.games += 1;
        let old = self.messages.partition_point(|entry| entry.game + 1 < self.games);
        self.drop_messages(0, old);
        self.batcher = Batcher::new();
        self.pending_at = 0;
        self.in_game = true;
        self.push(Content::Start, None, now);
    }

    fn close_game(&mut self, now: Instant) {
        if self.in_game {
            self.flush(now);
            self.in_game = false;
            self.push(Content::End, None, now);
        }
    }

    /// Makes a batch of what has no end: nothing will come to give it one.
    pub(super) fn flush(&mut self, now: Instant) {
        let rest: u64 = self.pending.iter().map(|bytes| bytes.len() as u64).sum();
        if rest > 0 {
            let batch = self.cut(self.pending_at + rest);
            self.push(Content::Events(batch), None, now);
        }
    }

    /// Takes the bytes up to `end` of the game's stream out of what is pending; no copy of those that
    /// came together.
    fn cut(&mut self, end: u64) -> Bytes {
        let mut missing = usize::try_from(end - self.pending_at).unwrap_or(usize::MAX);
        self.pending_at = end;
        let mut parts = Vec::new();
        while missing > 0
            && let Some(first) = self.pending.front_mut()
        {
            if first.len() > missing {
                parts.push(first.split_to(missing));
                missing = 0;
            } else {
                missing -= first.len();
                parts.extend(self.pending.pop_front());
            }
        }
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => parts.concat().into(),
        }
    }

    fn push(&mut self, content: Content, frame: Option<i32>, arrived: Instant) {
        let last = self.messages.back().filter(|last| last.game == self.games);
        let entry = Entry {
            cursor: self.end,
            game: self.games,
            content,
            arrived,
            frame: frame.or_else(|| last.and_then(|last| last.frame)),
            before: self.total,
            encoded: None,
        };
        self.end += 1;
        self.total += entry.len() as u64;
        self.retained += entry.len() + MESSAGE_COST;
        self.messages.push_back(entry);
        if let Some(older) = self.messages.len().checked_sub(KEPT_ENCODED + 1)
            && let Some(older) = self.messages.get_mut(older)
        {
            older.encoded = None;
        }
    }

    fn drop_messages(&mut self, from: usize, to: usize) {
        let dropped = self.messages.drain(from..to);
        self.retained -= dropped.map(|entry| entry.len() + MESSAGE_COST).sum::<usize>();
    }

    /// Lets go of the game before, then of the older half of this one behind its beginning.
    fn trim_to(&mut self, max_retained: usize) {
        if self.retained > max_retained {
            let old = self.messages.partition_point(|entry| entry.game < self.games);
            self.drop_messages(0, old);
        }
        if self.retained > max_retained {
            let mut prologue = 0;
            let keep = self.messages.iter().take_while(|entry| {
                prologue += entry.len() + MESSAGE_COST;
                prologue <= PROLOGUE.min(max_retained / 4)
            });
            let keep = keep.count();
            let half = keep + (self.messages.len() - keep) / 2;
            self.drop_messages(keep, half);
        }
    }

    /// Where somebody begins who asks for message `wanted`: there if it is kept, or will be the next;
    /// else at the start of the game that is on, or between games with the next message.
    pub(super) fn greet(&self, wanted: u64) -> u64 {
        let first = self.messages.front().map_or(self.end, |entry| entry.cursor);
        if (first..=self.end).contains(&wanted) {
            return wanted;
        }
        if self.in_game { self.newest_game() } else { self.end }
    }

    /// The first message of the newest game, also when that is over.
    fn newest_game(&self) -> u64 {
        let at = self.messages.partition_point(|entry| entry.game < self.games);
        self.messages.get(at).map_or(self.end, |entry| entry.cursor)
    }

    /// Where somebody goes on who was left behind at `cursor`, more than a game ago; `None` if what
    /// comes next is kept.
    pub(super) fn skip(&self, cursor: u64) -> Option<u64> {
        let first = self.messages.front().map_or(self.end, |entry| entry.cursor);
        (cursor < first).then(|| self.newest_game())
    }

    fn index(&self, cursor: u64) -> usize {
        self.messages.partition_point(|entry| entry.cursor < cursor)
    }

    /// The first message from `cursor` on that is kept.
    pub(super) fn message(&mut self, cursor: u64) -> Option<Sendable> {
        let at = self.index(cursor);
        let is_new = at + KEPT_ENCODED >= self.messages.len();
        let entry = self.messages.get_mut(at)?;
        let packet = match &entry.encoded {
            Some(packet) => packet.clone(),
            None => entry.encode(),
        };
        if is_new {
            entry.encoded.get_or_insert_with(|| packet.clone());
        }
        Some(Sendable { cursor: entry.cursor, packet, arrived: entry.arrived })
    }

    /// How far `cursor` is behind the end: event bytes, and frames if they are of the same game.
    pub(super) fn lag(&self, cursor: u64) -> (u64, Option<u64>) {
        let Some(next) = self.messages.get(self.index(cursor)) else {
            return (0, Some(0));
        };
        let newest = self.messages.back().filter(|newest| newest.game == next.game);
        let frames = newest.map(|newest| match (next.frame, newest.frame) {
            (Some(next), Some(newest)) => u64::from(newest.abs_diff(next)) + 1,
            (None, Some(newest)) => u64::from(newest.abs_diff(-123)) + 1,
            _ => 0,
        });
        (self.total - next.before, frames)
    }
}

#[cfg(test)]
mod tests;

//! The log of one station: chunks in order, the last two games of them.

mod horizon;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub use self::horizon::Horizon;
use super::{Chunk, Seq};
use crate::protocol::Cursor;
use crate::slp::FrameIndex;

/// The most memory that a log takes, in bytes. A long game of four Ice Climbers with items takes some 50
/// MB; only something that is not a match, such as training mode left running, goes beyond.
const MAX_RETAINED: usize = 96 * 1024 * 1024;

/// What a chunk takes in memory beside its message: itself, two allocations, its place in the list.
/// Counted, because a source could send chunks of a single byte.
const CHUNK_COST: usize = 256;

/// How much of a game's beginning is kept when the game outgrows [`MAX_RETAINED`]: the sizes, Game
/// Start and the gecko list, without which nothing later can be read. The list alone is 56 KiB in
/// real recordings.
const PROLOGUE: usize = 256 * 1024;

/// The chunks of one station, shared by all threads. Clones are the same log.
///
/// Only [`super::Writer`] appends. Under the lock pointers are copied, never bytes, and nobody
/// keeps the lock while it does anything else.
#[derive(Clone, Default)]
pub struct Log {
    chunks: Arc<Mutex<Vec<Arc<Chunk>>>>,
    /// Number behind the last chunk; lets readers see without the lock that nothing is new.
    end: Arc<AtomicU64>,
    /// The chunk that the recorder needs next; it and all behind it are kept, as long as there is
    /// room. `u64::MAX` without a recorder.
    pinned: Arc<AtomicU64>,
    /// Milliseconds that the latest reader is behind: what it has not seen yet is kept for it.
    held_for: Arc<AtomicU64>,
    /// The same of single readers who asked for more.
    holds: Arc<Mutex<Vec<Duration>>>,
}

/// Keeps what a single reader has still to see, until it is dropped.
pub struct Hold {
    holds: Arc<Mutex<Vec<Duration>>>,
    delay: Duration,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holds = self.holds.lock();
        if let Some(at) = holds.iter().position(|&held| held == self.delay) {
            holds.swap_remove(at);
        }
    }
}

/// Chunks among which one has a frame: a game begins with a few that have none.
const FRAME_WITHIN: usize = 32;

/// The newest frame among these chunks of one game.
fn newest_frame(game: &[Arc<Chunk>]) -> Option<FrameIndex> {
    game.iter().rev().take(FRAME_WITHIN).find_map(|chunk| chunk.frame)
}

/// How far a reader is behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Distance {
    /// Positions between; those of the present position space, if the console was restarted.
    pub bytes: u64,
    /// The newest game there.
    pub game: Option<u64>,
    /// Frames of that game.
    pub frames: u64,
}

/// The newest game that a reader may know of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GameSeen {
    /// Its number, from 1.
    pub number: u64,
    /// Whether it goes on.
    pub is_on: bool,
    /// Its newest frame; `None` if none has come.
    pub frame: Option<FrameIndex>,
}

/// Where a reader begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadFrom {
    /// The chunk to read next.
    pub seq: Seq,
    /// The position the reader is told and expects. Not the beginning of that chunk when a cursor
    /// lies inside it.
    pub pos: Cursor,
}

impl Log {
    /// An empty log.
    pub fn new() -> Self {
        let log = Self::default();
        log.pinned.store(u64::MAX, Ordering::Relaxed);
        log
    }

    /// The number that the next chunk will have.
    pub fn end(&self) -> Seq {
        Seq(self.end.load(Ordering::Acquire))
    }

    /// Appends to `out` at most `limit` chunks from number `from` on, or from the oldest one kept
    /// if that is later: the reader compares numbers and positions to see that it was left behind.
    pub fn read(&self, from: Seq, limit: usize, out: &mut Vec<Arc<Chunk>>) {
        let chunks = self.chunks.lock();
        let at = chunks.partition_point(|chunk| chunk.seq < from);
        out.extend(chunks[at..].iter().take(limit).cloned());
    }

    /// Like [`Log::read`], of what `horizon` shows.
    pub fn read_within(
        &self,
        from: Seq,
        limit: usize,
        horizon: Horizon,
        out: &mut Vec<Arc<Chunk>>,
    ) {
        let chunks = self.chunks.lock();
        let at = chunks.partition_point(|chunk| chunk.seq < from);
        let shown = chunks[at..].iter().take(limit).take_while(|chunk| horizon.shows(chunk));
        out.extend(shown.cloned());
    }

    /// When the chunk with number `seq`, or the next one kept, arrived; `None` if it has not.
    pub fn arrival(&self, seq: Seq) -> Option<Instant> {
        let chunks = self.chunks.lock();
        chunks.get(chunks.partition_point(|chunk| chunk.seq < seq)).map(|chunk| chunk.arrived)
    }

    /// The number that the first chunk behind `horizon` has or will have.
    pub fn end_within(&self, horizon: Horizon) -> Seq {
        let chunks = self.chunks.lock();
        match chunks.get(horizon.of(&chunks).len()) {
            Some(hidden) => hidden.seq,
            None => self.end(),
        }
    }

    /// The newest chunk that `horizon` shows.
    pub fn last_within(&self, horizon: Horizon) -> Option<Arc<Chunk>> {
        horizon.of(&self.chunks.lock()).last().cloned()
    }

    /// The newest chunk.
    pub fn last(&self) -> Option<Arc<Chunk>> {
        self.chunks.lock().last().cloned()
    }

    /// The number of the first chunk of the newest game that `horizon` shows, also when that game is
    /// over; of the oldest chunk kept if it shows none.
    pub fn newest_game(&self, horizon: Horizon) -> Seq {
        let chunks = self.chunks.lock();
        let Some(last) = horizon.of(&chunks).last() else {
            return chunks.first().map_or(self.end(), |first| first.seq);
        };
        chunks[chunks.partition_point(|chunk| chunk.game < last.game)].seq
    }

    /// The newest game that `horizon` shows; `None` before the first, and while events come whose game
    /// is not known.
    pub fn game_within(&self, horizon: Horizon) -> Option<GameSeen> {
        let chunks = self.chunks.lock();
        let shown = horizon.of(&chunks);
        let last = shown.last().filter(|last| last.game > 0)?;
        let game = &shown[shown.partition_point(|chunk| chunk.game < last.game)..];
        Some(GameSeen { number: last.game, is_on: last.in_game, frame: newest_frame(game) })
    }

    /// How many times the positions began anew behind what `horizon` shows.
    pub fn restarts_behind(&self, horizon: Horizon) -> u32 {
        let chunks = self.chunks.lock();
        let (Some(newest), Some(shown)) =
            (chunks.last(), horizon.of(&chunks).last().or(chunks.first()))
        else {
            return 0;
        };
        newest.epoch.wrapping_sub(shown.epoch)
    }

    /// The oldest chunk kept of the present position space; `None` if nothing has come.
    pub fn first_of_positions(&self) -> Option<Arc<Chunk>> {
        let chunks = self.chunks.lock();
        let epoch = chunks.last()?.epoch;
        chunks.get(chunks.partition_point(|chunk| chunk.epoch < epoch)).cloned()
    }

    /// The position at which the newest game begins; `None` if there was none.
    pub fn newest_game_pos(&self) -> Option<Cursor> {
        let chunks = self.chunks.lock();
        let game = chunks.last()?.game;
        chunks.iter().find(|chunk| chunk.game == game && chunk.starts_game).map(|chunk| chunk.pos)
    }

    /// The first chunk of game number `game`; `None` if it is not kept.
    pub fn game_start(&self, game: u64) -> Option<Seq> {
        let chunks = self.chunks.lock();
        let first = chunks.iter().find(|chunk| chunk.game == game)?;
        first.starts_game.then_some(first.seq)
    }

    /// Where a newcomer begins, by the console's rule: at the start of the game that is on, else
    /// where the next byte will be, as far as `horizon` shows. `empty` is the position of a log
    /// without chunks.
    pub fn fresh(&self, empty: Cursor, horizon: Horizon) -> ReadFrom {
        let chunks = self.chunks.lock();
        let Some(last) = horizon.of(&chunks).last() else {
            return chunks.first().map_or(ReadFrom { seq: self.end(), pos: empty }, |first| {
                ReadFrom { seq: first.seq, pos: first.pos }
            });
        };
        if last.in_game {
            let first = &chunks[chunks.partition_point(|chunk| chunk.game < last.game)];
            ReadFrom { seq: first.seq, pos: first.pos }
        } else {
            ReadFrom { seq: last.seq.next(), pos: last.next_pos() }
        }
    }

    /// Where a reader goes on that has everything before `cursor`; `None` if the log does not hold
    /// that position of the position space that `horizon` shows.
    pub fn resume(&self, cursor: Cursor, horizon: Horizon) -> Option<ReadFrom> {
        let chunks = self.chunks.lock();
        let epoch = horizon.of(&chunks).last().or(chunks.first())?.epoch;
        let epoch = &chunks[chunks.partition_point(|chunk| chunk.epoch < epoch)
            ..chunks.partition_point(|chunk| chunk.epoch <= epoch)];
        let last = epoch.last()?;
        let at = epoch.partition_point(|chunk| chunk.next_pos() <= cursor);
        match epoch.get(at) {
            Some(chunk) if chunk.pos <= cursor => Some(ReadFrom { seq: chunk.seq, pos: cursor }),
            // In a hole where bytes were lost: what comes next will be forced upon the reader.
            Some(chunk) if at > 0 => Some(ReadFrom { seq: chunk.seq, pos: cursor }),
            None if cursor == last.next_pos() => {
                Some(ReadFrom { seq: last.seq.next(), pos: cursor })
            }
            _ => None,
        }
    }

    /// The bytes of the present position space from `from` on, as far as they are kept without a
    /// hole; nothing if `from` itself is not kept. At most `limit` bytes.
    pub fn bytes_from(&self, from: Cursor, limit: usize) -> Vec<u8> {
        let live = Horizon::at(Instant::now(), Duration::ZERO);
        let Some(start) = self.resume(from, live) else {
            return Vec::new();
        };
        let mut chunks = Vec::new();
        self.read(start.seq, limit, &mut chunks);
        let mut bytes = Vec::new();
        let mut expected = from;
        for chunk in chunks {
            let skip =
                usize::try_from(expected.0.saturating_sub(chunk.pos.0)).unwrap_or(usize::MAX);
            if chunk.pos > expected || bytes.len() >= limit {
                break;
            }
            bytes.extend_from_slice(chunk.data.get(skip..).unwrap_or_default());
            expected = chunk.next_pos();
        }
        bytes.truncate(limit);
        bytes
    }

    /// How far it is from chunk `from` to the end of what `horizon` shows. Looked up, not added up: a
    /// thousand spectators that lag must not keep the lock from the console thread.
    pub fn distance(&self, from: Seq, horizon: Horizon) -> Distance {
        let chunks = self.chunks.lock();
        let shown = horizon.of(&chunks);
        let rest = &shown[shown.partition_point(|chunk| chunk.seq < from)..];
        let Some(last) = rest.last() else {
            return Distance::default();
        };
        let epoch = &rest[rest.partition_point(|chunk| chunk.epoch < last.epoch)..];
        let game = &rest[rest.partition_point(|chunk| chunk.game < last.game)..];
        let first = game.iter().take(FRAME_WITHIN).find_map(|chunk| chunk.frame);
        let newest = newest_frame(game);
        Distance {
            bytes: epoch.first().map_or(0, |first| last.next_pos().0.saturating_sub(first.pos.0)),
            game: Some(last.game),
            frames: first.zip(newest).map_or(0, |(a, b)| u64::from(b.0.abs_diff(a.0)) + 1),
        }
    }

    /// Keeps chunk `seq` and all behind it for the recorder.
    pub fn pin(&self, seq: Seq) {
        self.pinned.store(seq.0, Ordering::Release);
    }

    /// Keeps what a reader that is `delay` behind has still to see, and the game it is in.
    pub fn hold(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.held_for.store(delay, Ordering::Relaxed);
    }

    /// The same for one reader, for as long as it keeps what is returned.
    pub fn hold_one(&self, delay: Duration) -> Hold {
        self.holds.lock().push(delay);
        Hold { holds: self.holds.clone(), delay }
    }

    /// How many event bytes are kept.
    pub fn retained(&self) -> usize {
        self.chunks.lock().iter().map(|chunk| chunk.data.len()).sum()
    }

    /// Appends a chunk whose number is [`Log::end`].
    pub(super) fn push(&self, chunk: Chunk) {
        let next = chunk.seq.next();
        let chunk = Arc::new(chunk);
        self.chunks.lock().push(chunk);
        self.end.store(next.0, Ordering::Release);
    }

    /// Lets go at `now` of what nobody needs: all but the last two games (for those who are behind:
    /// the last two that they see), and of a log beyond [`MAX_RETAINED`] the older half behind the
    /// current game's prologue. Returns the bytes of memory still taken.
    ///
    /// Dropping the chunks themselves is left to the end, without the lock.
    pub(super) fn trim(&self, now: Instant) -> usize {
        self.trim_to(MAX_RETAINED, now)
    }

    fn trim_to(&self, max_retained: usize, now: Instant) -> usize {
        let pinned = Seq(self.pinned.load(Ordering::Acquire));
        let held_for = Duration::from_millis(self.held_for.load(Ordering::Relaxed));
        let held_for = self.holds.lock().iter().copied().fold(held_for, Duration::max);
        let mut dropped = Vec::new();
        let mut chunks = self.chunks.lock();
        let game = chunks.last().map_or(0, |last| last.game);
        let seen = Horizon::at(now, held_for).of(&chunks).last().map_or(0, |last| last.game);
        let old = chunks.partition_point(|chunk| chunk.game + 1 < seen && chunk.seq < pinned);
        dropped.extend(chunks.drain(..old));
        let mut retained = cost(&chunks);
        if retained > max_retained {
            // What only the recorder waits for goes before what nobody has seen.
            let pinned = chunks.partition_point(|chunk| chunk.game + 1 < seen);
            dropped.extend(chunks.drain(..pinned));
            retained = cost(&chunks);
        }
        if retained > max_retained {
            let start = chunks.partition_point(|chunk| chunk.game < game);
            dropped.extend(chunks.drain(..start));
            retained = cost(&chunks);
        }
        if retained > max_retained {
            let mut prologue = 0;
            let keep = chunks
                .iter()
                .take_while(|chunk| {
                    prologue += chunk.data.len();
                    chunk.starts_game
                        || prologue <= PROLOGUE.min(max_retained / 4) && chunk.frame.is_none()
                })
                .count();
            let half = keep + (chunks.len() - keep) / 2;
            dropped.extend(chunks.drain(keep..half));
            retained = cost(&chunks);
        }
        drop(chunks);
        retained
    }
}

/// Bytes of memory that chunks take, near enough.
fn cost(chunks: &[Arc<Chunk>]) -> usize {
    chunks.iter().map(|chunk| chunk.message.len() + CHUNK_COST).sum()
}

#[cfg(test)]
mod tests;

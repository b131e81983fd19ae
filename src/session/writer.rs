//! The one who appends to a station's log.
//!
//! What arrives is addressed by the console's own positions, so appending is idempotent: bytes that
//! the log already has are recognised and skipped, a jump ahead is a gap, a step back to other
//! bytes is a console that booted again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::{Chunk, Seq, Station};
use crate::protocol::Cursor;
use crate::protocol::console::{MAX_REPLAY_DATA, Replay};
use crate::slp::frame::FrameEnd;
use crate::slp::{EventCode, FrameIndex, FrameTracker, Scanner};

/// How much may be appended before the log is looked over again for what can go. Finding out costs
/// a walk over the log, so not each time.
const TRIM_EVERY: usize = 4 * 1024 * 1024;

/// How many frames a rollback can send again at most, with room to spare: Slippi Online allows 7.
const MAX_ROLLBACK: i32 = 60;

/// Appends to one station's log.
pub struct Writer {
    station: Arc<Station>,
    scanner: Scanner,
    frames: FrameTracker,
    /// Behind the last byte that came, `None` before the first.
    end: Option<Cursor>,
    /// The beginning of an event whose end has not come; it lies in front of `end`.
    carry: Vec<u8>,
    /// While the source repeats what the log has: where the repetition began.
    repeating_from: Option<Cursor>,
    /// Bytes lost in front of the next chunk.
    lost: Option<u64>,
    seq: Seq,
    epoch: u32,
    game: u64,
    in_game: bool,
    last_frame: Option<FrameIndex>,
    appended_since_trim: usize,
}

/// What an arrival was, for the signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Chunks appended.
    pub chunks: usize,
    /// A game begins in them.
    pub game_started: bool,
    /// A game ends in them.
    pub game_ended: bool,
    /// Bytes were lost before them.
    pub gap: bool,
}

impl Written {
    /// Both arrivals together.
    pub fn merge(&mut self, other: Self) {
        self.chunks += other.chunks;
        self.game_started |= other.game_started;
        self.game_ended |= other.game_ended;
        self.gap |= other.gap;
    }
}

/// What it means when the source repeats positions with other bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Divergence {
    /// The console booted again: its positions name other bytes now.
    NewPositions,
    /// The positions are this relay's own (a raw source has none): it was a new game after all.
    NewGame,
    /// The same, and the source's numbers tell that it went on without us: something was lost before
    /// that game.
    Gap,
}

impl Writer {
    /// The writer of `station`. There must be only one.
    pub fn new(station: Arc<Station>) -> Self {
        Self {
            station,
            scanner: Scanner::new(),
            frames: FrameTracker::new(),
            end: None,
            carry: Vec::new(),
            repeating_from: None,
            lost: None,
            seq: Seq(0),
            epoch: 0,
            game: 0,
            in_game: false,
            last_frame: None,
            appended_since_trim: 0,
        }
    }

    /// The position to ask for when the connection is made anew: behind the last whole event.
    pub fn resume_at(&self) -> Option<Cursor> {
        self.end.map(|end| Cursor(end.0.saturating_sub(self.carry.len() as u64)))
    }

    /// Behind the last byte that came, of an incomplete event, too; `None` before the first.
    pub fn end(&self) -> Option<Cursor> {
        self.end
    }

    /// Whether the source is sending again what the log already has.
    pub fn is_repeating(&self) -> bool {
        self.repeating_from.is_some()
    }

    /// A new connection begins: what came of an incomplete event will come again.
    pub fn reconnected(&mut self) {
        self.end = self.resume_at();
        self.carry.clear();
        self.repeating_from = None;
    }

    /// Where the next chunk is known not to follow what was there, although positions do not tell.
    pub fn note_gap(&mut self, lost: u64) {
        if self.end.is_some() {
            self.lost = Some(self.lost.unwrap_or(0).saturating_add(lost));
        }
    }

    /// Takes a Replay message that arrived at `now`.
    pub fn write(&mut self, replay: Replay<'_>, otherwise: Divergence, now: Instant) -> Written {
        let mut written = Written::default();
        if replay.data.is_empty() {
            return written;
        }
        let end = *self.end.get_or_insert(replay.pos);
        let whole_end = Cursor(end.0.saturating_sub(self.carry.len() as u64));
        if replay.pos == end {
            // Whatever was repeated before was the same as what the log has.
            self.repeating_from = None;
            let data = self.with_carry(replay.data);
            self.append(whole_end, &data, now, &mut written);
        } else if replay.pos > end {
            self.carry.clear();
            self.repeating_from = None;
            self.note_gap(replay.pos.0 - end.0);
            self.look_behind_gap(replay.data);
            self.append(replay.pos, replay.data, now, &mut written);
        } else {
            self.carry.clear();
            self.end = Some(whole_end);
            self.repeat(replay.pos, replay.data, otherwise, now, &mut written);
        }
        written
    }

    fn with_carry<'a>(&mut self, data: &'a [u8]) -> Cow<'a, [u8]> {
        if self.carry.is_empty() {
            return Cow::Borrowed(data);
        }
        let mut whole = std::mem::take(&mut self.carry);
        whole.extend_from_slice(data);
        Cow::Owned(whole)
    }

    /// Bytes at a position the log is already past: skips what it has. At the first other byte it
    /// turns out what they are, and what was skipped since `repeating_from` belongs to them.
    fn repeat(
        &mut self,
        pos: Cursor,
        data: &[u8],
        otherwise: Divergence,
        now: Instant,
        written: &mut Written,
    ) {
        let known = self.station.log.bytes_from(pos, data.len());
        if !known.is_empty() && data.starts_with(&known) {
            let new = &data[known.len()..];
            let behind = pos.plus(known.len());
            if new.is_empty() {
                self.repeating_from.get_or_insert(pos);
                return;
            }
            if self.end == Some(behind) {
                self.repeating_from = None;
                self.append(behind, new, now, written);
                return;
            }
            // The log has a hole here: what the source repeats cannot be told from other bytes.
        }
        let from = self.repeating_from.take().unwrap_or(pos);
        let skipped = usize::try_from(pos.0.saturating_sub(from.0)).unwrap_or(0);
        let mut bytes = self.station.log.bytes_from(from, skipped);
        bytes.extend_from_slice(data);
        let at = match otherwise {
            Divergence::NewPositions => {
                self.begin_positions();
                from
            }
            Divergence::NewGame => self.end.unwrap_or(from),
            Divergence::Gap => {
                self.note_gap(0);
                self.end.unwrap_or(from)
            }
        };
        self.append(at, &bytes, now, written);
    }

    fn begin_positions(&mut self) {
        tracing::warn!(
            station = %self.station.name(),
            "the console's positions began anew: it was restarted"
        );
        self.epoch = self.epoch.wrapping_add(1);
        self.carry.clear();
        self.repeating_from = None;
        self.lost = Some(0);
        self.station.update_identity(|identity| identity.forget_earlier_tokens());
    }

    /// Cuts `data` into chunks: whole events, of one game, at most what a console puts into one
    /// message. `pos` is behind all that was appended.
    fn append(&mut self, pos: Cursor, data: &[u8], now: Instant, written: &mut Written) {
        self.end = Some(pos.plus(data.len()));
        let mut piece = Piece::at(0);
        let mut at = 0;
        loop {
            match self.scanner.next(&data[at..]) {
                Ok(Some(event)) => {
                    let starts_game = event.code() == EventCode::EVENT_PAYLOADS;
                    let full = at + event.size() - piece.start > MAX_REPLAY_DATA;
                    if at > piece.start && (starts_game || full) {
                        self.push(pos, data, &piece, at, now, written);
                        piece = Piece::at(at);
                    }
                    if starts_game {
                        self.begin_game();
                        piece.starts_game = true;
                        written.game_started = true;
                    }
                    piece.frame = event.frame().or(piece.frame);
                    if self.frames.observe(event) != FrameEnd::No {
                        self.station.stats.frames.add(1);
                    }
                    at += event.size();
                    if event.code() == EventCode::GAME_END {
                        written.game_ended |= self.in_game;
                        self.in_game = false;
                        self.push(pos, data, &piece, at, now, written);
                        piece = Piece::at(at);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    // Opaque, but not lost: spectators and the file get it as it came.
                    self.station.stats.unreadable.add((data.len() - at) as u64);
                    if self.station.stats.unreadable.get() == (data.len() - at) as u64 {
                        tracing::warn!(
                            station = %self.station.name(),
                            pos = pos.plus(at).0,
                            "{error}; its bytes are passed on as they are"
                        );
                    }
                    at = data.len();
                    break;
                }
            }
        }
        if at > piece.start {
            self.push(pos, data, &piece, at, now, written);
        }
        self.carry.extend_from_slice(&data[at..]);
        if written.game_started || self.appended_since_trim > TRIM_EVERY {
            self.station.log.trim(now);
            self.appended_since_trim = 0;
        }
    }

    /// Behind a gap another game may be on, whose beginning was lost with the end of the one before:
    /// none was on, or its frames are from before those that came.
    fn look_behind_gap(&mut self, data: &[u8]) {
        let mut scanner = self.scanner.clone();
        let mut rest = data;
        let mut first = None;
        while first.is_none()
            && let Ok(Some(event)) = scanner.take(&mut rest)
        {
            if event.code() == EventCode::EVENT_PAYLOADS {
                return;
            }
            first = event.frame();
        }
        let goes_back = match (first, self.last_frame) {
            (Some(first), Some(last)) => first.0 < last.0.saturating_sub(MAX_ROLLBACK),
            _ => false,
        };
        if self.game > 0 && (goes_back || !self.in_game) {
            tracing::warn!(
                station = %self.station.name(),
                "a game is on whose beginning was lost: it is relayed, but cannot be saved"
            );
            self.game += 1;
            self.in_game = false;
            self.last_frame = None;
            self.frames = FrameTracker::new();
        }
    }

    fn begin_game(&mut self) {
        self.last_frame = None;
        self.game += 1;
        self.in_game = true;
        self.frames = FrameTracker::new();
    }

    fn push(
        &mut self,
        pos: Cursor,
        data: &[u8],
        piece: &Piece,
        end: usize,
        now: Instant,
        written: &mut Written,
    ) {
        let lost = self.lost.take();
        let stats = &self.station.stats;
        if let Some(lost) = lost {
            written.gap = true;
            stats.gaps.add(1);
            stats.lost_bytes.add(lost);
            tracing::warn!(
                station = %self.station.name(),
                lost,
                pos = pos.plus(piece.start).0,
                "a gap: bytes were lost before they came"
            );
        }
        let pos = pos.plus(piece.start);
        let data = &data[piece.start..end];
        let replay = Replay { pos, force_pos: lost.is_some(), data };
        let (message, data_at) = replay.encode();
        let chunk = Chunk {
            seq: self.seq,
            pos,
            epoch: self.epoch,
            game: self.game,
            starts_game: piece.starts_game,
            in_game: self.in_game,
            lost,
            frame: piece.frame,
            arrived: now,
            data: message.slice(data_at..data_at + data.len()),
            message,
            forced: lost.is_some(),
        };
        stats.bytes.add(data.len() as u64);
        if let Some(frame) = piece.frame {
            self.last_frame = Some(frame);
            stats.frame.set(i64::from(frame.0));
        }
        self.seq = self.seq.next();
        self.appended_since_trim += data.len();
        written.chunks += 1;
        self.station.log.push(chunk);
    }
}

/// A chunk to be: events from `start` on.
struct Piece {
    start: usize,
    starts_game: bool,
    frame: Option<FrameIndex>,
}

impl Piece {
    fn at(start: usize) -> Self {
        Self { start, starts_game: false, frame: None }
    }
}

#[cfg(test)]
mod tests;

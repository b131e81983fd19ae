//! The console's memory: the last 3 MiB of the event stream, and the one reader that turns them
//! into messages. Pure: bytes and cursors, no socket, no clock.
//!
//! Source: Nintendont `kernel/SlippiMemory.c`, and `determineReadCursor` in
//! `kernel/SlippiNetwork.c`.
//!
//! Two things are not imitated, because the console then reads memory that is none of its
//! business: an event that is not wholly written yet is left for the next read, and a table of
//! payload sizes that crosses the end of the ring is read as it was written.

use crate::protocol::Cursor;
use crate::protocol::console::MAX_REPLAY_DATA;
use crate::slp::{EventCode, PayloadSizes};

/// Bytes that a console keeps (`SLIPMEM_SIZE`): a minute or more of a game.
pub const RING_LEN: usize = 3 * 1024 * 1024;

/// The last bytes of the event stream, addressed by cursors that count from the console's boot.
pub struct Ring {
    memory: Box<[u8]>,
    write_pos: Cursor,
    base: Cursor,
    in_game: bool,
}

impl Ring {
    /// The memory of a console that has just booted.
    pub fn new() -> Self {
        Self::with_len(RING_LEN, Cursor(0))
    }

    /// A ring of another length, at a later time.
    fn with_len(len: usize, write_pos: Cursor) -> Self {
        Self { memory: vec![0; len].into(), write_pos, base: Cursor(0), in_game: false }
    }

    /// Appends what the game hands over in one go: whole events. Whether a game begins or ends is
    /// seen by the first byte, and nowhere else.
    pub fn write(&mut self, events: &[u8]) {
        match events.first().copied().map(EventCode) {
            Some(EventCode::EVENT_PAYLOADS) => {
                self.base = self.write_pos;
                self.in_game = true;
            }
            Some(EventCode::GAME_END) => self.in_game = false,
            _ => {}
        }
        for part in events.chunks(self.memory.len()) {
            let at = self.index(self.write_pos);
            let (head, tail) = part.split_at(part.len().min(self.memory.len() - at));
            self.memory[at..at + head.len()].copy_from_slice(head);
            self.memory[..tail.len()].copy_from_slice(tail);
            self.write_pos = self.write_pos.plus(part.len());
        }
    }

    /// Where the next byte goes.
    pub fn write_pos(&self) -> Cursor {
        self.write_pos
    }

    /// Where a client without a known token starts: with the current game, or with what comes next.
    pub fn fresh_start(&self) -> Cursor {
        if self.in_game { self.base } else { self.write_pos }
    }

    /// Where the last client starts that comes back and wants to go on at `wanted`: there, if it
    /// lies in the current game. Between games it may still finish the last one.
    pub fn resume(&self, wanted: Cursor) -> Cursor {
        if (self.base..=self.write_pos).contains(&wanted) { wanted } else { self.fresh_start() }
    }

    fn index(&self, at: Cursor) -> usize {
        // The remainder is less than the ring's length, which is a usize.
        (at.0 % self.memory.len() as u64) as usize
    }

    fn byte(&self, at: Cursor) -> u8 {
        self.memory[self.index(at)]
    }

    /// Appends `len` bytes from `at` on to `out`; `len` is at most the ring's length.
    fn copy_to(&self, at: Cursor, len: usize, out: &mut Vec<u8>) {
        let at = self.index(at);
        let head = len.min(self.memory.len() - at);
        out.extend_from_slice(&self.memory[at..at + head]);
        out.extend_from_slice(&self.memory[..len - head]);
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a read stopped although there was more to read, or gave nothing. Each makes the console
/// pause for a second (`SlpMemError`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// A game begins behind another that did not end.
    UnexpectedGame,
    /// A code without a payload size: there is no way on.
    MissingSize(EventCode),
    /// The ring has gone over what was to be read; on is only at the write position, given here.
    Overflow(Cursor),
}

/// Reads the ring in messages. A console has one, so what it learnt about payload sizes outlives
/// its clients.
#[derive(Default)]
pub struct Reader {
    sizes: Option<PayloadSizes>,
}

impl Reader {
    /// Fills `out` with the next message's data: the whole events from `at` on, at most
    /// [`MAX_REPLAY_DATA`] bytes of them, up to the write position, the game's end or trouble. With
    /// [`Trouble::UnexpectedGame`] or [`Trouble::MissingSize`] the events before it still count.
    pub fn read(&mut self, ring: &Ring, at: Cursor, out: &mut Vec<u8>) -> Option<Trouble> {
        out.clear();
        let mut at = at;
        let mut left = match usize::try_from(ring.write_pos.0.wrapping_sub(at.0)) {
            Ok(left) if left < ring.memory.len() => left,
            _ => return Some(Trouble::Overflow(ring.write_pos)),
        };
        while left > 0 {
            let code = EventCode(ring.byte(at));
            if code == EventCode::EVENT_PAYLOADS {
                if !out.is_empty() {
                    return Some(Trouble::UnexpectedGame);
                }
                self.learn_sizes(ring, at, left);
            }
            let Some(len) = self.event_len(code) else {
                return Some(Trouble::MissingSize(code));
            };
            if len > left || out.len() + len > MAX_REPLAY_DATA {
                break;
            }
            ring.copy_to(at, len, out);
            at = at.plus(len);
            left -= len;
            if code == EventCode::GAME_END {
                break;
            }
        }
        None
    }

    fn learn_sizes(&mut self, ring: &Ring, at: Cursor, left: usize) {
        let len = 1 + usize::from(ring.byte(at.plus(1)));
        let mut event = Vec::with_capacity(len);
        ring.copy_to(at, len.min(left), &mut event);
        self.sizes = PayloadSizes::parse(&event).ok();
    }

    /// To the console a payload of 0 bytes is one of unknown size.
    fn event_len(&self, code: EventCode) -> Option<usize> {
        let size = self.sizes.as_ref()?.get(code)?;
        (size > 0).then_some(1 + usize::from(size))
    }
}

#[cfg(test)]
mod tests;

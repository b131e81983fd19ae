//! One arrival, encoded once for everybody.

use std::time::Instant;

use bytes::Bytes;

use crate::protocol::Cursor;
use crate::protocol::console::{FORCE_POS_AT, Replay};
use crate::slp::FrameIndex;

/// The number of a chunk in its log: 0, 1, 2 and so on since the relay started. Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// The one after this.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Whole events of one game as they arrived together, immutable and shared.
///
/// The outgoing console-protocol message is encoded here, at arrival; spectators of that protocol
/// get it as it is, raw ones the data inside it.
#[derive(Debug)]
pub struct Chunk {
    pub(super) seq: Seq,
    pub(super) pos: Cursor,
    pub(super) epoch: u32,
    pub(super) game: u64,
    pub(super) starts_game: bool,
    pub(super) in_game: bool,
    pub(super) lost: Option<u64>,
    pub(super) frame: Option<FrameIndex>,
    pub(super) arrived: Instant,
    pub(super) message: Bytes,
    pub(super) data: Bytes,
    pub(super) forced: bool,
}

impl Chunk {
    /// This chunk's number.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Position of the first byte in the console's stream.
    pub fn pos(&self) -> Cursor {
        self.pos
    }

    /// Position behind the last byte.
    pub fn next_pos(&self) -> Cursor {
        self.pos.plus(self.data.len())
    }

    /// Which position space the positions belong to: it changes when the console reboots.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The number of the game, from 1; 0 before the first Event Payloads event.
    pub fn game(&self) -> u64 {
        self.game
    }

    /// Whether the first event is the Event Payloads that begins the game.
    pub fn starts_game(&self) -> bool {
        self.starts_game
    }

    /// Whether the game goes on behind this chunk: false if it holds Game End.
    pub fn in_game(&self) -> bool {
        self.in_game
    }

    /// Bytes of the stream that were lost in front of this chunk, 0 if nobody knows how many;
    /// `None` if the chunk goes on where the last one ended.
    pub fn lost(&self) -> Option<u64> {
        self.lost
    }

    /// The newest frame that the chunk holds events of.
    pub fn frame(&self) -> Option<FrameIndex> {
        self.frame
    }

    /// When the last byte of it was read from the console.
    pub fn arrived(&self) -> Instant {
        self.arrived
    }

    /// The event bytes, as they came.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// Whether a spectator who expects `expected` can take the shared message: the chunk goes on
    /// there, or says itself that everyone must jump.
    pub fn follows(&self, expected: Cursor) -> bool {
        self.forced || expected == self.pos
    }

    /// The Replay message that everyone shares to whom the chunk is the next in order.
    pub fn shared_message(&self) -> &Bytes {
        &self.message
    }

    /// The Replay message for a spectator who expects `expected` next. Shared by all to whom the
    /// chunk is the next in order; whoever must jump here gets a copy with `forcePos` set.
    pub fn message(&self, expected: Cursor) -> Bytes {
        if self.follows(expected) {
            return self.message.clone();
        }
        let mut message = self.message.to_vec();
        if let Some(marker) = message.get_mut(FORCE_POS_AT) {
            *marker = b'T';
        }
        message.into()
    }

    /// A Replay message with only the part of the data from `cursor` on.
    pub fn message_from(&self, cursor: Cursor) -> Bytes {
        let skip = usize::try_from(cursor.0.saturating_sub(self.pos.0)).unwrap_or(usize::MAX);
        let data = self.data.get(skip..).unwrap_or_default();
        Replay { pos: cursor, force_pos: false, data }.encode().0
    }
}

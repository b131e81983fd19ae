//! What readers who are behind on purpose may see.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::session::Chunk;

/// How much of a log a reader may see now: all of it, or what came some time ago.
#[derive(Clone, Copy, Debug)]
pub struct Horizon {
    now: Instant,
    delay: Duration,
}

impl Horizon {
    /// What is visible at `now` to a reader that is `delay` behind.
    pub fn at(now: Instant, delay: Duration) -> Self {
        Self { now, delay }
    }

    /// The arrival of the newest chunk that can be visible; `None` if the clock does not go back so
    /// far.
    pub fn newest(&self) -> Option<Instant> {
        self.now.checked_sub(self.delay)
    }

    /// Whether a chunk is visible.
    pub fn shows(&self, chunk: &Chunk) -> bool {
        self.delay.is_zero() || chunk.arrived + self.delay <= self.now
    }

    /// The part of a log that is visible. Chunks came in the order of their arrival times.
    pub(super) fn of<'a>(&self, chunks: &'a [Arc<Chunk>]) -> &'a [Arc<Chunk>] {
        if self.delay.is_zero() {
            return chunks;
        }
        &chunks[..chunks.partition_point(|chunk| self.shows(chunk))]
    }
}

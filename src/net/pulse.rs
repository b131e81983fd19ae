//! Whether a thread still goes round its loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the turns of one thread's loop. Clones are the same count.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Another turn.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Turns so far.
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

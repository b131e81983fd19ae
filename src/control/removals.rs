//! How tasks that watch a station learn that it may have been removed.

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::engine::{Change, Handle};

/// Counts removals of stations. Clones count the same.
#[derive(Clone, Debug)]
pub(super) struct Removals(watch::Receiver<u64>);

/// Who counts.
#[derive(Debug)]
pub(super) struct Counter(watch::Sender<u64>);

impl Removals {
    /// The count, and who counts.
    pub(super) fn new() -> (Counter, Self) {
        let (sender, receiver) = watch::channel(0);
        (Counter(sender), Self(receiver))
    }

    /// Waits until a station was removed since the last time. Safe to give up waiting.
    pub(super) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // The server ends, and tells so itself.
            std::future::pending::<()>().await;
        }
    }
}

impl Counter {
    /// Counts as long as the engine tells: one for all tasks, for each change is a copy of a status.
    pub(super) async fn count(&self, engine: &Handle) {
        let mut changes = engine.subscribe();
        loop {
            match changes.recv().await {
                // One may be among those that were missed.
                Err(RecvError::Lagged(_)) => {}
                Ok(event) if matches!(event.change, Change::StationRemoved { .. }) => {}
                Ok(_) => continue,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
            self.0.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

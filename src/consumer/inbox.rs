//! The way into a consumer thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::listener::Admitted;
use crate::session::Doorbell;

/// The way into a consumer thread.
#[derive(Clone)]
pub struct Inbox {
    sender: Sender<Admitted>,
    doorbell: Doorbell,
    load: Arc<AtomicUsize>,
}

impl Inbox {
    /// Clients the thread has or is about to get.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    pub(super) fn send(&self, admitted: Admitted) {
        self.load.fetch_add(1, Ordering::Relaxed);
        // A thread that has ended takes nobody; the socket is closed by being dropped.
        if self.sender.send(admitted).is_ok()
            && let Err(error) = self.doorbell.wake()
        {
            tracing::error!("a consumer thread cannot be woken: {error}");
        }
    }
}

/// The other end, in the thread.
pub(super) struct Door {
    receiver: Receiver<Admitted>,
    load: Arc<AtomicUsize>,
}

impl Door {
    /// The newcomer that has waited longest.
    pub(super) fn next(&self) -> Option<Admitted> {
        self.receiver.try_recv().ok()
    }

    /// A client that came in here is gone.
    pub(super) fn left(&self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A way in, for a thread that `doorbell` wakes.
pub(super) fn inbox(doorbell: Doorbell) -> (Inbox, Door) {
    let (sender, receiver) = channel();
    let load = Arc::new(AtomicUsize::new(0));
    (Inbox { sender, doorbell, load: load.clone() }, Door { receiver, load })
}

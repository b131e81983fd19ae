//! A doorbell that rings only while somebody listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Doorbell;

/// Wakes a thread at each announcement, but not while nobody listens. Clones are the same bell.
///
/// It tells less than a [`super::Signals`], and costs the announcer nothing when it is not wanted.
#[derive(Clone, Debug)]
pub struct Bell {
    doorbell: Doorbell,
    listeners: Arc<AtomicUsize>,
}

/// The bell rings as long as there is one of these.
#[derive(Debug)]
pub struct Listening(Arc<AtomicUsize>);

impl Bell {
    /// A bell that nobody listens to yet.
    pub fn new(doorbell: Doorbell) -> Self {
        Self { doorbell, listeners: Arc::default() }
    }

    /// Listens from now on. Whoever looks into a log after this and sees nothing new is rung for what
    /// comes: the log's lock orders the two.
    pub fn listen(&self) -> Listening {
        self.listeners.fetch_add(1, Ordering::SeqCst);
        Listening(self.listeners.clone())
    }

    /// Rings if somebody listens.
    pub(super) fn ring(&self) {
        if self.listeners.load(Ordering::SeqCst) > 0
            && let Err(error) = self.doorbell.wake()
        {
            tracing::error!("a thread cannot be woken: {error}");
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Announcer, SignalKind, StationId};
    use super::*;
    use mio::{Events, Poll, Token, Waker};
    use std::time::Duration;

    #[test]
    fn it_rings_only_for_listeners() {
        let mut poll = Poll::new().unwrap();
        let bell = Bell::new(Arc::new(Waker::new(poll.registry(), Token(0)).unwrap()));
        let mut announcer = Announcer::new();
        announcer.attach(bell.clone());
        let mut events = Events::with_capacity(4);
        let mut is_rung = |announcer: &mut Announcer, wait| {
            announcer.announce(StationId(1), SignalKind::Frame);
            poll.poll(&mut events, Some(wait)).unwrap();
            !events.is_empty()
        };
        assert!(!is_rung(&mut announcer, Duration::ZERO));
        let listening = bell.listen();
        assert!(is_rung(&mut announcer, Duration::from_secs(10)));
        drop(listening);
        assert!(!is_rung(&mut announcer, Duration::ZERO));
    }
}

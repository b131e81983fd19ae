//! How tasks learn that something is new in a log: a thread that is rung like everyone else and passes
//! it on to tokio, of which the data plane knows nothing.

use std::io;
use std::sync::Arc;

use mio::{Events, Poll, Token, Waker};
use tokio::sync::watch;

use super::{Announcer, Bell, Listening};
use crate::net::sleep_in;
use crate::shutdown::Shutdown;

/// The thread before it runs. Nobody wakes it while no task listens.
pub struct Bridge {
    poll: Poll,
    bell: Bell,
    rings: watch::Sender<u64>,
    shutdown: Shutdown,
}

/// Where tasks begin to listen. Clones are the same place.
#[derive(Clone, Debug)]
pub struct News {
    bell: Option<Bell>,
    rings: watch::Receiver<u64>,
}

/// A task that listens.
#[derive(Debug)]
pub struct Ear {
    rings: watch::Receiver<u64>,
    _listening: Option<Listening>,
}

impl Bridge {
    /// Prepares a thread that is rung by `announcer`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(announcer: &mut Announcer, shutdown: Shutdown) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0))?);
        shutdown.ring_on_request(doorbell.clone());
        let bell = Bell::new(doorbell);
        announcer.attach(bell.clone());
        Ok(Self { poll, bell, rings: watch::Sender::new(0), shutdown })
    }

    /// Where tasks listen.
    pub fn news(&self) -> News {
        News { bell: Some(self.bell.clone()), rings: self.rings.subscribe() }
    }

    /// Passes rings on until the shutdown is requested.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(4);
        while !self.shutdown.is_requested() {
            sleep_in(&mut self.poll, &mut events, None);
            self.rings.send_modify(|rings| *rings = rings.wrapping_add(1));
        }
    }
}

impl News {
    /// A place where nothing is ever heard.
    pub fn none() -> Self {
        Self { bell: None, rings: watch::Sender::new(0).subscribe() }
    }

    /// Listens from now on.
    pub fn listen(&self) -> Ear {
        Ear { rings: self.rings.clone(), _listening: self.bell.as_ref().map(Bell::listen) }
    }
}

impl Ear {
    /// Waits for a ring since the last time, at some station. Safe to give up waiting.
    pub async fn rung(&mut self) {
        if self.rings.changed().await.is_err() {
            // The thread has ended, and the relay ends.
            std::future::pending::<()>().await;
        }
    }
}

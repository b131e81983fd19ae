//! The discovery thread: sleeps, drains the socket, passes on what consoles say.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::listener::Datagram;
use super::pace::{PER_SECOND, Pace};
use super::{Heard, Listener};
use crate::net::sleep_in;
use crate::shutdown::Shutdown;

const SOCKET: Token = Token(0);
const DOORBELL: Token = Token(1);

/// Datagrams read before the thread rests: an ordinary venue never sends so many at a time.
const DATAGRAMS_A_TURN: usize = 64;

/// The rest after a full turn. In a flood the thread so reads at most 6,400 datagrams a second; the
/// kernel drops the others, which costs us nothing.
const REST: Duration = Duration::from_millis(10);

/// The rest after an error of the socket, which may be there again at once.
const ERROR_REST: Duration = Duration::from_millis(200);

/// The discovery thread before it runs.
pub struct DiscoveryThread {
    poll: Poll,
    /// Kept as long as the poll: a `Waker` that is dropped takes its last ring with it.
    _doorbell: Arc<Waker>,
    listener: Listener,
    pace: Pace,
    on_heard: Box<dyn FnMut(Heard) + Send>,
    shutdown: Shutdown,
    /// Announcements that were not passed on because there were too many.
    dropped: u64,
    /// Whether an error of the socket was told.
    failed: bool,
}

impl DiscoveryThread {
    /// Prepares the thread that listens on `address` (port 0 takes a free one) and calls `on_heard`
    /// with every announcement, 64 times a second at most for long.
    ///
    /// # Errors
    /// Those of the system, such as a port that another program does not share.
    pub fn new(
        address: SocketAddr,
        on_heard: impl FnMut(Heard) + Send + 'static,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let mut listener = Listener::bind(address)?;
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        listener.register(poll.registry(), SOCKET)?;
        shutdown.ring_on_request(doorbell.clone());
        Ok(Self {
            poll,
            _doorbell: doorbell,
            listener,
            pace: Pace::new(Instant::now()),
            on_heard: Box::new(on_heard),
            shutdown,
            dropped: 0,
            failed: false,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Runs until shutdown is asked for; the socket is closed and `on_heard` dropped then.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(8);
        while !self.shutdown.is_requested() {
            sleep_in(&mut self.poll, &mut events, None);
            // The poll tells of new datagrams only: what was left would wait for the next one.
            while let Some(rest) = self.turn() {
                if self.shutdown.wait_for(rest) {
                    break;
                }
            }
        }
        if self.dropped > 0 {
            tracing::warn!(dropped = self.dropped, "announcements were not looked at: too many");
        }
    }

    /// Reads a turn's worth; how long to rest before the next turn, or `None` if that was all.
    fn turn(&mut self) -> Option<Duration> {
        for _ in 0..DATAGRAMS_A_TURN {
            match self.listener.receive() {
                Ok(Datagram::WouldBlock) => return None,
                Ok(Datagram::Other) => {}
                Ok(Datagram::Announcement(heard)) => self.pass_on(heard),
                // Windows tells a UDP socket so that something it once sent was not welcome: it says
                // nothing about what comes.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                // A network that goes down comes back.
                Err(error) => {
                    if !std::mem::replace(&mut self.failed, true) {
                        let address = self.local_addr();
                        tracing::warn!(%address, "cannot hear consoles for now: {error}");
                    }
                    return Some(ERROR_REST);
                }
            }
        }
        Some(REST)
    }

    fn pass_on(&mut self, heard: Heard) {
        if self.pace.allows(Instant::now()) {
            (self.on_heard)(heard);
            return;
        }
        if self.dropped == 0 {
            tracing::warn!(
                from = %heard.ip,
                "more than {PER_SECOND} consoles a second announce themselves: the rest is ignored"
            );
        }
        self.dropped += 1;
    }
}

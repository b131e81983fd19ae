//! The listener thread: accepts, checks, hands over.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::admission::{Admission, Place};
use super::inbox::Inbox;
use crate::net::{bind_tcp, nonblocking, prepare_spectator, sleep_in};
use crate::protocol::Protocol;
use crate::shutdown::Shutdown;

const DOORBELL: Token = Token(usize::MAX);

/// Connections accepted from one listener before the others have their turn.
const ACCEPTS_A_TURN: usize = 64;

/// How long to leave a listener alone when accepting failed, most likely for want of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A listening socket of one station and protocol.
pub struct Listener {
    socket: TcpListener,
    station: usize,
    protocol: Protocol,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address` for spectators of `station` who speak `protocol`; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as a port in use.
    pub fn bind(address: SocketAddr, station: usize, protocol: Protocol) -> io::Result<Self> {
        let socket = bind_tcp(address)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, station, protocol, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is spoken here.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}

/// A newcomer on the way to its consumer thread.
pub(super) struct Admitted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) station: usize,
    pub(super) protocol: Protocol,
    pub(super) place: Place,
}

/// The listener thread before it runs.
pub struct ListenerThread {
    poll: Poll,
    /// Kept as long as the poll: a `Waker` that is dropped takes its last ring with it.
    _doorbell: Arc<Waker>,
    listeners: Vec<Listener>,
    inboxes: Vec<Inbox>,
    admission: Arc<Admission>,
    shutdown: Shutdown,
    /// The last refusal, told once until somebody is let in again.
    refused: bool,
}

impl ListenerThread {
    /// Prepares the thread that accepts on `listeners` and hands over to `inboxes`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        mut listeners: Vec<Listener>,
        inboxes: Vec<Inbox>,
        admission: Arc<Admission>,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        for (at, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(&mut listener.socket, Token(at), Interest::READABLE)?;
        }
        Ok(Self {
            poll,
            _doorbell: doorbell,
            listeners,
            inboxes,
            admission,
            shutdown,
            refused: false,
        })
    }

    /// Runs until shutdown is asked for; the listening sockets are closed then.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(64);
        // Listeners that may have more to accept.
        let mut ready: Vec<usize> = Vec::new();
        let mut pause = false;
        while !self.shutdown.is_requested() {
            let timeout = match (ready.is_empty(), pause) {
                (true, _) => None,
                (false, true) => Some(ACCEPT_PAUSE),
                (false, false) => Some(Duration::ZERO),
            };
            sleep_in(&mut self.poll, &mut events, timeout);
            for event in &events {
                let Token(at) = event.token();
                if event.token() != DOORBELL && !ready.contains(&at) {
                    ready.push(at);
                }
            }
            pause = false;
            let mut unfinished = Vec::new();
            for at in std::mem::take(&mut ready) {
                match self.accept(at) {
                    Ok(true) => {}
                    Ok(false) => unfinished.push(at),
                    Err(error) => {
                        tracing::warn!(listener = %self.listeners[at].address, "cannot accept: {error}");
                        pause = true;
                        unfinished.push(at);
                    }
                }
            }
            ready = unfinished;
        }
    }

    /// Accepts a turn's worth; whether that was all.
    fn accept(&mut self, at: usize) -> io::Result<bool> {
        for _ in 0..ACCEPTS_A_TURN {
            let listener = &self.listeners[at];
            let (stream, peer) = match nonblocking(|| listener.socket.accept()) {
                Ok(Some(accepted)) => accepted,
                Ok(None) => return Ok(true),
                // It hung up while it waited.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            let place = match self.admission.admit(peer.ip()) {
                Ok(place) => place,
                Err(refusal) => {
                    if !std::mem::replace(&mut self.refused, true) {
                        tracing::warn!(%peer, "a spectator was refused: {refusal}");
                    }
                    continue;
                }
            };
            self.refused = false;
            if let Err(error) = prepare_spectator(&stream) {
                tracing::debug!(%peer, "a spectator was gone at once: {error}");
                continue;
            }
            let (station, protocol) = (listener.station, listener.protocol);
            self.hand_over(Admitted { stream, peer, station, protocol, place });
        }
        Ok(false)
    }

    fn hand_over(&self, admitted: Admitted) {
        if let Some(inbox) = self.inboxes.iter().min_by_key(|inbox| inbox.load()) {
            inbox.send(admitted);
        }
    }
}

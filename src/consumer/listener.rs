//! The listener thread: accepts, checks, hands over.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::admission::{Admission, Place};
use super::inbox::{ClientId, Inbox};
use crate::net::{
    Letters, Mailbox, Pulse, bind_tcp, mailbox, nonblocking, prepare_spectator, sleep_in,
};
use crate::protocol::Protocol;
use crate::session::{Station, StationId};
use crate::shutdown::Shutdown;

const DOORBELL: Token = Token(usize::MAX);

/// Connections accepted from one listener before the others have their turn.
const ACCEPTS_A_TURN: usize = 64;

/// How long to leave a listener alone when accepting failed, most likely for want of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A listening socket of one station and protocol.
pub struct Listener {
    socket: TcpListener,
    station: Arc<Station>,
    protocol: Protocol,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address` for spectators of `station` who speak `protocol`; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as a port in use.
    pub fn bind(
        address: SocketAddr,
        station: Arc<Station>,
        protocol: Protocol,
    ) -> io::Result<Self> {
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
    pub(super) id: ClientId,
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) station: Arc<Station>,
    pub(super) protocol: Protocol,
    pub(super) place: Place,
}

/// What the listener thread is told.
enum Order {
    Open(Listener),
    /// Close what belongs to a station; the answer says that everyone who was let in is handed over.
    Close(StationId, Sender<()>),
}

/// The way to the listener thread.
#[derive(Clone)]
pub struct Porter {
    mailbox: Mailbox<Order>,
}

impl Porter {
    /// The thread's turns; [`Porter::ring`] makes it take one.
    pub fn pulse(&self) -> Pulse {
        self.mailbox.pulse().clone()
    }

    /// Wakes the thread.
    pub fn ring(&self) {
        self.mailbox.ring();
    }

    /// Accepts newcomers there from now on.
    pub fn open(&self, listener: Listener) {
        self.mailbox.post(Order::Open(listener));
    }

    /// Closes the listeners of a station. The answer comes when their ports are free and everyone who
    /// was let in is handed over; nothing if the thread ends.
    pub fn close(&self, station: StationId) -> Receiver<()> {
        let (reply, answer) = channel();
        self.mailbox.post(Order::Close(station, reply));
        answer
    }
}

/// The listener thread before it runs.
pub struct ListenerThread {
    poll: Poll,
    porter: Porter,
    orders: Letters<Order>,
    listeners: Slab<Listener>,
    inboxes: Vec<Inbox>,
    admission: Arc<Admission>,
    shutdown: Shutdown,
    /// The last refusal, told once until somebody is let in again.
    refused: bool,
    /// How many were let in so far.
    admitted: u64,
}

impl ListenerThread {
    /// Prepares the thread that accepts where its [`Porter`] says and hands over to `inboxes`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        inboxes: Vec<Inbox>,
        admission: Arc<Admission>,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let (mailbox, orders) = mailbox(doorbell);
        Ok(Self {
            poll,
            porter: Porter { mailbox },
            orders,
            listeners: Slab::new(),
            inboxes,
            admission,
            shutdown,
            refused: false,
            admitted: 0,
        })
    }

    /// The way to it, for the engine.
    pub fn porter(&self) -> Porter {
        self.porter.clone()
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
            while let Some(order) = self.orders.next() {
                self.obey(order);
            }
            pause = false;
            let mut unfinished = Vec::new();
            for at in std::mem::take(&mut ready) {
                match self.accept(at) {
                    Ok(true) => {}
                    Ok(false) => unfinished.push(at),
                    Err(error) => {
                        tracing::warn!("cannot accept spectators: {error}");
                        pause = true;
                        unfinished.push(at);
                    }
                }
            }
            ready = unfinished;
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Open(listener) => {
                let entry = self.listeners.vacant_entry();
                let token = Token(entry.key());
                let listener = entry.insert(listener);
                let registry = self.poll.registry();
                if let Err(error) =
                    registry.register(&mut listener.socket, token, Interest::READABLE)
                {
                    tracing::error!("nobody can connect to {}: {error}", listener.address);
                    self.listeners.remove(token.0);
                }
            }
            Order::Close(station, reply) => {
                self.listeners.retain(|_, listener| {
                    let keep = listener.station.id != station;
                    if !keep {
                        // The socket is dropped right after; the poll forgets it then at the latest.
                        let _ = self.poll.registry().deregister(&mut listener.socket);
                    }
                    keep
                });
                // Whoever asked may be gone.
                let _ = reply.send(());
            }
        }
    }

    /// Accepts a turn's worth; whether that was all.
    fn accept(&mut self, at: usize) -> io::Result<bool> {
        for _ in 0..ACCEPTS_A_TURN {
            // An event of one that is closed may still be in the list.
            let Some(listener) = self.listeners.get(at) else {
                return Ok(true);
            };
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
            let (station, protocol) = (listener.station.clone(), listener.protocol);
            self.admitted += 1;
            let id = ClientId(self.admitted);
            self.hand_over(Admitted { id, stream, peer, station, protocol, place });
        }
        Ok(false)
    }

    fn hand_over(&self, admitted: Admitted) {
        if let Some(inbox) = self.inboxes.iter().min_by_key(|inbox| inbox.load()) {
            inbox.take_in(admitted);
        }
    }
}

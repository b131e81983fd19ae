//! The console's network interface: blocking calls, as its thread makes them, that nevertheless end
//! at once when the console is switched off, reboots or is told to hang up.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Close, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use thiserror::Error;

use super::state::Shared;
use crate::shutdown::{Reason, Shutdown};

const LISTENER: Token = Token(0);
pub(super) const DOORBELL: Token = Token(1);
const PEER: Token = Token(2);

/// Pause behind a failed `accept`, such as for too many open files, so as not to spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The most reads that throw input away in one go: a client that talks for ever must not hold the
/// thread.
const DISCARD_READS: usize = 64;

/// Why a connection is over, or all of them.
#[derive(Debug, Error)]
pub(super) enum End {
    #[error("the console is switched off")]
    Stopped,
    #[error("the console hung up")]
    HungUp,
    #[error("{0}")]
    Refused(&'static str),
    #[error("{0}")]
    Gone(#[from] io::Error),
}

/// One connection.
pub(super) struct Peer {
    stream: TcpStream,
    pub(super) addr: SocketAddr,
    /// The console's epoch in which it was accepted.
    pub(super) epoch: u64,
    /// Whether what it says is thrown away. A console leaves it in the socket.
    pub(super) discards_input: bool,
}

impl Peer {
    pub(super) fn set_nodelay(&self) -> io::Result<()> {
        self.stream.set_nodelay(true)
    }

    fn discard_input(&mut self) {
        let mut waste = [0; 4096];
        for _ in 0..DISCARD_READS {
            match self.stream.read(&mut waste) {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    /// Ends the connection so that all that was sent still arrives: input that nobody read would
    /// turn the end into a reset.
    fn close(mut self) {
        let _ = self.stream.shutdown(Close::Write);
        self.discard_input();
    }
}

/// The listening socket and the poll that everything of the network thread waits in.
pub(super) struct Link {
    poll: Poll,
    events: Events,
    listener: TcpListener,
    shared: Arc<Shared>,
    shutdown: Shutdown,
}

impl Link {
    pub(super) fn new(
        poll: Poll,
        mut listener: TcpListener,
        shared: Arc<Shared>,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self { poll, events: Events::with_capacity(8), listener, shared, shutdown })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Serves one client after the other, until the console is switched off. `serve` must end with
    /// the connection.
    pub(super) fn serve_each(
        mut self,
        mut serve: impl FnMut(&mut Self, &mut Peer) -> Result<std::convert::Infallible, End>,
    ) {
        while let Ok(mut peer) = self.accept() {
            let Err(end) = serve(&mut self, &mut peer);
            // Switched off, the state still tells whether the client got everything.
            if !matches!(end, End::Stopped) {
                self.shared.change(|state| state.forget_client(peer.epoch));
            }
            tracing::info!("{}: connection closed: {end}", peer.addr);
            peer.close();
        }
        // The player and the announcer wait for the state, not for the shutdown.
        self.shared.change(|state| state.stopping = true);
    }

    fn accept(&mut self) -> Result<Peer, End> {
        loop {
            self.check()?;
            match self.listener.accept() {
                Ok((stream, addr)) => match self.admit(stream, addr) {
                    Ok(peer) => return Ok(peer),
                    Err(error) => tracing::warn!("cannot serve {addr}: {error}"),
                },
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.poll(None)?,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => {
                        tracing::warn!("cannot accept a connection: {error}");
                        self.poll(Some(Instant::now() + ACCEPT_RETRY))?;
                    }
                },
            }
        }
    }

    fn admit(&mut self, mut stream: TcpStream, addr: SocketAddr) -> io::Result<Peer> {
        self.poll.registry().register(
            &mut stream,
            PEER,
            Interest::READABLE | Interest::WRITABLE,
        )?;
        Ok(Peer { stream, addr, epoch: self.shared.lock().epoch(), discards_input: false })
    }

    /// Waits for bytes, at most until `deadline`; 0 when the peer has closed its side.
    pub(super) fn recv(
        &mut self,
        peer: &mut Peer,
        buffer: &mut [u8],
        deadline: Instant,
    ) -> Result<usize, End> {
        loop {
            match peer.stream.read(buffer) {
                Ok(len) => return Ok(len),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock if Instant::now() >= deadline => {
                        return Err(End::Refused("no handshake came in time"));
                    }
                    ErrorKind::WouldBlock => self.wait(peer, Some(deadline))?,
                    ErrorKind::Interrupted => {}
                    _ => return Err(error.into()),
                },
            }
        }
    }

    /// Sends all of `bytes`, however long the peer takes.
    pub(super) fn send(&mut self, peer: &mut Peer, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() {
            match peer.stream.write(bytes) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(len) => bytes = bytes.get(len..).unwrap_or_default(),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.wait(peer, None)?,
                    ErrorKind::Interrupted => {}
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(())
    }

    /// Does nothing for `length`, whatever comes.
    pub(super) fn pause(&mut self, peer: &mut Peer, length: Duration) -> Result<(), End> {
        let until = Instant::now() + length;
        while Instant::now() < until {
            self.wait(peer, Some(until))?;
        }
        Ok(())
    }

    /// Sleeps until anything happens: new bytes in the ring, something on the socket, `deadline`.
    pub(super) fn wait(&mut self, peer: &mut Peer, deadline: Option<Instant>) -> Result<(), End> {
        self.poll(deadline)?;
        if self.shared.lock().epoch() != peer.epoch {
            return Err(End::HungUp);
        }
        if peer.discards_input {
            peer.discard_input();
        }
        Ok(())
    }

    fn poll(&mut self, deadline: Option<Instant>) -> Result<(), End> {
        let timeout = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                let what = format!("the pretend console cannot wait for its sockets: {error}");
                self.shutdown.request(Reason::Failed(what));
                Err(End::Stopped)
            }
            _ => self.check(),
        }
    }

    fn check(&self) -> Result<(), End> {
        if self.shutdown.is_requested() || self.shared.lock().stopping {
            return Err(End::Stopped);
        }
        Ok(())
    }
}

//! The floor: the barest loop that forwards a console's bytes to all sockets.
//!
//! One thread, one poll, however many consoles. What a read gives is written to each socket as it is: no framing, no
//! cursors, no checks, no log, nobody who comes late. That is what a delivery takes at least, with
//! the system calls that everybody has.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use thiserror::Error;

use super::is_drained;
use super::ports::station_address;
use crate::net::{bind_tcp, nonblocking, raise_open_files_limit, sleep_in};
use crate::protocol::console::Handshake;
use crate::shutdown::Shutdown;

// The sources have the tokens from 0 on.
const DOORBELL: Token = Token(usize::MAX);
const LISTENER: Token = Token(usize::MAX - 1);

/// What one read takes at most, in bytes: many frames.
const READ_LEN: usize = 64 * 1024;

/// Between whom to forward.
#[derive(Clone, Debug)]
pub struct FloorOptions {
    /// Consoles, or what pretends to be them.
    pub sources: Vec<SocketAddr>,
    /// Where spectators of the first connect; those of source k on port + k.
    pub listen: SocketAddr,
    /// How many there will be, all sources together; forwarding begins when they are there.
    pub spectators: usize,
}

/// Why the floor ended.
#[derive(Debug, Error)]
pub enum FloorError {
    /// A socket or the poll failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The floor has no queue of its own.
    #[error("a spectator's socket takes no more: the floor cannot serve so many here")]
    Blocked,
}

/// A source and who watches it.
struct Station {
    source: TcpStream,
    listener: TcpListener,
    spectators: Vec<TcpStream>,
}

/// Forwards until a source closes or somebody asks to stop.
///
/// # Errors
/// [`FloorError`].
pub fn run_floor(options: &FloorOptions, shutdown: &Shutdown) -> Result<(), FloorError> {
    raise_open_files_limit();
    let mut poll = Poll::new()?;
    // Kept as long as the poll: a `Waker` that is dropped takes its last ring with it.
    let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
    shutdown.ring_on_request(doorbell.clone());
    let mut stations = Vec::with_capacity(options.sources.len());
    for (k, &source) in options.sources.iter().enumerate() {
        let mut listener = bind_tcp(station_address(options.listen, k))?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        stations.push(Station { source: connect(source)?, listener, spectators: Vec::new() });
    }

    let mut events = Events::with_capacity(2 * stations.len() + 1);
    let mut missing = options.spectators;
    while missing > 0 {
        sleep_in(&mut poll, &mut events, None);
        if shutdown.is_requested() {
            return Ok(());
        }
        for station in &mut stations {
            station.accept(&mut missing)?;
        }
    }

    for (k, station) in stations.iter_mut().enumerate() {
        poll.registry().register(&mut station.source, Token(k), Interest::READABLE)?;
    }
    let mut buffer = vec![0; READ_LEN];
    while !shutdown.is_requested() {
        sleep_in(&mut poll, &mut events, None);
        for event in &events {
            let Some(station) = stations.get_mut(event.token().0) else { continue };
            while let Some(len) = nonblocking(|| station.source.read(&mut buffer))? {
                if len == 0 {
                    return Ok(());
                }
                station.forward(&buffer[..len])?;
                if is_drained(len, READ_LEN, event) {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Connects to a console and says the handshake.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut source = std::net::TcpStream::connect(address)?;
    source.write_all(&Handshake::default().encode())?;
    source.set_nonblocking(true)?;
    Ok(TcpStream::from_std(source))
}

impl Station {
    /// Takes who waits in line, as long as somebody is `missing`.
    fn accept(&mut self, missing: &mut usize) -> io::Result<()> {
        while *missing > 0
            && let Some((spectator, _)) = nonblocking(|| self.listener.accept())?
        {
            spectator.set_nodelay(true)?;
            self.spectators.push(spectator);
            *missing -= 1;
        }
        Ok(())
    }

    fn forward(&mut self, bytes: &[u8]) -> Result<(), FloorError> {
        for spectator in &mut self.spectators {
            if nonblocking(|| spectator.write(bytes))? != Some(bytes.len()) {
                return Err(FloorError::Blocked);
            }
        }
        Ok(())
    }
}

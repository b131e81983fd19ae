//! The floor: the barest loop that forwards a console's bytes to all sockets.
//!
//! One thread, one poll. What a read gives is written to each socket as it is: no framing, no
//! cursors, no checks, no log, nobody who comes late. That is what a delivery takes at least, with
//! the system calls that everybody has.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use thiserror::Error;

use super::is_drained;
use crate::net::{bind_tcp, nonblocking, raise_open_files_limit, sleep_in};
use crate::protocol::console::Handshake;
use crate::shutdown::Shutdown;

const DOORBELL: Token = Token(0);
const LISTENER: Token = Token(1);
const SOURCE: Token = Token(2);

/// What one read takes at most, in bytes: many frames.
const READ_LEN: usize = 64 * 1024;

/// Between whom to forward.
#[derive(Clone, Copy, Debug)]
pub struct FloorOptions {
    /// A console, or what pretends to be one.
    pub source: SocketAddr,
    /// Where spectators connect.
    pub listen: SocketAddr,
    /// How many there will be; forwarding begins when they are there.
    pub spectators: usize,
}

/// Why the floor ended.
#[derive(Debug, Error)]
pub enum FloorError {
    /// A socket or the poll failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The floor has no queue of its own.
    #[error("the socket of spectator {0} takes no more: the floor cannot serve so many here")]
    Blocked(usize),
}

/// Forwards until the source closes or somebody asks to stop.
///
/// # Errors
/// [`FloorError`].
pub fn run_floor(options: &FloorOptions, shutdown: &Shutdown) -> Result<(), FloorError> {
    raise_open_files_limit();
    let mut poll = Poll::new()?;
    // Kept as long as the poll: a `Waker` that is dropped takes its last ring with it.
    let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
    shutdown.ring_on_request(doorbell.clone());
    let mut listener = bind_tcp(options.listen)?;
    let mut source = std::net::TcpStream::connect(options.source)?;
    source.write_all(&Handshake::default().encode())?;
    source.set_nonblocking(true)?;
    let mut source = TcpStream::from_std(source);

    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(8);
    let mut spectators = Vec::with_capacity(options.spectators);
    while spectators.len() < options.spectators {
        sleep_in(&mut poll, &mut events, None);
        if shutdown.is_requested() {
            return Ok(());
        }
        accept(&listener, options.spectators, &mut spectators)?;
    }

    poll.registry().register(&mut source, SOURCE, Interest::READABLE)?;
    let mut buffer = vec![0; READ_LEN];
    while !shutdown.is_requested() {
        sleep_in(&mut poll, &mut events, None);
        for event in events.iter().filter(|event| event.token() == SOURCE) {
            while let Some(len) = nonblocking(|| source.read(&mut buffer))? {
                if len == 0 {
                    return Ok(());
                }
                forward(&buffer[..len], &mut spectators)?;
                if is_drained(len, READ_LEN, event) {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn forward(bytes: &[u8], spectators: &mut [TcpStream]) -> Result<(), FloorError> {
    for (at, spectator) in spectators.iter_mut().enumerate() {
        if nonblocking(|| spectator.write(bytes))? != Some(bytes.len()) {
            return Err(FloorError::Blocked(at));
        }
    }
    Ok(())
}

fn accept(
    listener: &TcpListener,
    wanted: usize,
    spectators: &mut Vec<TcpStream>,
) -> io::Result<()> {
    while spectators.len() < wanted
        && let Some((spectator, _)) = nonblocking(|| listener.accept())?
    {
        spectator.set_nodelay(true)?;
        spectators.push(spectator);
    }
    Ok(())
}

//! Sockets: what the threads of the data plane share.

mod enet;
#[cfg(debug_assertions)]
mod fault;
mod mailbox;
mod pulse;
mod read_buffer;
mod sockets;

pub use enet::{EnetSocket, enet_host};
pub use mailbox::{Letters, Mailbox, mailbox};
pub use pulse::Pulse;
pub use read_buffer::{Fill, ReadBuffer};
pub use sockets::{SEND_BUFFER, bind_tcp, prepare_spectator, raise_open_files_limit};

use std::io;
use std::time::Duration;

use mio::{Events, Poll};

/// Runs a non-blocking call again when a signal interrupted it; `Ok(None)` if it would block.
///
/// # Errors
/// Any other error of the call.
pub fn nonblocking<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<Option<T>> {
    loop {
        match call() {
            Ok(value) => return Ok(Some(value)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sleeps in the poll for at most `timeout`; a signal that interrupts it is like a wake-up.
///
/// # Panics
/// If the system's poll fails in any other way: no thread can go on without it, and a panic ends
/// the program in order.
pub fn sleep_in(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) {
    if let Err(error) = poll.poll(events, timeout)
        && error.kind() != io::ErrorKind::Interrupted
    {
        panic!("the system's poll failed: {error}");
    }
}

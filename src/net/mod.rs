//! Sockets: what console, listener and consumer threads share.

mod read_buffer;
mod sockets;

pub use read_buffer::{Fill, ReadBuffer};
pub use sockets::{bind_tcp, prepare_spectator, raise_open_files_limit};

use std::io;

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

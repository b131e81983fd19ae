//! Listening sockets, socket options, and how many of them there may be.

use std::io;
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::time::Duration;

/// Connections that may wait to be accepted: a whole audience that comes back at once.
const BACKLOG: i32 = 1024;

/// The kernel's send queue of a spectator, in bytes. Thousands of stalled spectators must not cost
/// gigabytes of kernel memory, and lag must live in our cursor, where it can be seen and skipped,
/// not in a queue of stale frames.
pub const SEND_BUFFER: usize = 256 * 1024;

/// A peer whose cable was pulled is noticed after this long without traffic, then probed.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);

/// What the kernel has sent and the peer has not acknowledged for so long was sent to nobody: the
/// connection ends, also when a frame now and then never fills the queue.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED_FOR: Duration = Duration::from_secs(30);

/// A non-blocking listener on `address`; port 0 takes a free one.
///
/// # Errors
/// Those of the system, such as a port in use.
pub fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Unix this only skips the wait for old connections; on Windows it would let another program
    // share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Sets up an accepted spectator's socket: frames leave at once, the queue is bounded, a dead peer
/// is found.
///
/// # Errors
/// Those of the system; the spectator is gone then.
pub fn prepare_spectator(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
    // Elsewhere the system's own limit on retransmissions ends it, some minutes later.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_FOR))?;
    Ok(())
}

/// Raises the soft limit on open files to the hard one and returns how many files may be open;
/// `None` where the system knows no such limit.
pub fn raise_open_files_limit() -> Option<u64> {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => Some(limit),
        Err(error) => {
            tracing::warn!("the limit on open files cannot be raised: {error}");
            None
        }
    }
}

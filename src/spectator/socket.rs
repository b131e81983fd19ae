//! A station's UDP socket, as ENet wants it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use rusty_enet::{MTU_MAX, PacketReceived, Socket};

use crate::net::nonblocking;

/// Errors of the socket that are passed over at once. Windows tells of each packet that somebody who
/// is gone did not take as an error of the next reading.
const ERRORS_AT_ONCE: usize = 64;

/// Where a station's spectators connect.
pub struct SpectatorSocket {
    socket: UdpSocket,
    address: SocketAddr,
    /// One byte longer than what ENet sends, so that longer datagrams show.
    datagram: Box<[u8; MTU_MAX + 1]>,
    /// Nothing more was there at the last reading.
    is_drained: bool,
}

impl SpectatorSocket {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as a port in use.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, datagram: Box::new([0; MTU_MAX + 1]), is_drained: true })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    pub(super) fn deregister(&mut self, registry: &Registry) {
        // The socket is dropped right after; the poll forgets it then at the latest.
        let _ = registry.deregister(&mut self.socket);
    }

    /// Whether all that had come was read: the poll tells only of what comes after that.
    pub(super) fn is_drained(&self) -> bool {
        self.is_drained
    }
}

/// Nothing here fails: a datagram that cannot be sent to one peer must not keep ENet from the others,
/// and is lost like one on its way.
impl Socket for SpectatorSocket {
    type Address = SocketAddr;
    type Error = Infallible;

    fn send(&mut self, address: SocketAddr, buffer: &[u8]) -> Result<usize, Infallible> {
        if let Err(error) = nonblocking(|| self.socket.send_to(buffer, address)) {
            tracing::trace!(peer = %address, "a datagram was lost: {error}");
        }
        Ok(buffer.len())
    }

    fn receive(
        &mut self,
        buffer: &mut [u8; MTU_MAX],
    ) -> Result<Option<(SocketAddr, PacketReceived)>, Infallible> {
        let Self { socket, datagram, .. } = self;
        for _ in 0..ERRORS_AT_ONCE {
            match nonblocking(|| socket.recv_from(&mut datagram[..])) {
                Ok(Some((len, from))) => {
                    self.is_drained = false;
                    // Too long for ENet: as if nothing were in it. (`Partial` is not counted among
                    // what one turn takes.)
                    let len = if len > buffer.len() { 0 } else { len };
                    buffer[..len].copy_from_slice(&self.datagram[..len]);
                    return Ok(Some((from, PacketReceived::Complete(len))));
                }
                Ok(None) => break,
                Err(error) => tracing::trace!("a datagram could not be read: {error}"),
            }
        }
        self.is_drained = true;
        Ok(None)
    }
}

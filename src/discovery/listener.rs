//! The UDP socket that announcements arrive at, shared with whoever else listens for them.

use std::io;
use std::net::SocketAddr;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::Heard;
use crate::net::nonblocking;
use crate::protocol::discovery::Announcement;

/// The largest datagram that UDP has. With less room Windows would report an error for a longer one
/// instead of cutting it off.
const MAX_DATAGRAM_LEN: usize = 65_536;

/// Listens for announcements on one address.
#[derive(Debug)]
pub struct Listener {
    socket: UdpSocket,
    local_addr: SocketAddr,
    datagram: Box<[u8]>,
}

/// What one look at the socket gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Datagram {
    /// A console's.
    Announcement(Heard),
    /// Something else, or a console's that has no address yet.
    Other,
    /// There is none now.
    WouldBlock,
}

impl Listener {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// The port is shared: Slippi Launcher and another andross on this computer hear the consoles
    /// too. They hear all of them, for every socket gets a broadcast; a datagram to this computer
    /// alone reaches only one of the sockets on Linux.
    ///
    /// # Errors
    /// Those of the system, such as a port that another program does not share.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // The launcher sets what Node calls `reuseAddr`: SO_REUSEADDR on Linux and Windows,
        // SO_REUSEPORT on macOS and the BSDs. A port is shared among sockets that have set the same,
        // so both are set here; Windows has only the first.
        socket.set_reuse_address(true)?;
        #[cfg(all(
            unix,
            not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
        ))]
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = UdpSocket::from_std(socket.into());
        let local_addr = socket.local_addr()?;
        Ok(Self { socket, local_addr, datagram: vec![0; MAX_DATAGRAM_LEN].into() })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// Takes one datagram off the socket.
    pub(super) fn receive(&mut self) -> io::Result<Datagram> {
        let Self { socket, datagram, .. } = self;
        let Some((len, from)) = nonblocking(|| socket.recv_from(datagram))? else {
            return Ok(Datagram::WouldBlock);
        };
        // An IPv6 socket may hear IPv4, and would name `::ffff:192.168.1.20`.
        let ip = from.ip().to_canonical();
        Ok(match Announcement::decode(&datagram[..len]) {
            // 0.0.0.0 is a console that got no address: nobody can connect to it.
            Some(announcement) if !ip.is_unspecified() => {
                Datagram::Announcement(Heard { announcement, ip })
            }
            _ => Datagram::Other,
        })
    }
}

//! ENet over a UDP socket of a poll: for spectators of Dolphin's protocol, and for Dolphins.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use rusty_enet::{Host, HostSettings, MTU_MAX, PacketReceived, Socket};
use socket2::SockRef;

use super::nonblocking;

/// Errors of the socket that are passed over at once. Windows tells of each packet that somebody who
/// is gone did not take as an error of the next reading.
const ERRORS_AT_ONCE: usize = 64;

/// The kernel's queues of a socket, in bytes, in each direction: what ENet sends at once to sixteen
/// peers that all join late. What does not fit is lost, and costs each of them a timeout. Linux gives no
/// more than `net.core.wmem_max`; Windows would have 64 KiB.
const SOCKET_BUFFER: usize = 1024 * 1024;

/// ENet's clock must not begin at 0, which means "never" to it.
const CLOCK_START: Duration = Duration::from_secs(1);

/// A UDP socket as ENet wants it.
pub struct EnetSocket {
    socket: UdpSocket,
    address: SocketAddr,
    /// The only one that is talked to, if the socket is a client's.
    server: Option<SocketAddr>,
    /// One byte longer than what ENet sends, so that longer datagrams show.
    datagram: Box<[u8; MTU_MAX + 1]>,
    /// Nothing more was there at the last reading.
    is_drained: bool,
    is_refused: bool,
}

impl EnetSocket {
    /// A server's socket: binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as a port in use.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let address = socket.local_addr()?;
        let queues = SockRef::from(&socket);
        // A system that gives less is good enough: ENet says again what was lost.
        let _ = queues.set_send_buffer_size(SOCKET_BUFFER);
        let _ = queues.set_recv_buffer_size(SOCKET_BUFFER);
        let datagram = Box::new([0; MTU_MAX + 1]);
        Ok(Self { socket, address, server: None, datagram, is_drained: true, is_refused: false })
    }

    /// A client's socket: nobody but `server` is heard, and the system tells if nobody listens there.
    ///
    /// # Errors
    /// Those of the system, such as no way to that network.
    pub fn connect(server: SocketAddr) -> io::Result<Self> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let mut socket = Self::bind((any, 0).into())?;
        socket.socket.connect(server)?;
        socket.server = Some(server);
        Ok(socket)
    }

    /// Where it is bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets the poll tell, under `token`, when something has come.
    ///
    /// # Errors
    /// Those of the system.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// The poll is to forget it.
    pub fn deregister(&mut self, registry: &Registry) {
        // The socket is dropped right after; the poll forgets it then at the latest.
        let _ = registry.deregister(&mut self.socket);
    }

    /// Whether all that had come was read: the poll tells only of what comes after that.
    pub fn is_drained(&self) -> bool {
        self.is_drained
    }

    /// Whether the server's computer said that nobody listens there.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Passes over an error of the socket, or of an earlier datagram of it.
    fn note(&mut self, what: &str, error: &io::Error) {
        let refused = [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionReset];
        self.is_refused |= self.server.is_some() && refused.contains(&error.kind());
        tracing::trace!("a datagram {what}: {error}");
    }
}

/// Nothing here fails: a datagram that cannot be sent to one peer must not keep ENet from the others,
/// and is lost like one on its way.
impl Socket for EnetSocket {
    type Address = SocketAddr;
    type Error = Infallible;

    fn send(&mut self, address: SocketAddr, buffer: &[u8]) -> Result<usize, Infallible> {
        let sent = nonblocking(|| match self.server {
            Some(_) => self.socket.send(buffer),
            None => self.socket.send_to(buffer, address),
        });
        match sent {
            Ok(Some(_)) => {}
            Ok(None) => tracing::trace!("a datagram was lost: the system's queue is full"),
            Err(error) => self.note("was lost", &error),
        }
        Ok(buffer.len())
    }

    fn receive(
        &mut self,
        buffer: &mut [u8; MTU_MAX],
    ) -> Result<Option<(SocketAddr, PacketReceived)>, Infallible> {
        for _ in 0..ERRORS_AT_ONCE {
            let Self { socket, datagram, .. } = self;
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
                Err(error) => self.note("could not be read", &error),
            }
        }
        self.is_drained = true;
        Ok(None)
    }
}

/// An ENet host for `peers` connections of `channels` channels each. No packet that comes may be
/// longer than `max_packet` bytes, and of what one peer sent no more than `max_waiting` bytes may
/// wait for what is missing before them.
///
/// `None` if ENet refuses, which it does only where a number is 0 or too large.
pub fn enet_host(
    socket: EnetSocket,
    peers: usize,
    channels: usize,
    max_packet: usize,
    max_waiting: usize,
) -> Option<Host<EnetSocket>> {
    let start = Instant::now();
    let settings = HostSettings {
        peer_limit: peers,
        channel_limit: channels,
        // Never goes back, as the time of day does.
        time: Box::new(move || CLOCK_START + start.elapsed()),
        seed: Some(fastrand::u32(..)),
        ..HostSettings::default()
    };
    let mut host = Host::new(socket, settings).ok()?;
    host.set_maximum_packet_size(max_packet).ok()?;
    host.set_maximum_waiting_data(max_waiting).ok()?;
    Some(host)
}

//! The way to a Dolphin: its spectator server, by ENet over UDP.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::Registry;
use rusty_enet::{Event, Host, Packet, PeerID};

use super::connection::Context;
use super::intake::Intake;
use super::link::{Lost, Reading};
use crate::net::{EnetSocket, enet_host};
use crate::protocol::spectator::{CHANNEL, CHANNELS, ConnectRequest, MAX_MESSAGE_LEN};

/// The longest packet that ENet puts together, in bytes: one that is somewhat too long for a message is
/// told as that, longer ones never arrive.
const MAX_PACKET: usize = 2 * MAX_MESSAGE_LEN;

/// What may have come and wait for a datagram that was lost, in bytes: a packet, and what a server
/// sends before it waits for an acknowledgement, several times over.
const MAX_WAITING: usize = 4 * MAX_MESSAGE_LEN;

/// How soon ENet must look again whether to ping, or to say something once more: it does either half
/// a second after the last time at the earliest.
const TICK: Duration = Duration::from_millis(100);

/// ENet is not to give up by itself, in milliseconds: how long a silence may be is the connection's
/// business, as with every other source.
const NEVER: u32 = 3_600_000;

/// What datagrams count that bring no packet, in bytes: up to 256 of them are read at once.
const ROUND: usize = 16 * 1024;

/// A connection to a Dolphin.
pub(super) struct DolphinLink {
    host: Host<EnetSocket>,
    server: PeerID,
    due: Instant,
    /// Bytes that had come from it when last looked, as ENet counts them.
    heard: u32,
}

impl DolphinLink {
    pub(super) fn open(address: SocketAddr, context: &Context<'_>) -> io::Result<Self> {
        let mut socket = EnetSocket::connect(address)?;
        socket.register(context.registry, context.token)?;
        // The numbers are constants that ENet accepts, and the one place is free.
        let refused = || io::Error::other("ENet refuses");
        let mut host =
            enet_host(socket, 1, CHANNELS, MAX_PACKET, MAX_WAITING).ok_or_else(refused)?;
        let peer = host.connect(address, CHANNELS, 0).map_err(io::Error::other)?;
        peer.set_timeout(0, NEVER, NEVER);
        let server = peer.id();
        host.flush();
        Ok(Self { host, server, due: Instant::now() + TICK, heard: 0 })
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Once it is connected, says the request; false while it is not.
    pub(super) fn greet(&mut self, intake: &mut Intake) -> Result<bool, Lost> {
        match self.next_event() {
            Some(Heard::Connected) => {}
            Some(Heard::HungUp) => return Err(Lost::DolphinRefused),
            Some(Heard::Said(_)) => return Ok(false),
            None if self.host.socket().is_refused() => return Err(Lost::NoDolphin),
            None => return Ok(false),
        }
        self.say(intake.begin_dolphin())?;
        Ok(true)
    }

    pub(super) fn read(&mut self, intake: &mut Intake) -> Result<Reading, Lost> {
        let event = self.next_event();
        let total = self.host.peer(self.server).incoming_data_total();
        let len = usize::try_from(total.wrapping_sub(self.heard)).unwrap_or(ROUND);
        self.heard = total;
        let is_drained = self.host.socket().is_drained();
        match event {
            Some(Heard::Said(packet)) => {
                let (written, ask) = intake.take_packet(packet.data(), Instant::now())?;
                if let Some(request) = ask {
                    self.say(request)?;
                }
                // Packets that came in one datagram are read one by one.
                Ok(Reading { len: len.max(1), written, more: true })
            }
            Some(Heard::HungUp) if !intake.is_greeted() => Err(Lost::DolphinRefused),
            Some(Heard::HungUp) => Err(Lost::Closed),
            Some(Heard::Connected) => Ok(Reading { len, more: true, ..Reading::default() }),
            None if self.host.socket().is_refused() => Err(Lost::NoDolphin),
            None if is_drained => Ok(Reading { len, ..Reading::default() }),
            None => Ok(Reading { len: len.max(ROUND), more: true, ..Reading::default() }),
        }
    }

    fn say(&mut self, request: ConnectRequest) -> Result<(), Lost> {
        let packet = Packet::reliable(request.encode());
        // It can only fail when the connection is none any more.
        self.host.peer_mut(self.server).send(CHANNEL, &packet).map_err(|_| Lost::Closed)?;
        self.host.flush();
        Ok(())
    }

    fn next_event(&mut self) -> Option<Heard> {
        // The socket has no errors.
        let event = self.host.service().ok()?;
        if event.is_none() {
            self.due = Instant::now() + TICK;
        }
        Some(match event? {
            Event::Connect { .. } => Heard::Connected,
            Event::Disconnect { .. } => Heard::HungUp,
            Event::Receive { packet, .. } => Heard::Said(packet),
        })
    }

    /// Hangs up, and says so: Dolphin has few places.
    pub(super) fn close(&mut self, registry: &Registry) {
        self.host.peer_mut(self.server).disconnect_now(0);
        self.host.flush();
        self.host.socket_mut().deregister(registry);
    }
}

/// What ENet tells, owned.
enum Heard {
    Connected,
    HungUp,
    Said(Packet),
}

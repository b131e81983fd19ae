//! SLIP_READY: a console without a client says over UDP that it is there.
//!
//! Source: Nintendont `kernel/SlippiNetworkBroadcast.c`. The real one looks every 5 seconds whether
//! its 10 seconds are over, and says nothing in the first 10 after its boot; this one speaks at
//! once, then every 10 seconds.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::state::Shared;
use crate::protocol::discovery::{Announcement, PERIOD_SECONDS};

const PERIOD: Duration = Duration::from_secs(PERIOD_SECONDS);

/// Speaks to one address, which may be a broadcast address.
pub(super) struct Announcer {
    socket: UdpSocket,
    to: SocketAddr,
    announcement: Announcement,
}

impl Announcer {
    /// Speaks from the address that the console listens on: who hears it connects to where it came
    /// from. One that no other computer reaches is none to speak from to others.
    pub(super) fn new(own: IpAddr, to: SocketAddr, announcement: Announcement) -> io::Result<Self> {
        let reaches = !own.is_loopback() || to.ip().is_loopback();
        let from: IpAddr = match to {
            _ if reaches && own.is_ipv4() == to.is_ipv4() => own,
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((from, 0))?;
        socket.set_broadcast(true)?;
        // The network may be down: nobody waits for that.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, to, announcement })
    }

    /// Announces the console until it is switched off.
    pub(super) fn run(self, shared: &Shared) {
        let mut next = Instant::now();
        let mut failed = false;
        let mut state = shared.lock();
        while !state.stopping {
            if state.client.is_some() {
                shared.wait_for_change(&mut state, None);
                next = Instant::now() + PERIOD;
            } else if Instant::now() < next {
                shared.wait_for_change(&mut state, Some(next));
            } else {
                drop(state);
                let sent = self.socket.send_to(&self.announcement.encode(), self.to);
                if let (Err(error), false) = (&sent, failed) {
                    tracing::warn!("cannot announce the console to {}: {error}", self.to);
                }
                failed = sent.is_err();
                next = Instant::now() + PERIOD;
                state = shared.lock();
            }
        }
    }
}

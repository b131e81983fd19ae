//! SLIP_READY: a console without a client says over UDP that it is there.
//!
//! Source: Nintendont `kernel/SlippiNetworkBroadcast.c`. The real one looks every 5 seconds whether
//! its 10 seconds are over, and says nothing in the first 10 after its boot; this one speaks at
//! once, then every 10 seconds.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
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
    pub(super) fn new(to: SocketAddr, announcement: Announcement) -> io::Result<Self> {
        let from: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(from)?;
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

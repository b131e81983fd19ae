//! A bad network between a relay and one spectator of Dolphin's protocol: a proxy that loses datagrams.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::loopback;

/// Datagrams in a burst at most: what ENet sends before it waits, and a few more.
const BURST: usize = 64;

/// A way to a relay for one spectator.
pub struct BadLink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Of a hundred datagrams in either direction, so many are lost.
    loss: AtomicU32,
    /// What the relay sent, and what of both directions was lost.
    from_relay: AtomicUsize,
    lost: AtomicUsize,
    /// While set, what comes from the relay is kept so many milliseconds and handed on in bursts.
    hold: AtomicU64,
    bursts: AtomicUsize,
}

impl BadLink {
    /// Loses `loss` of a hundred datagrams, in both directions, always the same ones.
    pub fn to(relay: SocketAddr, loss: u32) -> Self {
        let near = UdpSocket::bind(loopback()).unwrap();
        let far = UdpSocket::bind(loopback()).unwrap();
        far.connect(relay).unwrap();
        let address = near.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        shared.loss.store(loss, Ordering::Relaxed);
        // The threads end with the test's process.
        let (up, counters) =
            ((near.try_clone().unwrap(), far.try_clone().unwrap()), shared.clone());
        thread::spawn(move || counters.carry_to_relay(&up.0, &up.1));
        let counters = shared.clone();
        thread::spawn(move || counters.carry_to_spectator(&far, &near));
        Self { address, shared }
    }

    /// Where the spectator connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set_loss(&self, loss: u32) {
        self.shared.loss.store(loss, Ordering::Relaxed);
    }

    /// From now on, what the relay sends is handed on so seldom, as in a wireless network that saves power.
    pub fn hold(&self, time: Duration) {
        self.shared.hold.store(time.as_millis() as u64, Ordering::Relaxed);
    }

    /// How often something was handed on since [`BadLink::hold`].
    pub fn bursts(&self) -> usize {
        self.shared.bursts.load(Ordering::Relaxed)
    }

    /// Datagrams that the relay has sent so far, lost ones, too.
    pub fn sent(&self) -> usize {
        self.shared.from_relay.load(Ordering::Relaxed)
    }

    /// Datagrams lost so far.
    pub fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn carry_to_relay(&self, near: &UdpSocket, far: &UdpSocket) {
        let mut luck = fastrand::Rng::with_seed(1);
        let mut datagram = [0; 4096];
        while let Ok((len, spectator)) = near.recv_from(&mut datagram) {
            // The way back is to whoever spoke: connected, the other thread needs no address.
            if near.peer_addr().is_err() {
                near.connect(spectator).unwrap();
            }
            if !self.is_lost(&mut luck) {
                let _ = far.send(&datagram[..len]);
            }
        }
    }

    fn carry_to_spectator(&self, far: &UdpSocket, near: &UdpSocket) {
        let mut luck = fastrand::Rng::with_seed(2);
        let mut datagram = [0; 4096];
        loop {
            // Waits for the first of a burst; what has come by its end is handed on at once.
            let hold = self.hold.load(Ordering::Relaxed);
            let first = far.peek(&mut datagram);
            if first.is_err() {
                return;
            }
            let mut burst = 1;
            if hold > 0 {
                thread::sleep(Duration::from_millis(hold));
                self.bursts.fetch_add(1, Ordering::Relaxed);
                burst = BURST;
            }
            far.set_nonblocking(true).unwrap();
            while burst > 0
                && let Ok(len) = far.recv(&mut datagram)
            {
                burst -= 1;
                self.from_relay.fetch_add(1, Ordering::Relaxed);
                if !self.is_lost(&mut luck) {
                    let _ = near.send(&datagram[..len]);
                }
            }
            far.set_nonblocking(false).unwrap();
        }
    }

    fn is_lost(&self, luck: &mut fastrand::Rng) -> bool {
        let lost = luck.u32(0..100) < self.loss.load(Ordering::Relaxed);
        self.lost.fetch_add(usize::from(lost), Ordering::Relaxed);
        lost
    }
}

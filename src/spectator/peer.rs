//! One spectator: its cursor, and how far it is ahead of what it has acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use thiserror::Error;

use crate::audience::{ClientId, Place};
use crate::net::EnetSocket;

/// What is on the way to one spectator at most, in bytes: twice what ENet itself sends before it
/// waits for an acknowledgement. ENet queues without bound, so lag must live in our cursor, where it
/// can be seen and skipped.
const MAX_AHEAD_BYTES: usize = 128 * 1024;

/// The same in messages: each costs ENet memory of its own.
const MAX_AHEAD_MESSAGES: usize = 256;

/// What a spectator may send in its life, in bytes: it has a request to say, perhaps another, and
/// nothing else.
pub(super) const MAX_INPUT: usize = 16 * 1024;

/// What each packet from a spectator counts, beside its bytes: some clients send empty ones.
pub(super) const PACKET_COST: usize = 16;

/// ENet's throttle: the milliseconds over which it looks for the quickest acknowledgement, and by how many
/// thirty-seconds it gets wider and narrower. The first two are ENet's own; ours never gets narrower. It
/// exists to drop packets that need not arrive, and all of ours must. Those it only holds back: an
/// acknowledgement that takes somewhat longer than the quickest one takes a sixteenth off what is sent at
/// once, down to a single datagram. Clients look every 10 ms, on a busy computer far more rarely; a late
/// joiner would get the beginning of its game at once and then seconds of nearly nothing.
const THROTTLE: (u32, u32, u32) = (5_000, 2, 0);

/// Sets up a connection that was let in: ENet gives up on it, and only, after so long a silence.
pub(super) fn tune(connection: &mut rusty_enet::Peer<EnetSocket>, silence: Duration) {
    let silence = u32::try_from(silence.as_millis()).unwrap_or(u32::MAX);
    connection.set_timeout(0, silence, silence);
    let (interval, acceleration, deceleration) = THROTTLE;
    connection.set_throttle(interval, acceleration, deceleration);
}

/// Why a spectator leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(super) enum Farewell {
    #[error("it hung up, or was not heard of any more")]
    Closed,
    #[error("it acknowledged nothing for {} s", .0.as_secs())]
    Stalled(Duration),
    #[error("it said no connect_request in time")]
    RequestTimeout,
    #[error("it sends instead of listening")]
    Chatter,
    #[error("somebody hung up on it by hand")]
    Kicked,
    #[error("its station was removed")]
    StationRemoved,
    #[error("the relay ends")]
    Shutdown,
}

/// A spectator.
pub(super) struct Peer {
    pub(super) id: ClientId,
    pub(super) address: SocketAddr,
    pub(super) since: SystemTime,
    /// The number of the message that it gets next.
    pub(super) cursor: u64,
    /// It has said its request.
    pub(super) is_greeted: bool,
    /// When it must have.
    pub(super) greet_until: Instant,
    /// How much it said in all.
    pub(super) input: usize,
    /// The last time that it acknowledged something, or that nothing was on the way to it.
    pub(super) progress: Instant,
    /// Since when it follows: later messages count for the latency, its history does not.
    pub(super) joined: Instant,
    ahead: Arc<Ahead>,
    /// What it had acknowledged when last looked.
    acknowledged: usize,
    _place: Place,
}

impl Peer {
    pub(super) fn new(
        address: SocketAddr,
        place: Place,
        now: Instant,
        greet_until: Instant,
    ) -> Self {
        Self {
            id: place.client(),
            address,
            since: SystemTime::now(),
            cursor: 0,
            is_greeted: false,
            greet_until,
            input: 0,
            progress: now,
            joined: now,
            ahead: Arc::default(),
            acknowledged: 0,
            _place: place,
        }
    }

    /// Whether it may have another message now.
    pub(super) fn has_room(&self) -> bool {
        self.ahead.bytes.load(Ordering::Relaxed) < MAX_AHEAD_BYTES
            && self.ahead.messages.load(Ordering::Relaxed) < MAX_AHEAD_MESSAGES
    }

    /// Whether it has acknowledged all that was sent.
    pub(super) fn is_flushed(&self) -> bool {
        self.ahead.messages.load(Ordering::Relaxed) == 0
    }

    /// Packs a message for ENet.
    pub(super) fn pack(&self, message: Arc<[u8]>) -> rusty_enet::Packet {
        self.ahead.bytes.fetch_add(message.len(), Ordering::Relaxed);
        self.ahead.messages.fetch_add(1, Ordering::Relaxed);
        rusty_enet::Packet::reliable(Box::new(Parcel { message, ahead: self.ahead.clone() }))
    }

    /// Looks whether it takes what is sent.
    pub(super) fn watch(&mut self, now: Instant) {
        let acknowledged = self.ahead.acknowledged.load(Ordering::Relaxed);
        if self.is_flushed() || acknowledged != self.acknowledged {
            self.progress = now;
        }
        self.acknowledged = acknowledged;
    }
}

/// What is on the way to one spectator.
#[derive(Default)]
struct Ahead {
    bytes: AtomicUsize,
    messages: AtomicUsize,
    /// Messages that arrived so far; goes round.
    acknowledged: AtomicUsize,
}

/// A message on the way to one spectator. ENet drops it when all of it is acknowledged, or the
/// spectator gone; that is how its progress is known.
struct Parcel {
    message: Arc<[u8]>,
    ahead: Arc<Ahead>,
}

impl AsRef<[u8]> for Parcel {
    fn as_ref(&self) -> &[u8] {
        &self.message
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.ahead.bytes.fetch_sub(self.message.len(), Ordering::Relaxed);
        self.ahead.messages.fetch_sub(1, Ordering::Relaxed);
        self.ahead.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Admission;

    #[test]
    fn what_is_on_the_way_is_bounded_until_it_is_acknowledged() {
        let place = Admission::new(1, 1).admit([127, 0, 0, 1].into()).unwrap();
        let now = Instant::now();
        let peer = Peer::new("127.0.0.1:9".parse().unwrap(), place, now, now);
        let message: Arc<[u8]> = vec![7; 1000].into();
        let mut packets = Vec::new();
        while peer.has_room() {
            packets.push(peer.pack(message.clone()));
        }
        assert_eq!(packets.len(), MAX_AHEAD_BYTES.div_ceil(message.len()));
        let kept = packets[0].clone();
        packets.clear();
        assert!(peer.has_room() && !peer.is_flushed());
        assert_eq!(kept.data(), &message[..]);
        drop(kept);
        assert!(peer.is_flushed());
        while peer.has_room() {
            packets.push(peer.pack(Arc::from([1])));
        }
        assert_eq!(packets.len(), MAX_AHEAD_MESSAGES);
    }

    #[test]
    fn who_acknowledges_makes_progress_also_if_as_much_is_sent_again() {
        let place = Admission::new(1, 1).admit([127, 0, 0, 1].into()).unwrap();
        let start = Instant::now();
        let mut peer = Peer::new("127.0.0.1:9".parse().unwrap(), place, start, start);
        let message: Arc<[u8]> = vec![7; 1000].into();
        let mut packets = vec![peer.pack(message.clone())];
        let later = |seconds| start + Duration::from_secs(seconds);
        peer.watch(later(1));
        assert_eq!(peer.progress, start, "all that was sent is on the way");
        packets.extend([peer.pack(message.clone()), peer.pack(message.clone())]);
        packets.remove(0);
        peer.watch(later(2));
        assert_eq!(peer.progress, later(2));
        peer.watch(later(3));
        assert_eq!(peer.progress, later(2));
        packets.clear();
        peer.watch(later(4));
        assert_eq!(peer.progress, later(4));
    }

    #[test]
    fn a_stall_is_told_with_how_long_it_was() {
        let farewell = Farewell::Stalled(Duration::from_millis(30_400));
        assert_eq!(farewell.to_string(), "it acknowledged nothing for 30 s");
    }
}

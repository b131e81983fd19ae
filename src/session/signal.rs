//! "Look": the per-frame signal over the bus, and the doorbell that wakes a sleeper for it.
//!
//! Nobody blocks on the bus: `BusReader::recv` wakes up 10,000 times a second while it waits. A
//! thread sleeps in `mio::Poll`, its doorbell (a `mio::Waker`) wakes it, and it drains the bus with
//! `try_recv`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::TryRecvError;

use bus::{Bus, BusReader};
use mio::Waker;

use super::{Bell, StationId};

/// Signals that one reader can have waiting. When a reader is further behind, signals are dropped:
/// the log is the truth and its doorbell still rings.
const BUS_LEN: usize = 256;

/// Something happened at a station.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal {
    /// Where.
    pub station: StationId,
    /// What.
    pub kind: SignalKind,
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignalKind {
    /// New bytes are in the log.
    Frame,
    /// New bytes are in the log, and a game begins in them.
    GameStart,
    /// New bytes are in the log, and a game ends in them.
    GameEnd,
    /// New bytes are in the log, and others were lost before them.
    Gap,
    /// The console came or went.
    Source,
    /// Everyone is to finish.
    Shutdown,
}

/// Wakes one thread that sleeps in `mio::Poll`.
pub type Doorbell = Arc<Waker>;

/// The sending side: one bus, and the doorbells of all its readers.
pub struct Announcer {
    bus: Bus<Signal>,
    readers: Vec<Reader>,
    bells: Vec<Bell>,
}

struct Reader {
    doorbell: Doorbell,
    is_resting: Arc<AtomicBool>,
}

impl Default for Announcer {
    fn default() -> Self {
        Self::new()
    }
}

impl Announcer {
    /// An announcer without readers.
    pub fn new() -> Self {
        Self { bus: Bus::new(BUS_LEN), readers: Vec::new(), bells: Vec::new() }
    }

    /// A reader that is woken by `doorbell`.
    pub fn subscribe(&mut self, doorbell: Doorbell) -> Signals {
        let is_resting = Arc::<AtomicBool>::default();
        self.readers.push(Reader { doorbell: doorbell.clone(), is_resting: is_resting.clone() });
        Signals { bus: self.bus.add_rx(), is_resting, _doorbell: doorbell }
    }

    /// Rings `bell` at each announcement, as long as somebody listens to it.
    pub fn attach(&mut self, bell: Bell) {
        self.bells.push(bell);
    }

    /// Tells everyone, waits for nobody. Who rests is woken for the last word, and to empty a full bus.
    pub fn announce(&mut self, station: StationId, kind: SignalKind) {
        let is_full = self.bus.try_broadcast(Signal { station, kind }).is_err();
        let wakes_all = is_full || kind == SignalKind::Shutdown;
        // What is in the log now is seen by whoever is not seen to have got up: see `Signals::rest`.
        fence(Ordering::SeqCst);
        for reader in &self.readers {
            if reader.is_resting.load(Ordering::Relaxed) && !wakes_all {
                continue;
            }
            if let Err(error) = reader.doorbell.wake() {
                tracing::error!("a thread cannot be woken: {error}");
            }
        }
        for bell in &self.bells {
            bell.ring();
        }
    }
}

/// The receiving side of one thread.
pub struct Signals {
    bus: BusReader<Signal>,
    is_resting: Arc<AtomicBool>,
    /// Kept as long as the thread listens: a `Waker` that is dropped takes its last ring with it.
    _doorbell: Doorbell,
}

impl Signals {
    /// Says whether the thread has nobody to serve, and need not be woken for a frame. One that gets up
    /// looks into the logs after it has said so: it is not told of what came before.
    pub fn rest(&self, is_resting: bool) {
        if self.is_resting.swap(is_resting, Ordering::Relaxed) != is_resting {
            fence(Ordering::SeqCst);
        }
    }

    /// Empties the bus; whether the sender has said its last word or is gone. What the other
    /// signals say is in the logs.
    pub fn drain(&mut self) -> bool {
        loop {
            match self.bus.try_recv() {
                Ok(signal) if signal.kind == SignalKind::Shutdown => return true,
                Ok(_) => {}
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll, Token};
    use std::time::Duration;

    #[test]
    fn a_full_bus_loses_signals_but_neither_the_ring_nor_the_end() {
        let mut poll = Poll::new().unwrap();
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let mut announcer = Announcer::new();
        let mut signals = announcer.subscribe(doorbell);
        for _ in 0..3 * BUS_LEN {
            announcer.announce(StationId(0), SignalKind::Frame);
        }
        announcer.announce(StationId(0), SignalKind::Shutdown);
        drop(announcer);
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
        assert!(!events.is_empty());
        assert!(signals.drain(), "the last word was dropped, but that the sender is gone shows");
    }
    #[test]
    fn who_rests_is_woken_by_the_last_word_and_a_full_bus_alone() {
        let mut poll = Poll::new().unwrap();
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let mut announcer = Announcer::new();
        let mut signals = announcer.subscribe(doorbell);
        let mut events = Events::with_capacity(4);
        let mut has_rung = || {
            poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
            !events.is_empty()
        };
        signals.rest(true);
        for _ in 0..BUS_LEN {
            announcer.announce(StationId(0), SignalKind::Frame);
            assert!(!has_rung());
        }
        announcer.announce(StationId(0), SignalKind::Frame);
        assert!(has_rung(), "the bus is full");
        assert!(!signals.drain());
        signals.rest(false);
        announcer.announce(StationId(0), SignalKind::Frame);
        assert!(has_rung(), "it has got up");
        signals.rest(true);
        announcer.announce(StationId(0), SignalKind::Shutdown);
        assert!(has_rung());
        assert!(signals.drain());
    }
}

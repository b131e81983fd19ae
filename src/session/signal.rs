//! "Look": the per-frame signal over the bus, and the doorbell that wakes a sleeper for it.
//!
//! Nobody blocks on the bus: `BusReader::recv` wakes up 10,000 times a second while it waits. A
//! thread sleeps in `mio::Poll`, its doorbell (a `mio::Waker`) wakes it, and it drains the bus with
//! `try_recv`.

use std::sync::Arc;

use bus::{Bus, BusReader};
use mio::Waker;

use super::StationId;

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
    doorbells: Vec<Doorbell>,
}

impl Default for Announcer {
    fn default() -> Self {
        Self::new()
    }
}

impl Announcer {
    /// An announcer without readers.
    pub fn new() -> Self {
        Self {
            bus: Bus::new(BUS_LEN),
            doorbells: Vec::new(),
        }
    }

    /// A reader that is woken by `doorbell`.
    pub fn subscribe(&mut self, doorbell: Doorbell) -> BusReader<Signal> {
        self.doorbells.push(doorbell);
        self.bus.add_rx()
    }

    /// Tells everyone, waits for nobody.
    pub fn announce(&mut self, station: StationId, kind: SignalKind) {
        let _ = self.bus.try_broadcast(Signal { station, kind });
        for doorbell in &self.doorbells {
            if let Err(error) = doorbell.wake() {
                tracing::error!("a thread cannot be woken: {error}");
            }
        }
    }
}

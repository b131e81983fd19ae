//! Figures: counters that any thread adds to, and the latency of deliveries.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use parking_lot::Mutex;

use crate::protocol::Protocol;

/// The time between two frames, 1 / 59.94 s: who gets a frame later than this after it arrived, has
/// missed the window.
pub const FRAME_WINDOW: Duration = Duration::from_micros(16_683);

/// Beyond this a delivery's latency is counted as this: a minute late is late enough.
const MAX_LATENCY: Duration = Duration::from_secs(60);

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Changes it by `delta`.
    pub fn add(&self, delta: i64) {
        self.0.fetch_add(delta, Ordering::Relaxed);
    }

    /// Its value now.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The figures of one station.
#[derive(Debug, Default)]
pub struct StationStats {
    /// Event bytes received.
    pub bytes: Counter,
    /// Frames received; a rollback's repetitions count.
    pub frames: Counter,
    /// The newest frame's number.
    pub frame: Gauge,
    /// Times that bytes were lost before they reached the relay.
    pub gaps: Counter,
    /// Bytes that were lost, as far as positions tell.
    pub lost_bytes: Counter,
    /// Bytes passed on although no event could be made out in them.
    pub unreadable: Counter,
    /// Connections to the console after the first.
    pub reconnects: Counter,
    /// Spectators of the console protocol connected now.
    pub console_clients: Gauge,
    /// Raw spectators connected now.
    pub raw_clients: Gauge,
    /// Spectators of Dolphin's protocol connected now.
    pub dolphin_clients: Gauge,
    /// Spectators connected now over HTTP: WebSockets and growing files.
    pub web_clients: Gauge,
    /// Spectators that were more than a game behind and skipped ahead, or (raw) disconnected.
    pub skipped: Counter,
    /// Games saved.
    pub files: Counter,
    /// 1 while the recorder cannot write.
    pub recorder_failing: Gauge,
    /// Holes in recordings because the recorder could not write for too long.
    pub unrecorded: Counter,
    /// How long after its arrival a chunk was with the kernel, for every spectator.
    pub latency: Latency,
}

impl StationStats {
    /// The spectators of one protocol connected now.
    pub fn clients_of(&self, protocol: Protocol) -> &Gauge {
        match protocol {
            Protocol::Console => &self.console_clients,
            Protocol::Raw => &self.raw_clients,
            Protocol::Dolphin => &self.dolphin_clients,
            Protocol::Web => &self.web_clients,
        }
    }

    /// All spectators connected now.
    pub fn clients(&self) -> i64 {
        let gauges =
            [&self.console_clients, &self.raw_clients, &self.dolphin_clients, &self.web_clients];
        gauges.map(Gauge::get).iter().sum()
    }
}

/// Latencies of deliveries, in microseconds, and how many missed [`FRAME_WINDOW`].
#[derive(Debug)]
pub struct Latency {
    histogram: Mutex<Histogram<u64>>,
}

impl Default for Latency {
    fn default() -> Self {
        Self { histogram: Mutex::new(latency_histogram()) }
    }
}

/// An empty histogram of microseconds with the range and precision used everywhere here.
pub fn latency_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_LATENCY.as_micros() as u64, 2)
        .expect("the bounds are constants that hdrhistogram accepts")
}

/// Adds a latency that `n` deliveries had to a histogram of [`latency_histogram`]'s range.
pub fn record(histogram: &mut Histogram<u64>, latency: Duration, n: u64) {
    histogram.saturating_record_n(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), n);
}

impl Latency {
    /// Adds what a thread gathered.
    pub fn add(&self, gathered: &Histogram<u64>) {
        // Both have the same bounds, so the addition cannot fail.
        let _ = self.histogram.lock().add(gathered);
    }

    /// A copy of all so far.
    pub fn snapshot(&self) -> Histogram<u64> {
        self.histogram.lock().clone()
    }
}

/// How many of the latencies gathered are beyond [`FRAME_WINDOW`].
pub fn window_misses(histogram: &Histogram<u64>) -> u64 {
    histogram.len() - histogram.count_between(0, FRAME_WINDOW.as_micros() as u64)
}

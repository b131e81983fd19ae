//! What happened at a station between two looks at its figures.

use std::time::Instant;

use hdrhistogram::Histogram;
use serde::Serialize;
use utoipa::ToSchema;

use crate::protocol::Protocol;
use crate::stats::{StationStats, latency_histogram, window_misses};

/// The figures of a station at one moment. They only grow, but for the spectators.
#[derive(Debug)]
pub(super) struct Reading {
    bytes: u64,
    frames: u64,
    gaps: u64,
    latency: Histogram<u64>,
    clients: Clients,
}

/// What happened in the seconds that end at `at`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sample {
    /// The moment, for ages: the system's time may be set meanwhile.
    #[serde(skip)]
    pub(super) end: Instant,
    /// When these seconds ended, Unix milliseconds.
    pub(super) at: i64,
    /// How long they were.
    pub(super) seconds: f64,
    /// Event bytes received.
    pub(super) bytes: u64,
    /// Frames received.
    pub(super) frames: u64,
    /// Times that bytes were lost before they reached the relay.
    pub(super) gaps: u64,
    /// Deliveries to spectators.
    pub(super) deliveries: u64,
    /// Those later than the window of 16.68 ms.
    pub(super) window_misses: u64,
    /// How long they took; null if there were none.
    pub(super) latency: Option<Percentiles>,
    /// Spectators at the end of these seconds.
    pub(super) clients: Clients,
}

/// Latencies of deliveries, in microseconds, to two digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Percentiles {
    /// Half of them took at most so long.
    pub(super) p50_us: u64,
    /// 99 in 100.
    pub(super) p99_us: u64,
    /// The worst.
    pub(super) max_us: u64,
}

/// Spectators connected, by protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub(super) struct Clients {
    /// The console protocol.
    pub(super) console: u64,
    /// The raw protocol.
    pub(super) raw: u64,
    /// Dolphin's protocol.
    pub(super) dolphin: u64,
    /// Games over HTTP.
    pub(super) web: u64,
}

impl Reading {
    /// What a station begins with.
    pub(super) fn zero() -> Self {
        let clients = Clients::default();
        Self { bytes: 0, frames: 0, gaps: 0, latency: latency_histogram(), clients }
    }

    /// The figures now. The only thing the data plane could notice is the copy of the histogram, some
    /// microseconds under the lock that it takes twice a second.
    pub(super) fn take(stats: &StationStats) -> Self {
        let clients = |count: i64| u64::try_from(count).unwrap_or(0);
        Self {
            bytes: stats.bytes.get(),
            frames: stats.frames.get(),
            gaps: stats.gaps.get(),
            latency: stats.latency.snapshot(),
            clients: Clients {
                console: clients(stats.clients_of(Protocol::Console).get()),
                raw: clients(stats.clients_of(Protocol::Raw).get()),
                dolphin: clients(stats.clients_of(Protocol::Dolphin).get()),
                web: clients(stats.web_clients.get()),
            },
        }
    }

    /// What happened since `before`, in the seconds that ended at `end`, which is `at` by the clock.
    pub(super) fn since(&self, before: &Self, seconds: f64, end: Instant, at: i64) -> Sample {
        let mut latency = self.latency.clone();
        // A histogram that only grows, less what it was: this cannot fail.
        let _ = latency.subtract(&before.latency);
        Sample {
            end,
            at,
            seconds,
            bytes: self.bytes.saturating_sub(before.bytes),
            frames: self.frames.saturating_sub(before.frames),
            gaps: self.gaps.saturating_sub(before.gaps),
            deliveries: latency.len(),
            window_misses: window_misses(&latency),
            latency: (!latency.is_empty()).then(|| Percentiles {
                p50_us: latency.value_at_quantile(0.5),
                p99_us: latency.value_at_quantile(0.99),
                max_us: latency.max(),
            }),
            clients: self.clients,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::record;
    use std::time::Duration;

    fn deliver(stats: &StationStats, latency: Duration, n: u64) {
        let mut gathered = latency_histogram();
        record(&mut gathered, latency, n);
        stats.latency.add(&gathered);
    }

    #[test]
    fn a_sample_has_what_happened_since_the_last_one_only() {
        let stats = StationStats::default();
        stats.bytes.add(1000);
        deliver(&stats, Duration::from_secs(2), 5);
        let first = Reading::take(&stats);
        let sample = first.since(&Reading::zero(), 5.0, Instant::now(), 7);
        assert_eq!((sample.bytes, sample.deliveries, sample.window_misses), (1000, 5, 5));

        stats.bytes.add(30);
        stats.gaps.add(1);
        stats.web_clients.set(3);
        deliver(&stats, Duration::from_micros(100), 99);
        deliver(&stats, Duration::from_millis(40), 1);
        let sample = Reading::take(&stats).since(&first, 5.0, Instant::now(), 8);
        assert_eq!((sample.bytes, sample.gaps, sample.clients.web), (30, 1, 3));
        assert_eq!((sample.deliveries, sample.window_misses), (100, 1));
        let latency = sample.latency.unwrap();
        assert_eq!((latency.p50_us, latency.p99_us), (100, 100));
        // Two digits: within a hundredth.
        assert!((40_000..40_400).contains(&latency.max_us), "{latency:?}");
    }

    #[test]
    fn without_a_delivery_there_is_no_latency_rather_than_none_at_all() {
        let stats = StationStats::default();
        deliver(&stats, Duration::from_millis(1), 4);
        let before = Reading::take(&stats);
        let sample = Reading::take(&stats).since(&before, 5.0, Instant::now(), 0);
        assert_eq!((sample.deliveries, sample.latency), (0, None));
    }
}

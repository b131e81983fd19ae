//! How late deliveries are, with few looks at the clock.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::stats::{Latency, latency_histogram, record};

/// Deliveries for which the clock is read once, at the end: each counts as being as late as the last
/// of them, some 50 µs too late at most. At 1,000 spectators the clock is near 1 % of the work.
const PER_LOOK: u64 = 16;

/// Gathers the latencies of one view's deliveries.
pub(super) struct Stopwatch {
    /// How late these spectators are on purpose: no part of the latency.
    delay: Duration,
    /// The arrival of the chunk that was delivered last, and how often since the last look.
    waiting: Option<(Instant, u64)>,
    latencies: Histogram<u64>,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self { delay: Duration::ZERO, waiting: None, latencies: latency_histogram() }
    }
}

impl Stopwatch {
    /// What is delivered from now on is late by `delay` on purpose.
    pub(super) fn set_delay(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// A chunk that came at `arrived` is with the kernel.
    pub(super) fn add(&mut self, arrived: Instant) {
        let n = match self.waiting {
            Some((same, n)) if same == arrived => n + 1,
            _ => {
                self.settle();
                1
            }
        };
        self.waiting = Some((arrived, n));
        if n == PER_LOOK {
            self.settle();
        }
    }

    /// Reads the clock for those that wait for it.
    pub(super) fn settle(&mut self) {
        if let Some((arrived, n)) = self.waiting.take() {
            let latency = arrived.elapsed().saturating_sub(self.delay);
            record(&mut self.latencies, latency, n);
        }
    }

    /// Hands in what was gathered.
    pub(super) fn hand_in(&mut self, latency: &Latency) {
        self.settle();
        if !self.latencies.is_empty() {
            latency.add(&self.latencies);
            self.latencies.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delivery_is_counted_with_its_own_arrival() {
        let (mut watch, total) = (Stopwatch::default(), Latency::default());
        let now = Instant::now();
        let long_ago = now - Duration::from_secs(10);
        for _ in 0..2 * PER_LOOK + 3 {
            watch.add(long_ago);
        }
        watch.add(now);
        watch.hand_in(&total);
        let seen = total.snapshot();
        assert_eq!(seen.len(), 2 * PER_LOOK + 4);
        assert_eq!(seen.count_between(9_900_000, 60_000_000), 2 * PER_LOOK + 3);
    }

    #[test]
    fn a_delay_is_no_latency() {
        let (mut watch, total) = (Stopwatch::default(), Latency::default());
        watch.set_delay(Duration::from_secs(30));
        watch.add(Instant::now() - Duration::from_secs(31));
        watch.hand_in(&total);
        assert_eq!(total.snapshot().count_between(990_000, 29_000_000), 1);
    }
}

//! What is measured, round by round and over rounds.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::process::Usage;

/// One forwarder's figures with one number of spectators.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Figures {
    /// Frames delivered, summed over spectators.
    pub deliveries: u64,
    /// Microseconds from the source's write to the spectator's read, of half of them at most.
    pub p50_us: f64,
    /// Of 99 in 100.
    pub p99_us: f64,
    /// Of 999 in 1000.
    pub p999_us: f64,
    /// Of all.
    pub max_us: f64,
    /// The share of deliveries later than the frame window, from 0 to 1.
    pub late: f64,
    /// Microseconds of the forwarder's processor time for each delivery, where the system tells.
    pub cpu_us: Option<f64>,
    /// The forwarder's memory behind the game, in KiB.
    pub rss_kib: Option<f64>,
    /// The most it ever had, in KiB.
    pub peak_rss_kib: Option<f64>,
}

impl Figures {
    /// The figures of one round.
    pub(super) fn new(
        latency: &Histogram<u64>,
        late: u64,
        cost: Option<(Duration, Usage)>,
    ) -> Self {
        let deliveries = latency.len();
        let each = |total: f64| total / deliveries.max(1) as f64;
        Self {
            deliveries,
            p50_us: latency.value_at_quantile(0.5) as f64,
            p99_us: latency.value_at_quantile(0.99) as f64,
            p999_us: latency.value_at_quantile(0.999) as f64,
            max_us: latency.max() as f64,
            late: each(late as f64),
            cpu_us: cost.map(|(cpu, _)| each(cpu.as_secs_f64() * 1e6)),
            rss_kib: cost.map(|(_, usage)| usage.rss_kib as f64),
            peak_rss_kib: cost.map(|(_, usage)| usage.peak_rss_kib as f64),
        }
    }

    /// The median of each figure over `rounds`.
    fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure));
        let known = |figure: fn(&Self) -> Option<f64>| {
            let known: Vec<f64> = rounds.iter().filter_map(figure).collect();
            (!known.is_empty()).then(|| median(known.into_iter()))
        };
        Self {
            deliveries: rounds.first().map_or(0, |round| round.deliveries),
            p50_us: of(|round| round.p50_us),
            p99_us: of(|round| round.p99_us),
            p999_us: of(|round| round.p999_us),
            max_us: of(|round| round.max_us),
            late: of(|round| round.late),
            cpu_us: known(|round| round.cpu_us),
            rss_kib: known(|round| round.rss_kib),
            peak_rss_kib: known(|round| round.peak_rss_kib),
        }
    }
}

/// The figures with one number of spectators.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// How many there were.
    pub spectators: usize,
    /// Medians of the floor's rounds.
    pub floor: Figures,
    /// Medians of the relay's rounds.
    pub relay: Figures,
    /// The relay's medians over the floor's.
    pub ratio: Ratio,
    /// Each round of the floor.
    pub floor_rounds: Vec<Figures>,
    /// Each round of the relay.
    pub relay_rounds: Vec<Figures>,
    /// The same through a NATS server, if there is one: the medians of the edge behind it.
    pub nats: Option<Figures>,
    /// Each round of that.
    pub nats_rounds: Vec<Figures>,
}

/// Relay over floor: 1 is as good as can be.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Ratio {
    /// Of the median latencies.
    pub p50: f64,
    /// Of the 99th percentiles.
    pub p99: f64,
    /// Of the 99.9th percentiles.
    pub p999: f64,
    /// Of the worst latencies.
    pub max: f64,
    /// Of the processor time a delivery.
    pub cpu: Option<f64>,
}

impl Row {
    /// The row over `floor_rounds` and `relay_rounds`.
    pub(super) fn new(
        spectators: usize,
        floor_rounds: Vec<Figures>,
        relay_rounds: Vec<Figures>,
    ) -> Self {
        let floor = Figures::median(&floor_rounds);
        let relay = Figures::median(&relay_rounds);
        let of = |figure: fn(&Figures) -> f64| figure(&relay) / figure(&floor).max(1.0);
        Self {
            spectators,
            floor,
            relay,
            ratio: Ratio {
                p50: of(|figures| figures.p50_us),
                p99: of(|figures| figures.p99_us),
                p999: of(|figures| figures.p999_us),
                max: of(|figures| figures.max_us),
                cpu: relay.cpu_us.zip(floor.cpu_us).map(|(relay, floor)| relay / floor),
            },
            floor_rounds,
            relay_rounds,
            nats: None,
            nats_rounds: Vec::new(),
        }
    }

    /// The same with what was measured through a NATS server.
    pub(super) fn with_nats(mut self, rounds: Vec<Figures>) -> Self {
        self.nats = (!rounds.is_empty()).then(|| Figures::median(&rounds));
        self.nats_rounds = rounds;
        self
    }

    /// Milliseconds that NATS adds to the relay's p50 and p99.
    pub(super) fn added_by_nats(&self) -> Option<(f64, f64)> {
        let nats = self.nats?;
        let added = |nats: f64, relay: f64| (nats - relay) / 1e3;
        Some((added(nats.p50_us, self.relay.p50_us), added(nats.p99_us, self.relay.p99_us)))
    }
}

/// What a relay takes while nothing happens but keep-alives.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Idle {
    /// Spectators that wait.
    pub spectators: usize,
    /// For how long.
    pub seconds: u32,
    /// Percent of one core, where the system tells.
    pub cpu_percent: Option<f64>,
}

/// The middle one; between two, their mean; of none, 0.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        len if len % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0].into_iter()), 2.5);
        assert_eq!(median([].into_iter()), 0.0);
    }

    #[test]
    fn a_row_is_made_of_medians_and_their_ratios() {
        let round = |p99_us, cpu_us| Figures {
            deliveries: 60,
            p50_us: 1.0,
            p99_us,
            p999_us: 1.0,
            max_us: 1.0,
            late: 0.0,
            cpu_us,
            rss_kib: None,
            peak_rss_kib: None,
        };
        let floor = vec![round(100.0, Some(2.0)), round(90.0, None)];
        let relay = vec![round(190.0, Some(3.0)), round(9000.0, Some(9.0)), round(180.0, None)];
        let row = Row::new(1, floor, relay);
        assert_eq!((row.floor.p99_us, row.relay.p99_us, row.ratio.p99), (95.0, 190.0, 2.0));
        assert_eq!((row.ratio.cpu, row.relay.rss_kib), (Some(3.0), None));
    }
}

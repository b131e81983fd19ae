//! What spectators find: whether every byte came, from the right console, and how late.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use crate::stats::FRAME_WINDOW;

/// What the spectators of one process found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Frames that arrived, summed over spectators.
    pub deliveries: u64,
    /// Those that came later than the frame window after their write.
    pub late: u64,
    /// Bytes that differ from the game.
    pub wrong: u64,
    /// Bytes that did not come.
    pub missing: u64,
    /// Times that a message began elsewhere than the one before ended.
    pub gaps: u64,
    /// Connections that ended before the game did.
    pub closed: u64,
    /// Microseconds from write to read, and how often they occurred.
    pub latencies: Vec<(u64, u64)>,
}

impl Tally {
    /// Adds another process's findings, but for the latencies.
    pub(super) fn merge(&mut self, other: &Self) {
        self.deliveries += other.deliveries;
        self.late += other.late;
        self.wrong += other.wrong;
        self.missing += other.missing;
        self.gaps += other.gaps;
        self.closed += other.closed;
    }

    /// Whether every byte arrived everywhere.
    pub(super) fn is_exact(&self) -> bool {
        (self.wrong, self.missing, self.gaps, self.closed) == (0, 0, 0, 0)
    }
}

/// The findings of a process while it watches.
pub(super) struct Findings {
    pub(super) tally: Tally,
    latency: Histogram<u64>,
    /// For each station, the stamp of each frame as its first spectator here got it: all must get
    /// the same.
    stamps: Vec<Vec<Option<Stamp>>>,
}

impl Findings {
    /// Nothing yet, of `frames` frames at each of `stations`.
    pub(super) fn new(stations: usize, frames: usize) -> Self {
        Self {
            tally: Tally::default(),
            latency: latency_histogram(),
            stamps: vec![vec![None; frames]; stations],
        }
    }

    /// A spectator of `station` read a frame at `now`.
    pub(super) fn frame(&mut self, station: usize, frame: usize, stamp: Stamp, now: u64) {
        let first = *self.stamps[station][frame].get_or_insert(stamp);
        if stamp != first || stamp.station() != station {
            self.tally.wrong += size_of::<Stamp>() as u64;
        }
        let latency = Duration::from_nanos(now.saturating_sub(stamp.time()));
        self.tally.deliveries += 1;
        self.tally.late += u64::from(latency > FRAME_WINDOW);
        self.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    /// Everything that was found, where `missing` bytes did not come by the end.
    pub(super) fn into_tally(self, missing: u64) -> Tally {
        let latencies = self.latency.iter_recorded();
        Tally {
            missing: self.tally.missing + missing,
            latencies: latencies
                .map(|step| (step.value_iterated_to(), step.count_at_value()))
                .collect(),
            ..self.tally
        }
    }
}

/// Microseconds up to a minute, three digits.
pub(super) fn latency_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3)
        .expect("the bounds are constants that hdrhistogram accepts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_have_their_own_stamps_and_a_mix_up_is_wrong() {
        let mut findings = Findings::new(2, 1);
        let stamps = [Stamp::new(1_000_000, 0), Stamp::new(2_000_000, 1)];
        for station in [0, 1, 0, 1] {
            findings.frame(station, 0, stamps[station], 3_000_000);
        }
        assert_eq!((findings.tally.wrong, findings.tally.deliveries), (0, 4));
        findings.frame(0, 0, Stamp::new(1_500_000, 0), 3_000_000);
        assert_eq!(findings.tally.wrong, 8, "another write's stamp");

        let mut findings = Findings::new(2, 1);
        findings.frame(0, 0, stamps[1], 3_000_000);
        assert_eq!(findings.tally.wrong, 8, "another station's frame");
    }

    #[test]
    fn what_is_late_and_what_is_missing_is_told() {
        let mut findings = Findings::new(1, 2);
        let window = FRAME_WINDOW.as_nanos() as u64;
        findings.frame(0, 0, Stamp::new(1 << 40, 0), (1 << 40) + window);
        findings.frame(0, 1, Stamp::new(2 << 40, 0), (2 << 40) + window + 1);
        let tally = findings.into_tally(7);
        assert_eq!((tally.deliveries, tally.late, tally.missing), (2, 1, 7));
        assert_eq!(tally.latencies.iter().map(|(_, count)| count).sum::<u64>(), 2);
    }
}

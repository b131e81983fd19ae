//! How many announcements are passed on: as many as consoles can send, not as many as a flood has.

use std::time::{Duration, Instant};

/// Announcements passed on in a second, for long. 256 consoles, four times what a relay can have,
/// send 26 a second; a computer in two networks hears them twice.
pub(super) const PER_SECOND: u32 = 64;

/// Announcements passed on at once, after a silence: a whole venue that is switched on together.
pub(super) const BURST: u32 = 128;

/// What one announcement takes of the allowance.
const COST: Duration = Duration::from_nanos(1_000_000_000 / PER_SECOND as u64);

/// The whole allowance: how far the bucket may be drawn on ahead of the clock.
const ALLOWANCE: Duration = COST.saturating_mul(BURST);

/// A token bucket, kept as the one time at which it is full again.
#[derive(Debug)]
pub(super) struct Pace {
    full_at: Instant,
}

impl Pace {
    /// A full bucket.
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one token; false if there is none.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + COST;
        let allowed = full_at <= now + ALLOWANCE;
        if allowed {
            self.full_at = full_at;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_so_many_a_second_then_a_burst_again() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut passed = |at: Duration| (0..1_000).filter(|_| pace.allows(start + at)).count();
        assert_eq!(passed(Duration::ZERO), BURST as usize);
        assert_eq!(passed(Duration::ZERO), 0);
        assert_eq!(passed(Duration::from_secs(1)), PER_SECOND as usize);
        assert_eq!(passed(Duration::from_millis(1_500)), PER_SECOND as usize / 2);
        assert_eq!(passed(Duration::from_secs(3_600)), BURST as usize);
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..BURST + 10_000 {
            pace.allows(start);
        }
        assert!(pace.allows(start + COST));
        assert!(!pace.allows(start + COST));
    }
}

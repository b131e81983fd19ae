//! How long to wait before the next attempt.

use std::time::Duration;

/// Doubles from the first wait to the longest, with some chance in it so that a venue's stations do
/// not all knock at the same moment after a power cut.
#[derive(Clone, Debug)]
pub(super) struct BackOff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl BackOff {
    pub(super) fn new((first, longest): (Duration, Duration)) -> Self {
        Self { first, longest, next: first }
    }

    /// The wait before the next attempt: three to five quarters of the regular one.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait.mul_f64(0.75 + 0.5 * fastrand::f64())
    }

    /// It worked: the next trouble begins with the first wait.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_cap_and_begins_anew() {
        let ms = Duration::from_millis;
        let mut back_off = BackOff::new((ms(100), ms(300)));
        for regular in [100, 200, 300, 300] {
            let wait = back_off.next();
            assert!(wait >= ms(regular * 3 / 4) && wait <= ms(regular * 5 / 4), "{wait:?}");
        }
        back_off.reset();
        assert!(back_off.next() <= ms(125));
    }
}

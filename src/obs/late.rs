//! What OBS is to show, as late as spectators see it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::stage::Wish;

/// Wishes that may wait: one a second for the longest delay. Beyond that the oldest are left out.
const MAX_WAITING: usize = 900;

/// Wishes that spectators cannot see the reason of yet.
#[derive(Default)]
pub(super) struct Late {
    waiting: VecDeque<(Instant, Wish)>,
    newest: Wish,
}

impl Late {
    /// Something is wished from `now` on.
    pub(super) fn push(&mut self, now: Instant, wish: Wish) {
        if wish == self.newest {
            return;
        }
        self.newest = wish.clone();
        self.waiting.push_back((now, wish));
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
        }
    }

    /// What who is `delay` behind sees at `now`; `None` if that is nothing new.
    pub(super) fn take(&mut self, now: Instant, delay: Duration) -> Option<Wish> {
        let mut seen = None;
        while self.due(delay).is_some_and(|due| due <= now) {
            seen = self.waiting.pop_front().map(|(_, wish)| wish);
        }
        seen
    }

    /// When who is `delay` behind sees something new; `None` if nothing waits.
    pub(super) fn due(&self, delay: Duration) -> Option<Instant> {
        self.waiting.front().map(|(since, _)| *since + delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_come_as_late_as_spectators_see_them() {
        let wish = |is_visible| Wish { is_visible, scene: None };
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let at = |seconds: u32| begin + seconds * second;
        let mut late = Late::default();
        late.push(begin, wish(false));
        assert_eq!(late.due(second), None, "that is how it begins");
        late.push(at(1), wish(true));
        late.push(at(2), wish(true));
        late.push(at(3), wish(false));
        assert_eq!((late.take(at(5), 5 * second), late.due(5 * second)), (None, Some(at(6))));
        assert_eq!(late.take(at(6), 5 * second), Some(wish(true)));
        assert_eq!(late.take(at(7), 5 * second), None);
        // The delay shrinks: what was hidden shows at once, and only the newest counts.
        late.push(at(7), wish(true));
        assert_eq!(late.take(at(7), Duration::ZERO), Some(wish(true)));
        assert_eq!(late.due(second), None);
    }

    #[test]
    fn not_everything_is_kept() {
        let mut late = Late::default();
        for n in 0..3 * MAX_WAITING {
            late.push(Instant::now(), Wish { is_visible: n % 2 == 0, scene: None });
        }
        assert_eq!(late.waiting.len(), MAX_WAITING);
    }
}

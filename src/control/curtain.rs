//! What of the saved games is hidden, as spectators have not seen it yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

use crate::library::Hidden;
use crate::protocol::Protocol;
use crate::session::Station;

/// The number under which the run before is remembered; no station of this run has it.
const RUN_BEFORE: u64 = u64::MAX;

/// Knows how late the spectators of each station are, also of those that were removed, as long as their
/// last game counts. The longest delay holds for all games: whose a file is, its name alone would tell.
#[derive(Debug)]
pub(super) struct Curtain {
    stations: Mutex<HashMap<u64, Late>>,
}

#[derive(Clone, Copy, Debug)]
struct Late {
    delay: Duration,
    /// Set when the station is gone.
    until: Option<Instant>,
}

impl Late {
    fn counts(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Curtain {
    /// Hides the games of the run before, whose spectators were `delay` behind.
    pub(super) fn new(delay: Duration) -> Self {
        let before = Late { delay, until: Some(Instant::now() + delay) };
        Self { stations: Mutex::new(HashMap::from([(RUN_BEFORE, before)])) }
    }

    /// Takes in how late the spectators of all stations are now.
    pub(super) fn note(&self, stations: &[Arc<Station>]) {
        let delays = stations.iter().map(|station| (station.id.0, station.delay(Protocol::Web)));
        self.note_delays(&delays.collect(), Instant::now());
    }

    /// What is hidden now; `None` if nothing is.
    pub(super) fn hidden(&self) -> Option<Hidden> {
        let delay = self.longest(Instant::now());
        // A clock that goes back no further hides everything.
        let since = SystemTime::now().checked_sub(delay).unwrap_or(SystemTime::UNIX_EPOCH);
        (!delay.is_zero()).then(|| Hidden::since(since))
    }

    /// These are the delays of all stations, by their numbers. What was seen last of one that is gone
    /// stays hidden for as long as it would have been.
    fn note_delays(&self, delays: &HashMap<u64, Duration>, now: Instant) {
        let mut stations = self.stations.lock();
        for (&id, &delay) in delays {
            stations.insert(id, Late { delay, until: None });
        }
        stations.retain(|id, late| {
            if !delays.contains_key(id) {
                late.until.get_or_insert(now + late.delay);
            }
            late.counts(now)
        });
    }

    /// The delay that holds for all.
    fn longest(&self, now: Instant) -> Duration {
        let stations = self.stations.lock();
        let that_count = stations.values().filter(|late| late.counts(now));
        that_count.map(|late| late.delay).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_delay_holds_and_that_of_a_station_that_is_gone_for_its_time() {
        const SECOND: Duration = Duration::from_secs(1);
        let begin = Instant::now();
        let curtain = Curtain::new(10 * SECOND);
        let longest = |delays: &[(u64, u32)], at: u32| {
            let delays = delays.iter().map(|&(id, seconds)| (id, seconds * SECOND)).collect();
            curtain.note_delays(&delays, begin + at * SECOND);
            curtain.longest(begin + at * SECOND).as_secs()
        };
        assert_eq!(longest(&[], 0), 10, "of the run before");
        assert_eq!(longest(&[(1, 0)], 11), 0);
        assert_eq!(longest(&[(1, 0), (2, 60), (3, 30)], 12), 60);
        assert_eq!(longest(&[(1, 0), (2, 60)], 13), 60);
        // The second is gone.
        assert_eq!(longest(&[(1, 0)], 20), 60);
        assert_eq!(longest(&[(1, 5)], 79), 60);
        assert_eq!(longest(&[(1, 5)], 80), 5);
        assert_eq!(longest(&[(1, 0)], 81), 0, "who sets it to nothing sees all at once");
        assert_eq!(curtain.stations.lock().len(), 1);
    }

    #[test]
    fn a_station_that_came_and_went_between_two_questions_counts() {
        let curtain = Curtain::new(Duration::ZERO);
        curtain.note(&[]);
        assert_eq!(curtain.hidden(), None);
        let station = Arc::new(Station::new(crate::session::StationId(1), "test"));
        curtain.note(std::slice::from_ref(&station));
        assert_eq!(curtain.hidden(), None);
        station.set_delays(Duration::ZERO, Duration::from_secs(60), Duration::ZERO);
        curtain.note(&[station]);
        curtain.note(&[]);
        assert!(curtain.hidden().is_some());
    }
}

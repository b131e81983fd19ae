//! How late spectators see what happens.

use std::time::Duration;

use crate::protocol::Protocol;

/// The longest delay. A game's frames have 48 KiB a second at most, so that a quarter of an hour of
/// them is less than half of what a log keeps.
pub const MAX_DELAY: Duration = Duration::from_secs(15 * 60);

/// Delays as they were asked for, for a station or for all of them: one for everybody, and one for
/// each listener that overrides it. `None` means that the next wider setting holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DelaySettings {
    /// For every listener.
    pub all: Option<Duration>,
    /// For spectators of the console protocol.
    pub console: Option<Duration>,
    /// For raw spectators.
    pub raw: Option<Duration>,
    /// For spectators of Dolphin's protocol.
    pub dolphin: Option<Duration>,
}

impl DelaySettings {
    /// The delay that is asked for `protocol` here, if any; never more than [`MAX_DELAY`].
    fn asked(&self, protocol: Protocol) -> Option<Duration> {
        let own = match protocol {
            Protocol::Console => self.console,
            Protocol::Raw => self.raw,
            Protocol::Dolphin => self.dolphin,
            // As late as the latest of the others (`Station::delay`).
            Protocol::Web => None,
        };
        own.or(self.all).map(|delay| delay.min(MAX_DELAY))
    }

    /// The longest that is asked for here.
    pub fn longest(&self) -> Duration {
        let all = [self.all, self.console, self.raw, self.dolphin];
        all.into_iter().flatten().max().unwrap_or_default().min(MAX_DELAY)
    }

    /// The delay of `protocol` at a station with these settings, where `wider` holds for all
    /// stations: the station's word counts more, and within each the listener's.
    pub fn resolve(&self, wider: &Self, protocol: Protocol) -> Duration {
        self.asked(protocol).or_else(|| wider.asked(protocol)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrower_word_counts() {
        let s = |n| Some(Duration::from_secs(n));
        let wider = DelaySettings { all: s(10), console: None, raw: s(0), dolphin: s(7) };
        let none = DelaySettings::default();
        assert_eq!(none.resolve(&none, Protocol::Console), Duration::ZERO);
        assert_eq!(none.resolve(&wider, Protocol::Console), Duration::from_secs(10));
        assert_eq!(none.resolve(&wider, Protocol::Raw), Duration::ZERO);
        let station = DelaySettings { all: s(3), console: s(5), ..none };
        assert_eq!(station.resolve(&wider, Protocol::Console), Duration::from_secs(5));
        assert_eq!(station.resolve(&wider, Protocol::Raw), Duration::from_secs(3));
        assert_eq!(none.resolve(&wider, Protocol::Dolphin), Duration::from_secs(7));
        let endless = DelaySettings { all: s(1_000_000), ..none };
        assert_eq!(endless.resolve(&none, Protocol::Raw), MAX_DELAY);
    }
}

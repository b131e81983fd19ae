//! Who was heard, where and when. Pure: the time is passed in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::Heard;
use crate::protocol::discovery::Mac;

/// The most consoles that are remembered: four times what a relay can have, and nothing that a flood
/// of invented MAC addresses could fill memory with.
pub const CAPACITY: usize = 256;

/// What is known of a console that was heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sighting {
    /// Its nickname, as it last said it. It comes from the network: see to control characters before
    /// it is printed.
    pub nick: String,
    /// Where it was last heard from.
    pub ip: IpAddr,
    /// When it was first heard.
    pub first_seen: Instant,
    /// When it was last heard. A console with a client is silent.
    pub last_seen: Instant,
}

/// What is new about an announcement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// A console that was not known.
    New,
    /// A known one at another address, whatever else is new about it.
    Moved {
        /// Where it was before.
        from: IpAddr,
    },
    /// A known one at the same address under another nickname.
    Renamed,
    /// Nothing but that it is still there.
    Again,
}

/// The consoles that were heard, by MAC address; at most [`CAPACITY`].
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    consoles: HashMap<Mac, Sighting>,
}

impl Sightings {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an announcement. When the table is full, a new console takes the place of the one that
    /// was not heard for longest.
    pub fn hear(&mut self, heard: Heard, now: Instant) -> News {
        let Heard { announcement, ip } = heard;
        let (mac, nick) = (announcement.mac, announcement.nick);
        if let Some(known) = self.consoles.get_mut(&mac) {
            let from = std::mem::replace(&mut known.ip, ip);
            let is_renamed = known.nick != nick;
            known.nick = nick;
            known.last_seen = now;
            return match (from != ip, is_renamed) {
                (true, _) => News::Moved { from },
                (false, true) => News::Renamed,
                (false, false) => News::Again,
            };
        }
        if self.consoles.len() >= CAPACITY {
            self.forget_longest_silent();
        }
        self.consoles.insert(mac, Sighting { nick, ip, first_seen: now, last_seen: now });
        News::New
    }

    /// Forgets the consoles that were not heard for more than `age`, and says which.
    pub fn forget_older_than(&mut self, age: Duration, now: Instant) -> Vec<Mac> {
        let is_old =
            |sighting: &mut Sighting| now.saturating_duration_since(sighting.last_seen) > age;
        self.consoles.extract_if(|_, sighting| is_old(sighting)).map(|(mac, _)| mac).collect()
    }

    /// What is known of one console.
    pub fn get(&self, mac: Mac) -> Option<&Sighting> {
        self.consoles.get(&mac)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Mac, &Sighting)> {
        self.consoles.iter().map(|(&mac, sighting)| (mac, sighting))
    }

    /// How many there are, at most [`CAPACITY`].
    pub fn len(&self) -> usize {
        self.consoles.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.consoles.is_empty()
    }

    fn forget_longest_silent(&mut self) {
        // The MAC address decides between two of the same moment, so that it is no matter of luck.
        let longest = self.iter().min_by_key(|(mac, sighting)| (sighting.last_seen, *mac));
        if let Some(mac) = longest.map(|(mac, _)| mac) {
            self.consoles.remove(&mac);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::discovery::Announcement;
    use proptest::prelude::*;

    fn heard(console: u16, nick: &str, host: u8) -> Heard {
        let [high, low] = console.to_be_bytes();
        let mac = Mac([2, 0, 0, 0, high, low]);
        let announcement = Announcement { mac, nick: nick.to_owned() };
        Heard { announcement, ip: [192, 168, 1, host].into() }
    }

    fn mac(console: u16) -> Mac {
        heard(console, "", 0).announcement.mac
    }

    #[test]
    fn a_console_is_new_then_known_and_its_changes_are_news() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut sightings = Sightings::new();
        assert_eq!(sightings.hear(heard(1, "Stream", 20), at(0)), News::New);
        assert_eq!(sightings.hear(heard(1, "Stream", 20), at(10)), News::Again);
        assert_eq!(sightings.hear(heard(1, "Side", 20), at(20)), News::Renamed);
        let from = [192, 168, 1, 20].into();
        assert_eq!(sightings.hear(heard(1, "Side", 21), at(30)), News::Moved { from });
        // Another console with the same nick and address is another console.
        assert_eq!(sightings.hear(heard(2, "Side", 21), at(30)), News::New);
        let from = [192, 168, 1, 21].into();
        assert_eq!(sightings.hear(heard(1, "Stream", 22), at(40)), News::Moved { from });
        let known = sightings.get(mac(1)).unwrap();
        assert_eq!((known.nick.as_str(), known.ip), ("Stream", [192, 168, 1, 22].into()));
        assert_eq!((known.first_seen, known.last_seen), (at(0), at(40)));
        assert_eq!(sightings.len(), 2);
    }

    #[test]
    fn the_silent_ones_are_forgotten_and_are_new_again() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut sightings = Sightings::new();
        sightings.hear(heard(1, "old", 1), at(0));
        sightings.hear(heard(2, "young", 2), at(10));
        let age = Duration::from_secs(35);
        assert_eq!(sightings.forget_older_than(age, at(35)), []);
        assert_eq!(sightings.forget_older_than(age, at(36)), [mac(1)]);
        assert_eq!(sightings.hear(heard(1, "old", 1), at(40)), News::New);
        assert_eq!(sightings.forget_older_than(age, at(100)).len(), 2);
        assert!(sightings.is_empty());
    }

    #[test]
    fn a_full_table_forgets_who_was_silent_for_longest() {
        let start = Instant::now();
        let at = |ms: u16| start + Duration::from_millis(ms.into());
        let mut sightings = Sightings::new();
        let all = CAPACITY as u16;
        for console in 0..all {
            sightings.hear(heard(console, "", 1), at(console));
        }
        sightings.hear(heard(0, "", 1), at(all));
        assert_eq!(sightings.hear(heard(all, "", 1), at(all + 1)), News::New);
        assert_eq!(sightings.len(), CAPACITY);
        assert!(sightings.get(mac(1)).is_none(), "silent for longest");
        assert!(sightings.get(mac(0)).is_some() && sightings.get(mac(all)).is_some());
    }

    proptest! {
        #[test]
        fn whatever_is_heard_it_stays_bounded_and_knows_the_latest(
            all in proptest::collection::vec((0..600_u16, 0..3_u8, 0..50_u64), 0..1_500),
        ) {
            let mut now = Instant::now();
            let mut sightings = Sightings::new();
            for (console, host, ms) in all {
                now += Duration::from_millis(ms);
                let known = sightings.get(mac(console)).cloned();
                let nick = ["a", "b"][usize::from(host) % 2];
                let news = sightings.hear(heard(console, nick, host), now);
                prop_assert_eq!(news == News::New, known.is_none());
                prop_assert!(sightings.len() <= CAPACITY);
                let latest = sightings.get(mac(console)).unwrap();
                prop_assert_eq!(latest.last_seen, now);
                prop_assert_eq!(latest.ip, IpAddr::from([192, 168, 1, host]));
                prop_assert!(sightings.iter().all(|(_, other)| other.first_seen <= other.last_seen));
            }
        }
    }
}

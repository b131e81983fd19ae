//! The stamp in each frame: when it was written, and by which console.

use std::time::SystemTime;

use crate::unix_time::unix_ns;

/// The last byte tells the station, so that a frame that went to another station's spectators is
/// noticed although all stations play the same game. The time loses less than a microsecond by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp(u64);

const STATION_MASK: u64 = 0xFF;

impl Stamp {
    /// Its length in a frame, in bytes.
    pub(super) const LEN: usize = size_of::<u64>();

    /// What the console of `station` writes at `now`.
    pub(super) fn new(now: u64, station: usize) -> Self {
        Self((now & !STATION_MASK) | (station as u64 & STATION_MASK))
    }

    /// When it was written, in [`now`]'s time.
    pub(super) fn time(self) -> u64 {
        self.0 & !STATION_MASK
    }

    /// By the console of which station, from 0.
    pub(super) fn station(self) -> usize {
        (self.0 & STATION_MASK) as usize
    }

    /// As it travels.
    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        self.0.to_be_bytes()
    }

    /// As it arrives.
    pub(super) fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

/// Nanoseconds since the epoch: the one clock that all processes of a machine share.
pub(super) fn now() -> u64 {
    unix_ns(SystemTime::now()).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MAX_STATIONS;

    #[test]
    fn a_stamp_tells_time_and_station() {
        for station in [0, 1, MAX_STATIONS - 1] {
            let now = now();
            let stamp = Stamp::from_bytes(Stamp::new(now, station).to_bytes());
            assert_eq!(stamp.station(), station);
            assert!(stamp.time() <= now && now - stamp.time() < 1000);
        }
    }
}

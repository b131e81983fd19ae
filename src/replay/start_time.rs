//! When a game began, for a file that does not say it.

use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Characters of a file name's timestamp: `YYYYMMDDTHHMMSS`.
const STAMP_LEN: usize = 15;

/// The metadata's start time of a game, in whole seconds as other recorders
/// have it: `2018-06-22T07:52:59Z`.
pub fn start_at(start: Timestamp) -> String {
    start.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The start of a game that lasted `seconds`, as ISO 8601 in UTC: what the file's name says, else
/// what its time of modification leaves. `None` if neither is a time.
pub(super) fn guess(path: &Path, modified: Option<SystemTime>, seconds: f64) -> Option<String> {
    from_name(path, TimeZone::system())
        .or_else(|| from_modified(modified?, seconds))
        .map(|start| start.to_string())
}

/// Reads the metadata's start time. Nintendont writes the console's own time and no zone, which is
/// taken for the time of this machine.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(TimeZone::system()).ok()?.timestamp())
    })
}

/// The timestamp in a name such as `Game_20180622T075259.slp`, which every recorder writes in the
/// local time of its machine: here, of this one.
fn from_name(path: &Path, zone: TimeZone) -> Option<Timestamp> {
    let name = path.file_name()?.to_string_lossy();
    let name = name.as_bytes();
    let digit = |at: usize| name.get(at).is_some_and(u8::is_ascii_digit);
    (0..name.len())
        .filter(|&at| at == 0 || !digit(at - 1))
        .filter(|&at| !digit(at + STAMP_LEN))
        .filter_map(|at| name.get(at..at + STAMP_LEN))
        .find_map(|stamp| civil(stamp)?.to_zoned(zone.clone()).ok())
        .map(|start| start.timestamp())
}

/// Reads `YYYYMMDDTHHMMSS`.
fn civil(stamp: &[u8]) -> Option<DateTime> {
    let number = |from: usize, len: usize| -> Option<i16> {
        let digits = stamp.get(from..from + len)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    let two = |from| number(from, 2).and_then(|n| i8::try_from(n).ok());
    if stamp.get(8) != Some(&b'T') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, two(4)?, two(6)?);
    let (hour, minute, second) = (two(9)?, two(11)?, two(13)?);
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// A recording is last written to when its game ends.
fn from_modified(modified: SystemTime, seconds: f64) -> Option<Timestamp> {
    let end = Timestamp::try_from(modified).ok()?;
    Timestamp::from_second(end.as_second().saturating_sub(seconds as i64)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn named(name: &str, zone: TimeZone) -> Option<String> {
        from_name(Path::new(name), zone).map(|start| start.to_string())
    }

    #[test]
    fn a_name_of_any_recorder_tells_the_local_time() {
        let expected = Some("2018-06-22T07:52:59Z".to_owned());
        for name in [
            "Game_20180622T075259.slp",
            "replays/Game_20180622T075259.slp",
            "Game_001122334455_20180622T075259.slp",
            "Stream_Wii_20180622T075259_2.slp",
            "20180622T075259",
        ] {
            assert_eq!(named(name, TimeZone::UTC), expected, "{name}");
        }
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(
            named("Game_20180622T075259.slp", east),
            Some("2018-06-22T05:52:59Z".to_owned())
        );
    }

    #[test]
    fn a_name_without_a_time_tells_none() {
        for name in [
            "test.slp",
            "Game_20181322T075259.slp",
            "Game_120180622T075259.slp",
            "Game_20180622T0752590.slp",
            "Game_20180622_075259.slp",
            "Game_2018062üT075259.slp",
            "",
        ] {
            assert_eq!(named(name, TimeZone::UTC), None, "{name}");
        }
    }

    #[test]
    fn the_time_of_modification_is_the_end_of_the_game() {
        let modified = UNIX_EPOCH + Duration::from_millis(1_529_653_979_900);
        let start = guess(Path::new("test.slp"), Some(modified), 60.7);
        assert_eq!(start.as_deref(), Some("2018-06-22T07:51:59Z"));
        assert_eq!(guess(Path::new("test.slp"), None, 60.7), None);
    }
}

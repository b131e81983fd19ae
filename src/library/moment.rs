//! A moment as people write it: `2026-03-14` (or `20260314`), `2026-03-14T20:15`, `2026-03-14T20:15:00Z`,
//! or Unix milliseconds.

use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

/// The least number that is taken for Unix milliseconds: in 1973, long before Melee. Less is a year, a
/// date or Unix seconds, and would silently be a moment in 1970.
const MIN_MS: i64 = 100_000_000_000;

/// A moment, or a whole day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Where it begins, Unix milliseconds.
    pub start: i64,
    /// Behind its end: a day later for a day, else a second.
    pub end: i64,
}

/// Text that is no moment.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("`{0}` is no date: write 2026-03-14, 2026-03-14T20:15 or 2026-03-14T20:15:00Z")]
pub struct MomentError(String);

impl FromStr for Moment {
    type Err = MomentError;

    /// A time without a zone, and a day, are those of this machine.
    fn from_str(text: &str) -> Result<Self, MomentError> {
        Self::parse(text.trim(), &TimeZone::system()).ok_or_else(|| MomentError(text.to_owned()))
    }
}

impl Moment {
    fn parse(text: &str, zone: &TimeZone) -> Option<Self> {
        let local = |time: DateTime| Some(zone.to_zoned(time).ok()?.timestamp());
        if let Ok(ms) = text.parse()
            && ms >= MIN_MS
        {
            return Some(Self { start: ms, end: i64::checked_add(ms, 1)? });
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(Self::second(moment));
        }
        // The parser of a date takes a time behind it, too, and passes it over.
        if !text.contains([':', 'T', 't', ' ']) {
            let day: Date = text.parse().ok()?;
            let next = day.checked_add(1.day()).ok()?;
            let start = |day: Date| local(day.to_datetime(Time::midnight()));
            return Some(Self {
                start: start(day)?.as_millisecond(),
                end: start(next)?.as_millisecond(),
            });
        }
        Some(Self::second(local(text.parse().ok()?)?))
    }

    fn second(moment: Timestamp) -> Self {
        let start = moment.as_millisecond();
        Self { start, end: start + 1000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_understood() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let at = |text: &str| Moment::parse(text, &zone);
        let day = 24 * 3600 * 1000;
        let midnight = 1_773_446_400_000 - 2 * 3600 * 1000;
        for text in ["2026-03-14", "20260314"] {
            assert_eq!(at(text), Some(Moment { start: midnight, end: midnight + day }), "{text}");
        }
        let evening = midnight + (20 * 60 + 15) * 60 * 1000;
        let expected = Some(Moment { start: evening, end: evening + 1000 });
        for text in ["2026-03-14T20:15", "2026-03-14 20:15:00", "2026-03-14T18:15:00Z"] {
            assert_eq!(at(text), expected, "{text}");
        }
        assert_eq!(
            at("1773446400000"),
            Some(Moment { start: 1_773_446_400_000, end: 1_773_446_400_001 })
        );
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-03-14T25:00",
            "9223372036854775807",
            "9999-12-31",
            "20261301",
            "2026",
            "1773446400",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
        assert!("soon".parse::<Moment>().unwrap_err().to_string().contains("2026-03-14"));
    }
}

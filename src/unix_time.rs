//! The system's clock as numbers, as JSON and the index have it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970, negative before that. Times that do not fit, before 1677 and after 2262, are
/// the nearest that does.
pub fn unix_ns(time: SystemTime) -> i64 {
    let ns = |span: std::time::Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => ns(since),
        Err(before) => -ns(before.duration()),
    }
}

/// Milliseconds since 1970; as [`unix_ns`].
pub fn unix_ms(time: SystemTime) -> i64 {
    unix_ns(time).div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_before_and_after_1970_are_numbers() {
        let span = Duration::new(1, 500_000);
        assert_eq!((unix_ns(UNIX_EPOCH + span), unix_ms(UNIX_EPOCH + span)), (1_000_500_000, 1000));
        assert_eq!(
            (unix_ns(UNIX_EPOCH - span), unix_ms(UNIX_EPOCH - span)),
            (-1_000_500_000, -1001)
        );
        if let Some(far) = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 35)) {
            assert_eq!(unix_ns(far), i64::MAX);
        }
    }
}

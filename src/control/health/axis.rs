//! The scales beside the plots: where they end, where their ticks are, what is written there.

use std::time::Duration;

/// A scale of values, from its first tick to its last.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) ticks: Vec<f64>,
    pub(super) label: fn(f64) -> String,
}

/// Steps between the ticks of a scale that begins at 0; it has as many as that.
const STEPS: usize = 4;

/// The lowest power of ten of a millisecond on the scale of latencies, 1 µs, and the highest, 100 s.
const POWERS: (i32, i32) = (-3, 5);

impl Axis {
    /// Powers of ten of a millisecond around `powers`.
    pub(super) fn milliseconds(powers: impl Iterator<Item = f64> + Clone) -> Self {
        let lowest = powers.clone().fold(f64::INFINITY, f64::min).floor() as i32;
        let highest = powers.fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
        let (low, high) = (lowest.clamp(POWERS.0, 0), highest.clamp(1, POWERS.1));
        Self { ticks: (low..=high).map(f64::from).collect(), label: milliseconds }
    }

    /// From 0 to the highest of `counts`, whole numbers.
    pub(super) fn count(counts: impl Iterator<Item = f64>) -> Self {
        Self { ticks: from_zero(counts.fold(STEPS as f64, f64::max)), label: whole }
    }

    /// From 0 to the highest of `rates`.
    pub(super) fn bytes_a_second(rates: impl Iterator<Item = f64>) -> Self {
        Self { ticks: from_zero(rates.fold(1000.0, f64::max)), label: bytes_a_second }
    }

    /// The lowest value and the highest.
    pub(super) fn range(&self) -> (f64, f64) {
        match (self.ticks.first(), self.ticks.last()) {
            (Some(&low), Some(&high)) if low < high => (low, high),
            _ => (0.0, 1.0),
        }
    }
}

/// Ticks at round numbers from 0 to `highest` or a little more: steps of 1, 2 or 5 with zeros behind.
fn from_zero(highest: f64) -> Vec<f64> {
    let rough = highest / STEPS as f64;
    let ten = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * ten);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(10.0 * ten);
    let count = (highest / step).ceil() as usize;
    (0..=count.min(2 * STEPS)).map(|n| n as f64 * step).collect()
}

fn milliseconds(power: f64) -> String {
    let ms = 10_f64.powf(power);
    match power.round() as i32 {
        3.. => format!("{:.0} s", ms / 1000.0),
        0.. => format!("{ms:.0} ms"),
        _ => format!("{:.0} µs", ms * 1000.0),
    }
}

fn whole(value: f64) -> String {
    match value {
        ..10_000.0 => format!("{value:.0}"),
        ..1e7 => format!("{:.0} k", value / 1e3),
        _ => format!("{:.0} M", value / 1e6),
    }
}

fn bytes_a_second(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        ..1e3 => format!("{value:.0} B/s"),
        ..1e6 => format!("{:.0} kB/s", value / 1e3),
        _ => format!("{:.1} MB/s", value / 1e6),
    }
}

/// How much of the hour is shown, and the minutes between the ticks: a relay that has just started would
/// have a picture with all at its edge.
const SPANS: [(u64, u64); 3] = [(6, 2), (15, 5), (60, 15)];

/// How much to show when there are samples of so long a time.
pub(super) fn span(age: Duration) -> Duration {
    let fits = SPANS.iter().find(|(minutes, _)| age <= Duration::from_secs(60 * minutes));
    let (minutes, _) = fits.unwrap_or(&SPANS[SPANS.len() - 1]);
    Duration::from_secs(60 * minutes)
}

/// Where the ticks of such a time are, in minutes.
pub(super) fn minutes(span: Duration) -> Vec<f64> {
    let whole = span.as_secs() / 60;
    let step = SPANS.iter().find(|(minutes, _)| *minutes == whole).map_or(15, |(_, step)| *step);
    (0..=whole / step).rev().map(|n| -((n * step) as f64)).collect()
}

/// What is written at one of them.
pub(super) fn minute(value: f64) -> String {
    if value > -0.5 { "now".to_owned() } else { format!("\u{2212}{:.0} min", -value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| (axis.label)(*tick)).collect()
    }

    #[test]
    fn ticks_are_at_round_numbers_and_reach_the_highest_value() {
        let rates = Axis::bytes_a_second([38_400.0, 2.0].into_iter());
        assert_eq!(labels(&rates), ["0", "10 kB/s", "20 kB/s", "30 kB/s", "40 kB/s"]);
        assert_eq!(labels(&Axis::count([].into_iter())), ["0", "1", "2", "3", "4"]);
        for highest in [5.0, 7.0, 99.0, 100.0, 101.0, 4096.0, 1e12, u64::MAX as f64] {
            let axis = Axis::count([highest].into_iter());
            assert!(axis.range().1 >= highest, "{highest}: {axis:?}");
            assert!(
                axis.range().1 <= 2.0 * highest && axis.ticks.len() <= 6,
                "{highest}: {axis:?}"
            );
            assert!(axis.ticks.iter().all(|tick| tick.fract() == 0.0), "{axis:?}");
        }
    }

    #[test]
    fn latencies_stand_between_powers_of_ten() {
        let axis = Axis::milliseconds([-1.2, 1.22].into_iter());
        assert_eq!(labels(&axis), ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms"]);
        let axis = Axis::milliseconds([f64::NEG_INFINITY, f64::INFINITY].into_iter());
        assert_eq!(axis.range(), (-3.0, 5.0));
        assert_eq!(labels(&axis).last().unwrap(), "100 s");
    }

    #[test]
    fn the_time_shown_grows_to_an_hour() {
        let shown = |seconds| span(Duration::from_secs(seconds)).as_secs() / 60;
        assert_eq!([0, 360, 361, 900, 901, 90_000].map(shown), [6, 6, 15, 15, 60, 60]);
        let hour: Vec<_> = minutes(Duration::from_secs(3600)).into_iter().map(minute).collect();
        assert_eq!(hour, ["−60 min", "−45 min", "−30 min", "−15 min", "now"]);
        assert_eq!(minutes(Duration::from_secs(360)), [-6.0, -4.0, -2.0, 0.0]);
    }
}

//! What is in each plot, without a word about how it is drawn.
//!
//! Times are minutes before the newest sample, so the same samples always make the same picture.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;

use super::axis::Axis;
use super::sample::{Clients, Sample};
use crate::stats::FRAME_WINDOW;

/// What can be plotted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Plot {
    /// From a chunk's arrival to the kernel, for every spectator: median, 99 in 100, the worst.
    Latency,
    /// Deliveries later than the window of a frame.
    Misses,
    /// Event bytes a second, and where bytes were lost before the relay.
    Bytes,
    /// Spectators, by protocol, on top of each other.
    Clients,
}

/// Which of a theme's colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ink {
    First,
    Second,
    Third,
    Fourth,
    Quiet,
    Bad,
}

/// A place in the plot: minutes (0 is now, the past is negative) and the value.
pub(super) type Point = (f64, f64);

/// How something is drawn.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    /// Lines with breaks between them where there is nothing to tell; how many pixels wide.
    Lines(Vec<Vec<Point>>, u32),
    /// Everything between two lines: time, lower and upper value.
    Band(Vec<(f64, f64, f64)>),
    /// Bars on 0: from, to, height.
    Bars(Vec<(f64, f64, f64)>),
    /// A value that something is measured by, all the way.
    Limit(f64),
    /// Moments.
    Moments(Vec<f64>),
}

/// A shape with its name in the legend.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Mark {
    pub(super) name: &'static str,
    pub(super) ink: Ink,
    pub(super) shape: Shape,
}

/// A plot.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) axis: Axis,
    /// In the order in which they are drawn; the legend has the last first.
    pub(super) marks: Vec<Mark>,
    /// What to say where there is nothing to draw.
    pub(super) remark: Option<&'static str>,
}

impl Plot {
    /// What this plot shows of the samples of the last `span`.
    pub(super) fn picture(self, samples: &VecDeque<Sample>, span: Duration) -> Picture {
        let newest = samples.back().map(|sample| sample.end);
        let age = |sample: &Sample| match newest {
            Some(newest) => newest.saturating_duration_since(sample.end),
            None => Duration::ZERO,
        };
        let seen: Vec<(f64, &Sample)> = samples
            .iter()
            .filter(|sample| age(sample) < span)
            .map(|sample| (-age(sample).as_secs_f64() / 60.0, sample))
            .collect();
        match self {
            Self::Latency => latency(&seen),
            Self::Misses => misses(&seen),
            Self::Bytes => bytes(&seen),
            Self::Clients => clients(&seen),
        }
    }
}

fn latency(seen: &[(f64, &Sample)]) -> Picture {
    // Microseconds to powers of ten of a millisecond: what is usual and what is bad are far apart.
    let power = |us: u64| (us.max(1) as f64 / 1000.0).log10();
    let line = |us: fn(&Sample) -> Option<u64>| {
        runs(seen.iter().map(|(time, sample)| (*time, us(sample).map(power))))
    };
    let p50 = line(|sample| sample.latency.map(|latency| latency.p50_us));
    let p99 = line(|sample| sample.latency.map(|latency| latency.p99_us));
    let max = line(|sample| sample.latency.map(|latency| latency.max_us));
    let window = power(FRAME_WINDOW.as_micros() as u64);
    let values = p50.iter().chain(&max).flatten().map(|(_, value)| *value);
    let remark = p50.is_empty().then_some("No deliveries in this time");
    Picture {
        axis: Axis::milliseconds(values.chain([window])),
        marks: vec![
            Mark { name: "max", ink: Ink::Quiet, shape: Shape::Lines(max, 1) },
            Mark { name: "p99", ink: Ink::Second, shape: Shape::Lines(p99, 2) },
            Mark { name: "p50", ink: Ink::First, shape: Shape::Lines(p50, 2) },
            Mark { name: "window 16.68 ms", ink: Ink::Bad, shape: Shape::Limit(window) },
        ],
        remark,
    }
}

fn misses(seen: &[(f64, &Sample)]) -> Picture {
    let late = seen.iter().filter(|(_, sample)| sample.window_misses > 0);
    let bars: Vec<_> = late
        .map(|(time, sample)| (*time - sample.seconds / 60.0, *time, sample.window_misses as f64))
        .collect();
    let remark = match (bars.is_empty(), seen.iter().any(|(_, sample)| sample.deliveries > 0)) {
        (false, _) => None,
        (true, true) => Some("No delivery was late"),
        (true, false) => Some("No deliveries in this time"),
    };
    Picture {
        axis: Axis::count(bars.iter().map(|(_, _, count)| *count)),
        marks: vec![Mark { name: "late deliveries", ink: Ink::Bad, shape: Shape::Bars(bars) }],
        remark,
    }
}

fn bytes(seen: &[(f64, &Sample)]) -> Picture {
    let rate =
        |sample: &Sample| (sample.seconds > 0.0).then(|| sample.bytes as f64 / sample.seconds);
    let lines = runs(seen.iter().map(|(time, sample)| (*time, rate(sample))));
    let gaps = seen.iter().filter(|(_, sample)| sample.gaps > 0).map(|(time, _)| *time);
    let gaps: Vec<_> = gaps.collect();
    let is_quiet = gaps.is_empty() && seen.iter().all(|(_, sample)| sample.bytes == 0);
    let axis = Axis::bytes_a_second(lines.iter().flatten().map(|(_, value)| *value));
    let mut marks = Vec::new();
    if !gaps.is_empty() {
        marks.push(Mark { name: "gap", ink: Ink::Bad, shape: Shape::Moments(gaps) });
    }
    marks.push(Mark { name: "received", ink: Ink::First, shape: Shape::Lines(lines, 2) });
    Picture { axis, marks, remark: is_quiet.then_some("Nothing received in this time") }
}

/// How many spectators use a protocol.
type Count = fn(&Clients) -> u64;

/// Protocols in the order in which they lie on each other, the lowest first.
const PROTOCOLS: [(&str, Ink, Count); 4] = [
    ("console", Ink::First, |clients| clients.console),
    ("raw", Ink::Second, |clients| clients.raw),
    ("dolphin", Ink::Third, |clients| clients.dolphin),
    ("web", Ink::Fourth, |clients| clients.web),
];

fn clients(seen: &[(f64, &Sample)]) -> Picture {
    let mut height = vec![0; seen.len()];
    let mut marks = Vec::new();
    for (name, ink, count) in PROTOCOLS {
        if seen.iter().all(|(_, sample)| count(&sample.clients) == 0) {
            continue;
        }
        let stack = |(height, (time, sample)): (&mut u64, &(f64, &Sample))| {
            let below = *height;
            *height += count(&sample.clients);
            (*time, below as f64, *height as f64)
        };
        let band = height.iter_mut().zip(seen).map(stack).collect();
        marks.push(Mark { name, ink, shape: Shape::Band(band) });
    }
    // In the legend the lowest is on the left.
    marks.reverse();
    Picture {
        axis: Axis::count(height.iter().map(|height| *height as f64)),
        remark: marks.is_empty().then_some("No spectators in this time"),
        marks,
    }
}

/// Points that follow one another, with a break where there is no value.
fn runs(points: impl Iterator<Item = (f64, Option<f64>)>) -> Vec<Vec<Point>> {
    let mut runs = Vec::new();
    let mut goes_on = false;
    for (time, value) in points {
        if let Some(value) = value {
            if !goes_on {
                runs.push(Vec::new());
            }
            runs.last_mut().into_iter().for_each(|run: &mut Vec<_>| run.push((time, value)));
        }
        goes_on = value.is_some();
    }
    runs
}

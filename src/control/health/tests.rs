//! Pictures and documents of made-up hours.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::paint::{Look, Theme, draw};
use super::picture::{Picture, Plot, Shape};
use super::sample::{Clients, Percentiles, Sample};
use super::series::{MAX_SAMPLES, PERIOD};

const HOUR: Duration = Duration::from_secs(3600);

const ALL: [Plot; 4] = [Plot::Latency, Plot::Misses, Plot::Bytes, Plot::Clients];

/// Samples that end with one from now, each made of its number by `fill`.
fn samples(count: usize, fill: impl Fn(usize, &mut Sample)) -> VecDeque<Sample> {
    let first = Instant::now();
    let sample = |n: usize| {
        let mut sample = Sample {
            end: first + PERIOD * n as u32,
            at: 0,
            seconds: PERIOD.as_secs_f64(),
            bytes: 0,
            frames: 0,
            gaps: 0,
            deliveries: 0,
            window_misses: 0,
            latency: None,
            clients: Clients::default(),
        };
        fill(n, &mut sample);
        sample
    };
    (0..count).map(sample).collect()
}

fn deliver(sample: &mut Sample, us: u64) {
    sample.deliveries = 300;
    sample.latency = Some(Percentiles { p50_us: us, p99_us: us * 3, max_us: us * 10 });
}

/// The ends of the lines of a mark.
fn ends(picture: &Picture, name: &str) -> Vec<(f64, f64)> {
    let mark = picture.marks.iter().find(|mark| mark.name == name).unwrap();
    let Shape::Lines(runs, _) = &mark.shape else { panic!("{mark:?} is no line") };
    runs.iter().map(|run| (run[0].0, run[run.len() - 1].0)).collect()
}

#[test]
fn a_line_breaks_where_nothing_was_delivered() {
    let hour = samples(61, |n, sample| {
        if !(20..=40).contains(&n) {
            deliver(sample, 200);
        }
    });
    let picture = Plot::Latency.picture(&hour, HOUR);
    let lines = ends(&picture, "p50");
    let minutes = |samples: f64| samples * 5.0 / 60.0;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!((lines[0].0 + minutes(60.0)).abs() < 1e-9 && (lines[0].1 + minutes(41.0)).abs() < 1e-9);
    assert!((lines[1].0 + minutes(19.0)).abs() < 1e-9 && lines[1].1 == 0.0, "{lines:?}");
    // Nothing received is a rate of zero, and not a break.
    assert_eq!(ends(&Plot::Bytes.picture(&hour, HOUR), "received").len(), 1);
}

#[test]
fn only_the_time_shown_is_in_the_picture() {
    let hour = samples(MAX_SAMPLES, |_, sample| deliver(sample, 100));
    let (from, _) = ends(&Plot::Latency.picture(&hour, Duration::from_secs(300)), "max")[0];
    assert!(from > -5.0 && from < -4.8, "{from}");
    let (from, _) = ends(&Plot::Latency.picture(&hour, HOUR), "max")[0];
    assert!(from > -60.0 && from < -59.8, "{from}");
}

#[test]
fn what_there_is_none_of_is_said() {
    let remarks = |samples: &VecDeque<Sample>| ALL.map(|plot| plot.picture(samples, HOUR).remark);
    let nothing = [
        Some("No deliveries in this time"),
        Some("No deliveries in this time"),
        Some("Nothing received in this time"),
        Some("No spectators in this time"),
    ];
    assert_eq!(remarks(&VecDeque::new()), nothing);
    assert_eq!(remarks(&samples(10, |_, _| {})), nothing);
    let good = samples(10, |_, sample| {
        deliver(sample, 100);
        sample.bytes = 1;
        sample.clients.raw = 1;
    });
    assert_eq!(remarks(&good), [None, Some("No delivery was late"), None, None]);
    let late = samples(10, |n, sample| {
        deliver(sample, 100);
        sample.window_misses = u64::from(n == 4);
    });
    assert_eq!(Plot::Misses.picture(&late, HOUR).remark, None);
}

#[test]
fn spectators_lie_on_each_other() {
    let hour = samples(3, |n, sample| {
        sample.clients = Clients { console: 2, raw: 0, dolphin: n as u64, web: 1 };
    });
    let picture = Plot::Clients.picture(&hour, HOUR);
    let bands: Vec<_> = picture
        .marks
        .iter()
        .map(|mark| match &mark.shape {
            Shape::Band(band) => {
                (mark.name, band.iter().map(|&(_, low, high)| (low, high)).collect::<Vec<_>>())
            }
            shape => panic!("{shape:?} is no band"),
        })
        .collect();
    let expected = [
        ("web", vec![(2.0, 3.0), (3.0, 4.0), (4.0, 5.0)]),
        ("dolphin", vec![(2.0, 2.0), (2.0, 3.0), (2.0, 4.0)]),
        ("console", vec![(0.0, 2.0); 3]),
    ];
    assert_eq!(bands, expected, "and raw is not there");
}

#[test]
fn documents_are_whole_and_bounded_whatever_the_figures_are() {
    let extremes = samples(MAX_SAMPLES, |n, sample| {
        let value = [0, 1, u64::MAX, 16_683, 1 << 40][n % 5];
        sample.latency =
            (n % 7 != 0).then_some(Percentiles { p50_us: value, p99_us: value, max_us: u64::MAX });
        sample.seconds = [5.0, 0.0, 1e9][n % 3];
        (sample.bytes, sample.gaps) = (value, value.min(1));
        (sample.deliveries, sample.window_misses) = (value, value);
        let quarter = value / 4;
        sample.clients = Clients { console: quarter, raw: quarter, dolphin: 0, web: quarter };
    });
    for samples in [VecDeque::new(), samples(1, |_, sample| deliver(sample, 5)), extremes] {
        for plot in ALL {
            for (width, theme) in [(240, Theme::Light), (1600, Theme::Dark)] {
                let look = Look { width, theme, span: HOUR };
                let svg = draw(&plot.picture(&samples, HOUR), look).unwrap();
                assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
                assert!(svg.len() < 400_000, "{plot:?}: {}", svg.len());
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{plot:?}");
                assert!(svg.contains("−60 min") && svg.contains("now"));
            }
        }
    }
}

#[test]
fn the_window_and_the_legend_are_in_the_plot() {
    let hour = samples(100, |_, sample| deliver(sample, 100));
    let look = Look { width: 560, theme: Theme::Light, span: HOUR };
    let svg = draw(&Plot::Latency.picture(&hour, HOUR), look).unwrap();
    for text in ["p50", "p99", "max", "window 16.68 ms", "100 µs", "1 ms"] {
        assert!(svg.lines().any(|line| line == text), "{text} is not in\n{svg}");
    }
}

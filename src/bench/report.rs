//! The report: a table for people, the same for machines, and how it stands with the targets.

use std::fmt;

use serde::Serialize;

use super::Options;
use super::figures::{Figures, Idle, Row};

/// Processor time a delivery, relay over floor, with [`TARGET_ROW`] spectators.
const MAX_CPU_RATIO: f64 = 1.10;

/// 99th percentile of the latency, relay over floor, with [`TARGET_ROW`] spectators.
const MAX_P99_RATIO: f64 = 1.0;

/// The row those two are about.
const TARGET_ROW: usize = 1000;

/// Percent of the frames that may be outside the window with [`CROWDED_ROW`] spectators.
const MAX_LATE_PERCENT: f64 = 0.5;

/// The row that is about: two cores are busy then.
const CROWDED_ROW: usize = 2000;

/// Milliseconds that NATS on the same machine may add, from relay to edge, with [`NATS_ROW`] spectator.
const MAX_ADDED_P50: f64 = 2.0;
const MAX_ADDED_P99: f64 = 10.0;

/// The row those are about: with more, it is the spectators that take the time.
const NATS_ROW: usize = 1;

/// Memory of a relay without spectators, and of each spectator, in KiB.
const MAX_BASE_KIB: f64 = 16.0 * 1024.0;
const MAX_SPECTATOR_KIB: f64 = 4.0;

/// Percent of one core that an idle relay may take.
const MAX_IDLE_PERCENT: f64 = 1.0;

/// Everything that was measured.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// Frames a second.
    pub fps: f64,
    /// Seconds of one round.
    pub seconds: u32,
    /// Rounds of each row.
    pub rounds: usize,
    /// Consoles at once, which share the spectators of a row.
    pub stations: usize,
    /// Relays in a row between the console and the spectators.
    pub hops: usize,
    /// Processes that the spectators were in.
    pub spectator_processes: usize,
    /// Threads of the relay that served spectators, if the bench said how many.
    pub consumers: Option<u16>,
    /// Cores of this machine.
    pub cores: usize,
    /// Its system.
    pub system: &'static str,
    /// A row for each number of spectators.
    pub rows: Vec<Row>,
    /// What waiting costs.
    pub idle: Option<Idle>,
    /// How it stands with the targets that rows were measured for.
    pub targets: Vec<Target>,
}

/// A target, and whether it is met.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Target {
    /// What is asked for.
    pub name: String,
    /// What was measured.
    pub value: f64,
    /// The most it may be.
    pub limit: f64,
    /// Whether it is no more.
    pub met: bool,
}

impl Report {
    /// A report in which nothing is measured yet.
    pub fn new(options: &Options) -> Self {
        Self {
            fps: options.fps,
            seconds: options.seconds,
            rounds: options.rounds,
            stations: options.stations,
            hops: options.hops,
            spectator_processes: options.spectator_processes,
            consumers: options.consumers,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: std::env::consts::OS,
            rows: Vec::new(),
            idle: None,
            targets: Vec::new(),
        }
    }

    /// Compares what was measured with the targets.
    ///
    /// All are about one station and one relay. With several, only what a relay takes as a whole is judged,
    /// memory and idling, and the limits stay as they are: to be within them with more to do is
    /// harder, and each name tells the stations. Latency and cost a delivery are not: the frames of
    /// several consoles meet fewer spectators each, so that one wake-up serves fewer deliveries and
    /// fewer wait behind each other, and the latency of a chain is that of all its relays, which the
    /// floor, a single loop, is no measure for.
    pub(super) fn judge(&mut self) {
        let is_single = self.stations == 1 && self.hops == 1;
        let at = match (self.stations, self.hops) {
            (1, 1) => String::new(),
            (1, hops) => format!(", with {hops} hops"),
            (stations, _) => format!(", with {stations} stations"),
        };
        let mut targets = Vec::new();
        let mut judge = |name: String, value: Option<f64>, limit| {
            targets.extend(value.map(|value| Target { name, value, limit, met: value <= limit }));
        };
        let row =
            |spectators| self.rows.iter().find(|row| is_single && row.spectators == spectators);
        if let Some(row) = row(TARGET_ROW) {
            let name = format!("CPU a delivery at {TARGET_ROW}, times the floor's");
            judge(name, row.ratio.cpu, MAX_CPU_RATIO);
            let name = format!("p99 at {TARGET_ROW}, times the floor's");
            judge(name, Some(row.ratio.p99), MAX_P99_RATIO);
        }
        if let Some(row) = row(CROWDED_ROW) {
            let name = format!("% of frames outside the window at {CROWDED_ROW}");
            judge(name, Some(row.relay.late * 100.0), MAX_LATE_PERCENT);
        }
        let added = row(NATS_ROW).and_then(Row::added_by_nats);
        judge("ms that NATS adds, p50".into(), added.map(|(p50, _)| p50), MAX_ADDED_P50);
        judge("ms that NATS adds, p99".into(), added.map(|(_, p99)| p99), MAX_ADDED_P99);
        for row in &self.rows {
            let name = format!("peak RSS in MiB at {}{at}", row.spectators);
            let limit = MAX_BASE_KIB + MAX_SPECTATOR_KIB * row.spectators as f64;
            let peak = row.relay.peak_rss_kib.map(mib);
            judge(name, peak, mib(limit));
        }
        if let Some(idle) = &self.idle {
            let name = format!("% of a core, idle with {}{at}", idle.spectators);
            judge(name, idle.cpu_percent, MAX_IDLE_PERCENT);
        }
        self.targets = targets;
    }

    /// What stands above the rows.
    pub fn heading(&self) -> String {
        let Self { fps, seconds, rounds, cores, system, .. } = self;
        let stations = match (self.stations, self.hops) {
            (1, 1) => String::new(),
            (1, hops) => format!("; {hops} relays in a row, CPU and memory of the last"),
            (stations, _) => format!("; {stations} stations share the spectators"),
        };
        format!(
            "{cores} cores, {system}{stations}; {fps} frames a second; medians of {rounds} rounds of {seconds} s\n\n\
             {:>10} {:>6} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9}",
            "spectators",
            "",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "max ms",
            "outside",
            "CPU µs",
            "RSS MiB",
            "peak MiB"
        )
    }

    /// What stands below the rows.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        if let Some(idle) = &self.idle {
            let percent = idle.cpu_percent.map(|percent| format!("{percent:.2} %"));
            text += &format!(
                "\nidle with {} spectators: {} of a core\n",
                idle.spectators,
                percent.as_deref().unwrap_or(UNKNOWN)
            );
        }
        text += "\ntargets\n";
        for target in &self.targets {
            let Target { name, value, limit, .. } = target;
            let met = if target.met { "ok" } else { "MISSED" };
            text += &format!("  {met:<6} {name}: {value:.2} (at most {limit:.2})\n");
        }
        if self.targets.is_empty() {
            text += "  none of them is about these rows\n";
        }
        if self.hops != 1 {
            text += "  latency and cost are not judged: those targets are for one relay\n";
        } else if self.stations != 1 {
            text += "  latency and cost are not judged: the targets, these limits too, are for one station\n";
        }
        text
    }
}

/// What the system does not tell.
const UNKNOWN: &str = "n/a";

fn mib(kib: f64) -> f64 {
    kib / 1024.0
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_figures(f, Some(self.spectators), "floor", &self.floor)?;
        write_figures(f, None, "relay", &self.relay)?;
        if let Some(nats) = &self.nats {
            write_figures(f, None, "nats", nats)?;
        }
        let times = |ratio: f64| format!("{ratio:.2}x");
        let ratio = &self.ratio;
        write!(
            f,
            "{:>10} {:>6} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9}",
            "",
            "ratio",
            times(ratio.p50),
            times(ratio.p99),
            times(ratio.p999),
            times(ratio.max),
            "",
            ratio.cpu.map_or(UNKNOWN.into(), times),
        )?;
        if let Some((p50, p99)) = self.added_by_nats() {
            write!(f, "\n{:>10} {:>6} {p50:>10.3} {p99:>10.3}", "", "added")?;
        }
        Ok(())
    }
}

fn write_figures(
    f: &mut fmt::Formatter<'_>,
    spectators: Option<usize>,
    name: &str,
    figures: &Figures,
) -> fmt::Result {
    let ms = |us: f64| format!("{:.3}", us / 1000.0);
    let known = |value: Option<f64>| value.map_or(UNKNOWN.into(), |value| format!("{value:.2}"));
    writeln!(
        f,
        "{:>10} {:>6} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9}",
        spectators.map(|n| n.to_string()).unwrap_or_default(),
        name,
        ms(figures.p50_us),
        ms(figures.p99_us),
        ms(figures.p999_us),
        ms(figures.max_us),
        format!("{:.3} %", figures.late * 100.0),
        known(figures.cpu_us),
        known(figures.rss_kib.map(mib)),
        known(figures.peak_rss_kib.map(mib)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(stations: usize, hops: usize) -> Report {
        let options = Options {
            executable: "andross".into(),
            stations,
            hops,
            nats: None,
            spectators: vec![TARGET_ROW, CROWDED_ROW],
            spectator_processes: 1,
            consumers: None,
            seconds: 1,
            rounds: 1,
            fps: 60.0,
        };
        let figures = Figures {
            deliveries: 1,
            p50_us: 1.0,
            p99_us: 1.0,
            p999_us: 1.0,
            max_us: 1.0,
            late: 0.0,
            cpu_us: Some(1.0),
            rss_kib: Some(1024.0),
            peak_rss_kib: Some(64.0 * 1024.0),
        };
        let row = |&spectators: &usize| Row::new(spectators, vec![figures], vec![figures]);
        let mut report = Report::new(&options);
        report.rows = options.spectators.iter().map(row).collect();
        report.idle = Some(Idle { spectators: 100, seconds: 1, cpu_percent: Some(0.5) });
        report.judge();
        report
    }

    #[test]
    fn one_station_is_judged_by_every_target() {
        let report = judged(1, 1);
        let met: Vec<bool> = report.targets.iter().map(|target| target.met).collect();
        assert_eq!(met, [true, true, true, false, false, true]);
        assert!(!format!("{}{}", report.heading(), report.summary()).contains("station"));
    }

    #[test]
    fn what_nats_adds_is_judged_with_one_spectator() {
        let mut report = judged(1, 1);
        let mut far = report.rows[0].relay;
        (far.p50_us, far.p99_us) = (1_501.0, 12_001.0);
        let row = Row::new(NATS_ROW, vec![report.rows[0].floor], vec![report.rows[0].relay]);
        report.rows = vec![row.with_nats(vec![far])];
        report.judge();
        let added = |name: &str| report.targets.iter().find(|it| it.name == name).unwrap();
        let (p50, p99) = (added("ms that NATS adds, p50"), added("ms that NATS adds, p99"));
        assert_eq!((p50.value, p50.met), (1.5, true));
        assert_eq!((p99.value, p99.met), (12.0, false));
        assert!(report.rows[0].to_string().contains("added"), "{}", report.rows[0]);
    }

    #[test]
    fn several_stations_are_judged_by_memory_and_idling_only() {
        let report = judged(8, 1);
        let names: Vec<&str> = report.targets.iter().map(|target| &*target.name).collect();
        assert_eq!(
            names,
            [
                "peak RSS in MiB at 1000, with 8 stations",
                "peak RSS in MiB at 2000, with 8 stations",
                "% of a core, idle with 100, with 8 stations"
            ]
        );
        assert!(report.heading().contains("; 8 stations share the spectators; "));
        assert!(report.summary().contains("latency and cost are not judged"));
    }

    #[test]
    fn a_chain_is_judged_by_memory_and_idling_only() {
        let report = judged(1, 3);
        let names: Vec<&str> = report.targets.iter().map(|target| &*target.name).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|name| name.ends_with(", with 3 hops")), "{names:?}");
        assert!(report.heading().contains("; 3 relays in a row, "));
        assert!(report.summary().contains("those targets are for one relay"));
    }
}

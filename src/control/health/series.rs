//! The samples of the last hour, a station each, and the task that takes them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval_at};
use utoipa::ToSchema;

use super::sample::{Reading, Sample};
use crate::engine::{Handle, Request};
use crate::session::Station;
use crate::unix_time::unix_ms;

/// How often a sample is taken: often enough to see what a cable that was pulled did.
pub(super) const PERIOD: Duration = Duration::from_secs(5);

/// How far back they go.
pub(super) const MEMORY: Duration = Duration::from_secs(60 * 60);

/// Samples a station. At 136 bytes each and 20 KiB for the histogram of the last reading, a station takes
/// 120 KB, and the 64 that there may be less than 8 MB.
pub(super) const MAX_SAMPLES: usize = (MEMORY.as_secs() / PERIOD.as_secs()) as usize;

/// The samples of all stations. Clones are the same.
#[derive(Clone, Debug)]
pub(in super::super) struct Health {
    series: Arc<Mutex<BTreeMap<u64, Series>>>,
    /// When the first sample began.
    began: Instant,
}

/// The samples of one station, the oldest first.
#[derive(Debug)]
pub(super) struct Series {
    last: Reading,
    pub(super) samples: VecDeque<Sample>,
}

/// The sums of the samples.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sums {
    /// Seconds that they cover together, up to an hour.
    pub(super) seconds: f64,
    /// Event bytes received.
    pub(super) bytes: u64,
    /// Frames received.
    pub(super) frames: u64,
    /// Times that bytes were lost before they reached the relay.
    pub(super) gaps: u64,
    /// Deliveries to spectators.
    pub(super) deliveries: u64,
    /// Those later than the window of 16.68 ms.
    pub(super) window_misses: u64,
    /// The worst latency in microseconds; null if there was no delivery.
    pub(super) max_us: Option<u64>,
}

impl Health {
    pub(in super::super) fn new() -> Self {
        Self { series: Arc::default(), began: Instant::now() }
    }

    /// Takes samples for as long as the engine answers.
    pub(in super::super) async fn sample(&self, engine: &Handle) {
        let mut tick = interval_at((self.began + PERIOD).into(), PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = self.began;
        loop {
            tick.tick().await;
            // An engine that is too busy now makes the next sample a longer one.
            let Ok(stations) = engine.ask(Request::Stations).await else { continue };
            let now = Instant::now();
            self.take(&stations, now - last, now);
            last = now;
        }
    }

    /// Takes a sample of each station and forgets those that are gone.
    fn take(&self, stations: &[Arc<Station>], length: Duration, now: Instant) {
        let at = unix_ms(SystemTime::now());
        let mut all = self.series.lock();
        all.retain(|id, _| stations.iter().any(|station| station.id.0 == *id));
        for station in stations {
            let reading = Reading::take(&station.stats);
            // A station that was added since the last time began with nothing.
            all.entry(station.id.0).or_insert_with(Series::new).add(
                reading,
                length.as_secs_f64(),
                now,
                at,
            );
        }
    }

    /// What `look` makes of a station's samples; of none if it has just been added.
    pub(super) fn of<T>(&self, station: u64, look: impl FnOnce(&VecDeque<Sample>) -> T) -> T {
        match self.series.lock().get(&station) {
            Some(series) => look(&series.samples),
            None => look(&VecDeque::new()),
        }
    }

    /// For how long samples have been taken.
    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Series {
    fn new() -> Self {
        Self { last: Reading::zero(), samples: VecDeque::new() }
    }

    fn add(&mut self, reading: Reading, seconds: f64, end: Instant, at: i64) {
        if self.samples.len() == MAX_SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(reading.since(&self.last, seconds, end, at));
        self.last = reading;
    }
}

impl Sums {
    pub(super) fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Self {
        samples.into_iter().fold(Self::default(), |sums, sample| Self {
            seconds: sums.seconds + sample.seconds,
            bytes: sums.bytes + sample.bytes,
            frames: sums.frames + sample.frames,
            gaps: sums.gaps + sample.gaps,
            deliveries: sums.deliveries + sample.deliveries,
            window_misses: sums.window_misses + sample.window_misses,
            max_us: sums.max_us.max(sample.latency.map(|latency| latency.max_us)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::StationId;

    fn station(id: u64) -> Arc<Station> {
        Arc::new(Station::new(StationId(id), format!("s{id}")))
    }

    #[test]
    fn memory_is_an_hour_of_the_stations_that_are_there() {
        assert!(size_of::<Sample>() <= 136);
        let health = Health::new();
        let stations = [station(1), station(2)];
        let now = Instant::now();
        for _ in 0..MAX_SAMPLES + 10 {
            stations[0].stats.bytes.add(1);
            health.take(&stations, PERIOD, now);
        }
        let (len, sums) = health.of(1, |samples| (samples.len(), Sums::of(samples)));
        assert_eq!((len, sums.bytes), (MAX_SAMPLES, MAX_SAMPLES as u64));
        assert_eq!((sums.seconds, sums.max_us), (MEMORY.as_secs_f64(), None));
        health.take(&stations[1..], PERIOD, now);
        assert_eq!(health.of(1, VecDeque::len), 0);
        assert_eq!(health.series.lock().len(), 1);
    }

    #[test]
    fn what_came_before_the_first_look_at_a_station_is_in_its_first_sample() {
        let health = Health::new();
        let late = station(3);
        late.stats.bytes.add(70);
        health.take(std::slice::from_ref(&late), PERIOD, Instant::now());
        assert_eq!(health.of(3, |samples| samples[0].bytes), 70);
    }
}

//! What the engine sees, as values to tell.

use std::collections::BTreeMap;
use std::time::Instant;

use super::entry::Entry;
use super::status::{
    Change, Connection, GameStatus, LatencyStatus, Newest, ProgramStatus, RecordingStatus,
    StationStatus, Status, Totals,
};
use super::{ANSWER_LIMIT, Engine, protocol_name};
use crate::protocol::Protocol;
use crate::session::{Horizon, SourceState, Station};
use crate::stats::{StationStats, window_misses};

impl Engine {
    /// The state of everything.
    pub(super) fn status(&mut self) -> Status {
        self.look_at_sources();
        // In front of the number: what is told of them on this occasion is in here.
        let stations = self.look_at_stations();
        Status {
            seq: self.seq,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            clients: self.threads.admission.taken() as u64,
            max_clients: self.threads.admission.total() as u64,
            replays: self.config.replays.clone(),
            discovers: self.config.discovery.is_some(),
            stuck_threads: self.vitals.stuck(),
            stations,
            program: self.program.clone(),
            discovered: self.discovered(),
        }
    }

    /// Looks at everything and tells what is different. With nobody to tell, what only has to be told
    /// is left: figures of every station several times a second would cost the deliveries time.
    pub(super) fn look(&mut self) {
        self.look_at_sources();
        if self.events.receiver_count() > 0 {
            self.look_at_stations();
        }
    }

    /// What the program output shows, and since when consoles are away.
    pub(super) fn look_at_sources(&mut self) {
        self.look_at_program();
        let now = Instant::now();
        for entry in &mut self.stations {
            match entry.station.source() {
                SourceState::Connected => entry.away_since = None,
                _ => _ = entry.away_since.get_or_insert(now),
            }
        }
    }

    /// How the stations are. Whoever listens is told what is different.
    pub(super) fn look_at_stations(&mut self) -> Vec<StationStatus> {
        let stations: Vec<_> =
            self.stations.iter().map(|entry| self.station_status(entry)).collect();
        if self.events.receiver_count() == 0 {
            return stations;
        }
        for (at, now) in stations.iter().enumerate() {
            let told = &mut self.stations[at].told;
            if let Some(told) = told {
                // Time passes all the time: that alone is nothing to tell.
                told.last_byte_age = now.last_byte_age;
            }
            if told.as_ref() != Some(now) {
                *told = Some(now.clone());
                self.tell(Change::Station { station: Box::new(now.clone()) });
            }
        }
        stations
    }

    fn look_at_program(&mut self) {
        let Some(program) = &self.program else { return };
        let Ok((shown, next)) = self.threads.operator.program().recv_timeout(ANSWER_LIMIT) else {
            return;
        };
        let now = ProgramStatus {
            id: program.id,
            station: shown.map(|id| id.0),
            next: next.map(|id| id.0),
        };
        if *program != now {
            let before = program.station.filter(|_| program.station != now.station);
            self.keep_program_late(before);
            self.program = Some(now.clone());
            self.tell(Change::Program { program: now });
        }
        self.delay_program(None);
    }

    pub(super) fn station_status(&self, entry: &Entry) -> StationStatus {
        let station = &*entry.station;
        let identity = station.identity();
        let now = Instant::now();
        let clients = |protocol: Protocol| {
            let count = station.stats.clients_of(protocol).get();
            (protocol_name(protocol).to_owned(), u64::try_from(count).unwrap_or(0))
        };
        // The file first: when the next game has one, that game is the newest already.
        let file = station.recording();
        let newest = Newest { file, game: GameStatus::now(&station.log) };
        let delay = station.delay(Protocol::Web);
        let game = match delay.is_zero() {
            true => newest.game.clone(),
            false => GameStatus::within(&station.log, Horizon::at(now, delay)),
        };
        let number = |game: &Option<GameStatus>| game.as_ref().map(|game| game.number);
        let is_newest_seen = number(&game) == number(&newest.game);
        StationStatus {
            id: entry.id(),
            name: station.name().to_string(),
            kind: entry.kind,
            source: self.source_text(entry),
            mac: self.mac_of(entry.id()),
            origin: entry.origin,
            connection: connection(station.source()),
            nick: String::from_utf8_lossy(identity.nick()).into_owned(),
            nintendont: String::from_utf8_lossy(identity.version()).into_owned(),
            hops: station.upstream().len() as u64,
            console_address: entry.console_address,
            raw_address: entry.raw_address,
            dolphin_address: entry.dolphin_address,
            console_delay: station.delay(Protocol::Console).as_secs_f64(),
            raw_delay: station.delay(Protocol::Raw).as_secs_f64(),
            dolphin_delay: station.delay(Protocol::Dolphin).as_secs_f64(),
            last_byte_age: station.log.last().map(|last| {
                let age = now.saturating_duration_since(last.arrived());
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
            }),
            recording: RecordingStatus {
                wanted: self.is_recorded(entry),
                is_failing: station.stats.recorder_failing.get() != 0,
                file: is_newest_seen.then(|| newest.file.clone()).flatten(),
            },
            clients: BTreeMap::from([
                clients(Protocol::Console),
                clients(Protocol::Raw),
                clients(Protocol::Dolphin),
                clients(Protocol::Web),
            ]),
            totals: totals(&station.stats),
            latency: latency(station),
            game,
            newest,
        }
    }

    fn source_text(&self, entry: &Entry) -> String {
        if let Some(source) = &entry.source {
            return source.to_string();
        }
        let shown = self.program.as_ref().and_then(|program| program.station);
        let shown = self.stations.iter().find(|other| Some(other.id()) == shown);
        shown.map_or_else(String::new, |other| other.station.name().to_string())
    }

    fn is_recorded(&self, entry: &Entry) -> bool {
        self.threads.clerk.is_some() && !entry.is_program() && entry.station.is_recorded()
    }
}

fn connection(state: SourceState) -> Connection {
    match state {
        SourceState::Connecting => Connection::Connecting,
        SourceState::Busy => Connection::Busy,
        SourceState::Loop => Connection::Loop,
        SourceState::Connected => Connection::Connected,
    }
}

fn totals(stats: &StationStats) -> Totals {
    Totals {
        bytes: stats.bytes.get(),
        frames: stats.frames.get(),
        gaps: stats.gaps.get(),
        lost_bytes: stats.lost_bytes.get(),
        unreadable_bytes: stats.unreadable.get(),
        reconnects: stats.reconnects.get(),
        skipped_clients: stats.skipped.get(),
        files: stats.files.get(),
        unrecorded: stats.unrecorded.get(),
    }
}

fn latency(station: &Station) -> LatencyStatus {
    let latency = station.stats.latency.snapshot();
    LatencyStatus {
        deliveries: latency.len(),
        p50_us: latency.value_at_quantile(0.5),
        p99_us: latency.value_at_quantile(0.99),
        max_us: latency.max(),
        window_misses: window_misses(&latency),
    }
}

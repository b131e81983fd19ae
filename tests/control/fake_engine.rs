//! An engine that is only pretended: enough state to see that a call arrived and was answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use andross::engine::{
    Change, ClientStatus, Connection, DiscoveredConsole, Event, GameStatus, Handle, LatencyStatus,
    Origin, ProgramStatus, RecordingStatus, Refusal, ReloadReport, Request, StationKind,
    StationStatus, Status, Totals, pretend,
};
use andross::session::{Station, StationId};
use andross::shutdown::Shutdown;
use tokio::sync::broadcast;

/// Starts it. What is asked of it changes its state and is told to all.
pub fn start(shutdown: &Shutdown) -> (Handle, broadcast::Sender<Event>) {
    let mut state = State::new();
    let shutdown = shutdown.clone();
    let (tell, told) = std::sync::mpsc::channel::<broadcast::Sender<Event>>();
    let mut events = None;
    let (handle, sender) = pretend(move |request| {
        let events = events.get_or_insert_with(|| told.recv().unwrap());
        state.answer(request, events, &shutdown);
    });
    tell.send(sender.clone()).unwrap();
    (handle, sender)
}

struct State {
    status: Status,
    latencies: Vec<Arc<Station>>,
    clients: Vec<ClientStatus>,
    next_id: u64,
}

impl State {
    fn new() -> Self {
        let status = Status {
            seq: 0,
            version: "0.0.0".into(),
            started_at: 1_700_000_000_000,
            clients: 1,
            max_clients: 64,
            replays: None,
            discovers: false,
            stuck_threads: Vec::new(),
            stations: vec![station(0, "Stream", "192.168.1.20:51441")],
            program: None,
            discovered: vec![DiscoveredConsole {
                mac: "00:09:bf:01:02:03".into(),
                // Whoever is on the network can call a console so.
                nick: "\u{1b}[31mred\u{7}".into(),
                ip: [10, 0, 0, 8].into(),
                last_seen: 1_700_000_000_000,
                station: None,
                is_removed: false,
            }],
        };
        let first = Station::new(StationId(0), "Stream");
        let mut latencies = andross::stats::latency_histogram();
        latencies.record(700).unwrap();
        latencies.record(30_000).unwrap();
        first.stats.latency.add(&latencies);
        let client = ClientStatus {
            id: 7,
            station: 0,
            protocol: "console".into(),
            address: "10.0.0.9:5000".parse().unwrap(),
            since: 1_700_000_000_500,
            is_greeted: true,
            is_relay: false,
            cursor: 100,
            lag_bytes: 0,
            lag_frames: Some(0),
            idle_ms: 3,
        };
        Self { status, latencies: vec![Arc::new(first)], clients: vec![client], next_id: 1 }
    }

    fn answer(&mut self, request: Request, events: &broadcast::Sender<Event>, shutdown: &Shutdown) {
        match request {
            Request::Status(reply) => drop(reply.send(Ok(self.status.clone()))),
            Request::Stations(reply) => drop(reply.send(Ok(self.latencies.clone()))),
            Request::Clients(station, reply) => drop(reply.send(self.clients_of(station))),
            Request::Add(new, reply) => {
                let answer = match (new.source, new.mac) {
                    (Some(source), None) => {
                        let name = new.name.unwrap_or_else(|| source.clone());
                        self.add(name, source, events)
                    }
                    _ => Err(Refusal::Invalid("name either a source or a MAC address".into())),
                };
                drop(reply.send(answer));
            }
            Request::Change(id, change, reply) => {
                let answer = self.change(id, |station| {
                    if change.delay.is_some_and(|delay| delay < 0.0) {
                        return Err(Refusal::Invalid("a delay is not negative".into()));
                    }
                    station.name = change.name.unwrap_or(station.name.clone());
                    station.console_delay = change.delay.unwrap_or(station.console_delay);
                    station.recording.wanted = change.record.unwrap_or(station.recording.wanted);
                    Ok(())
                });
                if let Ok(station) = &answer {
                    self.tell(events, Change::Station { station: Box::new(station.clone()) });
                }
                drop(reply.send(answer));
            }
            Request::Remove(id, reply) => {
                let found = self.status.stations.iter().position(|station| station.id == id);
                if let Some(at) = found {
                    self.status.stations.remove(at);
                    self.tell(events, Change::StationRemoved { id });
                }
                drop(reply.send(found.map(drop).ok_or(Refusal::NoStation(id))));
            }
            Request::Kick(id, reply) => {
                let before = self.clients.len();
                self.clients.retain(|client| client.id != id);
                let gone = self.clients.len() < before;
                drop(reply.send(if gone { Ok(()) } else { Err(Refusal::NoClient(id)) }));
            }
            Request::Switch(switch, reply) => {
                let known = |id: &u64| self.status.stations.iter().any(|s| s.id == *id);
                let answer = match switch.station.filter(|id| !known(id)) {
                    Some(id) => Err(Refusal::NoStation(id)),
                    None => Ok(ProgramStatus { id: 99, station: switch.station, next: None }),
                };
                self.status.program = answer.clone().ok().or(self.status.program.take());
                drop(reply.send(answer));
            }
            Request::Reload(reply) => {
                let changed = vec!["nothing".to_owned()];
                drop(reply.send(Ok(ReloadReport { changed, needs_restart: Vec::new() })));
            }
            Request::Shutdown(reason, reply) => {
                self.tell(events, Change::Shutdown { reason: reason.to_string() });
                drop(reply.send(Ok(())));
                shutdown.request(reason);
            }
        }
    }

    fn tell(&mut self, events: &broadcast::Sender<Event>, change: Change) {
        self.status.seq += 1;
        let _ = events.send(Event { seq: self.status.seq, change });
    }

    fn clients_of(&self, wanted: Option<u64>) -> Result<Vec<ClientStatus>, Refusal> {
        match wanted {
            Some(id) if self.status.stations.iter().all(|station| station.id != id) => {
                Err(Refusal::NoStation(id))
            }
            Some(id) => Ok(self.clients.iter().filter(|c| c.station == id).cloned().collect()),
            None => Ok(self.clients.clone()),
        }
    }

    fn add(
        &mut self,
        name: String,
        source: String,
        events: &broadcast::Sender<Event>,
    ) -> Result<StationStatus, Refusal> {
        if name == "panic" {
            panic!("a test wants an engine that is gone");
        }
        if self.status.stations.iter().any(|station| station.name == name) {
            return Err(Refusal::Conflict(format!("there is a station called {name} already")));
        }
        let added = station(self.next_id, &name, &source);
        self.next_id += 1;
        self.status.stations.push(added.clone());
        self.tell(events, Change::Station { station: Box::new(added.clone()) });
        Ok(added)
    }

    fn change(
        &mut self,
        id: u64,
        change: impl FnOnce(&mut StationStatus) -> Result<(), Refusal>,
    ) -> Result<StationStatus, Refusal> {
        let stations = &mut self.status.stations;
        let station = stations.iter_mut().find(|station| station.id == id);
        let station = station.ok_or(Refusal::NoStation(id))?;
        change(station)?;
        Ok(station.clone())
    }
}

fn station(id: u64, name: &str, source: &str) -> StationStatus {
    StationStatus {
        id,
        name: name.into(),
        kind: StationKind::Console,
        source: source.into(),
        mac: None,
        origin: Origin::Config,
        connection: Connection::Connected,
        nick: "Stream Wii".into(),
        nintendont: "1.11.9".into(),
        hops: 0,
        console_address: Some("0.0.0.0:51441".parse().unwrap()),
        raw_address: None,
        dolphin_address: None,
        console_delay: 0.0,
        raw_delay: 0.0,
        dolphin_delay: 0.0,
        game: Some(GameStatus { number: 3, is_on: true, frame: 1234 }),
        last_byte_age: Some(5),
        recording: RecordingStatus { wanted: true, is_failing: false, file: None },
        clients: BTreeMap::from([("console".into(), 1), ("raw".into(), 0)]),
        totals: Totals { frames: 5000, bytes: 3_000_000, ..Totals::default() },
        latency: LatencyStatus {
            deliveries: 2,
            p50_us: 700,
            window_misses: 1,
            ..LatencyStatus::default()
        },
    }
}

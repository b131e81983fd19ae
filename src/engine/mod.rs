//! The engine: it owns the state of the relay, and everyone who wants to see or change it asks.
//!
//! Requests come in over one channel, each gets an answer, and every change is broadcast to all who
//! listen. HTTP, signals and the terminal are its clients; the data plane's threads only get orders
//! from it and know nothing of it.

mod changes;
mod discovered;
mod entry;
mod look;
mod program;
mod reload;
mod request;
mod stations;
mod status;
mod vitals;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::audience::{Admission, ClientId, ClientInfo, Gallery};
use crate::config::RelayConfig;
use crate::console::Operator;
use crate::consumer::{Inbox, Porter};
use crate::discovery::Heard;
use crate::protocol::Protocol;
use crate::recorder::Clerk;
use crate::shutdown::Shutdown;
use crate::spectator::Usher;
use crate::unix_time::unix_ms;

pub use request::{Handle, NewStation, ProgramSwitch, Refusal, Reply, Request, StationChange};
pub use stations::AddError;
pub use status::{
    Change, ClientStatus, Connection, DiscoveredConsole, Event, GameStatus, LatencyStatus, Newest,
    Origin, ProgramStatus, RecordingStatus, ReloadReport, StationKind, StationStatus, Status,
    SwitchAt, Totals,
};

use discovered::Discovery;
use entry::Entry;
use vitals::Vitals;

/// How often the engine looks at the stations and tells what changed.
const TICK: Duration = Duration::from_millis(250);

/// How long a thread of the data plane may take for an answer. They answer between two frames.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// What comes to the engine.
#[derive(Debug)]
enum Letter {
    Request(Request),
    /// A console has announced itself.
    Heard(Heard),
}

/// The ways to the threads of the data plane.
pub struct Threads {
    /// To the console thread.
    pub operator: Operator,
    /// To the listener thread.
    pub porter: Porter,
    /// To the recorder thread, if games are saved.
    pub clerk: Option<Clerk>,
    /// To the consumer threads.
    pub inboxes: Vec<Inbox>,
    /// To the thread of Dolphin's protocol, if that is spoken.
    pub usher: Option<Usher>,
    /// The places of spectators.
    pub admission: Arc<Admission>,
    /// Those who watch over HTTP.
    pub gallery: Arc<Gallery>,
    /// The most places that the system's limit on open files allows.
    pub max_places: usize,
}

/// Reads the configuration again; a sentence if it is no good.
pub type ReadConfig = Box<dyn Fn() -> Result<RelayConfig, String> + Send>;

/// What the engine does for whoever assembles the relay.
#[derive(Default)]
pub struct Hooks {
    /// Reads the configuration again; without it there is nothing to reload.
    pub read_config: Option<ReadConfig>,
    /// Called about once a second while no thread is stuck.
    pub on_alive: Option<Box<dyn FnMut() + Send>>,
}

/// The engine before it runs.
pub struct Engine {
    config: RelayConfig,
    threads: Threads,
    hooks: Hooks,
    letters: Receiver<Letter>,
    sender: SyncSender<Letter>,
    events: broadcast::Sender<Event>,
    /// The number of the last change told.
    seq: u64,
    stations: Vec<Entry>,
    /// The number of the last station added.
    last_id: u64,
    program: Option<ProgramStatus>,
    /// The station that the program output is to show once it is there.
    program_waits_for: Option<String>,
    /// Until when the program output must be at least so late, by protocol, whatever it shows.
    program_floor: Option<(Instant, [Duration; 3])>,
    discovery: Discovery,
    vitals: Vitals,
    started_at: i64,
    next_look: Instant,
    shutdown: Shutdown,
}

impl Engine {
    /// An engine without stations.
    pub fn new(config: RelayConfig, threads: Threads, hooks: Hooks, shutdown: Shutdown) -> Self {
        let (sender, letters) = sync_channel(request::QUEUE_LEN);
        let (events, _) = broadcast::channel(request::EVENTS_LEN);
        let now = Instant::now();
        let mut vitals = Vitals::new(now);
        for (n, inbox) in threads.inboxes.iter().cloned().enumerate() {
            vitals.watch(format!("consumer-{n}"), inbox.pulse(), move || inbox.ring(), now);
        }
        let (operator, porter) = (threads.operator.clone(), threads.porter.clone());
        vitals.watch("console", operator.pulse(), move || operator.ring(), now);
        vitals.watch("listener", porter.pulse(), move || porter.ring(), now);
        if let Some(usher) = threads.usher.clone() {
            vitals.watch("spectator", usher.pulse(), move || usher.ring(), now);
        }
        Self {
            config,
            threads,
            hooks,
            letters,
            sender,
            events,
            seq: 0,
            stations: Vec::new(),
            last_id: 0,
            program: None,
            program_waits_for: None,
            program_floor: None,
            discovery: Discovery::default(),
            vitals,
            started_at: unix_ms(std::time::SystemTime::now()),
            next_look: now,
            shutdown,
        }
    }

    /// The way to it.
    pub fn handle(&self) -> Handle {
        Handle::new(self.sender.clone(), self.events.clone())
    }

    /// Adds the stations of the configuration, and the program output if it is wanted.
    ///
    /// # Errors
    /// If a port cannot be listened on, or a station makes no sense beside the others.
    pub fn add_configured(&mut self) -> Result<(), AddError> {
        for station in self.config.stations.clone() {
            self.add(station, Origin::Config)?;
        }
        if let Some(program) = self.config.program.clone() {
            self.begin_program(&program)?;
        }
        Ok(())
    }

    /// Takes what the discovery thread hears; what comes while many requests wait is dropped, and
    /// will be announced again.
    pub fn ear(&self) -> impl FnMut(Heard) + Send + 'static {
        let sender = self.sender.clone();
        move |heard| drop(sender.try_send(Letter::Heard(heard)))
    }

    /// Answers until shutdown is asked for.
    pub fn run(mut self) {
        while !self.shutdown.is_requested() {
            let wait = self.next_look.saturating_duration_since(Instant::now());
            match self.letters.recv_timeout(wait) {
                Ok(Letter::Request(request)) => self.answer(request),
                Ok(Letter::Heard(heard)) => self.heard(heard),
                Err(RecvTimeoutError::Timeout) => {}
                // It holds a sender itself.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = Instant::now();
            if now >= self.next_look {
                self.next_look = now + TICK;
                self.look();
                self.forget_silent();
                if self.vitals.check(now)
                    && let Some(on_alive) = &mut self.hooks.on_alive
                {
                    on_alive();
                }
            }
        }
        let reason = self.shutdown.reason().map_or_else(String::new, |reason| reason.to_string());
        self.tell(Change::Shutdown { reason });
    }

    /// Does what is asked. Whoever asked may be gone when the answer is there.
    fn answer(&mut self, request: Request) {
        match request {
            Request::Status(reply) => drop(reply.send(Ok(self.status()))),
            Request::Clients(station, reply) => drop(reply.send(self.clients(station))),
            Request::Stations(reply) => {
                let stations = self.stations.iter().map(|entry| entry.station.clone()).collect();
                drop(reply.send(Ok(stations)));
            }
            Request::Add(new, reply) => drop(reply.send(self.add_new(new))),
            Request::Change(id, change, reply) => drop(reply.send(self.change(id, change))),
            Request::Remove(id, reply) => drop(reply.send(self.remove(id))),
            Request::Adopt(source, reply) => drop(reply.send(self.adopt(source))),
            Request::Dismiss(id, reply) => drop(reply.send(self.take_away(id))),
            Request::Kick(id, reply) => drop(reply.send(self.kick(id))),
            Request::Switch(switch, reply) => drop(reply.send(self.switch(&switch))),
            Request::Reload(reply) => drop(reply.send(self.reload())),
            Request::Shutdown(reason, reply) => {
                drop(reply.send(Ok(())));
                self.shutdown.request(reason);
            }
        }
    }

    /// Tells everyone who listens.
    fn tell(&mut self, change: Change) {
        self.seq += 1;
        // Without listeners there is nobody to tell.
        let _ = self.events.send(Event { seq: self.seq, change });
    }

    fn clients(&self, station: Option<u64>) -> Result<Vec<ClientStatus>, Refusal> {
        if let Some(id) = station {
            self.entry(id)?;
        }
        let answers = self.threads.inboxes.iter().map(Inbox::list);
        let answers: Vec<_> = answers.chain(self.threads.usher.iter().map(Usher::list)).collect();
        let mut clients = Vec::new();
        for answer in answers {
            let some = answer.recv_timeout(ANSWER_LIMIT).map_err(|_| Refusal::Busy)?;
            clients.extend(some.iter().map(client_status));
        }
        clients.extend(self.threads.gallery.list().iter().map(client_status));
        clients.retain(|client| station.is_none_or(|id| client.station == id));
        clients.sort_by_key(|client| client.id);
        Ok(clients)
    }

    fn kick(&self, id: u64) -> Result<(), Refusal> {
        let kick = |inbox: &Inbox| inbox.kick(ClientId(id));
        let answers = self.threads.inboxes.iter().map(kick);
        let usher = self.threads.usher.iter().map(|usher| usher.kick(ClientId(id)));
        let answers: Vec<_> = answers.chain(usher).collect();
        let mut was_there = self.threads.gallery.kick(ClientId(id));
        for answer in answers {
            was_there |= answer.recv_timeout(ANSWER_LIMIT).map_err(|_| Refusal::Busy)?;
        }
        was_there.then_some(()).ok_or(Refusal::NoClient(id))
    }
}

fn client_status(client: &ClientInfo) -> ClientStatus {
    ClientStatus {
        id: client.id.0,
        station: client.station.0,
        protocol: protocol_name(client.protocol).to_owned(),
        address: client.peer,
        since: unix_ms(client.since),
        is_greeted: client.is_greeted,
        is_relay: client.is_relay,
        cursor: client.cursor.0,
        lag_bytes: client.lag_bytes,
        lag_frames: client.lag_frames,
        idle_ms: u64::try_from(client.idle.as_millis()).unwrap_or(u64::MAX),
    }
}

fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Console => "console",
        Protocol::Raw => "raw",
        Protocol::Dolphin => "dolphin",
        Protocol::Web => "web",
    }
}

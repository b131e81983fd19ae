//! The engine: assembles the threads, runs them, and ends them in order.
//!
//! Start: the stations, then everyone who reads their logs, last the console thread that fills them,
//! so that no reader misses a byte. The end is the same in the other direction: the listener and the
//! console thread stop at once, the console thread's last word goes over the bus, the recorder
//! completes its files, the consumer threads let spectators take what is theirs, and every thread is
//! joined within [`END_LIMIT`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::config::RelayConfig;
use crate::console::{ConsoleThread, SourceStation};
use crate::consumer::{Admission, ConsumerThread, Listener, ListenerThread};
use crate::net::raise_open_files_limit;
use crate::protocol::Protocol;
use crate::recorder::{RecorderOptions, RecorderThread};
use crate::session::{Announcer, Station, StationId};
use crate::shutdown::{Reason, Shutdown, Worker, join_all};

/// How long the end may take, from the request to the last thread.
pub const END_LIMIT: Duration = Duration::from_secs(5);

/// Files that the relay needs for itself: listeners, consoles, recordings, polls, the terminal.
const OWN_FILES: u64 = 128;

/// A relay that runs.
pub struct Relay {
    stations: Vec<Arc<Station>>,
    admission: Arc<Admission>,
    listeners: Vec<(StationId, Protocol, SocketAddr)>,
    workers: Vec<Worker>,
    shutdown: Shutdown,
}

/// Why a relay did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A port cannot be listened on.
    #[error(
        "cannot listen on {address} for {what}: {error}; {flag} sets another address, or `off`"
    )]
    Listen {
        /// The address wanted.
        address: SocketAddr,
        /// Who would connect there.
        what: &'static str,
        /// The option that says where.
        flag: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The system gives no thread or poll.
    #[error("the system refuses a thread or poll: {0}")]
    System(#[from] io::Error),
}

/// Why a relay did not end well.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum EndError {
    /// A thread panicked.
    #[error("the thread `{0}` panicked; this is a fault of andross, please report it")]
    Panic(String),
    /// Threads did not end in time.
    #[error("did not end within {} s: {}", END_LIMIT.as_secs(), .0.join(", "))]
    Late(Vec<String>),
    /// Some games could not be recorded.
    #[error("not everything could be recorded; the log above says what and why")]
    Recording,
}

impl Relay {
    /// Binds the listeners, starts every thread and returns.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub fn start(config: RelayConfig, shutdown: &Shutdown) -> Result<Self, StartError> {
        let limits = client_limits(&config);
        let stations: Vec<Arc<Station>> = config
            .stations
            .iter()
            .enumerate()
            .map(|(k, wanted)| Arc::new(Station::new(StationId(k as u64), &wanted.source.name)))
            .collect();
        let bound = bind_listeners(&config, &stations)?;
        let listeners = bound.iter().map(|(id, l)| (*id, l.protocol(), l.address())).collect();

        let mut announcer = Announcer::new();
        let mut consumers = Vec::new();
        for _ in 0..config.consumers.max(1) {
            consumers.push(ConsumerThread::new(
                &stations,
                &mut announcer,
                limits,
                shutdown.clone(),
            )?);
        }
        let recorder = match &config.replays {
            None => None,
            Some(folder) => {
                let options =
                    RecorderOptions { folder: folder.clone(), away_limit: config.away_limit };
                Some(RecorderThread::new(&stations, &mut announcer, options, shutdown.clone())?)
            }
        };
        let admission = Admission::new(limits.total, limits.per_address);
        let inboxes = consumers.iter().map(ConsumerThread::inbox).collect();
        let bound = bound.into_iter().map(|(_, listener)| listener).collect();
        let listener = ListenerThread::new(bound, inboxes, admission.clone(), shutdown.clone())?;
        let sources = config
            .stations
            .into_iter()
            .zip(&stations)
            .map(|(wanted, station)| SourceStation {
                source: wanted.source,
                station: station.clone(),
            })
            .collect();
        let console = ConsoleThread::new(sources, config.timing, announcer, shutdown.clone())?;

        let mut relay = Self {
            stations,
            admission,
            listeners,
            workers: Vec::new(),
            shutdown: shutdown.clone(),
        };
        let started = relay.spawn(consumers, recorder, listener, console);
        if let Err(error) = started {
            shutdown.request(Reason::Failed(error.to_string()));
            join_all(std::mem::take(&mut relay.workers), Instant::now() + END_LIMIT);
            return Err(error.into());
        }
        Ok(relay)
    }

    fn spawn(
        &mut self,
        consumers: Vec<ConsumerThread>,
        recorder: Option<RecorderThread>,
        listener: ListenerThread,
        console: ConsoleThread,
    ) -> io::Result<()> {
        let shutdown = self.shutdown.clone();
        for (n, consumer) in consumers.into_iter().enumerate() {
            let name = format!("consumer-{n}");
            self.workers.push(Worker::spawn(name, &shutdown, move || consumer.run())?);
        }
        if let Some(recorder) = recorder {
            self.workers.push(Worker::spawn("recorder", &shutdown, move || recorder.run())?);
        }
        self.workers.push(Worker::spawn("listener", &shutdown, move || listener.run())?);
        self.workers.push(Worker::spawn("console", &shutdown, move || console.run())?);
        Ok(())
    }

    /// The stations, in the order of the sources.
    pub fn stations(&self) -> &[Arc<Station>] {
        &self.stations
    }

    /// Where spectators of a station connect, if it listens for that protocol.
    pub fn address(&self, station: StationId, protocol: Protocol) -> Option<SocketAddr> {
        let wanted = |(id, spoken, _): &&(StationId, Protocol, SocketAddr)| {
            *id == station && *spoken == protocol
        };
        self.listeners.iter().find(wanted).map(|(.., address)| *address)
    }

    /// Spectators connected now.
    pub fn clients(&self) -> usize {
        self.admission.taken()
    }

    /// Waits until someone asks for the shutdown, ends in order and joins every thread.
    ///
    /// # Errors
    /// [`EndError`] names what went wrong.
    pub fn run_to_end(self) -> Result<Reason, EndError> {
        let reason = self.shutdown.wait();
        tracing::info!("ending because of {reason}: files are completed, spectators served");
        let late = join_all(self.workers, Instant::now() + END_LIMIT);
        if let Reason::Panic(thread) = &reason {
            return Err(EndError::Panic(thread.clone()));
        }
        if !late.is_empty() {
            return Err(EndError::Late(late));
        }
        let unrecorded = |station: &Arc<Station>| {
            station.stats.recorder_failing.get() != 0 || station.stats.unrecorded.get() != 0
        };
        if self.stations.iter().any(unrecorded) {
            return Err(EndError::Recording);
        }
        Ok(reason)
    }
}

/// The configured limits, lowered to what the system's limit on open files allows.
fn client_limits(config: &RelayConfig) -> crate::config::ClientLimits {
    let mut limits = config.limits;
    if let Some(files) = raise_open_files_limit() {
        let allowed = usize::try_from(files.saturating_sub(OWN_FILES)).unwrap_or(usize::MAX);
        tracing::info!(
            "{files} files may be open: room for {} spectators",
            allowed.min(limits.total)
        );
        if allowed < limits.total {
            tracing::warn!(
                "--max-clients {} needs more open files than the {files} that are allowed; raise the system's limit (ulimit -n)",
                limits.total
            );
            limits.total = allowed;
        }
    }
    limits
}

fn bind_listeners(
    config: &RelayConfig,
    stations: &[Arc<Station>],
) -> Result<Vec<(StationId, Listener)>, StartError> {
    let wanted = [
        (config.listen, Protocol::Console, "spectators", "--listen"),
        (config.raw_listen, Protocol::Raw, "raw spectators", "--raw-listen"),
    ];
    let mut bound = Vec::new();
    for (base, protocol, what, flag) in wanted {
        let Some(base) = base else { continue };
        for (k, station) in stations.iter().enumerate() {
            let address = station_address(base, k);
            let listener = Listener::bind(address, k, protocol)
                .map_err(|error| StartError::Listen { address, what, flag, error })?;
            tracing::info!(station = station.name, "{what} connect to {}", listener.address());
            bound.push((station.id, listener));
        }
    }
    Ok(bound)
}

/// Station k listens on port + k; port 0 means a free one for each.
fn station_address(base: SocketAddr, k: usize) -> SocketAddr {
    let mut address = base;
    if base.port() != 0 {
        let port = usize::from(base.port()) + k;
        address.set_port(u16::try_from(port).unwrap_or(u16::MAX));
    }
    address
}

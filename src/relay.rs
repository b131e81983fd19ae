//! The relay: assembles the threads, runs them, and ends them in order.
//!
//! Start: everyone who reads the stations' logs, then the engine with its stations, last the console
//! thread that fills the logs, so that no reader misses a byte. The end is the same in the other
//! direction: the listener and the console thread stop at once, the console thread's last word goes
//! over the bus, the recorder completes its files, the consumer threads let spectators take what is
//! theirs, and every thread is joined within [`END_LIMIT`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::oneshot;

use crate::audience::{Admission, Gallery};
#[cfg(feature = "nats")]
use crate::cluster::ClusterThread;
use crate::config::{MAX_STATIONS, RelayConfig};
use crate::console::ConsoleThread;
use crate::consumer::{ConsumerThread, ListenerThread};
use crate::control::{BindError, Games, HttpServer};
use crate::discovery::DiscoveryThread;
use crate::engine::{AddError, Engine, Handle, Hooks, Request, Threads};
use crate::hooks::HookThread;
use crate::library::LibraryThread;
use crate::net::raise_open_files_limit;
use crate::obs::{ObsError, ObsThread};
use crate::protocol::Protocol;
use crate::recorder::{Clerk, RecorderOptions, RecorderThread};
use crate::session::{Announcer, Bridge, News, Station, StationId};
use crate::shutdown::{Reason, Shutdown, Worker, join_all};
use crate::spectator::SpectatorThread;

/// How long the end may take, from the request to the last thread.
pub const END_LIMIT: Duration = Duration::from_secs(5);

/// Files that the relay needs for itself: six for each station (three listeners, the console, the
/// recording and its note), control calls and downloads, polls, the terminal.
const OWN_FILES: u64 = 6 * MAX_STATIONS as u64 + 384;

/// A relay that runs.
pub struct Relay {
    engine: Handle,
    http: Option<SocketAddr>,
    admission: Arc<Admission>,
    clerk: Option<Clerk>,
    /// Whether spectators can connect.
    serves: bool,
    workers: Vec<Worker>,
    shutdown: Shutdown,
}

/// Why a relay did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A station cannot be had.
    #[error(transparent)]
    Station(#[from] AddError),
    /// Announcements cannot be heard.
    #[error(
        "cannot listen for consoles on UDP {address}: {error}; --discover=ADDRESS sets another"
    )]
    Discover {
        /// The address wanted.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// Control calls cannot be answered.
    #[error("{0}; --http sets another address, or `off`")]
    Http(#[from] BindError),
    /// OBS cannot be told anything.
    #[error(transparent)]
    Obs(#[from] ObsError),
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

/// Threads that are ready to run.
struct Crew {
    consumers: Vec<ConsumerThread>,
    spectator: Option<SpectatorThread>,
    recorder: Option<RecorderThread>,
    listener: ListenerThread,
    console: ConsoleThread,
    discovery: Option<DiscoveryThread>,
    bridge: Option<Bridge>,
    library: Option<LibraryThread>,
    http: Option<HttpServer>,
    hooks: Option<HookThread>,
    obs: Option<ObsThread>,
    #[cfg(feature = "nats")]
    cluster: (ClusterThread, News),
    engine: Engine,
    /// Dropped when no file will be completed any more.
    recorded: oneshot::Sender<()>,
}

impl Relay {
    /// Binds the listeners, starts every thread and returns.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub fn start(config: RelayConfig, shutdown: &Shutdown) -> Result<Self, StartError> {
        Self::start_with(config, Hooks::default(), shutdown)
    }

    /// As [`Relay::start`], with what the engine can do for the caller.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub fn start_with(
        mut config: RelayConfig,
        hooks: Hooks,
        shutdown: &Shutdown,
    ) -> Result<Self, StartError> {
        let serves = config.listen.is_some() || config.raw_listen.is_some();
        let max_places = if serves { max_places(&config) } else { usize::MAX };
        config.limits.total = config.limits.total.min(max_places);
        let limits = config.limits;
        let admission = Admission::new(limits.total, limits.per_address);
        let mut announcer = Announcer::new();
        let mut consumers = Vec::new();
        for _ in 0..config.consumers.max(1) {
            consumers.push(ConsumerThread::new(&mut announcer, limits, shutdown.clone())?);
        }
        let spectator = config
            .dolphin_listen
            .map(|_| {
                let admission = admission.clone();
                SpectatorThread::new(&mut announcer, admission, limits, shutdown.clone())
            })
            .transpose()?;
        let recorder = config
            .replays
            .as_ref()
            .map(|folder| {
                let options = RecorderOptions {
                    folder: folder.clone(),
                    station_folders: config.replay_folders,
                    away_limit: config.away_limit,
                };
                RecorderThread::new(&mut announcer, options, shutdown.clone())
            })
            .transpose()?;
        let inboxes: Vec<_> = consumers.iter().map(ConsumerThread::inbox).collect();
        let listener = ListenerThread::new(inboxes.clone(), admission.clone(), shutdown.clone())?;
        let has_tasks = config.http.is_some() || config.publish.is_some();
        let bridge =
            has_tasks.then(|| Bridge::new(&mut announcer, shutdown.clone())).transpose()?;
        let news = bridge.as_ref().map_or_else(News::none, Bridge::news);
        let gallery = Gallery::new(admission.clone());
        #[cfg_attr(not(feature = "nats"), expect(unused_mut, reason = "nothing feeds through it"))]
        let mut console = ConsoleThread::new(config.timing, announcer, shutdown.clone())?;
        #[cfg(feature = "nats")]
        let cluster = (ClusterThread::new(&config, shutdown.clone())?, news.clone());
        #[cfg(feature = "nats")]
        console.feed_through(cluster.0.remote());
        let clerk = recorder.as_ref().map(RecorderThread::clerk);
        let threads = Threads {
            operator: console.operator(),
            porter: listener.porter(),
            clerk: clerk.clone(),
            inboxes,
            usher: spectator.as_ref().map(SpectatorThread::usher),
            admission: admission.clone(),
            gallery: gallery.clone(),
            max_places,
        };
        let discovery = config.discovery.as_ref().map(|discovery| discovery.listen);
        let (http, delay) = (config.http.clone(), config.delay.longest());
        let librarian = http
            .as_ref()
            .and(config.replays.clone())
            .map(|folder| LibraryThread::new(folder, shutdown.clone()))
            .transpose()?;
        let library = librarian.as_ref().map(LibraryThread::library);
        let obs = config.obs.clone();
        let commands = Some(config.hooks.clone()).filter(|hooks| !hooks.commands.is_empty());
        let mut engine = Engine::new(config, threads, hooks, shutdown.clone());
        engine.add_configured()?;
        let discovery = discovery
            .map(|address| {
                DiscoveryThread::new(address, engine.ear(), shutdown.clone())
                    .map_err(|error| StartError::Discover { address, error })
            })
            .transpose()?;
        let http = http
            .map(|http| {
                let games = Games { news, gallery, delay };
                HttpServer::bind(&http, engine.handle(), library, games, shutdown.clone())
            })
            .transpose()?;
        let (recorded, is_recorded) = oneshot::channel();
        let hooks = commands
            .map(|config| HookThread::new(config, engine.handle(), is_recorded, shutdown.clone()))
            .transpose()?;
        let obs = obs
            .map(|config| ObsThread::new(config, engine.handle(), shutdown.clone()))
            .transpose()?;

        let mut relay = Self {
            engine: engine.handle(),
            http: http.as_ref().map(HttpServer::address),
            admission,
            clerk,
            serves,
            workers: Vec::new(),
            shutdown: shutdown.clone(),
        };
        let started = relay.spawn(Crew {
            consumers,
            spectator,
            recorder,
            listener,
            console,
            discovery,
            bridge,
            library: librarian,
            http,
            hooks,
            obs,
            #[cfg(feature = "nats")]
            cluster,
            engine,
            recorded,
        });
        if let Err(error) = started {
            shutdown.request(Reason::Failed(error.to_string()));
            join_all(std::mem::take(&mut relay.workers), Instant::now() + END_LIMIT);
            return Err(error.into());
        }
        Ok(relay)
    }

    fn spawn(&mut self, crew: Crew) -> io::Result<()> {
        let Crew { consumers, spectator, recorder, listener, console, discovery, .. } = crew;
        let Crew { bridge, library, http, hooks, obs, engine, recorded, .. } = crew;
        let shutdown = self.shutdown.clone();
        #[cfg(feature = "nats")]
        {
            let ((cluster, news), engine, operator) =
                (crew.cluster, engine.handle(), console.operator());
            self.workers.push(Worker::spawn("cluster", &shutdown, move || {
                cluster.run(engine, operator, news);
            })?);
        }
        for (n, consumer) in consumers.into_iter().enumerate() {
            let name = format!("consumer-{n}");
            self.workers.push(Worker::spawn(name, &shutdown, move || consumer.run())?);
        }
        if let Some(spectator) = spectator {
            self.workers.push(Worker::spawn("spectator", &shutdown, move || spectator.run())?);
        }
        if let Some(recorder) = recorder {
            self.workers.push(Worker::spawn("recorder", &shutdown, move || {
                recorder.run();
                drop(recorded);
            })?);
        }
        self.workers.push(Worker::spawn("listener", &shutdown, move || listener.run())?);
        self.workers.push(Worker::spawn("engine", &shutdown, move || engine.run())?);
        if let Some(bridge) = bridge {
            self.workers.push(Worker::spawn("bridge", &shutdown, move || bridge.run())?);
        }
        if let Some(library) = library {
            self.workers.push(Worker::spawn("library", &shutdown, move || library.run())?);
        }
        if let Some(http) = http {
            self.workers.push(Worker::spawn("http", &shutdown, move || http.run())?);
        }
        if let Some(hooks) = hooks {
            self.workers.push(Worker::spawn("hooks", &shutdown, move || hooks.run())?);
        }
        if let Some(obs) = obs {
            self.workers.push(Worker::spawn("obs", &shutdown, move || obs.run())?);
        }
        if let Some(discovery) = discovery {
            self.workers.push(Worker::spawn("discovery", &shutdown, move || discovery.run())?);
        }
        self.workers.push(Worker::spawn("console", &shutdown, move || console.run())?);
        Ok(())
    }

    /// The way to the engine.
    pub fn engine(&self) -> &Handle {
        &self.engine
    }

    /// Where control calls are answered, if they are.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// The stations, in the order they were added; none once the relay ends.
    pub fn stations(&self) -> Vec<Arc<Station>> {
        self.engine.ask_blocking(Request::Stations).unwrap_or_default()
    }

    /// Where spectators of a station connect, if it listens for that protocol.
    pub fn address(&self, station: StationId, protocol: Protocol) -> Option<SocketAddr> {
        let status = self.engine.ask_blocking(Request::Status).ok()?;
        let station = status.stations.into_iter().find(|status| status.id == station.0)?;
        match protocol {
            Protocol::Console => station.console_address,
            Protocol::Raw => station.raw_address,
            Protocol::Dolphin => station.dolphin_address,
            Protocol::Web => self.http,
        }
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
        let what = match self.serves {
            true => "files are completed, spectators served",
            false => "files are completed",
        };
        tracing::info!("ending because of {reason}: {what}");
        let late = join_all(self.workers, Instant::now() + END_LIMIT);
        if let Reason::Panic(thread) = &reason {
            return Err(EndError::Panic(thread.clone()));
        }
        if !late.is_empty() {
            return Err(EndError::Late(late));
        }
        if self.clerk.is_some_and(|clerk| clerk.has_failed()) {
            return Err(EndError::Recording);
        }
        Ok(reason)
    }
}

/// The most spectators that the system's limit on open files allows.
fn max_places(config: &RelayConfig) -> usize {
    let Some(files) = raise_open_files_limit() else {
        return usize::MAX;
    };
    let allowed = usize::try_from(files.saturating_sub(OWN_FILES)).unwrap_or(usize::MAX);
    let wanted = config.limits.total;
    tracing::info!("{files} files may be open: room for {} spectators", allowed.min(wanted));
    if allowed < wanted {
        tracing::warn!(
            "--max-clients {wanted} needs more open files than the {files} that are allowed; raise the system's limit (ulimit -n)"
        );
    }
    allowed
}

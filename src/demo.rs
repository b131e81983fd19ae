//! The demonstration: a pretend console, a relay and one spectator in one process, over real
//! sockets, with nothing to set up.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use thiserror::Error;

use crate::config::{HTTP_PORT, HttpConfig, RAW_PORT, RelayConfig, Source, SourceProtocol};
use crate::protocol::console::{
    self, Handshake, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, split_message,
};
use crate::protocol::{Protocol, spectator};
use crate::relay::{EndError, Relay, StartError};
use crate::session::Station;
use crate::shutdown::{Reason, Shutdown, Worker};
use crate::simulator::{
    Options as SimulatorOptions, Recording, RecordingError, Repeat, Simulator, SimulatorError,
};
use crate::stats::window_misses;

/// How often the figures are looked at.
const REFRESH: Duration = Duration::from_millis(200);

/// The games that are played when nobody names others: the project's own synthetic ones.
const FIXTURES: [(&str, &[u8]); 4] = [
    ("items", include_bytes!("../fixtures/v3.7.0-items.slp")),
    ("rollbacks", include_bytes!("../fixtures/v3.18.0-rollback-names.slp")),
    ("Ice Climbers", include_bytes!("../fixtures/v3.7.0-ice-climbers.slp")),
    ("four players", include_bytes!("../fixtures/v3.18.0-four-players.slp")),
];

/// What to play and for how long.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Recordings; none means the built-in games.
    pub recordings: Vec<Recording>,
    /// Where games are saved.
    pub replays: PathBuf,
    /// When to end by itself.
    pub duration: Option<Duration>,
}

/// Why the demonstration did not work.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A built-in game cannot be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The pretend console did not start.
    #[error(transparent)]
    Simulator(#[from] SimulatorError),
    /// The relay did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The relay did not end well.
    #[error(transparent)]
    End(#[from] EndError),
    /// No thread for the spectator.
    #[error("the spectator did not start: {0}")]
    Spectator(#[from] io::Error),
    /// The spectator got other bytes than the console sent.
    #[error("the spectator saw something else than the console sent: {0}")]
    Bytes(String),
}

/// What the demonstration shows, a few times a second.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Games begun so far.
    pub game: u64,
    /// The newest frame's number.
    pub frame: i64,
    /// Spectators connected, the built-in one included.
    pub clients: usize,
    /// Event bytes that the built-in spectator received and checked.
    pub checked: u64,
    /// Half of all deliveries took at most this long, from arrival to the kernel.
    pub p50: Duration,
    /// And 99 % at most this.
    pub p99: Duration,
    /// Deliveries beyond the frame window.
    pub misses: u64,
    /// The newest game's file.
    pub file: Option<PathBuf>,
}

/// Where spectators can join in.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// For Slippi Launcher, slippi-js and other relays.
    pub console: Option<SocketAddr>,
    /// For raw spectators.
    pub raw: Option<SocketAddr>,
    /// For libmelee and whatever else speaks Dolphin's protocol, over UDP.
    pub dolphin: Option<SocketAddr>,
    /// For control calls.
    pub http: Option<SocketAddr>,
}

/// Runs until the time is over or someone asks to stop. `on_start` learns where spectators can join
/// in, `on_figures` how it goes; the last figures are returned.
///
/// # Errors
/// [`DemoError`], also when the spectator got a wrong byte.
pub fn run(
    options: Options,
    shutdown: &Shutdown,
    on_start: impl FnOnce(&Addresses),
    mut on_figures: impl FnMut(&Figures),
) -> Result<Figures, DemoError> {
    let recordings = if options.recordings.is_empty() { built_in()? } else { options.recordings };
    let evening: Vec<Bytes> = recordings.iter().map(|game| game.events().clone()).collect();
    // Its own switch: the console must not be gone before the relay has ended.
    let console_switch = Shutdown::new();
    let simulator = Simulator::start(
        SimulatorOptions {
            recordings,
            repeat: Repeat::Forever,
            nick: "andross demo".to_owned(),
            ..SimulatorOptions::default()
        },
        &console_switch,
    )?;
    let console = simulator.local_addr();
    let host = console.ip().to_string();
    let name = "demo".to_owned();
    let mut config = RelayConfig::new(vec![Source {
        name,
        host,
        port: console.port(),
        protocol: SourceProtocol::Console,
        nats: None,
    }]);
    config.listen = Some(free_or(console::PORT));
    config.raw_listen = Some(free_or(RAW_PORT));
    config.dolphin_listen = Some(free_or_udp(spectator::PORT));
    config.http = Some(HttpConfig { listen: free_or(HTTP_PORT), ..HttpConfig::default() });
    config.replays = Some(options.replays);
    let relay = Relay::start(config, shutdown)?;
    let station = relay.stations()[0].clone();
    let address = |protocol| relay.address(station.id, protocol);
    let addresses = Addresses {
        console: address(Protocol::Console),
        raw: address(Protocol::Raw),
        dolphin: address(Protocol::Dolphin),
        http: relay.http(),
    };
    on_start(&addresses);

    let checked = Arc::new(AtomicU64::new(0));
    let spectator = addresses.console.map(|relay| {
        let (checked, shutdown) = (checked.clone(), shutdown.clone());
        Worker::spawn("spectator", &shutdown.clone(), move || {
            let watched = watch(relay, &evening, &checked);
            if let Err(error) = watched
                && !shutdown.is_requested()
            {
                shutdown.request(Reason::Failed(format!("spectator: {error}")));
            }
        })
    });
    let spectator = spectator.transpose()?;

    let end = options.duration.map(|duration| Instant::now() + duration);
    let mut figures = Figures::default();
    while !shutdown.wait_for(REFRESH) {
        figures = look(&relay, &station, &checked);
        on_figures(&figures);
        if let Some(reason) = console_switch.reason() {
            shutdown.request(reason);
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            shutdown.request(Reason::Finished);
        }
    }
    let reason = relay.run_to_end()?;
    drop((simulator, spectator));
    figures.file = station.recording();
    match reason {
        Reason::Failed(error) => Err(DemoError::Bytes(error)),
        _ => Ok(figures),
    }
}

fn built_in() -> Result<Vec<Recording>, RecordingError> {
    FIXTURES
        .iter()
        .map(|(name, slp)| Recording::from_slp(*name, &Bytes::from_static(slp)))
        .collect()
}

/// The usual TCP port on this machine, or any if another program has it.
fn free_or(port: u16) -> SocketAddr {
    usual_or_any(port, |usual| TcpListener::bind(usual).is_ok())
}

/// The same for UDP: a Dolphin may be running.
fn free_or_udp(port: u16) -> SocketAddr {
    usual_or_any(port, |usual| UdpSocket::bind(usual).is_ok())
}

fn usual_or_any(port: u16, is_free: impl FnOnce(SocketAddr) -> bool) -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if is_free(usual) { usual } else { (Ipv4Addr::LOCALHOST, 0).into() }
}

fn look(relay: &Relay, station: &Station, checked: &AtomicU64) -> Figures {
    let latency = station.stats.latency.snapshot();
    let quantile = |q| Duration::from_micros(latency.value_at_quantile(q));
    Figures {
        game: station.log.last().map_or(0, |chunk| chunk.game()),
        frame: station.stats.frame.get(),
        clients: relay.clients(),
        checked: checked.load(Ordering::Relaxed),
        p50: quantile(0.5),
        p99: quantile(0.99),
        misses: window_misses(&latency),
        file: station.recording(),
    }
}

/// A spectator like any other, which knows what the console plays and compares every byte.
fn watch(relay: SocketAddr, evening: &[Bytes], checked: &AtomicU64) -> Result<(), DemoError> {
    let mut stream = TcpStream::connect(relay)?;
    stream.write_all(&Handshake { realtime: true, ..Handshake::default() }.encode())?;
    let mut expected = evening.iter().cycle().flat_map(|game| game.iter());
    let mut unread = Vec::new();
    let mut scratch = vec![0; MAX_MESSAGE_LEN];
    let wrong = |what: String| Err(DemoError::Bytes(what));
    loop {
        let read = match stream.read(&mut scratch) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        unread.extend_from_slice(&scratch[..read]);
        let mut at = 0;
        loop {
            let body = match split_message(&unread[at..], MAX_MESSAGE_LEN) {
                Ok(Some(body)) => body,
                Ok(None) => break,
                Err(error) => return wrong(error.to_string()),
            };
            match Message::decode(body) {
                Ok(Message::Replay(replay)) => {
                    if !replay.data.iter().eq(expected.by_ref().take(replay.data.len())) {
                        return wrong(format!("another byte behind position {}", replay.pos));
                    }
                    checked.fetch_add(replay.data.len() as u64, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(error) => return wrong(error.to_string()),
            }
            at += LENGTH_PREFIX + body.len();
        }
        unread.drain(..at);
    }
}

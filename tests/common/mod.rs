//! What the tests of the relay share: recordings, a venue (pretend console and relay) and
//! spectators of both protocols.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod bad_link;
pub mod browser;
pub mod cable;
pub mod dolphin;
pub mod hop;
pub mod http;
pub mod nats;
pub mod ports;
pub mod pretend_dolphin;
pub mod process;
pub mod scripted;
pub mod spectators;
pub mod upstream;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use andross::config::{RelayConfig, Source, SourceProtocol, SourceTiming};
use andross::protocol::Protocol;
use andross::relay::Relay;
use andross::session::{Station, StationId};
use andross::shutdown::{Reason, Shutdown};
use andross::simulator::{Options, Recording, Simulator};
use andross::slp::{EventCode, Scanner};
use tempfile::TempDir;

pub use spectators::{ConsoleSpectator, RawSpectator};

/// A test that waits longer than this for anything has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// The project's own synthetic games.
pub fn fixtures() -> Vec<PathBuf> {
    slp_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"))
}

/// The real recordings, which lie beside the project where there are any.
pub fn shared_replays() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/replays");
    if folder.is_dir() {
        return slp_files(&folder);
    }
    assert!(
        std::env::var_os("ANDROSS_REQUIRE_REPLAYS").is_none(),
        "the real recordings are required, but {} is not there",
        folder.display()
    );
    eprintln!("skipped: no real recordings at {}", folder.display());
    Vec::new()
}

/// The `.slp` files of a folder, by name.
pub fn slp_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slp"))
        .collect();
    files.sort();
    files
}

/// A fixture by its name.
pub fn fixture(name: &str) -> Recording {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    Recording::load(&path).unwrap()
}

/// A game of `frames` frames of some 600 bytes, unlike that of any other `seed`.
pub fn synthetic(seed: u8, frames: i32, end: bool) -> Recording {
    const FRAME: u16 = 600;
    let mut events = vec![0x35, 13, 0x36, 0x01, 0x9F, 0x38];
    events.extend(FRAME.to_be_bytes());
    events.extend([0x3C, 0, 8, 0x39, 0, 1]);
    events.push(0x36);
    events.extend([3, 18, 0, 0]);
    events.extend([seed; 0x19F - 4]);
    for n in 0..frames {
        let frame = (n - 123).to_be_bytes();
        events.push(0x38);
        events.extend(frame);
        events.extend([0, 0, 1]);
        let filler = (0..usize::from(FRAME) - 7).map(|at| seed ^ (n as usize * 7 + at) as u8);
        events.extend(filler);
        events.push(0x3C);
        events.extend(frame);
        events.extend(frame);
    }
    if end {
        events.extend([0x39, 2]);
    }
    Recording::from_events(format!("synthetic {seed}"), events.into()).unwrap()
}

/// Whether a recording's last event is Game End.
pub fn has_game_end(recording: &Recording) -> bool {
    let (mut scanner, mut rest, mut last) = (Scanner::new(), &recording.events()[..], None);
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        last = Some(event.code());
    }
    last == Some(EventCode::GAME_END)
}

/// What stands before the first frame of [`synthetic`]: Event Payloads and Game Start.
pub const SYNTHETIC_HEAD: usize = 14 + 0x1A0;

/// One frame of [`synthetic`].
pub const SYNTHETIC_FRAME: usize = 601 + 9;

/// A pretend console, a relay of it and a folder for its recordings.
pub struct Venue {
    pub simulator: Option<Simulator>,
    pub relay: Relay,
    pub shutdown: Shutdown,
    pub folder: TempDir,
    /// Keeps the port of a console that is switched off.
    pub port: Option<socket2::Socket>,
}

impl Venue {
    /// Plays `recordings` at `fps`, without a pause between them.
    pub fn play(recordings: Vec<Recording>, fps: f64) -> Self {
        Self::start(
            Options { recordings, fps, pause: Duration::ZERO, ..Options::default() },
            |_| {},
        )
    }

    pub fn start(options: Options, tweak: impl FnOnce(&mut RelayConfig)) -> Self {
        let shutdown = Shutdown::new();
        let simulator = Simulator::start(options, &shutdown).unwrap();
        let mut venue = Self::relay(simulator.local_addr(), shutdown, tweak);
        venue.simulator = Some(simulator);
        venue
    }

    /// A relay of a console at `console`.
    pub fn relay(
        console: SocketAddr,
        shutdown: Shutdown,
        tweak: impl FnOnce(&mut RelayConfig),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = RelayConfig::new(vec![source(console)]);
        config.listen = Some(loopback());
        config.raw_listen = Some(loopback());
        config.dolphin_listen = Some(loopback());
        config.replays = Some(folder.path().to_owned());
        config.consumers = 2;
        config.timing = quick();
        tweak(&mut config);
        let relay = Relay::start(config, &shutdown).unwrap();
        Self { simulator: None, relay, shutdown, folder, port: None }
    }

    /// A relay whose console is switched off; [`Venue::switch_on`] does that.
    pub fn without_console(tweak: impl FnOnce(&mut RelayConfig)) -> (Self, SocketAddr) {
        // A port where nothing listens yet, and which is nobody else's until something does.
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        #[cfg(unix)]
        socket.set_reuse_address(true).unwrap();
        socket.bind(&loopback().into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let mut venue = Self::relay(address, Shutdown::new(), tweak);
        // Elsewhere two cannot have a port, even if only one listens.
        venue.port = cfg!(unix).then_some(socket);
        (venue, address)
    }

    /// Switches the console on, which must listen where the relay looks for it.
    pub fn switch_on(&mut self, options: Options) {
        self.simulator = Some(Simulator::start(options, &self.shutdown).unwrap());
    }

    pub fn simulator(&self) -> &Simulator {
        self.simulator.as_ref().unwrap()
    }

    pub fn station(&self) -> Arc<Station> {
        self.relay.stations()[0].clone()
    }

    pub fn console_address(&self) -> SocketAddr {
        self.relay.address(StationId(1), Protocol::Console).unwrap()
    }

    pub fn raw_address(&self) -> SocketAddr {
        self.relay.address(StationId(1), Protocol::Raw).unwrap()
    }

    pub fn dolphin_address(&self) -> SocketAddr {
        self.relay.address(StationId(1), Protocol::Dolphin).unwrap()
    }

    /// Waits until the relay has `len` event bytes.
    pub fn wait_for_bytes(&self, len: usize) {
        wait_until("the relay has the bytes", || self.station().stats.bytes.get() >= len as u64);
    }

    /// Ends the relay in order and returns the event bytes of its files, in the order of the games.
    pub fn end(self) -> Vec<Vec<u8>> {
        self.shutdown.request(Reason::Finished);
        self.relay.run_to_end().unwrap();
        recorded(self.folder.path())
    }
}

/// Short back-offs: the tests' consoles come back at once.
pub fn quick() -> SourceTiming {
    SourceTiming {
        back_off: (Duration::from_millis(5), Duration::from_millis(50)),
        ..SourceTiming::default()
    }
}

pub fn source(address: SocketAddr) -> Source {
    named_source("test", address)
}

pub fn named_source(name: &str, address: SocketAddr) -> Source {
    let (host, port) = (address.ip().to_string(), address.port());
    Source { name: name.into(), host, port, protocol: SourceProtocol::Console, nats: None }
}

/// The event bytes of the complete files in `folder`, oldest first.
pub fn recorded(folder: &Path) -> Vec<Vec<u8>> {
    in_order(slp_files(folder)).iter().map(|path| events_of(path)).collect()
}

/// The files of one station in `folder`, oldest first.
pub fn files_of(folder: &Path, station: &str) -> Vec<PathBuf> {
    let mut files = slp_files(folder);
    let prefix = format!("Game_{station}_");
    files.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix));
    in_order(files)
}

/// Sorts files of one station by age.
fn in_order(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    // Games that begin in the same second are `x.slp`, `x_2.slp`, .. `x_10.slp`.
    files.sort_by_key(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // `Game_station_date` and `Game_station_date_2`.
        let mut parts = stem.splitn(4, '_').skip(2).map(str::to_owned);
        let date = parts.next();
        (date, parts.next().map_or(1, |n| n.parse::<u32>().unwrap()))
    });
    files
}

/// Whether a file is complete, as far as can be seen without the rest.
pub fn is_complete(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| andross::slp::file::events_len(&bytes).unwrap_or(0) > 0)
}

/// The event bytes of one complete file.
pub fn events_of(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let len = andross::slp::file::events_len(&bytes).unwrap() as usize;
    assert_ne!(len, 0, "{} is not complete", path.display());
    bytes[15..15 + len].to_vec()
}

/// Writes a file that only its owner can read.
pub fn write_secret(path: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// A connection with so little room for what comes that it is full soon.
pub fn narrow(address: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind(&loopback().into()).unwrap();
    socket.connect(&address.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Waits for something that another thread does.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Compares bytes and says where they differ rather than printing megabytes.
#[track_caller]
pub fn assert_same_bytes(what: &str, got: &[u8], expected: &[u8]) {
    let differ = got.iter().zip(expected).position(|(a, b)| a != b);
    assert_eq!(differ, None, "{what}: the first other byte");
    assert_eq!(got.len(), expected.len(), "{what}: the length");
}

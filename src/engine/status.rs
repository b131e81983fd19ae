//! What the engine tells: the state of everything, as values that serialise to the API's JSON.
//!
//! Names are spelled as in the metadata of `.slp` files (`consoleNick`). Times are Unix
//! milliseconds, durations say their unit.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::session::{GameSeen, Horizon, Log};
use crate::slp::FrameIndex;

/// The state of the whole relay.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The number of the last change that is in here: changes with a higher one come after it.
    pub seq: u64,
    /// This program's version.
    pub version: String,
    /// When the relay started, Unix milliseconds.
    pub started_at: i64,
    /// Spectators connected, all stations together.
    pub clients: u64,
    /// How many there may be.
    pub max_clients: u64,
    /// The folder that games are saved in; null if none are.
    #[schema(value_type = Option<String>)]
    pub replays: Option<PathBuf>,
    /// Whether consoles that announce themselves are adopted.
    pub discovers: bool,
    /// Threads of the relay that have not gone round their loop for seconds; none if all is well.
    pub stuck_threads: Vec<String>,
    /// The stations, in the order of their numbers.
    pub stations: Vec<StationStatus>,
    /// The program output; null while there is none.
    pub program: Option<ProgramStatus>,
    /// Consoles that have announced themselves lately.
    pub discovered: Vec<DiscoveredConsole>,
}

/// What a station is fed by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum StationKind {
    /// A console or another relay.
    Console,
    /// Whichever other station is chosen.
    Program,
}

/// Who asked for a station.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// The command line or the configuration file.
    Config,
    /// A control call.
    Api,
    /// It announced itself.
    Discovered,
}

/// What the relay is doing about a station's source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Connection {
    /// Trying to connect, or waiting to try again.
    Connecting,
    /// Connected, but the console does not answer: another client has it.
    Busy,
    /// Its stream comes from this very station, round a loop of relays.
    Loop,
    /// The stream is on.
    Connected,
}

/// One station.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StationStatus {
    /// Its number, which no other station of this run ever has.
    pub id: u64,
    /// What people call it.
    pub name: String,
    /// What feeds it.
    pub kind: StationKind,
    /// The source's address as it can be typed; for the program output the chosen station's name,
    /// empty if none is chosen.
    pub source: String,
    /// The console's MAC address, `00:09:bf:01:02:03`, if it has announced itself.
    pub mac: Option<String>,
    /// Who asked for it.
    pub origin: Origin,
    /// What the relay is doing about its source.
    pub connection: Connection,
    /// The console's nickname.
    pub nick: String,
    /// Nintendont's version; empty if unknown.
    pub nintendont: String,
    /// Relays between this one and the console.
    pub hops: u64,
    /// Where spectators of the console protocol connect; null if nowhere.
    #[schema(value_type = Option<String>)]
    pub console_address: Option<SocketAddr>,
    /// Where raw spectators connect; null if nowhere.
    #[schema(value_type = Option<String>)]
    pub raw_address: Option<SocketAddr>,
    /// Where spectators of Dolphin's protocol connect, over UDP; null if nowhere.
    #[schema(value_type = Option<String>)]
    pub dolphin_address: Option<SocketAddr>,
    /// How late spectators of the console protocol see it, in seconds.
    pub console_delay: f64,
    /// How late raw spectators see it, in seconds.
    pub raw_delay: f64,
    /// How late spectators of Dolphin's protocol see it, in seconds.
    pub dolphin_delay: f64,
    /// The game that is on or was the last, as spectators over HTTP may see it: with a delay that much
    /// later; null before the first.
    pub game: Option<GameStatus>,
    /// Milliseconds since the newest event byte came; null before the first.
    pub last_byte_age: Option<u64>,
    /// Its recording.
    pub recording: RecordingStatus,
    /// Spectators connected, by protocol: `console`, `raw`, `dolphin`, `web` (games over HTTP).
    pub clients: BTreeMap<String, u64>,
    /// Counters since it was added.
    pub totals: Totals,
    /// From a chunk's arrival (and the delay, if there is one) to the kernel, for every spectator.
    pub latency: LatencyStatus,
    /// What the relay itself knows of the newest game. It stays inside of the program.
    #[serde(skip)]
    pub newest: Newest,
}

impl StationStatus {
    /// The same with what the relay itself knows of the newest game, whoever may see it yet. Not for
    /// the network.
    pub fn undelayed(mut self) -> Self {
        self.game.clone_from(&self.newest.game);
        self.recording.file.clone_from(&self.newest.file);
        self
    }
}

/// The newest game of a station, be it that nobody may see it yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Newest {
    /// The game.
    pub game: Option<GameStatus>,
    /// The newest file.
    pub file: Option<PathBuf>,
}

/// A game of a station.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GameStatus {
    /// Its number at this station, from 1.
    pub number: u64,
    /// Whether it is still on.
    pub is_on: bool,
    /// The newest frame's number; the first is -123.
    pub frame: i64,
}

impl GameStatus {
    /// The newest game, whoever may see it yet.
    pub(crate) fn now(log: &Log) -> Option<Self> {
        Self::within(log, Horizon::at(Instant::now(), Duration::ZERO))
    }

    /// The newest game of which `horizon` shows something.
    pub(crate) fn within(log: &Log, horizon: Horizon) -> Option<Self> {
        let GameSeen { number, is_on, frame } = log.game_within(horizon)?;
        Some(Self { number, is_on, frame: frame.unwrap_or(FrameIndex::FIRST).0.into() })
    }
}

/// What the recorder does for a station.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingStatus {
    /// Whether its games are to be saved.
    pub wanted: bool,
    /// Whether the disk refuses them at present.
    pub is_failing: bool,
    /// The file of the newest game, once spectators over HTTP may know of that game; null before.
    #[schema(value_type = Option<String>)]
    pub file: Option<PathBuf>,
}

/// What a station has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Event bytes received.
    pub bytes: u64,
    /// Frames received.
    pub frames: u64,
    /// Times that bytes were lost before they reached the relay.
    pub gaps: u64,
    /// Bytes lost, as far as positions tell.
    pub lost_bytes: u64,
    /// Bytes in which no event could be made out.
    pub unreadable_bytes: u64,
    /// Connections to the source after the first.
    pub reconnects: u64,
    /// Spectators that were more than a game behind.
    pub skipped_clients: u64,
    /// Games saved.
    pub files: u64,
    /// Holes in recordings because the disk was away for too long.
    pub unrecorded: u64,
}

/// Latencies of deliveries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatencyStatus {
    /// Deliveries counted.
    pub deliveries: u64,
    /// Half of them took at most so many microseconds.
    pub p50_us: u64,
    /// 99 in 100.
    pub p99_us: u64,
    /// The worst.
    pub max_us: u64,
    /// Those later than the window of 16.68 ms.
    pub window_misses: u64,
}

/// When a switch of the program output takes effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SwitchAt {
    /// When the chosen station's next game begins.
    #[default]
    NextGame,
    /// At once, with its current game from the start.
    Now,
}

/// The program output.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgramStatus {
    /// The number of its own station.
    pub id: u64,
    /// The station that is shown; null if none is.
    pub station: Option<u64>,
    /// The station that will be shown when its next game begins; null if no switch is due.
    pub next: Option<u64>,
}

/// A console that has announced itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredConsole {
    /// Its MAC address, `00:09:bf:01:02:03`.
    pub mac: String,
    /// Its nickname.
    pub nick: String,
    /// Where the announcement came from.
    #[schema(value_type = String)]
    pub ip: IpAddr,
    /// When it was last heard, Unix milliseconds. A console with a client is silent.
    pub last_seen: i64,
    /// The station it is; null if it is none.
    pub station: Option<u64>,
    /// It was removed by hand: it is not adopted until somebody asks for it.
    pub is_removed: bool,
}

/// One spectator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientStatus {
    /// Its number, which no other spectator of this run ever has.
    pub id: u64,
    /// The station it watches.
    pub station: u64,
    /// `console`, `raw`, `dolphin` or `web` (over HTTP).
    pub protocol: String,
    /// Where it connects from.
    #[schema(value_type = String)]
    pub address: SocketAddr,
    /// When it came, Unix milliseconds.
    pub since: i64,
    /// Whether it has said its handshake.
    pub is_greeted: bool,
    /// Whether it is another andross.
    pub is_relay: bool,
    /// The position it gets next.
    pub cursor: u64,
    /// Event bytes it is behind what it may see.
    pub lag_bytes: u64,
    /// Frames it is behind; null if the game it is in is not the newest.
    pub lag_frames: Option<u64>,
    /// Milliseconds since its connection last took something.
    pub idle_ms: u64,
}

/// What a reload did.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReloadReport {
    /// What was changed, a sentence each.
    pub changed: Vec<String>,
    /// Settings that differ and take effect at the next start only.
    pub needs_restart: Vec<String>,
}

/// Something changed. Every control client hears of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The number of the change; the first is 1.
    pub seq: u64,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// What changed. In JSON, `type` says which of these it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Change {
    /// A station is there, or something about it is different now.
    Station {
        /// All of it.
        station: Box<StationStatus>,
    },
    /// A station is gone.
    StationRemoved {
        /// Its number.
        id: u64,
    },
    /// The program output shows, or will show, something else.
    Program {
        /// All of it.
        program: ProgramStatus,
    },
    /// A console has announced itself, or is another station's now.
    Discovered {
        /// All of it.
        console: DiscoveredConsole,
    },
    /// A console has not announced itself for long.
    Forgotten {
        /// Its MAC address.
        mac: String,
    },
    /// The relay ends.
    Shutdown {
        /// Why.
        reason: String,
    },
}

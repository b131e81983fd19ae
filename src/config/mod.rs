//! What the command line and the configuration file mean, validated.

mod delay;
pub mod file;
mod hooks;
mod limits;
mod nats;
mod obs;
pub mod secret_file;
mod settings;
mod source;
pub mod value;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::protocol::{console, discovery};

pub use delay::{DelaySettings, MAX_DELAY};
pub use hooks::{HookCommand, HooksConfig, Occasion};
pub use limits::{ClientLimits, SourceTiming};
pub use nats::{
    NATS_PORT, NatsAccess, NatsError, NatsLogin, NatsServer, NatsSource, PublishConfig, Secret,
};
pub use obs::{OBS_PORT, ObsAddress, ObsConfig, ObsScene};
pub use settings::{OrOff, Settings, SettingsError};
pub use source::{Source, SourceError, SourceProtocol, check_station_name, same_station_name};

/// The most stations that a relay has at once: several times what a venue has consoles, and so few
/// that neither the operator nor a flood of invented announcements can exhaust ports or memory.
pub const MAX_STATIONS: usize = 64;

/// The port that raw spectators connect to, as at a Slippi Launcher's relay.
pub const RAW_PORT: u16 = 53742;

/// The port of the dashboard's and the control calls' HTTP server.
pub const HTTP_PORT: u16 = 51480;

/// How long a console may stay away before its game is over, unless something else is asked for.
pub const AWAY_LIMIT: Duration = Duration::from_secs(60);

/// Everything a relay needs to know.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// The consoles, a station each, in order.
    pub stations: Vec<StationConfig>,
    /// Where spectators of the console protocol connect: station k on port + k. `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Where raw spectators connect, likewise.
    pub raw_listen: Option<SocketAddr>,
    /// Where spectators of Dolphin's protocol connect over UDP, likewise.
    pub dolphin_listen: Option<SocketAddr>,
    /// Where the control calls are answered. `None`: nowhere.
    pub http: Option<HttpConfig>,
    /// The folder that games are kept in. `None`: they are not.
    pub replays: Option<PathBuf>,
    /// Whether each station has a folder of its own in there.
    pub replay_folders: bool,
    /// How long a source may stay away before its game's file is completed.
    pub away_limit: Duration,
    /// How many threads serve spectators.
    pub consumers: usize,
    /// Limits on spectators.
    pub limits: ClientLimits,
    /// Patience with the consoles.
    pub timing: SourceTiming,
    /// How late spectators see what happens, where a station does not say otherwise.
    pub delay: DelaySettings,
    /// Adopt the consoles that announce themselves. `None`: do not listen for them.
    pub discovery: Option<DiscoveryConfig>,
    /// The program output. `None`: it exists once somebody chooses a station for it.
    pub program: Option<ProgramConfig>,
    /// Commands that run when something happens.
    pub hooks: HooksConfig,
    /// What OBS is told. `None`: nothing.
    pub obs: Option<ObsConfig>,
    /// Where the stations are published. `None`: nowhere.
    pub publish: Option<PublishConfig>,
    /// NATS servers all of whose stations are followed.
    pub follow: Vec<NatsServer>,
    /// How NATS servers are called.
    pub nats: NatsAccess,
}

impl RelayConfig {
    /// The default settings for `sources`, with nothing listening and nothing recorded yet.
    pub fn new(sources: Vec<Source>) -> Self {
        Self {
            stations: sources.into_iter().map(StationConfig::new).collect(),
            listen: None,
            raw_listen: None,
            dolphin_listen: None,
            http: None,
            replays: None,
            replay_folders: false,
            away_limit: AWAY_LIMIT,
            consumers: default_consumers(),
            limits: ClientLimits::default(),
            timing: SourceTiming::default(),
            delay: DelaySettings::default(),
            discovery: None,
            program: None,
            hooks: HooksConfig::default(),
            obs: None,
            publish: None,
            follow: Vec::new(),
            nats: NatsAccess::default(),
        }
    }
}

/// The most threads that serve spectators unless more are asked for: each that has a spectator is woken for
/// each frame, and four send more than a gigabit network carries.
const DEFAULT_CONSUMERS: usize = 4;

/// As many threads as cores, up to four. Measured on two cores, see `docs/performance.md`.
pub fn default_consumers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(DEFAULT_CONSUMERS))
}

/// One station as it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StationConfig {
    /// Its console, and what it is called.
    pub source: Source,
    /// How late its spectators see it.
    pub delay: DelaySettings,
    /// Whether its games are saved, if any are.
    pub record: bool,
}

impl StationConfig {
    /// A station with the default settings.
    pub fn new(source: Source) -> Self {
        Self { source, delay: DelaySettings::default(), record: true }
    }
}

/// How control calls are answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpConfig {
    /// Where. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file whose first line is the token that changing calls must show; `None` on loopback
    /// means that none is needed, elsewhere that nothing can be changed.
    pub token_file: Option<PathBuf>,
    /// Names, besides addresses and `localhost`, by which browsers may call this server.
    pub host_names: Vec<String>,
    /// Where pages may be from that watch games here, such as `https://overlay.example`; `*` is
    /// everywhere. Pages of this server always may.
    pub allow_origins: Vec<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, HTTP_PORT).into(),
            token_file: None,
            host_names: Vec::new(),
            allow_origins: Vec::new(),
        }
    }
}

/// How consoles are discovered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiscoveryConfig {
    /// Where announcements are heard, UDP.
    pub listen: SocketAddr,
    /// The port that a discovered console is asked on: an announcement does not tell.
    pub console_port: u16,
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, discovery::PORT).into(),
            console_port: console::PORT,
        }
    }
}

/// The program output: a station that shows whichever other station is chosen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProgramConfig {
    /// The station it shows first, by name; `None`: nothing yet.
    pub station: Option<String>,
    /// How late its spectators see it.
    pub delay: DelaySettings,
}

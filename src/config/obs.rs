//! How OBS is reached, and what it is to show.

use std::fmt;
use std::path::PathBuf;

/// The port of obs-websocket.
pub const OBS_PORT: u16 = 4455;

/// Where OBS is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObsAddress {
    /// A name or an address; one of IPv6 in brackets.
    pub host: String,
    /// The port of its WebSocket server.
    pub port: u16,
}

impl fmt::Display for ObsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A scene for a station.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObsScene {
    /// The station's name.
    pub station: String,
    /// OBS's scene.
    pub scene: String,
}

/// What OBS is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObsConfig {
    /// Where it is.
    pub address: ObsAddress,
    /// The file whose first line is its password. `None`: it has none.
    pub password_file: Option<PathBuf>,
    /// The source that is shown while a game is on, and hidden after.
    pub source: Option<String>,
    /// The scenes that are switched to when the program output shows their station.
    pub scenes: Vec<ObsScene>,
}

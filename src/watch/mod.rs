//! Watching from afar: a relay without listeners that follows one source, keeps each game as a growing
//! file and lets Playback Dolphin play it.
//!
//! Everything about the source is the relay's own work: connecting, reconnecting by token and cursor,
//! files. What is here looks at the station a few times a second: which game is on and how it stands,
//! and which file Dolphin is to play.

mod comm;
mod dolphin;
mod follower;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::config::{RelayConfig, Source};
use crate::relay::{EndError, Relay, StartError};
use crate::session::{SourceState, Station};
use crate::shutdown::{Reason, Shutdown};
use crate::slp::state::MatchState;

pub use dolphin::{DolphinError, DolphinOptions, DolphinState};

use dolphin::Dolphin;
use follower::Follower;

/// How often the station is looked at: quick enough to see a frame counter run. Dolphin in mirror mode
/// is further behind than this anyway.
const PERIOD: Duration = Duration::from_millis(150);

/// What to watch, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// A relay or a console.
    pub source: Source,
    /// The folder that games are kept in.
    pub replays: PathBuf,
    /// How to start Dolphin; `None`: not at all.
    pub dolphin: Option<DolphinOptions>,
}

/// Why it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Somebody asked for it.
    Asked,
    /// Dolphin was closed.
    DolphinClosed,
}

/// Why there was nothing to watch, or not to the end.
#[derive(Debug, Error)]
pub enum WatchError {
    /// Dolphin cannot be had.
    #[error(transparent)]
    Dolphin(#[from] DolphinError),
    /// The folder for the games has no path.
    #[error("{folder}: {error}; --replays names another folder")]
    Folder {
        /// As it was named.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The threads that follow the source did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// They did not end well.
    #[error(transparent)]
    End(#[from] EndError),
    /// Something else failed.
    #[error("{0}")]
    Failed(String),
}

/// How it stands at one moment.
#[derive(Debug)]
pub struct View<'a> {
    /// What the source is called here.
    pub name: &'a str,
    /// Where it is.
    pub source: &'a Source,
    /// Whether its stream is on.
    pub connection: SourceState,
    /// The console's nickname, in its own bytes.
    pub nick: Vec<u8>,
    /// The newest game's number since the program started; 0 before the first.
    pub game: u64,
    /// How that game stands, over or not.
    pub state: &'a MatchState,
    /// The newest game's file.
    pub file: Option<PathBuf>,
    /// The folder that it is in.
    pub folder: &'a Path,
    /// Games saved so far.
    pub saved: u64,
    /// Times that bytes were lost before they came here.
    pub gaps: u64,
    /// The disk does not take what comes.
    pub is_disk_failing: bool,
    /// What Dolphin does; `None` without one.
    pub dolphin: Option<DolphinState>,
}

/// Watches until someone asks to stop, Dolphin is closed, or nothing can go on. `on_view` is told a
/// few times a second how it stands.
///
/// # Errors
/// [`WatchError`]; games are complete all the same, as far as they came.
pub fn run(
    options: Options,
    shutdown: &Shutdown,
    mut on_view: impl FnMut(&View<'_>),
) -> Result<End, WatchError> {
    let Options { source, replays, dolphin } = options;
    // Dolphin has a working directory of its own: it is told whole paths.
    let folder = std::path::absolute(&replays)
        .map_err(|error| WatchError::Folder { folder: replays, error })?;
    let mut dolphin = dolphin.map(|options| Dolphin::new(options, &folder)).transpose()?;
    let mut config = RelayConfig::new(vec![source.clone()]);
    config.replays = Some(folder.clone());
    // Nobody connects here.
    config.consumers = 1;
    let relay = Relay::start(config, shutdown)?;
    let mut end = End::Asked;
    if let Some(station) = relay.stations().first() {
        let mut follower = Follower::default();
        while !shutdown.wait_for(PERIOD) {
            follower.follow(station);
            if let Some(dolphin) = &mut dolphin {
                match turn(dolphin, station) {
                    Ok(DolphinState::Closed) => {
                        tracing::info!("Dolphin was closed: so this ends, too");
                        end = End::DolphinClosed;
                        shutdown.request(Reason::Finished);
                    }
                    Ok(_) => {}
                    Err(error) => shutdown.request(Reason::Failed(error.to_string())),
                }
            }
            on_view(&look(&source, &folder, station, &follower, dolphin.as_ref()));
        }
        let reason = relay.run_to_end()?;
        follower.follow(station);
        on_view(&look(&source, &folder, station, &follower, dolphin.as_ref()));
        return match reason {
            Reason::Failed(sentence) => Err(WatchError::Failed(sentence)),
            _ => Ok(end),
        };
    }
    // Somebody asked to stop before it began.
    relay.run_to_end()?;
    Ok(end)
}

/// Lets Dolphin play the newest game.
fn turn(dolphin: &mut Dolphin, station: &Station) -> Result<DolphinState, DolphinError> {
    let nick = String::from_utf8_lossy(station.identity().nick()).into_owned();
    dolphin.turn(station.recording().as_deref(), &nick, Instant::now())
}

fn look<'a>(
    source: &'a Source,
    folder: &'a Path,
    station: &Station,
    follower: &'a Follower,
    dolphin: Option<&Dolphin>,
) -> View<'a> {
    View {
        name: &source.name,
        source,
        connection: station.source(),
        nick: station.identity().nick().to_vec(),
        game: follower.game(),
        state: follower.state(),
        file: station.recording(),
        folder,
        saved: station.stats.files.get(),
        gaps: station.stats.gaps.get(),
        is_disk_failing: station.stats.recorder_failing.get() != 0,
        dolphin: dolphin.map(Dolphin::state),
    }
}

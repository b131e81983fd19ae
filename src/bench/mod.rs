//! The bench: spectators by the thousand, and what serving them costs.
//!
//! Everything runs in processes of its own on this machine, over loopback:
//!
//! ```text
//!  sources (here) ──▶ relay or floor ──▶ spectators
//!  source  (here) ──▶ relay ──▶ relay ──▶ .. ──▶ spectators      with more than one hop
//!  source  (here) ──▶ relay ──▶ NATS ──▶ edge ──▶ spectators     with a NATS server, beside the relay
//! ```
//!
//! A *source* is a console that plays the same invented [`Game`] each time, the frames at absolute
//! deadlines, each with the time of its write in it. Several are out of step by a part of a frame, as
//! consoles are that nobody synchronises, and share the spectators. The *spectators* compare every byte with that
//! game and take the time from the write to their read. The *relay* is `andross relay` as anybody
//! runs it. The *floor* forwards the same bytes to the same spectators by the barest loop there is,
//! so each figure of the relay stands beside what this machine and its kernel take at least.
//! The two take turns, round by round. Of a chain of relays the latency is that from end to end, and
//! processor time and memory are the last relay's; the floor is one loop all the same.

mod chain;
mod children;
mod figures;
mod floor;
mod game;
mod ports;
mod process;
mod published;
mod report;
mod source;
mod spectators;
mod stage;
mod stamp;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, io};

use mio::event::Event;
use thiserror::Error;

use crate::net::raise_open_files_limit;
use crate::shutdown::{Reason, Shutdown};

pub use children::end_with_parent;
pub use figures::{Figures, Idle, Ratio, Row};
pub use floor::{FloorError, FloorOptions, run_floor};
pub use game::Game;
pub use report::{Report, Target};
pub use spectators::{SpectatorsError, SpectatorsOptions, run_spectators};
pub use tally::Tally;

use stage::{Forwarder, Stage};

/// Spectators of the row that tells what waiting costs.
const IDLE_SPECTATORS: usize = 100;

/// Files that a process of the bench needs besides a socket for each spectator.
const OWN_FILES: u64 = 128;

/// Files of a forwarder for each station: its console and its listener.
const STATION_FILES: u64 = 2;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// This program, which is started again as relay, floor and spectators.
    pub executable: PathBuf,
    /// Consoles at once, at least 1.
    pub stations: usize,
    /// Relays in a row between the console and its spectators, at least 1; more than one is for one
    /// station only.
    pub hops: usize,
    /// A NATS server through which the game goes, too, from one relay to another; with one station
    /// only.
    pub nats: Option<String>,
    /// The rows: so many spectators at once, spread evenly over the stations.
    pub spectators: Vec<usize>,
    /// Processes that share the spectators.
    pub spectator_processes: usize,
    /// Threads of the relay that serve spectators; `None` leaves that to the relay.
    pub consumers: Option<u16>,
    /// How long the frames of one round take.
    pub seconds: u32,
    /// Rounds of each row, for the floor and for the relay each.
    pub rounds: usize,
    /// Frames a second.
    pub fps: f64,
}

impl Options {
    /// Frames of one round.
    fn frames(&self) -> usize {
        ((f64::from(self.seconds) * self.fps).round() as usize).max(1)
    }
}

/// What the bench tells while it runs.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A round begins.
    Round {
        /// Spectators of the row.
        spectators: usize,
        /// The round, from 1.
        round: usize,
        /// Who forwards: `floor`, `relay` or `nats`.
        forwarder: &'static str,
    },
    /// A row is complete.
    Row(&'a Row),
    /// The row of the idle relay begins.
    Idle {
        /// Spectators who wait.
        spectators: usize,
    },
    /// A row cannot be had here, and why.
    Skipped {
        /// Spectators of the row.
        spectators: usize,
        /// Files that this system lets a process open.
        open_files: u64,
    },
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Round { spectators, round, forwarder } => {
                write!(f, "{spectators} spectators, round {round}: {forwarder}")
            }
            Self::Row(row) => row.fmt(f),
            Self::Idle { spectators } => write!(f, "{spectators} spectators: idle relay"),
            Self::Skipped { spectators, open_files } => write!(
                f,
                "{spectators} spectators are skipped: a process may only open {open_files} files \
                 here; raise the limit (ulimit -n)"
            ),
        }
    }
}

/// Why there are no figures.
#[derive(Debug, Error)]
pub enum BenchError {
    /// Somebody asked to stop.
    #[error("the bench was stopped by {0}")]
    Stopped(Reason),
    /// A process of the bench ended when it should not have.
    #[error("the {name} ended early ({status}){}", last_words(.words))]
    Child {
        /// Which.
        name: &'static str,
        /// How it ended.
        status: String,
        /// The last line it wrote to standard error.
        words: String,
    },
    /// A process of the bench cannot be started.
    #[error("the {name} cannot be started: {error}")]
    Spawn {
        /// Which.
        name: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The pretend console failed.
    #[error("the source of the bench failed: {0}")]
    Source(String),
    /// A process said something that makes no sense.
    #[error("the {name} said something else than its figures: {line}")]
    Nonsense {
        /// Which.
        name: &'static str,
        /// What it said.
        line: String,
    },
    /// Something took for ever.
    #[error("the bench waited {seconds} s in vain for {what}{}", last_words(.words))]
    Late {
        /// What should have happened.
        what: &'static str,
        /// The limit.
        seconds: u64,
        /// The last line that the forwarder wrote to standard error.
        words: String,
    },
    /// The spectators did not get what the source sent.
    #[error(
        "not every byte arrived through the {forwarder}: {wrong} wrong, {missing} missing, {gaps} gaps, {closed} spectators hung up on{}",
        last_words(.words)
    )]
    Bytes {
        /// Through whom.
        forwarder: &'static str,
        /// Bytes that differ from the game.
        wrong: u64,
        /// Bytes that did not come.
        missing: u64,
        /// Times that a message began at another position than the one before ended.
        gaps: u64,
        /// Spectators whose connection ended before the game did.
        closed: u64,
        /// The last line that the forwarder wrote to standard error.
        words: String,
    },
    /// The system gives no thread or socket.
    #[error("the system refuses a thread or socket: {0}")]
    Io(#[from] io::Error),
}

fn last_words(words: &str) -> String {
    if words.is_empty() {
        return String::new();
    }
    format!("; its last words: {words}")
}

/// Measures everything that `options` asks for.
///
/// # Errors
/// [`BenchError`]; every process that was started has ended then.
pub fn run(
    options: &Options,
    shutdown: &Shutdown,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Report, BenchError> {
    let game = Arc::new(Game::new(options.frames()));
    let mut report = Report::new(options);
    for &spectators in &options.spectators {
        if !fits(spectators, options.stations, &mut progress) {
            continue;
        }
        let (mut floor, mut relay, mut nats) = (Vec::new(), Vec::new(), Vec::new());
        let mut forwarders = vec![Forwarder::Floor, Forwarder::Relay];
        forwarders.extend(options.nats.as_ref().map(|_| Forwarder::Nats));
        for round in 1..=options.rounds {
            for &forwarder in &forwarders {
                progress(Progress::Round { spectators, round, forwarder: forwarder.name() });
                let stage = Stage::set(options, &game, forwarder, spectators, shutdown)?;
                let figures = stage.play(&game)?;
                match forwarder {
                    Forwarder::Floor => floor.push(figures),
                    Forwarder::Relay => relay.push(figures),
                    Forwarder::Nats => nats.push(figures),
                }
            }
        }
        let row = Row::new(spectators, floor, relay).with_nats(nats);
        progress(Progress::Row(&row));
        report.rows.push(row);
    }
    if fits(IDLE_SPECTATORS, options.stations, &mut progress) {
        progress(Progress::Idle { spectators: IDLE_SPECTATORS });
        let stage = Stage::set(options, &game, Forwarder::Relay, IDLE_SPECTATORS, shutdown)?;
        report.idle = Some(stage.idle(options.seconds)?);
    }
    report.judge();
    Ok(report)
}

/// Whether this system lets one process have so many sockets; tells if not.
fn fits(spectators: usize, stations: usize, progress: &mut impl FnMut(Progress<'_>)) -> bool {
    let Some(open_files) = raise_open_files_limit() else {
        return true;
    };
    let needed = spectators as u64 + OWN_FILES + STATION_FILES * stations as u64;
    let fits = needed <= open_files;
    if !fits {
        progress(Progress::Skipped { spectators, open_files });
    }
    fits
}

/// Whether a read that gave `len` of `capacity` bytes behind `event` has emptied the socket, so that
/// the poll tells when there is more. The end of a stream shows only at the next read; and Windows
/// only tells after a read that would have blocked.
fn is_drained(len: usize, capacity: usize, event: &Event) -> bool {
    cfg!(unix) && len < capacity && !event.is_read_closed()
}

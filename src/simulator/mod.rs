//! The pretend console: plays recordings and talks to its client as Nintendont does, quirks
//! included.
//!
//! ```text
//! recordings ─▶ player ─▶ ring (3 MiB, cursors since boot) ─▶ server or legacy ─▶ the one client
//!                                                             announce ─▶ UDP, while there is none
//! ```
//!
//! [`ring`] and [`recording`] are pure; each box behind them is one thread, and all of them end when
//! the [`Simulator`] is dropped or the [`Shutdown`] it was given is requested.

mod announce;
mod legacy;
mod link;
mod player;
pub mod recording;
pub mod ring;
mod server;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Poll, Waker};
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::protocol::discovery::{Announcement, Mac};
use crate::protocol::{Cursor, console};
use crate::shutdown::{Shutdown, Worker, join_all};

use announce::Announcer;
use link::{DOORBELL, Link};
use player::Player;
pub use player::Repeat;
pub use recording::{Recording, RecordingError};
use state::Shared;
pub use state::{Client, Playing};

/// Connections that wait while one is served, as a console asks for. The system may allow one more.
const BACKLOG: i32 = 1;

/// The longest nickname in bytes: the console's settings have room for so much and a NUL.
pub const MAX_NICK_LEN: usize = 31;

/// The pace of the game in frames a second.
pub const FPS: f64 = 59.94;

/// The lowest pace: a frame in a quarter of an hour. Below, a game would outlast the clock.
pub const MIN_FPS: f64 = 0.001;

/// The highest pace: beyond, there is nothing left to wait for between two frames.
pub const MAX_FPS: f64 = 100_000.0;

/// How long the threads may take to end. They are woken, so it takes them milliseconds.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What is played, how, and to whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What is played, in this order; at least one.
    pub recordings: Vec<Recording>,
    /// Frames a second, from [`MIN_FPS`] to [`MAX_FPS`]. There is no mercy at any pace: a client more
    /// than 3 MiB behind loses bytes, as with a real console.
    pub fps: f64,
    /// How often.
    pub repeat: Repeat,
    /// The time between two games.
    pub pause: Duration,
    /// The nickname, at most [`MAX_NICK_LEN`] bytes.
    pub nick: String,
    /// The version of Nintendont to claim.
    pub version: String,
    /// Speak as consoles did before the console protocol: bare events.
    pub legacy: bool,
    /// Where to announce the console over UDP, if at all.
    pub announce: Option<SocketAddr>,
    /// The MAC address to announce, which is a console's identity; by default one made of the port.
    pub mac: Option<Mac>,
    /// Start to play only when the first client is there, also behind a reboot.
    pub wait_for_client: bool,
}

impl Default for Options {
    /// On a free port of this machine, once, at the game's pace, when the first client is there.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            recordings: Vec::new(),
            fps: FPS,
            repeat: Repeat::Times(1),
            pause: Duration::from_secs(3),
            nick: "andross".to_owned(),
            version: "1.9.0".to_owned(),
            legacy: false,
            announce: None,
            mac: None,
            wait_for_client: true,
        }
    }
}

/// Why a pretend console cannot start.
#[derive(Debug, Error)]
pub enum SimulatorError {
    /// There is nothing to play.
    #[error("there is no recording to play; name at least one .slp file")]
    NoRecordings,
    /// No pace at all, or one that nothing can keep.
    #[error("{0} frames a second cannot be played; the pace is from {MIN_FPS} to {MAX_FPS}")]
    Fps(f64),
    /// A nickname that no console has.
    #[error("the nickname {0:?} is longer than a console's: at most {MAX_NICK_LEN} bytes")]
    Nick(String),
    /// The port cannot be listened on.
    #[error("cannot listen on {addr} (is the port in use, or the address another machine's?)")]
    Listen {
        /// What was asked for.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no socket to announce the console with.
    #[error("cannot announce the console to {addr}")]
    Announce {
        /// What was asked for.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives no more threads or pollers.
    #[error("cannot start the pretend console")]
    Start(#[from] std::io::Error),
}

/// A pretend console that runs. Dropped, it is switched off.
pub struct Simulator {
    local_addr: SocketAddr,
    shared: Arc<Shared>,
    workers: Vec<Worker>,
}

impl Simulator {
    /// Switches a pretend console on. It runs until it is stopped or `shutdown` is requested; a
    /// panic in one of its threads requests that.
    ///
    /// # Errors
    /// If the options make no sense or the system refuses a socket or thread.
    pub fn start(options: Options, shutdown: &Shutdown) -> Result<Self, SimulatorError> {
        check(&options)?;
        let addr = options.listen;
        let (listener, local_addr) =
            listen(addr).map_err(|source| SimulatorError::Listen { addr, source })?;
        let mac = options.mac.unwrap_or_else(|| mac_of(local_addr));
        let announcement = Announcement { mac, nick: options.nick.clone() };
        let announcer =
            options.announce.map(|to| announcer(to, announcement, local_addr)).transpose()?;

        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        let shared = Arc::new(Shared::new(Arc::clone(&doorbell)));
        let link = Link::new(poll, listener, Arc::clone(&shared), shutdown.clone())?;
        shutdown.ring_on_request(doorbell);
        let player = Player {
            shared: Arc::clone(&shared),
            recordings: options.recordings,
            fps: options.fps,
            repeat: options.repeat,
            pause: options.pause,
            wait_for_client: options.wait_for_client,
        };

        // From here on, an early return drops the simulator, which stops the threads it has.
        let mut simulator = Self { local_addr, shared: Arc::clone(&shared), workers: Vec::new() };
        let mut spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let name = format!("pretend console {local_addr}: {name}");
            Worker::spawn(name, shutdown, work).map(|worker| simulator.workers.push(worker))
        };
        if options.legacy {
            spawn("network", Box::new(move || legacy::run(link)))?;
        } else {
            let Options { nick, version, .. } = options;
            spawn("network", Box::new(move || server::run(link, &nick, &version)))?;
        }
        if let Some(announcer) = announcer {
            spawn("announcer", Box::new(move || announcer.run(&shared)))?;
        }
        spawn("player", Box::new(move || player.run()))?;
        Ok(simulator)
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The position behind the last byte played since the boot.
    pub fn write_pos(&self) -> Cursor {
        self.shared.lock().ring.write_pos()
    }

    /// The client that is connected and greeted.
    pub fn client(&self) -> Option<Client> {
        self.shared.lock().client
    }

    /// How many clients were greeted since the start, reboots included.
    pub fn clients_served(&self) -> u64 {
        self.shared.lock().clients_served
    }

    /// The game that runs, or the last one while there is a pause.
    pub fn playing(&self) -> Option<Playing> {
        self.shared.lock().playing.clone()
    }

    /// Waits until all games were written and, if a client is connected, sent to it; whether that
    /// was so within `timeout`. Returns early if the console is switched off.
    pub fn wait_until_played(&self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        self.shared.wait_for_progress(deadline, |state| state.all_sent())
    }

    /// Hangs up on the client. It may come back and resume.
    pub fn drop_client(&self) {
        self.shared.change(|state| state.drop_client());
    }

    /// Switches the console off and on again: the client is dropped, its token forgotten, the
    /// memory empty, positions begin at 0. The game that ran begins anew behind the pause.
    pub fn reboot(&self) {
        self.shared.change(|state| state.reboot());
    }

    /// Switches the console off, in good order: what was sent still arrives. Returns the names of
    /// threads that did not end in time.
    pub fn stop(mut self) -> Vec<String> {
        self.stop_threads()
    }

    fn stop_threads(&mut self) -> Vec<String> {
        self.shared.change(|state| state.stopping = true);
        let workers = std::mem::take(&mut self.workers);
        join_all(workers, Instant::now() + STOP_LIMIT)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for late in self.stop_threads() {
            tracing::error!("the thread `{late}` does not end");
        }
    }
}

fn check(options: &Options) -> Result<(), SimulatorError> {
    if options.recordings.is_empty() {
        return Err(SimulatorError::NoRecordings);
    }
    if !(MIN_FPS..=MAX_FPS).contains(&options.fps) {
        return Err(SimulatorError::Fps(options.fps));
    }
    if options.nick.len() > MAX_NICK_LEN {
        return Err(SimulatorError::Nick(options.nick.clone()));
    }
    Ok(())
}

/// A listener with a console's backlog; the standard library's is longer.
fn listen(addr: SocketAddr) -> std::io::Result<(mio::net::TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // On Unix this lets a restart have the port at once; on Windows it would let two have it.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = std::net::TcpListener::from(socket);
    let local_addr = listener.local_addr()?;
    Ok((mio::net::TcpListener::from_std(listener), local_addr))
}

/// Another for each pretend console of a machine, and the same at each start.
fn mac_of(local_addr: SocketAddr) -> Mac {
    let [high, low] = local_addr.port().to_be_bytes();
    // 0x02: locally administered.
    Mac([0x02, b'a', b'n', b'd', high, low])
}

fn announcer(
    to: SocketAddr,
    announcement: Announcement,
    local_addr: SocketAddr,
) -> Result<Announcer, SimulatorError> {
    if local_addr.port() != console::PORT {
        tracing::debug!(
            "announcements do not tell the port; who hears them will try {}",
            console::PORT
        );
    }
    Announcer::new(local_addr.ip(), to, announcement)
        .map_err(|source| SimulatorError::Announce { addr: to, source })
}

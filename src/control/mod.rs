//! The HTTP control plane: the state, changes to it and the saved games, for programs and people.
//!
//! It is a client of the engine like any other. All of it runs on the thread that calls
//! [`HttpServer::run`], with a few more for files; nobody who serves frames ever waits for it.

mod access;
mod api;
mod bridge;
mod client_key;
mod dashboard;
mod downloads;
mod events;
mod extract;
mod guard;
mod listing;
mod metrics;
mod page;
mod patient;
mod places;
mod problem;
mod rates;
mod server;
mod socket;
mod spectate;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::audience::Gallery;
use crate::engine::{Handle, Refusal, Reply, Request};
use crate::shutdown::Shutdown;

pub use bridge::{Bridge, News};
pub use listing::{ReplayFile, ReplayList};
pub use problem::ErrorBody;
pub use server::{BindError, HttpServer};

/// How long the engine may take for an answer. It needs under a millisecond; when it has been
/// stuck for this long, the caller had better be told.
const ENGINE_TIME: Duration = Duration::from_secs(5);

/// WebSockets at once: each costs a place and, when it lags, a copy of the state.
const MAX_WATCHERS: usize = 64;

/// Listings of the replays folder at once: two leave threads for downloads when the disk is slow.
const MAX_LISTINGS: usize = 2;

/// What every handler may use.
#[derive(Clone, Debug)]
struct App {
    engine: Handle,
    replays: Option<Arc<PathBuf>>,
    watchers: Arc<Semaphore>,
    listings: Arc<Semaphore>,
    games: Games,
    shutdown: Shutdown,
}

/// What those who watch games need.
#[derive(Clone, Debug)]
pub struct Games {
    /// Rings when a station's log has something new.
    pub news: News,
    /// Has their places.
    pub gallery: Arc<Gallery>,
}

impl App {
    fn new(engine: Handle, replays: Option<PathBuf>, games: Games, shutdown: Shutdown) -> Self {
        Self {
            engine,
            replays: replays.map(Arc::new),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            listings: Arc::new(Semaphore::new(MAX_LISTINGS)),
            games,
            shutdown,
        }
    }

    /// Asks the engine, but not for ever.
    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Refusal> {
        tokio::time::timeout(ENGINE_TIME, self.engine.ask(request))
            .await
            .unwrap_or(Err(Refusal::Busy))
    }
}

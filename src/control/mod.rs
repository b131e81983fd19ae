//! The HTTP control plane: the state, changes to it and the saved games, for programs and people.
//!
//! It is a client of the engine like any other. All of it runs on the thread that calls
//! [`HttpServer::run`], with a few more for files; nobody who serves frames ever waits for it.

mod access;
mod api;
mod client_key;
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
mod removals;
mod server;
mod socket;
mod spectate;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::engine::{Handle, Refusal, Reply, Request};
use crate::session::News;

pub use listing::{ReplayFile, ReplayList};
pub use problem::ErrorBody;
pub use server::{BindError, HttpServer};

use removals::Removals;

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
    web_spectators: Arc<Semaphore>,
    news: News,
    removals: Removals,
    stop: Stop,
}

/// What those who watch games are told of.
#[derive(Clone, Debug)]
struct Watched {
    news: News,
    removals: Removals,
}

/// Whether the relay ends.
#[derive(Clone, Debug)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits until it does. Safe to give up waiting.
    async fn requested(&self) {
        // An error means that the sender is gone, which is as good a reason.
        let _ = self.0.clone().wait_for(|&stop| stop).await;
    }
}

impl App {
    fn new(engine: Handle, replays: Option<PathBuf>, watched: Watched, stop: Stop) -> Self {
        let Watched { news, removals } = watched;
        Self {
            engine,
            replays: replays.map(Arc::new),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            listings: Arc::new(Semaphore::new(MAX_LISTINGS)),
            web_spectators: Arc::new(Semaphore::new(spectate::MAX_WEB_SPECTATORS)),
            news,
            removals,
            stop,
        }
    }

    /// Asks the engine, but not for ever.
    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Refusal> {
        tokio::time::timeout(ENGINE_TIME, self.engine.ask(request))
            .await
            .unwrap_or(Err(Refusal::Busy))
    }
}

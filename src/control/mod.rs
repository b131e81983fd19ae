//! The HTTP control plane: the state, changes to it and the saved games, for programs and people.
//!
//! It is a client of the engine like any other. All of it runs on the thread that calls
//! [`HttpServer::run`], with a few more for files; nobody who serves frames ever waits for it.

mod access;
mod api;
mod archive;
mod client_key;
mod curtain;
mod dashboard;
mod downloads;
mod events;
mod extract;
mod freshness;
mod guard;
mod health;
mod metrics;
mod page;
mod patient;
mod places;
mod problem;
mod rates;
mod replays;
mod server;
mod socket;
mod spectate;
mod token;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::audience::Gallery;
use crate::engine::{Handle, Refusal, Reply, Request};
use crate::library::{Hidden, Library};
use crate::session::{News, StationId};
use crate::shutdown::Shutdown;

pub use problem::ErrorBody;
pub use replays::ReplayPage;
pub use server::{BindError, HttpServer};

/// How long the engine may take for an answer. It needs under a millisecond; when it has been
/// stuck for this long, the caller had better be told.
const ENGINE_TIME: Duration = Duration::from_secs(5);

/// WebSockets at once: each costs a place and, when it lags, a copy of the state.
const MAX_WATCHERS: usize = 64;

/// Questions to the library at once: threads are left for downloads when the disk is slow.
const MAX_LISTINGS: usize = 2;

/// Archives that are packed at once, each on a thread for files as long as its client takes it.
const MAX_ARCHIVES: usize = 2;

/// What every handler may use.
#[derive(Clone, Debug)]
struct App {
    engine: Handle,
    library: Option<Arc<Library>>,
    curtain: Arc<curtain::Curtain>,
    watchers: Arc<Semaphore>,
    listings: Arc<Semaphore>,
    archives: Arc<Semaphore>,
    games: Games,
    health: health::Health,
    shutdown: Shutdown,
}

/// What those who watch games need.
#[derive(Clone, Debug)]
pub struct Games {
    /// Rings when a station's log has something new.
    pub news: News,
    /// Has their places.
    pub gallery: Arc<Gallery>,
    /// How far spectators were behind in the run before, as far as the settings tell.
    pub delay: Duration,
}

impl App {
    fn new(
        engine: Handle,
        library: Option<Arc<Library>>,
        games: Games,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            engine,
            library,
            curtain: Arc::new(curtain::Curtain::new(games.delay)),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            listings: Arc::new(Semaphore::new(MAX_LISTINGS)),
            archives: Arc::new(Semaphore::new(MAX_ARCHIVES)),
            games,
            health: health::Health::new(),
            shutdown,
        }
    }

    /// Which saved games nobody may learn of yet; `None` without a delay.
    async fn hidden(&self) -> Result<Option<Hidden>, Refusal> {
        self.curtain.note(&self.ask(Request::Stations).await?);
        Ok(self.curtain.hidden())
    }

    /// Whether there is such a station now.
    async fn check_station(&self, id: StationId) -> Result<(), Refusal> {
        let stations = self.ask(Request::Stations).await?;
        let is_there = stations.iter().any(|station| station.id == id);
        is_there.then_some(()).ok_or(Refusal::NoStation(id.0))
    }

    /// Asks the engine, but not for ever.
    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Refusal> {
        tokio::time::timeout(ENGINE_TIME, self.engine.ask(request))
            .await
            .unwrap_or(Err(Refusal::Busy))
    }
}

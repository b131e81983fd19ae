//! The stations as the engine tells of them, and what happens there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout};

use super::event::HookEvent;
use super::history::History;
use crate::engine::{Change, GameStatus, Handle, Request, StationStatus};
use crate::session::Station;
use crate::unix_time::unix_ms;

/// How long the engine may take for an answer.
const ENGINE_TIME: Duration = Duration::from_secs(5);

/// How long the file of a station that is gone is waited for.
const LEAVE_TIME: Duration = Duration::from_secs(10);

/// Everything that is followed.
pub(super) struct Stations {
    engine: Handle,
    followed: HashMap<u64, Followed>,
}

struct Followed {
    history: History,
    /// Files whose completion was noticed.
    files: u64,
    /// As the engine told of it last.
    told: Arc<StationStatus>,
    /// Its files are asked for there: the engine's state names the newest only.
    station: Option<Arc<Station>>,
    /// Set when it is gone: until then its last file is waited for.
    leaves: Option<Instant>,
}

impl Followed {
    /// What happened until the station was as `now` says.
    fn advance(&mut self, now: Arc<StationStatus>) -> Vec<HookEvent> {
        let (files, saved) = match &self.station {
            Some(station) => station.saved_since(self.files),
            None => (self.files, Vec::new()),
        };
        self.files = files;
        self.told = now;
        self.history.advance(&self.told, saved, time())
    }

    /// The station as it is now, as far as the engine is not needed for that.
    fn look(&self) -> Arc<StationStatus> {
        let Some(station) = &self.station else { return self.told.clone() };
        let mut now = StationStatus::clone(&self.told);
        now.recording.file = station.recording();
        now.totals.files = station.stats.files.get();
        now.game = GameStatus::now(&station.log);
        Arc::new(now)
    }
}

impl Stations {
    pub(super) fn new(engine: Handle) -> Self {
        Self { engine, followed: HashMap::new() }
    }

    /// What a change means.
    pub(super) async fn hear(&mut self, change: Change) -> Vec<HookEvent> {
        match change {
            Change::Station { station } => self.look_at(*station).await,
            Change::StationRemoved { id } => self.leave(id),
            _ => Vec::new(),
        }
    }

    /// Changes were missed: asks how everything is.
    pub(super) async fn catch_up(&mut self) -> Vec<HookEvent> {
        let Some(status) = self.ask(Request::Status).await else { return Vec::new() };
        let is_there = |id: &u64| status.stations.iter().any(|station| station.id == *id);
        let gone: Vec<u64> = self.followed.keys().filter(|id| !is_there(id)).copied().collect();
        let mut events: Vec<HookEvent> = gone.into_iter().flat_map(|id| self.leave(id)).collect();
        for station in status.stations {
            events.extend(self.look_at(station).await);
        }
        events
    }

    async fn look_at(&mut self, now: StationStatus) -> Vec<HookEvent> {
        // Commands are the operator's: they are told at once.
        let now = Arc::new(now.undelayed());
        let is_known = |followed: &Followed| followed.station.is_some();
        let station = match self.followed.get(&now.id).is_some_and(is_known) {
            true => None,
            false => self.find(now.id).await,
        };
        let followed = self.followed.entry(now.id).or_insert_with(|| Followed {
            history: History::default(),
            files: 0,
            told: now.clone(),
            station: None,
            leaves: None,
        });
        if station.is_some() {
            followed.station = station;
        }
        followed.advance(now)
    }

    async fn find(&self, id: u64) -> Option<Arc<Station>> {
        let stations = self.ask(Request::Stations).await?;
        stations.into_iter().find(|station| station.id.0 == id)
    }

    /// An answer of the engine, but not for ever; none if it is busy, and asked again soon.
    async fn ask<T>(&self, request: impl FnOnce(crate::engine::Reply<T>) -> Request) -> Option<T> {
        timeout(ENGINE_TIME, self.engine.ask(request)).await.ok()?.ok()
    }

    fn leave(&mut self, id: u64) -> Vec<HookEvent> {
        let Some(followed) = self.followed.get_mut(&id) else { return Vec::new() };
        if followed.leaves.is_some() {
            return Vec::new();
        }
        followed.leaves = Some(Instant::now() + LEAVE_TIME);
        let now = followed.look();
        let mut events = followed.advance(now);
        events.extend(followed.history.leave(&followed.told, time()));
        events
    }

    /// Whether a station is gone whose last file may still come.
    pub(super) fn any_leaves(&self) -> bool {
        self.followed.values().any(|followed| followed.leaves.is_some())
    }

    /// The files of stations that are gone. These are forgotten after a while.
    pub(super) fn look_at_leaving(&mut self) -> Vec<HookEvent> {
        let now = Instant::now();
        let leaving = self.followed.values_mut().filter(|followed| followed.leaves.is_some());
        let events = leaving.flat_map(Followed::last_files).collect();
        self.followed.retain(|_, followed| followed.leaves.is_none_or(|until| now < until));
        events
    }

    /// The relay ends and the recorder is done: what the engine did not live to tell.
    pub(super) fn look_at_all(&mut self) -> Vec<HookEvent> {
        let mut all: Vec<&mut Followed> = self.followed.values_mut().collect();
        all.sort_by_key(|followed| followed.told.id);
        all.into_iter()
            .flat_map(|followed| match followed.leaves {
                Some(_) => followed.last_files(),
                None => {
                    let now = followed.look();
                    followed.advance(now)
                }
            })
            .collect()
    }
}

impl Followed {
    /// Of a station that is gone nothing but files is news.
    fn last_files(&mut self) -> Vec<HookEvent> {
        let mut events = self.advance(self.look());
        events.retain(|event| event.file.is_some());
        events
    }
}

fn time() -> i64 {
    unix_ms(SystemTime::now())
}

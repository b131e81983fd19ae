//! A publisher for each station that is this relay's own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::facts::{Lease, read};
use super::link::{Link, Session};
use super::publisher::Publisher;
use super::subject::{BUCKET, lease_key, token};
use super::task::guarded;
use super::trouble::Trouble;
use crate::config::{NatsSource, PublishConfig};
use crate::engine::{Change, Event, Handle, Request, StationKind};
use crate::session::{News, Station};
use crate::shutdown::Shutdown;

/// How long it may take to say that a station is gone. An edge that is not told keeps a station that is
/// silent.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// Before that is said again.
const FAREWELL_RETRY: Duration = Duration::from_millis(200);

/// How long publishers may take to end, which is more than each allows itself and less than the relay
/// gives its threads.
const END_TIME: Duration = Duration::from_secs(3);

/// Starts and ends publishers as stations come and go.
pub(super) struct Publishers {
    config: PublishConfig,
    link: Arc<Link>,
    news: News,
    engine: Handle,
    shutdown: Shutdown,
    running: HashMap<u64, Running>,
    tasks: JoinSet<()>,
}

/// A publisher under way.
struct Running {
    station: Arc<Station>,
    /// What the station is called there.
    name: String,
    task: AbortHandle,
}

impl Publishers {
    pub(super) fn new(
        config: PublishConfig,
        link: Arc<Link>,
        news: News,
        engine: Handle,
        shutdown: Shutdown,
    ) -> Self {
        let (running, tasks) = (HashMap::new(), JoinSet::new());
        Self { config, link, news, engine, shutdown, running, tasks }
    }

    /// Runs until the relay ends and what is in the logs was sent.
    pub(super) async fn run(mut self, mut changes: Receiver<Event>) {
        self.look().await;
        loop {
            let change = tokio::select! {
                change = changes.recv() => change,
                Some(_) = self.tasks.join_next() => continue,
                () = self.shutdown.requested() => break,
            };
            let is_news = match change.map(|event| event.change) {
                Ok(Change::Station { station }) => self.is_news(station.id, &station.name),
                Ok(Change::StationRemoved { .. }) | Err(RecvError::Lagged(_)) => true,
                Ok(_) => false,
                Err(RecvError::Closed) => break,
            };
            if is_news {
                self.look().await;
            }
        }
        // Who has not ended by then is given up with `self`.
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(END_TIME, ended).await;
    }

    fn is_news(&self, id: u64, name: &str) -> bool {
        self.running.get(&id).is_none_or(|running| running.name != name)
    }

    /// Looks which stations there are. An engine that is busy is asked again at the next change.
    async fn look(&mut self) {
        let Ok(status) = self.engine.ask(Request::Status).await else { return };
        let Ok(stations) = self.engine.ask(Request::Stations).await else { return };
        // What comes from that server is there already; the program output has positions of its own.
        let is_from_there = |source: &str| {
            let source = source.parse::<NatsSource>();
            source.is_ok_and(|source| source.server.is_same_place(&self.link.server))
        };
        let own = |id: u64| {
            let status = status.stations.iter().find(|status| status.id == id)?;
            let is_own = status.kind == StationKind::Console && !is_from_there(&status.source);
            is_own.then(|| status.name.clone())
        };
        let gone = self.running.extract_if(|id, running| own(*id).as_ref() != Some(&running.name));
        for (_, Running { station, name, task }) in gone.collect::<Vec<_>>() {
            task.abort();
            let (link, shutdown) = (self.link.clone(), self.shutdown.clone());
            self.tasks.spawn(guarded(shutdown.clone(), async move {
                tokio::select! {
                    _ = timeout(FAREWELL_TIME, say_farewell(link, station, name)) => {}
                    () = shutdown.requested() => {}
                }
            }));
        }
        for station in stations {
            let id = station.id.0;
            let Some(name) = own(id).filter(|_| !self.running.contains_key(&id)) else { continue };
            let publisher = Publisher::new(
                station.clone(),
                &name,
                self.config.clone(),
                self.link.clone(),
                &self.news,
                self.shutdown.clone(),
            );
            let task = self.tasks.spawn(guarded(self.shutdown.clone(), publisher.run()));
            self.running.insert(id, Running { station, name, task });
        }
    }
}

/// Removes what the bucket says of a station, if it was published here.
async fn say_farewell(link: Arc<Link>, station: Arc<Station>, name: String) {
    let session = link.session().await;
    loop {
        match forget(&session, &station, &token(&name)).await {
            Ok(()) => return,
            Err(trouble) => tracing::debug!("what NATS knows of `{name}` stays for now: {trouble}"),
        }
        sleep(FAREWELL_RETRY).await;
    }
}

/// Each only as it was when the station was seen to be ours: it may be another's by now, and a writing
/// of ours may still have been on the way.
async fn forget(session: &Session, station: &Station, token: &str) -> Result<(), Trouble> {
    let failed = Trouble::call("its bucket does not answer");
    let bucket = session.jetstream.get_key_value(BUCKET).await.map_err(|error| failed(&error))?;
    let facts = bucket.entry(token).await.map_err(|error| failed(&error))?;
    let lease = bucket.entry(lease_key(token)).await.map_err(|error| failed(&error))?;
    let ours = format!("{:?}", station.relay_id);
    let is_ours =
        |entry: &Entry| read::<Lease>(&entry.value).is_some_and(|lease| lease.publisher == ours);
    let Some(lease) = lease.filter(is_ours) else { return Ok(()) };
    for entry in facts.into_iter().filter(|facts| facts.operation == Operation::Put).chain([lease])
    {
        let deleted = bucket.delete_expect_revision(&entry.key, Some(entry.revision)).await;
        deleted.map_err(|error| failed(&error))?;
    }
    Ok(())
}

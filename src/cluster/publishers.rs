//! A publisher for each station that is this relay's own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::facts::{Lease, read};
use super::link::Link;
use super::publisher::Publisher;
use super::subject::{BUCKET, lease_key, token};
use crate::config::PublishConfig;
use crate::engine::{Change, Event, Handle, Request, StationKind};
use crate::session::{News, Station};
use crate::shutdown::Shutdown;

/// How long it may take to say that a station is gone.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// Starts and ends publishers as stations come and go.
pub(super) struct Publishers {
    config: PublishConfig,
    link: Link,
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
        link: Link,
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
        while self.tasks.join_next().await.is_some() {}
    }

    fn is_news(&self, id: u64, name: &str) -> bool {
        self.running.get(&id).is_none_or(|running| running.name != name)
    }

    /// Looks which stations there are. An engine that is busy is asked again at the next change.
    async fn look(&mut self) {
        let Ok(status) = self.engine.ask(Request::Status).await else { return };
        let Ok(stations) = self.engine.ask(Request::Stations).await else { return };
        // What comes from that server is there already; the program output has positions of its own.
        let from_there = format!("{}/", self.link.server);
        let own = |id: u64| {
            let status = status.stations.iter().find(|status| status.id == id)?;
            let is_own =
                status.kind == StationKind::Console && !status.source.starts_with(&from_there);
            is_own.then(|| status.name.clone())
        };
        let gone = self.running.extract_if(|id, running| own(*id).as_ref() != Some(&running.name));
        for (_, Running { station, name, task }) in gone.collect::<Vec<_>>() {
            task.abort();
            let link = self.link.clone();
            self.tasks.spawn(async move {
                // An edge that is not told keeps a station that is silent.
                let _ = timeout(FAREWELL_TIME, say_farewell(link, station, name)).await;
            });
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
            let task = self.tasks.spawn(publisher.run());
            self.running.insert(id, Running { station, name, task });
        }
    }
}

/// Removes what the bucket says of a station, if it was published here.
async fn say_farewell(link: Link, station: Arc<Station>, name: String) {
    let session = link.session().await;
    let Ok(bucket) = session.jetstream.get_key_value(BUCKET).await else { return };
    let token = token(&name);
    let Ok(Some(note)) = bucket.entry(lease_key(&token)).await else { return };
    let publisher = read::<Lease>(&note.value).map(|note| note.publisher);
    if publisher == Some(format!("{:?}", station.relay_id)) {
        let facts = bucket.delete(&token).await;
        let note = bucket.delete(lease_key(&token)).await;
        if let Err(error) = facts.and(note) {
            tracing::debug!("what NATS knows of `{name}` stays: {error}");
        }
    }
}

//! All stations of a NATS server: they come and go as its bucket says.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::kv::Operation;
use futures_util::StreamExt;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use super::facts::Facts;
use super::layout::find;
use super::link::{Link, Session};
use super::trouble::{Teller, Trouble};
use crate::config::{NatsSource, Source, SourceProtocol};
use crate::engine::{Change, Handle, Request};

/// Before another attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Keys that are facts, not notes of publishers: without a dot.
const FACTS: &str = "*";

/// Stations of one server that are remembered, far more than a relay has: whoever can write into the
/// bucket must not fill the memory.
const MAX_KNOWN: usize = 1024;

/// Adopts the stations of one server.
pub(super) struct Everything {
    link: Link,
    engine: Handle,
    /// By key. `None`: it was removed by hand, or cannot be had.
    known: HashMap<String, Option<u64>>,
}

impl Everything {
    pub(super) fn new(link: Link, engine: Handle) -> Self {
        Self { link, engine, known: HashMap::new() }
    }

    /// Follows the bucket for ever.
    pub(super) async fn run(mut self) {
        let mut teller = Teller::default();
        loop {
            let session = self.link.session().await;
            session.is_up().await;
            let Err(trouble) = self.follow(&session, &mut teller).await;
            if teller.is_news(&trouble) {
                tracing::warn!("{}/*: {trouble}; trying again until it works", self.link.server);
            }
            sleep(RETRY).await;
        }
    }

    async fn follow(
        &mut self,
        session: &Session,
        teller: &mut Teller,
    ) -> Result<std::convert::Infallible, Trouble> {
        let mut changes = self.engine.subscribe();
        let (_, bucket) = find(&session.jetstream).await?;
        let failed = Trouble::call("its stations cannot be listed");
        let mut watch = bucket.watch_with_history(FACTS).await.map_err(|error| failed(&error))?;
        teller.is_well();
        loop {
            tokio::select! {
                entry = watch.next() => match entry {
                    Some(Ok(entry)) if entry.operation == Operation::Put => {
                        if let Some(facts) = Facts::read(&entry.value) {
                            self.adopt(entry.key, facts.name).await;
                        }
                    }
                    Some(Ok(entry)) => self.dismiss(&entry.key).await,
                    Some(Err(error)) => tracing::debug!("{}/*: {error}", self.link.server),
                    None => return Err(Trouble::Interrupted),
                },
                change = changes.recv() => match change {
                    Ok(event) => if let Change::StationRemoved { id } = event.change {
                        // By hand: it stays away until its publisher removes it, too.
                        self.known.values_mut().filter(|known| **known == Some(id)).for_each(|it| *it = None);
                    },
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                },
            }
        }
    }

    async fn adopt(&mut self, key: String, name: String) {
        if self.known.contains_key(&key) || self.known.len() >= MAX_KNOWN {
            return;
        }
        let server = self.link.server.clone();
        let (host, port) = (server.host.clone(), server.port);
        let nats = NatsSource { server, station: Some(name.clone()) };
        let nats = Some(Box::new(nats));
        let source =
            Source { name: name.clone(), host, port, protocol: SourceProtocol::Console, nats };
        let added = match crate::config::check_station_name(&name) {
            Ok(()) => self.engine.ask(|reply| Request::Adopt(source, reply)).await,
            Err(error) => Err(crate::engine::Refusal::Invalid(error.to_string())),
        };
        if let Err(refusal) = &added {
            tracing::warn!("{}/{name} is not followed: {refusal}", self.link.server);
        }
        self.known.insert(key, added.ok().map(|station| station.id));
    }

    async fn dismiss(&mut self, key: &str) {
        if let Some(Some(id)) = self.known.remove(key) {
            // Somebody may have been faster.
            let _ = self.engine.ask(|reply| Request::Dismiss(id, reply)).await;
        }
    }
}

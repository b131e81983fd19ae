//! All stations of a NATS server: they come and go as its bucket says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::Operation;
use futures_util::StreamExt;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::facts::Facts;
use super::layout::find;
use super::link::{Link, Session};
use super::trouble::{Teller, Trouble};
use crate::config::{NatsSource, Source, SourceProtocol};
use crate::engine::{Change, Handle, Refusal, Request};

/// Before another attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Keys that are facts, not notes of publishers: without a dot.
const FACTS: &str = "*";

/// Stations of one server that are remembered, far more than a relay has: whoever can write into the
/// bucket must not fill the memory.
const MAX_KNOWN: usize = 1024;

/// Adopts the stations of one server.
pub(super) struct Everything {
    link: Arc<Link>,
    engine: Handle,
    /// By key.
    known: HashMap<String, Known>,
}

/// How it stands with a station of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Known {
    /// It is this station here.
    Followed(u64),
    /// It was removed by hand, or cannot be had. So it stays until its publisher removes it, too.
    LeftOut,
    /// It is called so, and the relay had no room for it just now.
    ToAdopt(String),
    /// It is this station here, is published no more, and the relay had no time for that just now.
    ToDismiss(u64),
}

impl Everything {
    pub(super) fn new(link: Arc<Link>, engine: Handle) -> Self {
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
        let mut retry = interval(RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = retry.tick() => self.try_again().await,
                entry = watch.next() => match entry {
                    Some(Ok(entry)) if entry.operation == Operation::Put => {
                        if let Some(facts) = Facts::read(&entry.value) {
                            self.meet(entry.key, facts.name).await;
                        }
                    }
                    Some(Ok(entry)) => self.part(entry.key).await,
                    Some(Err(error)) => tracing::debug!("{}/*: {error}", self.link.server),
                    None => return Err(Trouble::Interrupted),
                },
                change = changes.recv() => match change {
                    Ok(event) => if let Change::StationRemoved { id } = event.change {
                        self.was_removed(id);
                    },
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                },
            }
        }
    }

    /// A station is published.
    async fn meet(&mut self, key: String, name: String) {
        match self.known.get(&key) {
            Some(Known::Followed(_) | Known::LeftOut | Known::ToAdopt(_)) => return,
            // It is back before it was gone.
            Some(&Known::ToDismiss(id)) => {
                self.known.insert(key, Known::Followed(id));
                return;
            }
            None if self.known.len() >= MAX_KNOWN => return,
            None => {}
        }
        let known = self.adopt(name).await;
        if let Known::ToAdopt(name) = &known {
            tracing::warn!(
                "{}/{name} cannot be followed now; trying again until it works",
                self.link.server
            );
        }
        self.known.insert(key, known);
    }

    /// A station is published no more.
    async fn part(&mut self, key: String) {
        if let Some(Known::Followed(id) | Known::ToDismiss(id)) = self.known.remove(&key)
            && let Some(known) = self.dismiss(id).await
        {
            self.known.insert(key, known);
        }
    }

    /// What the relay had no time or room for.
    async fn try_again(&mut self) {
        let is_open = |known: &Known| matches!(known, Known::ToAdopt(_) | Known::ToDismiss(_));
        let open: Vec<_> = self.known.extract_if(|_, known| is_open(known)).collect();
        for (key, known) in open {
            let known = match known {
                Known::ToAdopt(name) => Some(self.adopt(name).await),
                Known::ToDismiss(id) => self.dismiss(id).await,
                other => Some(other),
            };
            if let Some(known) = known {
                self.known.insert(key, known);
            }
        }
    }

    fn was_removed(&mut self, id: u64) {
        self.known.retain(|_, known| *known != Known::ToDismiss(id));
        let followed = self.known.values_mut().find(|known| **known == Known::Followed(id));
        if let Some(known) = followed {
            *known = Known::LeftOut;
        }
    }

    async fn adopt(&self, name: String) -> Known {
        let server = self.link.server.clone();
        let (host, port) = (server.host.clone(), server.port);
        let nats = Some(Box::new(NatsSource { server, station: Some(name.clone()) }));
        let protocol = SourceProtocol::Console;
        let source = Source { name: name.clone(), host, port, protocol, nats };
        let added = match crate::config::check_station_name(&name) {
            Ok(()) => self.engine.ask(|reply| Request::Adopt(source, reply)).await,
            Err(error) => Err(Refusal::Invalid(error.to_string())),
        };
        match added {
            Ok(station) => Known::Followed(station.id),
            Err(refusal) if is_passing(&refusal) => {
                tracing::debug!("{}/{name} is not followed yet: {refusal}", self.link.server);
                Known::ToAdopt(name)
            }
            Err(refusal) => {
                tracing::warn!("{}/{name} is not followed: {refusal}", self.link.server);
                Known::LeftOut
            }
        }
    }

    /// What is still to be known of it.
    async fn dismiss(&self, id: u64) -> Option<Known> {
        match self.engine.ask(|reply| Request::Dismiss(id, reply)).await {
            Err(refusal) if is_passing(&refusal) => Some(Known::ToDismiss(id)),
            // Somebody may have been faster.
            Ok(_) | Err(_) => None,
        }
    }
}

/// Whether the same request may be granted in a moment.
fn is_passing(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Busy | Refusal::Ending | Refusal::System(_) => true,
        Refusal::NoStation(_)
        | Refusal::NoClient(_)
        | Refusal::Invalid(_)
        | Refusal::Conflict(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One whose relay grants nothing now.
    fn everything(known: Known) -> Everything {
        let mut everything = Everything::new(Link::nowhere(), Handle::to_nobody());
        everything.known.insert("stream".into(), known);
        everything
    }

    fn known(everything: &Everything) -> Option<&Known> {
        everything.known.get("stream")
    }

    #[tokio::test]
    async fn a_station_that_cannot_be_had_now_is_asked_for_until_it_is_published_no_more() {
        let mut everything = Everything::new(Link::nowhere(), Handle::to_nobody());
        everything.meet("stream".into(), "Stream".into()).await;
        everything.try_again().await;
        assert_eq!(known(&everything), Some(&Known::ToAdopt("Stream".into())));
        everything.part("stream".into()).await;
        assert_eq!(known(&everything), None);
    }

    #[tokio::test]
    async fn a_station_that_cannot_be_dismissed_now_is_until_it_is_published_again() {
        let mut everything = everything(Known::Followed(7));
        everything.part("stream".into()).await;
        everything.try_again().await;
        assert_eq!(known(&everything), Some(&Known::ToDismiss(7)));
        everything.meet("stream".into(), "Stream".into()).await;
        assert_eq!(known(&everything), Some(&Known::Followed(7)));
    }

    #[tokio::test]
    async fn what_can_never_be_had_and_what_was_removed_by_hand_stays_out() {
        let mut everything = everything(Known::Followed(7));
        everything.was_removed(7);
        everything.meet("wrong".into(), "a/b".into()).await;
        everything.meet("stream".into(), "Stream".into()).await;
        everything.try_again().await;
        assert_eq!(known(&everything), Some(&Known::LeftOut));
        assert_eq!(everything.known["wrong"], Known::LeftOut);
    }
}

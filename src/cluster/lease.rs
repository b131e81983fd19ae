//! Who publishes a station: one at a time.
//!
//! The note in the bucket is replaced by whoever knows its revision, so of two who want it one gets
//! it. That alone keeps nobody from publishing who was replaced and does not know: the messages
//! themselves are fenced for that ([`super::publisher`]).

use std::time::Duration;

use async_nats::jetstream::kv::{Operation, Store, UpdateErrorKind};
use tokio::time::{Instant, sleep};

use super::facts::{Lease, read, write};
use super::subject::lease_key;
use super::trouble::Trouble;
use crate::session::{SourceState, Station};

/// How often the note is written anew.
pub(super) const BEAT: Duration = Duration::from_millis(300);

/// A note that stays the same for so long is of a publisher that is gone: four beats. With what comes
/// before and after, a standby has taken over within two seconds.
const DEAD_AFTER: Duration = Duration::from_millis(1200);

/// How often somebody else's note is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// The note of one station, as one publisher writes it.
pub(super) struct Note {
    pub(super) bucket: Store,
    pub(super) key: String,
    pub(super) publisher: String,
    pub(super) address: String,
    pub(super) beat: u64,
}

/// How it stands with somebody else.
pub(super) enum Claim {
    /// The station is ours, by this revision of the note.
    Ours(u64),
    /// Another relay, at this address, publishes it.
    Theirs(String),
}

impl Note {
    pub(super) fn new(bucket: Store, token: &str, station: &Station, address: String) -> Self {
        let publisher = format!("{:?}", station.relay_id);
        Self { bucket, key: lease_key(token), publisher, address, beat: 0 }
    }

    fn value(&mut self, station: &Station) -> bytes::Bytes {
        self.beat += 1;
        write(&Lease {
            publisher: self.publisher.clone(),
            address: self.address.clone(),
            connected: station.source() == SourceState::Connected,
            beat: self.beat,
        })
    }

    /// Waits until the station is ours; or, unless `waits`, until it shows that another has it.
    /// `told` says whether it was logged that somebody else is waited for.
    pub(super) async fn claim(
        &mut self,
        station: &Station,
        waits: bool,
        told: &mut bool,
    ) -> Result<Claim, Trouble> {
        // What was seen, and since when.
        let mut seen: Option<(u64, Instant)> = None;
        loop {
            let entry =
                self.bucket.entry(&self.key).await.map_err(|error| {
                    Trouble::call("who publishes the station is not known")(&error)
                })?;
            let Some(entry) = entry else {
                if let Some(revision) = self.write(station, 0).await? {
                    return Ok(Claim::Ours(revision));
                }
                continue;
            };
            let note = match entry.operation {
                Operation::Put => read::<Lease>(&entry.value),
                Operation::Delete | Operation::Purge => None,
            };
            let now = Instant::now();
            let since = match seen {
                Some((revision, since)) if revision == entry.revision => since,
                _ => now,
            };
            let moved = seen.is_some_and(|(revision, _)| revision != entry.revision);
            seen = Some((entry.revision, since));
            let may_have_it = match &note {
                None => true,
                Some(note) if note.publisher == self.publisher => true,
                // It has lost its console, and we have it.
                Some(note) if waits && !note.connected => {
                    station.source() == SourceState::Connected || now >= since + DEAD_AFTER
                }
                Some(_) => now >= since + DEAD_AFTER,
            };
            if may_have_it {
                if let Some(revision) = self.write(station, entry.revision).await? {
                    return Ok(Claim::Ours(revision));
                }
                continue;
            }
            if moved && !waits {
                return Ok(Claim::Theirs(note.map_or_else(String::new, |note| note.address)));
            }
            if waits && moved && !std::mem::replace(told, true) {
                tracing::info!(
                    station = %station.name(),
                    "another relay (seen from {}) publishes the station: waiting until that one is gone",
                    note.map_or_else(String::new, |note| note.address)
                );
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Writes the note over that `revision` of it; its new one, or nothing if somebody else did.
    pub(super) async fn write(
        &mut self,
        station: &Station,
        revision: u64,
    ) -> Result<Option<u64>, Trouble> {
        let value = self.value(station);
        match self.bucket.update(&self.key, value, revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                // Perhaps it was we, and only the answer was lost.
                let entry = self.bucket.entry(&self.key).await;
                let entry = entry.map_err(|error| Trouble::call("the note")(&error))?;
                let ours = entry.filter(|entry| {
                    read::<Lease>(&entry.value).is_some_and(|note| note.publisher == self.publisher)
                });
                Ok(ours.map(|entry| entry.revision))
            }
            Err(error) => Err(Trouble::call("who publishes the station cannot be said")(&error)),
        }
    }

    /// Lets go: the next one need not wait.
    pub(super) async fn release(&self, revision: u64) {
        // Otherwise it is found dead in a second.
        let _ = self.bucket.delete_expect_revision(&self.key, Some(revision)).await;
    }
}

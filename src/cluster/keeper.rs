//! Keeps a station ours, and its facts true, beside whoever publishes its stream.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::facts::{Facts, write};
use super::lease::{BEAT, Note};
use crate::session::Station;

/// A task that writes the station's note and facts. Dropped, it ends.
pub(super) struct Keeper {
    task: JoinHandle<()>,
    state: watch::Receiver<State>,
    game_start: watch::Sender<Option<u64>>,
}

/// How it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Ours, by this revision.
    Ours(u64),
    /// Another relay has it now.
    Lost,
}

impl Keeper {
    /// Begins with the note's `revision`. `game_start` is where the newest game begins in the stream,
    /// if that is known.
    pub(super) fn start(
        mut note: Note,
        token: String,
        station: Arc<Station>,
        revision: u64,
        game_start: Option<u64>,
    ) -> Self {
        let (told, state) = watch::channel(State::Ours(revision));
        let (sender, start) = watch::channel(game_start);
        let task = tokio::spawn(async move {
            keep(&mut note, &token, &station, revision, start, told).await;
        });
        Self { task, state, game_start: sender }
    }

    /// The newest game begins with that message of the stream.
    pub(super) fn game_starts(&self, sequence: u64) {
        self.game_start.send_replace(Some(sequence));
    }

    /// Waits until the station is another's. Safe to give up waiting.
    pub(super) async fn lost(&self) {
        let mut state = self.state.clone();
        // An error would be the end of the task, after which nobody keeps the station ours.
        let _ = state.wait_for(|state| *state == State::Lost).await;
    }

    /// Whether it is still ours; by which revision of the note.
    pub(super) fn revision(&self) -> Option<u64> {
        match *self.state.borrow() {
            State::Ours(revision) => Some(revision),
            State::Lost => None,
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes until the note is somebody else's. What cannot be written now is tried at the next beat.
async fn keep(
    note: &mut Note,
    token: &str,
    station: &Station,
    mut revision: u64,
    mut start: watch::Receiver<Option<u64>>,
    told: watch::Sender<State>,
) {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut written = None;
    loop {
        let facts = Facts::of(station, *start.borrow_and_update());
        if written.as_ref() != Some(&facts) {
            match note.bucket.put(token, write(&facts)).await {
                Ok(_) => written = Some(facts),
                Err(error) => tracing::debug!(station = %station.name(), "its facts: {error}"),
            }
        }
        tokio::select! {
            _ = beat.tick() => match note.write(station, revision).await {
                Ok(Some(newer)) => {
                    revision = newer;
                    told.send_replace(State::Ours(revision));
                }
                Ok(None) => {
                    told.send_replace(State::Lost);
                    return;
                }
                Err(trouble) => tracing::debug!(station = %station.name(), "{trouble}"),
            },
            changed = start.changed() => if changed.is_err() { return },
        }
    }
}

//! Keeps a station ours, and its facts true, beside whoever publishes its stream.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::facts::{Facts, write};
use super::lease::{BEAT, Note};
use super::task::spawn;
use super::trouble::Trouble;
use crate::session::Station;
use crate::shutdown::Shutdown;

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
        shutdown: &Shutdown,
    ) -> Self {
        let (told, state) = watch::channel(State::Ours(revision));
        let (sender, start) = watch::channel(game_start);
        let task = spawn(shutdown, async move {
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
///
/// The facts are fenced as the messages are: they are written over a revision that was looked up before
/// the note was seen to be ours. Whoever takes over later writes them anew, and that revision is good for
/// nothing any more, however late this writing arrives.
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
    // What the bucket says, and by which revision. Nothing yet: who is new writes first of all.
    let mut written = None;
    let mut over = None;
    loop {
        tokio::select! {
            _ = beat.tick() => {
                let seen = match over {
                    Some(over) => Ok(over),
                    None => facts_revision(note, token).await,
                };
                match note.write(station, revision).await {
                    Ok(Some(newer)) => {
                        revision = newer;
                        told.send_replace(State::Ours(revision));
                        match seen {
                            Ok(seen) => over = Some(seen),
                            Err(error) => tracing::debug!(station = %station.name(), "{error}"),
                        }
                    }
                    Ok(None) => {
                        told.send_replace(State::Lost);
                        return;
                    }
                    Err(trouble) => tracing::debug!(station = %station.name(), "{trouble}"),
                }
            }
            changed = start.changed() => if changed.is_err() { return },
        }
        let facts = Facts::of(station, *start.borrow_and_update());
        if let Some(revision) = over
            && written.as_ref() != Some(&facts)
        {
            match note.bucket.update(token, write(&facts), revision).await {
                Ok(newer) => (written, over) = (Some(facts), Some(newer)),
                Err(error) => {
                    // Perhaps it was written all the same.
                    over = None;
                    tracing::debug!(station = %station.name(), "its facts: {error}");
                }
            }
        }
    }
}

/// The revision of the facts that the bucket has, 0 without any.
async fn facts_revision(note: &Note, token: &str) -> Result<u64, Trouble> {
    let entry = note.bucket.entry(token).await;
    let entry = entry.map_err(|error| Trouble::call("the station's facts")(&error))?;
    Ok(entry.map_or(0, |entry| entry.revision))
}

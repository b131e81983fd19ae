//! The program output: a station that shows whichever other station is chosen.
//!
//! To its spectators it is one console that plays one game after the other: the chosen station's
//! events get positions of its own, so that a stream's single connection follows the tournament.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::protocol::ClientToken;
use crate::protocol::console::Replay;
use crate::session::{
    Chunk, Divergence, Horizon, Seq, SourceState, Station, StationId, Writer, Written,
};

/// Chunks copied before the consoles have their turn: catching up with a game that is on must not
/// delay anybody's live frame.
const CHUNKS_A_TURN: usize = 256;

/// What its spectators are told that it runs.
const VERSION: &[u8] = b"andross";

/// The program's station, and what is shown there.
pub(super) struct Program {
    station: Arc<Station>,
    writer: Writer,
    shown: Option<Shown>,
    /// Will be shown when its next game begins.
    next: Option<Shown>,
    /// What was known of the station that is shown when its path was last taken over.
    changes: u64,
    chunks: Vec<Arc<Chunk>>,
}

/// A station that is read.
struct Shown {
    station: Arc<Station>,
    /// The chunk to read next.
    at: Seq,
}

impl Program {
    /// Nothing is shown at first. Its spectators are greeted all the same.
    pub(super) fn new(station: Arc<Station>) -> Self {
        station.update_identity(|identity| {
            let token = ClientToken(fastrand::u32(1..));
            identity.introduce(station.name().as_bytes(), VERSION, token);
        });
        Self {
            writer: Writer::new(station.clone()),
            station,
            shown: None,
            next: None,
            changes: 0,
            chunks: Vec::new(),
        }
    }

    /// The program's own station.
    pub(super) fn id(&self) -> StationId {
        self.station.id
    }

    /// Shows `station` from its next game on, or `now` with the game that is on there.
    pub(super) fn switch(&mut self, station: Option<Arc<Station>>, now: bool) {
        let Some(station) = station else {
            self.next = None;
            self.show_nothing();
            return;
        };
        // Chosen again while it is shown: no other will come.
        if self.shown.as_ref().is_some_and(|shown| shown.station.id == station.id) {
            self.next = None;
            return;
        }
        if now {
            let live = Horizon::at(Instant::now(), Duration::ZERO);
            let at = station.log.fresh(Default::default(), live).seq;
            self.show(Shown { station, at });
        } else {
            self.next = Some(Shown { at: station.log.end(), station });
        }
    }

    /// A station is gone.
    pub(super) fn forget(&mut self, id: StationId) {
        let is_it = |shown: &Option<Shown>| shown.as_ref().is_some_and(|s| s.station.id == id);
        if is_it(&self.next) {
            self.next = None;
        }
        if is_it(&self.shown) {
            self.show_nothing();
        }
    }

    fn show_nothing(&mut self) {
        self.shown = None;
        self.station.set_source(SourceState::Connecting);
        self.station.set_upstream(Vec::new());
    }

    fn show(&mut self, shown: Shown) {
        tracing::info!(station = %shown.station.name(), "the program output shows another station");
        self.writer.reconnected();
        self.station.set_source(SourceState::Connected);
        (self.shown, self.next) = (Some(shown), None);
        self.take_over_path();
    }

    /// The program's stream comes through the station that is shown, and through whatever that comes
    /// through: so a station that is fed by the program output finds itself in its own path. If the
    /// program finds itself there, it shows nothing any more: each byte would come round for ever.
    fn take_over_path(&mut self) {
        let Some(shown) = &self.shown else { return };
        self.changes = shown.station.changes();
        let mut path = vec![shown.station.relay_id];
        path.extend(shown.station.upstream());
        if path.contains(&self.station.relay_id) {
            let name = shown.station.name();
            tracing::warn!("the program output cannot show {name}, which is fed by it");
            self.show_nothing();
        } else {
            self.station.set_upstream(path);
        }
    }

    /// Whether there is something to copy.
    pub(super) fn has_news(&self) -> bool {
        let has_news =
            |shown: &Option<Shown>| shown.as_ref().is_some_and(|s| s.at < s.station.log.end());
        let has_other_path =
            self.shown.as_ref().is_some_and(|shown| shown.station.changes() != self.changes);
        has_news(&self.shown) || has_news(&self.next) || has_other_path
    }

    /// Copies what is new, a bounded piece of it.
    pub(super) fn turn(&mut self) -> Written {
        let mut all = Written::default();
        if self.shown.as_ref().is_some_and(|shown| shown.station.changes() != self.changes) {
            self.take_over_path();
        }
        if let Some(next) = &mut self.next {
            // The first game that began since the switch was asked for: in a burst, such as behind a
            // reconnect, there may be several, and each of them is to be shown.
            self.chunks.clear();
            next.station.log.read(next.at, usize::MAX, &mut self.chunks);
            let start = self.chunks.iter().find(|chunk| chunk.starts_game()).map(|c| c.seq());
            next.at =
                start.or(self.chunks.last().map(|chunk| chunk.seq().next())).unwrap_or(next.at);
            if start.is_some()
                && let Some(next) = self.next.take()
            {
                self.show(next);
            }
        }
        if let Some(shown) = &mut self.shown {
            self.chunks.clear();
            shown.station.log.read(shown.at, CHUNKS_A_TURN, &mut self.chunks);
            for chunk in &self.chunks {
                if chunk.seq() != shown.at {
                    self.writer.note_gap(0);
                } else if let Some(lost) = chunk.lost() {
                    self.writer.note_gap(lost);
                }
                let pos = self.writer.end().unwrap_or_default();
                let replay = Replay { pos, force_pos: false, data: chunk.data() };
                let written = self.writer.write(replay, Divergence::NewGame, Instant::now());
                all.merge(written);
                shown.at = chunk.seq().next();
            }
        }
        self.chunks.clear();
        all
    }

    /// What is shown, and what will be.
    pub(super) fn state(&self) -> (Option<StationId>, Option<StationId>) {
        let id = |shown: &Option<Shown>| shown.as_ref().map(|shown| shown.station.id);
        (id(&self.shown), id(&self.next))
    }
}

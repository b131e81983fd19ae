//! Reads a station's log as its events come.

use std::sync::Arc;

use super::Scoreboard;
use crate::session::{Chunk, Seq, Station};
use crate::slp::Scanner;
use crate::slp::names;

/// Chunks taken from the log at once.
const CHUNKS_A_READ: usize = 512;

/// A reader of one log that keeps the score of its newest game.
#[derive(Default)]
pub(super) struct Follower {
    next: Seq,
    scanner: Scanner,
    scoreboard: Scoreboard,
    chunks: Vec<Arc<Chunk>>,
}

impl Follower {
    /// How the newest game stands, as far as it was followed.
    pub(super) fn scoreboard(&self) -> &Scoreboard {
        &self.scoreboard
    }

    /// Takes everything that is new.
    pub(super) fn follow(&mut self, station: &Station) {
        loop {
            let mut chunks = std::mem::take(&mut self.chunks);
            station.log.read(self.next, CHUNKS_A_READ, &mut chunks);
            for chunk in &chunks {
                self.take(chunk, &station.name());
                self.next = chunk.seq().next();
            }
            let is_all = chunks.is_empty();
            chunks.clear();
            self.chunks = chunks;
            if is_all {
                return;
            }
        }
    }

    fn take(&mut self, chunk: &Chunk, station: &str) {
        if chunk.starts_game() || chunk.game() != self.scoreboard.game {
            self.scoreboard = Scoreboard::new(chunk.game());
        }
        let had_ended = self.scoreboard.end_method.is_some();
        let mut rest = &chunk.data()[..];
        // What cannot be read is in the file all the same.
        while let Ok(Some(event)) = self.scanner.next(rest) {
            self.scoreboard.observe(event);
            rest = &rest[event.len()..];
        }
        if let Some(method) = self.scoreboard.end_method
            && !had_ended
        {
            let version = self.scoreboard.version();
            let how = names::end_method(method, version);
            tracing::info!(%station, "the game is over ({how}): {}", self.scoreboard.standing());
        }
    }
}

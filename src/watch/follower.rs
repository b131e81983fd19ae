//! Reads a station's log as its events come.

use std::sync::Arc;

use crate::session::{Chunk, Seq, Station};
use crate::slp::state::{MatchReader, MatchState};

/// Chunks taken from the log at once.
const CHUNKS_A_READ: usize = 512;

/// A reader of one log that knows how its newest game stands.
#[derive(Default)]
pub(super) struct Follower {
    next: Seq,
    game: u64,
    events: MatchReader,
    chunks: Vec<Arc<Chunk>>,
}

impl Follower {
    /// The newest game's number; 0 before the first.
    pub(super) fn game(&self) -> u64 {
        self.game
    }

    /// How the newest game stands, as far as it was followed.
    pub(super) fn state(&self) -> &MatchState {
        self.events.state()
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
        if chunk.game() != self.game {
            (self.game, self.events) = (chunk.game(), MatchReader::new());
        }
        let had_ended = self.state().end.is_some();
        // What cannot be read is in the file all the same.
        self.events.feed(chunk.data());
        if let Some(end) = &self.state().end
            && !had_ended
        {
            let how = end.method.as_ref().map_or("method unknown", |method| &*method.name);
            tracing::info!(%station, "the game is over ({how}): {}", standing(self.state()));
        }
    }
}

/// One line without anything that players can type: port, character, stocks, percent.
fn standing(state: &MatchState) -> String {
    let each = state.players.iter().map(|player| {
        let (port, character) = (player.port, player.character_now());
        let fighter = player.fighter.as_ref();
        match fighter.and_then(|fighter| Some((fighter.stocks?, fighter.percent?))) {
            Some((stocks, percent)) => {
                let s = if stocks == 1 { "" } else { "s" };
                format!("P{port} {character} {stocks} stock{s} {} %", percent as u16)
            }
            None => format!("P{port} {character}"),
        }
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_game_is_told_in_one_line() {
        let mut reader = MatchReader::new();
        let file = include_bytes!("../../fixtures/v3.7.0-ice-climbers.slp");
        reader.feed(&file[15..]);
        let told = standing(reader.state());
        assert_eq!(told, "P2 Ice Climbers 3 stocks 0 %, P4 Peach 4 stocks 31 %");
        assert_eq!(standing(&MatchState::new()), "");
    }
}

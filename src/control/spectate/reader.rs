//! A cursor in a station's log, for one task.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use crate::audience::{Dismissed, Seat};
use crate::session::{Chunk, Ear, Hold, Horizon, News, Seq, Station};

/// The most event bytes of one reading, unless a single chunk has more: a piece that one write takes.
pub(super) const MAX_PIECE: usize = 64 * 1024;

/// Chunks looked at for one reading.
const CHUNKS: usize = 256;

/// How often a reader that waits for a delayed chunk looks whether the delay is still the same.
const DELAY_CHECK: Duration = Duration::from_secs(1);

/// Reads a station's log in pieces that are each of one game. A game begins a piece.
pub(super) struct LogReader {
    pub(super) station: Arc<Station>,
    seat: Seat,
    ear: Ear,
    _hold: Option<Hold>,
    next: Seq,
    /// The game of what was read last.
    game: Option<u64>,
    /// Whether what does not begin a game is passed over.
    needs_start: bool,
}

/// What a reading gave.
pub(super) enum Read {
    /// Nothing is new.
    Nothing,
    /// These, in order; at least one.
    Chunks(Vec<Arc<Chunk>>),
    /// What comes next is no longer kept, and another game is on.
    LeftBehind,
}

impl LogReader {
    /// A reader that begins with the newest game there is to see.
    pub(super) fn new(seat: Seat, news: &News) -> Self {
        let station = seat.station().clone();
        let hold = (!seat.asked().is_zero()).then(|| station.log.hold_one(seat.asked()));
        let mut reader = Self {
            ear: news.listen(&station),
            _hold: hold,
            next: Seq(0),
            game: None,
            needs_start: false,
            station,
            seat,
        };
        reader.go_to_newest_game();
        reader
    }

    /// Tells when it has to end.
    pub(super) fn dismissed(&self) -> Dismissed {
        self.seat.dismissed()
    }

    /// What it may see now.
    pub(super) fn horizon(&self) -> Horizon {
        self.seat.horizon()
    }

    /// Goes on with the newest game, from its start.
    pub(super) fn go_to_newest_game(&mut self) {
        self.go_to(self.station.log.newest_game(self.horizon()));
    }

    /// Goes on with the game that is on, from its start; else with the next.
    pub(super) fn go_to_running_game(&mut self) {
        let start = self.station.identity().start();
        self.go_to(self.station.log.fresh(start, self.horizon()).seq);
    }

    /// Goes on with the first game that begins at `next` or behind.
    pub(super) fn go_to(&mut self, next: Seq) {
        (self.next, self.game, self.needs_start) = (next, None, true);
        self.seat.note(next, None);
    }

    /// Goes on at `next` in the middle of a game.
    pub(super) fn go_into(&mut self, next: Seq, game: u64) {
        (self.next, self.game, self.needs_start) = (next, Some(game), false);
        self.seat.note(next, None);
    }

    /// Whether something has come that it has not read, be it that it may not see it yet.
    pub(super) fn is_behind(&self) -> bool {
        self.next < self.station.log.end()
    }

    /// Reads the next piece.
    pub(super) fn read(&mut self) -> Read {
        let mut chunks = Vec::new();
        self.station.log.read_within(self.next, CHUNKS, self.horizon(), &mut chunks);
        let Some(first) = chunks.first() else { return Read::Nothing };
        if first.seq() != self.next && self.game.is_some_and(|game| game != first.game()) {
            return Read::LeftBehind;
        }
        if self.needs_start {
            let at = chunks.iter().position(|chunk| chunk.starts_game());
            let passed = at.unwrap_or(chunks.len());
            self.next = chunks[..passed].last().map_or(self.next, |last| last.seq().next());
            chunks.drain(..passed);
        }
        let mut bytes = 0;
        let within = chunks.iter().enumerate().take_while(|(at, chunk)| {
            bytes += chunk.data().len();
            *at == 0 || bytes <= MAX_PIECE && !chunk.starts_game()
        });
        let count = within.count();
        chunks.truncate(count);
        let Some(last) = chunks.last() else { return Read::Nothing };
        (self.next, self.game, self.needs_start) = (last.seq().next(), Some(last.game()), false);
        self.seat.note(self.next, Some(last));
        Read::Chunks(chunks)
    }

    /// Waits until there may be something to read. Safe to give up waiting.
    pub(super) async fn wait(&mut self) {
        loop {
            if self.station.log.end() <= self.next {
                self.ear.rung().await;
                continue;
            }
            let delay = self.seat.delay();
            let arrival = self.station.log.arrival(self.next);
            let due = arrival.map_or_else(Instant::now, |arrival| arrival + delay);
            let now = Instant::now();
            if delay.is_zero() || due <= now {
                return;
            }
            sleep_until(due.min(now + DELAY_CHECK).into()).await;
        }
    }
}

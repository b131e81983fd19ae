//! What happened at a station between two looks at it.

use std::sync::Arc;

use super::event::HookEvent;
use crate::config::Occasion;
use crate::engine::{Connection, StationStatus};
use crate::session::SavedFile;

/// What is known to have happened at a station.
#[derive(Default)]
pub(super) struct History {
    is_connected: bool,
    reconnects: u64,
    /// The newest game, and whether it is on.
    game: u64,
    is_on: bool,
}

/// Collects events of one look.
struct Teller {
    station: Arc<StationStatus>,
    time: i64,
    events: Vec<HookEvent>,
}

impl Teller {
    fn tell(&mut self, occasion: Occasion, game: Option<u64>, file: Option<SavedFile>) {
        self.events.push(HookEvent {
            occasion,
            time: self.time,
            game,
            file: file.map(|file| file.path),
            station: self.station.clone(),
        });
    }
}

impl History {
    /// The station is as `now` says, and the files in `saved` were completed since the last look.
    /// What happened, in order: games that came and went unseen are told, too.
    pub(super) fn advance(
        &mut self,
        now: &Arc<StationStatus>,
        saved: Vec<SavedFile>,
        time: i64,
    ) -> Vec<HookEvent> {
        let mut teller = Teller { station: now.clone(), time, events: Vec::new() };
        let was_connected = self.is_connected;
        self.is_connected = now.connection == Connection::Connected;
        let blinked = was_connected && self.is_connected && now.totals.reconnects > self.reconnects;
        self.reconnects = now.totals.reconnects;
        if blinked {
            teller.tell(Occasion::Lost, None, None);
        }
        if self.is_connected && (blinked || !was_connected) {
            teller.tell(Occasion::Connected, None, None);
        }
        self.games(now, saved, &mut teller);
        if was_connected && !self.is_connected {
            teller.tell(Occasion::Lost, None, None);
        }
        teller.events
    }

    fn games(&mut self, now: &StationStatus, saved: Vec<SavedFile>, teller: &mut Teller) {
        // While events come whose game is not known, none is on.
        let (newest, is_on) =
            now.game.as_ref().map_or((self.game, false), |game| (game.number, game.is_on));
        let mut saved = saved.into_iter().peekable();
        let mut files_up_to = |game: u64, teller: &mut Teller| {
            while let Some(file) = saved.next_if(|file| file.game <= game) {
                teller.tell(Occasion::File, Some(file.game), Some(file));
            }
        };
        if self.is_on && (newest > self.game || !is_on) {
            teller.tell(Occasion::GameEnd, Some(self.game), None);
        }
        files_up_to(self.game, teller);
        for game in self.game + 1..=newest {
            teller.tell(Occasion::GameStart, Some(game), None);
            if game < newest || !is_on {
                teller.tell(Occasion::GameEnd, Some(game), None);
            }
            files_up_to(game, teller);
        }
        files_up_to(u64::MAX, teller);
        (self.game, self.is_on) = (newest.max(self.game), is_on);
    }

    /// The station is gone: its game, too, and its console.
    pub(super) fn leave(&mut self, last: &Arc<StationStatus>, time: i64) -> Vec<HookEvent> {
        let mut teller = Teller { station: last.clone(), time, events: Vec::new() };
        if std::mem::take(&mut self.is_on) {
            teller.tell(Occasion::GameEnd, Some(self.game), None);
        }
        if std::mem::take(&mut self.is_connected) {
            teller.tell(Occasion::Lost, None, None);
        }
        teller.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::GameStatus;

    fn status(connection: Connection, game: u64, is_on: bool) -> StationStatus {
        let blank = serde_json::json!({
            "id": 1, "name": "Stream", "kind": "console", "source": "wii:51441", "mac": null,
            "origin": "config", "connection": "connecting", "nick": "", "nintendont": "",
            "hops": 0, "consoleAddress": null, "rawAddress": null, "dolphinAddress": null, "consoleDelay": 0.0,
            "rawDelay": 0.0, "dolphinDelay": 0.0, "game": null, "lastByteAge": null,
            "recording": { "wanted": true, "isFailing": false, "file": null }, "clients": {},
            "totals": crate::engine::Totals::default(),
            "latency": crate::engine::LatencyStatus::default(),
        });
        let blank: StationStatus = serde_json::from_value(blank).unwrap();
        let game = (game > 0).then_some(GameStatus { number: game, is_on, frame: 0 });
        StationStatus { connection, game, ..blank }
    }

    /// What is told, such as `game-start 2`.
    fn told(history: &mut History, status: StationStatus, saved: &[u64]) -> Vec<String> {
        let saved = saved.iter().map(|&game| SavedFile { path: "x.slp".into(), game }).collect();
        let events = history.advance(&Arc::new(status), saved, 0);
        let text = |event: &HookEvent| match event.game {
            Some(game) => format!("{} {game}", event.occasion.name()),
            None => event.occasion.name().to_owned(),
        };
        events.iter().map(text).collect()
    }

    #[test]
    fn each_change_is_told_once() {
        use Connection::{Busy, Connected, Connecting};
        let mut history = History::default();
        assert_eq!(told(&mut history, status(Connecting, 0, false), &[]), [""; 0]);
        assert_eq!(told(&mut history, status(Busy, 0, false), &[]), [""; 0]);
        assert_eq!(told(&mut history, status(Connected, 0, false), &[]), ["connected"]);
        assert_eq!(told(&mut history, status(Connected, 1, true), &[]), ["game-start 1"]);
        assert_eq!(told(&mut history, status(Connected, 1, true), &[]), [""; 0]);
        assert_eq!(told(&mut history, status(Connecting, 1, true), &[]), ["lost"]);
        assert_eq!(told(&mut history, status(Connected, 1, true), &[]), ["connected"]);
        assert_eq!(told(&mut history, status(Connected, 1, false), &[]), ["game-end 1"]);
        assert_eq!(told(&mut history, status(Connected, 1, false), &[1]), ["file 1"]);
    }

    #[test]
    fn what_came_and_went_between_two_looks_is_told_in_order() {
        use Connection::{Connected, Connecting};
        let mut history = History::default();
        assert_eq!(
            told(&mut history, status(Connected, 2, false), &[1, 2]),
            [
                "connected",
                "game-start 1",
                "game-end 1",
                "file 1",
                "game-start 2",
                "game-end 2",
                "file 2"
            ]
        );
        assert_eq!(told(&mut history, status(Connected, 3, true), &[]), ["game-start 3"]);
        assert_eq!(
            told(&mut history, status(Connecting, 5, true), &[3, 4]),
            [
                "game-end 3",
                "file 3",
                "game-start 4",
                "game-end 4",
                "file 4",
                "game-start 5",
                "lost"
            ]
        );
        let mut back = status(Connected, 5, true);
        back.totals.reconnects = 1;
        assert_eq!(told(&mut history, back.clone(), &[]), ["connected"]);
        back.totals.reconnects = 2;
        assert_eq!(told(&mut history, back, &[]), ["lost", "connected"]);
    }

    #[test]
    fn a_game_whose_start_was_lost_ends_the_one_before() {
        let mut history = History::default();
        told(&mut history, status(Connection::Connected, 1, true), &[]);
        let unknown = status(Connection::Connected, 0, false);
        assert_eq!(told(&mut history, unknown, &[]), ["game-end 1"]);
        let next = status(Connection::Connected, 2, true);
        assert_eq!(told(&mut history, next.clone(), &[]), ["game-start 2"]);
        let events = history.leave(&Arc::new(next), 0);
        let names: Vec<&str> = events.iter().map(|event| event.occasion.name()).collect();
        assert_eq!(names, ["game-end", "lost"]);
    }
}

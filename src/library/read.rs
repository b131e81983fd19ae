//! Reads a file into an entry.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::SystemTime;

use super::entry::{Entry, EntryState, PlayerEntry};
use super::winner::{placement, stocks, winners};
use crate::replay::{Glance, GoOn, SurveyError};
use crate::slp::state::{MatchState, PlayerState};
use crate::unix_time::unix_ms;

/// Digits of a MAC address, which Nintendont puts into the names of its files.
const MAC_LEN: usize = 12;

/// Digits of a date in the name of a file, `20260314T201502`.
const DATE_LEN: usize = 15;

/// The longest nickname that an entry has, in bytes; a longer one is cut. A console's has 31 at most,
/// but a file may say anything, and each page of a list repeats it.
const MAX_NICK: usize = 128;

/// The entry of the file at `path` in `folder`. `is_open` says that andross is writing it. One that
/// cannot be read has the reason.
pub fn read(folder: &Path, path: &str, is_open: bool) -> Entry {
    let entry = read_while(folder, path, Growth { is_open, is_recent: false }, &mut || {
        ControlFlow::Continue(())
    });
    entry.unwrap_or_else(|| Entry::unread(path, 0, 0))
}

/// Who may be writing a file: of such a one only the start is read, unless it is whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    /// An andross that lives.
    pub(super) is_open: bool,
    /// Anybody: it was written to just now.
    pub(super) is_recent: bool,
}

/// The same as long as `go_on`, which is asked now and then, says so; else `None`.
pub(super) fn read_while(
    folder: &Path,
    path: &str,
    growth: Growth,
    go_on: GoOn<'_>,
) -> Option<Entry> {
    let Growth { is_open, is_recent } = growth;
    let file = folder.join(path);
    let data = match std::fs::symlink_metadata(&file) {
        Ok(data) => data,
        Err(error) => {
            let error = SurveyError::Io(error).to_string();
            return Some(Entry { error: Some(error), ..Entry::unread(path, 0, 0) });
        }
    };
    let modified = data.modified().ok();
    let entry = Entry::unread(path, data.len(), modified.map_or(0, unix_ms));
    Some(match Glance::at(&file, is_open || is_recent, go_on) {
        Ok(glance) => fill(entry, &glance, &file, modified, is_open),
        Err(SurveyError::Ended) => return None,
        Err(error) => Entry {
            error: Some(error.to_string()),
            station: station(path).or_else(|| folder_of(path)),
            ..entry
        },
    })
}

fn fill(
    entry: Entry,
    glance: &Glance,
    file: &Path,
    modified: Option<SystemTime>,
    is_open: bool,
) -> Entry {
    let Glance { summary, state, metadata, .. } = glance;
    let nick = metadata.as_ref().and_then(|metadata| metadata.console_nick.as_deref());
    let nick = nick.map(|nick| &nick[..nick.floor_char_boundary(MAX_NICK)]);
    let console_nick = nick.filter(|nick| !nick.is_empty()).map(str::to_owned);
    let notes = metadata.as_ref().and_then(|metadata| metadata.recording).unwrap_or_default();
    let started = glance.started(file, modified);
    let winners = winners(state);
    Entry {
        state: match glance {
            glance if glance.is_unfinished && is_open => EntryState::Recording,
            glance if glance.is_unfinished => EntryState::Unfinished,
            glance if glance.problem.is_some() => EntryState::Damaged,
            _ if notes.gaps > 0 => EntryState::Gap,
            _ if notes.repaired => EntryState::Repaired,
            _ => EntryState::Complete,
        },
        error: glance.problem.map(|problem| problem.to_string()),
        started_at: started.map_or(entry.modified, |start| start.as_millisecond()),
        station: station(&entry.path)
            .or_else(|| console_nick.clone())
            .or_else(|| folder_of(&entry.path)),
        console_nick,
        recorder: state.recorder.clone(),
        stage: state.stage.clone(),
        is_teams: state.is_teams == Some(true),
        players: state.players.iter().map(|one| player(state, one, &winners)).collect(),
        frames: summary.frames(),
        seconds: summary.seconds(),
        end: state.end.as_ref().and_then(|end| end.method.clone()),
        left_by: state.end.as_ref().and_then(|end| end.left_by),
        gaps: notes.gaps,
        lost_bytes: notes.lost_bytes,
        ..entry
    }
}

fn player(state: &MatchState, player: &PlayerState, winners: &[u8]) -> PlayerEntry {
    PlayerEntry {
        port: player.port,
        name: player.name.clone(),
        name_tag: player.name_tag.clone(),
        display_name: player.display_name.clone().filter(|name| !name.is_empty()),
        connect_code: player.connect_code.clone().filter(|code| !code.is_empty()),
        kind: player.kind.clone(),
        character: player.character.clone(),
        costume: player.costume,
        team: player.team.clone(),
        stocks: stocks(state, player),
        percent: player.fighter.as_ref().and_then(|fighter| fighter.percent),
        placement: placement(state, player.port),
        is_winner: winners.contains(&player.port),
    }
}

/// The station in a name that andross gave: `Game_STATION_20260314T201502.slp`, or with `_2` for the
/// second of one second. A console puts its MAC address there, Dolphin nothing.
fn station(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let mut parts = file.strip_suffix(super::SUFFIX)?.split('_');
    let (Some("Game"), Some(station), Some(date)) = (parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_date = date.len() == DATE_LEN && date.as_bytes()[DATE_LEN - 7] == b'T';
    let is_mac = station.len() == MAC_LEN && station.bytes().all(|b| b.is_ascii_hexdigit());
    (is_date && !is_mac && !station.is_empty()).then(|| station.to_owned())
}

fn folder_of(path: &str) -> Option<String> {
    path.rsplit('/').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_station_is_in_the_name_that_andross_gave() {
        for (path, expected) in [
            ("Game_Stream_20260314T201502.slp", Some("Stream")),
            ("Stream/Game_Side-B_20260314T201502_2.slp", Some("Side-B")),
            ("Game_192-168-1-20_20260314T201502.slp", Some("192-168-1-20")),
            ("Game_0009BF123456_20260314T201502.slp", None),
            ("Game_20260314T201502.slp", None),
            ("Game_Stream_notes.slp", None),
            ("Game__20260314T201502.slp", None),
            ("test.slp", None),
        ] {
            assert_eq!(station(path).as_deref(), expected, "{path}");
        }
        assert_eq!(folder_of("2024-05/a.slp").as_deref(), Some("2024-05"));
        assert_eq!(folder_of("a.slp"), None);
    }
}

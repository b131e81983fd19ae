//! What the library knows of a game.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::slp::state::Named;

/// A saved game.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Where it is in the folder of replays, with `/` between folders: `/replays/` and this is its
    /// address.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// When it was last written to, Unix milliseconds.
    pub modified: i64,
    /// How the file is.
    pub state: EntryState,
    /// What is wrong with it, in words.
    pub error: Option<String>,
    /// When the game began, Unix milliseconds.
    pub started_at: i64,
    /// The station that recorded it, as the file's name says; else the console's nickname, else the
    /// file's folder.
    pub station: Option<String>,
    /// The console's nickname.
    pub console_nick: Option<String>,
    /// Version of the recorder, such as `3.18.0`.
    pub recorder: Option<String>,
    /// The stage.
    pub stage: Option<Named>,
    /// Whether teams play.
    pub is_teams: bool,
    /// The players, in the order of their ports.
    pub players: Vec<PlayerEntry>,
    /// How many frames it lasted, from the first (-123); 0 while it is recorded.
    pub frames: u32,
    /// The same in seconds, at 59.94 frames a second.
    pub seconds: f64,
    /// Game End's method, in the numbers of the recorder's version; `None` if nobody recorded it.
    pub end: Option<Named>,
    /// The port, 1 to 4, of the player who left with L, R, A and Start.
    pub left_by: Option<u8>,
    /// How many times bytes were lost before they reached the relay.
    pub gaps: u32,
    /// How many bytes those were, as far as that is known.
    pub lost_bytes: u64,
}

/// How a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum EntryState {
    /// It is being recorded right now.
    Recording,
    /// All of it is there.
    Complete,
    /// It was cut off by a crash and completed later.
    Repaired,
    /// Some of the game was lost on its way to the relay.
    Gap,
    /// Nobody completed it: another program may still write it, or `andross replay repair` does.
    Unfinished,
    /// There is something wrong in it.
    Damaged,
    /// It cannot be read, or is no game.
    Unreadable,
}

/// One player of a game.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlayerEntry {
    /// 1 to 4.
    pub port: u8,
    /// What people call the player: display name, name tag or port.
    pub name: String,
    /// Name tag; empty if none is used.
    pub name_tag: String,
    /// Display name of Slippi Online.
    pub display_name: Option<String>,
    /// Connect code of Slippi Online.
    pub connect_code: Option<String>,
    /// Who plays: 0 human, 1 CPU, 2 demo.
    pub kind: Named,
    /// The character that was selected.
    pub character: Named,
    /// Costume.
    pub costume: u8,
    /// Team: 0 red, 1 blue, 2 green; `None` unless teams play.
    pub team: Option<Named>,
    /// Stocks in the end; `None` if nobody recorded it.
    pub stocks: Option<u8>,
    /// Damage in the end; `None` for who was out.
    pub percent: Option<f32>,
    /// Place, from 1, if the game told it: recorder 3.13.0 and later.
    pub placement: Option<u8>,
    /// Whether the player won, alone or with the team.
    pub is_winner: bool,
}

impl EntryState {
    /// The word for it, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Complete => "complete",
            Self::Repaired => "repaired",
            Self::Gap => "gap",
            Self::Unfinished => "unfinished",
            Self::Damaged => "damaged",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Entry {
    /// An entry of which nothing but the file is known.
    pub(super) fn unread(path: &str, bytes: u64, modified: i64) -> Self {
        Self {
            path: path.to_owned(),
            bytes,
            modified,
            state: EntryState::Unreadable,
            error: None,
            started_at: modified,
            station: None,
            console_nick: None,
            recorder: None,
            stage: None,
            is_teams: false,
            players: Vec::new(),
            frames: 0,
            seconds: 0.0,
            end: None,
            left_by: None,
            gaps: 0,
            lost_bytes: 0,
        }
    }

    /// The ports of those who won.
    pub fn winners(&self) -> impl Iterator<Item = u8> {
        self.players.iter().filter(|player| player.is_winner).map(|player| player.port)
    }
}

impl PlayerEntry {
    /// All that somebody may look for this player by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = [
            Some(&self.name),
            Some(&self.name_tag),
            self.display_name.as_ref(),
            self.connect_code.as_ref(),
        ];
        own.into_iter().flatten().map(String::as_str).filter(|name| !name.is_empty())
    }
}

//! What a game is about, read from its events: Game Start's facts and the running summary that
//! becomes metadata.

use std::collections::BTreeMap;
use std::fmt;

use super::metadata::{Facts, PlayerMetadata, RecordingNotes};
use super::text::decode_name;
use super::{Event, EventCode, FrameIndex, Metadata};

/// Ports of a GameCube; Slippi records no more players than that.
pub const PORTS: usize = 4;

/// Player type 3: nobody at this port (SPEC.md, "Game Info Block").
const PLAYER_TYPE_EMPTY: u8 = 3;

/// Offset of the Game Info Block in Game Start; offsets in SPEC.md's table count from here.
const INFO_BLOCK: usize = 0x5;

/// The version of the recorder that wrote a game, such as 3.18.0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Version(pub u8, pub u8, pub u8);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The facts of Game Start (0x36) that a relay tells people about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GameStart {
    /// Version of the recorder.
    pub version: Version,
    /// Stage id, as in Melee's own list (31 is Battlefield).
    pub stage: u16,
    /// The ports in use, in order.
    pub players: Vec<Player>,
}

/// One player of a game.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Player {
    /// 0 to 3; the port is one more.
    pub index: u8,
    /// External character id: the order of the character select screen's list (2 is Fox).
    pub character: u8,
    /// 0 human, 1 CPU, 2 demo.
    pub kind: u8,
    /// Stocks at the start.
    pub stocks: u8,
    /// Costume index.
    pub costume: u8,
    /// Name tag; recorder 1.3.0 and later, empty if none is used.
    pub name_tag: String,
    /// Display name of Slippi Online; `None` before recorder 3.9.0.
    pub display_name: Option<String>,
    /// Connect code of Slippi Online; `None` before recorder 3.9.0.
    pub connect_code: Option<String>,
}

impl GameStart {
    /// Reads a Game Start event. Fields that its version does not have yet stay empty; `None` if it
    /// is another event or shorter than the very first version's.
    pub fn parse(event: Event<'_>) -> Option<Self> {
        if event.code() != EventCode::GAME_START {
            return None;
        }
        let [major, minor, build] = event.array(0x1)?;
        let players = (0..PORTS).filter_map(|port| Player::parse(event, port)).collect();
        Some(Self {
            version: Version(major, minor, build),
            stage: event.u16(INFO_BLOCK + 0xE)?,
            players,
        })
    }
}

impl Player {
    fn parse(event: Event<'_>, port: usize) -> Option<Self> {
        let block = INFO_BLOCK + 0x60 + 0x24 * port;
        let kind = event.u8(block + 1)?;
        if kind == PLAYER_TYPE_EMPTY {
            return None;
        }
        Some(Self {
            index: port as u8,
            character: event.u8(block)?,
            kind,
            stocks: event.u8(block + 2)?,
            costume: event.u8(block + 3)?,
            name_tag: name::<0x10>(event, 0x161, port).unwrap_or_default(),
            display_name: name::<0x1F>(event, 0x1A5, port),
            connect_code: name::<0xA>(event, 0x221, port),
        })
    }

    /// What people call this player: display name, name tag or port.
    pub fn name(&self) -> String {
        match &self.display_name {
            Some(name) if !name.is_empty() => name.clone(),
            _ if !self.name_tag.is_empty() => self.name_tag.clone(),
            _ => format!("P{}", self.index + 1),
        }
    }
}

/// The Shift JIS field of `LEN` bytes that `port` has in the table at `offset`.
fn name<const LEN: usize>(event: Event<'_>, offset: usize, port: usize) -> Option<String> {
    event.array::<LEN>(offset + LEN * port).map(|field| decode_name(&field))
}

/// A game as far as it has gone, gathered event by event.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Game Start's facts, once it came.
    pub start: Option<GameStart>,
    /// The last frame for which a character's state came.
    pub last_frame: Option<FrameIndex>,
    /// How the game ended (SPEC.md, "Game End Method"); `None` while it goes on.
    pub end_method: Option<u8>,
    /// Frames by port index and internal character id.
    characters: BTreeMap<(u8, u8), u32>,
}

impl Summary {
    /// A game of which nothing came yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event of the game.
    pub fn observe(&mut self, event: Event<'_>) {
        match event.code() {
            EventCode::GAME_START => self.start = GameStart::parse(event),
            EventCode::POST_FRAME => self.observe_post_frame(event),
            EventCode::GAME_END => self.end_method = event.u8(1),
            _ => {}
        }
    }

    /// Counts as slippi-js and Dolphin do: every Post-Frame Update of a leader (not of a follower
    /// such as Nana) is a frame of its character, also when a rollback sends it again.
    fn observe_post_frame(&mut self, event: Event<'_>) {
        let (Some(frame), Some(player), Some(follower), Some(character)) =
            (event.frame(), event.u8(5), event.u8(6), event.u8(7))
        else {
            return;
        };
        if follower != 0 || usize::from(player) >= PORTS {
            return;
        }
        self.last_frame = Some(frame);
        let frames = self.characters.entry((player, character)).or_default();
        *frames = frames.saturating_add(1);
    }

    /// Whether Game End came.
    pub fn ended(&self) -> bool {
        self.end_method.is_some()
    }

    /// How many frames the game lasted, from the first to the last; those that a rollback sends again
    /// count once.
    pub fn frames(&self) -> u32 {
        let frames = |last: FrameIndex| i64::from(last.0) - i64::from(FrameIndex::FIRST.0) + 1;
        self.last_frame.map_or(0, |last| u32::try_from(frames(last)).unwrap_or_default())
    }

    /// Seconds the game lasted from its first frame, at 59.94 frames a second.
    pub fn seconds(&self) -> f64 {
        self.last_frame.map_or(0.0, |last| {
            f64::from(last.0.saturating_sub(FrameIndex::FIRST.0).saturating_add(1)) / 59.94
        })
    }

    /// The metadata that the events alone give: last frame and players.
    pub fn metadata(&self) -> Metadata {
        let mut players: BTreeMap<u8, PlayerMetadata> = BTreeMap::new();
        for player in self.start.iter().flat_map(|start| &start.players) {
            let entry = players.entry(player.index).or_default();
            entry.netplay = player.display_name.clone();
            entry.code = player.connect_code.clone();
        }
        for (&(player, character), &frames) in &self.characters {
            players.entry(player).or_default().characters.insert(character, frames);
        }
        Metadata {
            last_frame: self.last_frame.map(|frame| frame.0),
            players,
            ..Metadata::default()
        }
    }

    /// The metadata of a recording: what the events give, and `facts`.
    pub fn metadata_with(&self, facts: Facts) -> Metadata {
        let Facts { start_at, played_on, console_nick, notes } = facts;
        let recording = (notes != RecordingNotes::default()).then_some(notes);
        Metadata { start_at, played_on, console_nick, recording, ..self.metadata() }
    }
}

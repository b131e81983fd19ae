//! The state of a match, told by its events: who plays whom where, and how they stand.
//!
//! [`MatchState`] takes one event after the other, of any recorder version and however short: what an
//! event does not have stays `None`. [`MatchReader`] feeds it from bytes, a whole frame at a time.
//!
//! Rollbacks send frames again. What came last counts, so the state is that of the newest frame, which
//! may be taken back; [`MatchState::finalized_frame`] tells what is not. Older frames are not kept.
//!
//! Positions and speeds are in Melee's own units, in which Final Destination is 171 wide; speeds are
//! by frame. The offsets are those of SPEC.md, "Game Start", "Post-Frame Update", "Item Update" and so on.

mod fighter;
mod item;
mod moving_stage;
mod player;
mod reader;
mod timer;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::game::{GameStart, PORTS, Version};
use super::{Event, EventCode, FrameIndex, names};

pub use fighter::Fighter;
pub use item::{Item, MAX_ITEMS};
pub use moving_stage::{MovingStage, Transformation};
pub use player::PlayerState;
pub use reader::MatchReader;
pub use timer::{Timer, TimerKind};

/// Offset of the Game Info Block in Game Start.
const INFO_BLOCK: usize = 0x5;

/// A number of Melee's and what people call it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Named {
    /// The number.
    pub id: u16,
    /// Its name.
    #[schema(value_type = String)]
    pub name: Cow<'static, str>,
}

impl Named {
    fn new(id: impl Into<u16>, name: Cow<'static, str>) -> Self {
        Self { id: id.into(), name }
    }
}

/// How a match stands. Before the first Game Start all of it is empty.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MatchState {
    /// Whether the game is on: it began, and Game End has not come.
    pub is_on: bool,
    /// Version of the recorder, such as `3.18.0`.
    pub recorder: Option<String>,
    #[serde(skip)]
    version: Version,
    /// The stage.
    pub stage: Option<Named>,
    /// The newest frame of which something is in here: -123 is the first, the timer starts at 0;
    /// 59.94 a second. Goes back when a rollback sends frames again.
    pub frame: Option<i32>,
    /// The last frame that no rollback sends again; recorder 3.7.0 and later.
    pub finalized_frame: Option<i32>,
    /// The match timer.
    pub timer: Option<Timer>,
    /// Whether teams play.
    pub is_teams: Option<bool>,
    /// Whether it is PAL Melee; recorder 1.5.0 and later.
    pub is_pal: Option<bool>,
    /// Whether Pokémon Stadium stays as it is; recorder 2.0.0 and later.
    pub is_frozen_stadium: Option<bool>,
    /// The players, in the order of their ports.
    pub players: Vec<PlayerState>,
    /// The items and projectiles of the frame, 15 at most, in the order in which they came into the
    /// game; recorder 3.0.0 and later.
    pub items: Vec<Item>,
    /// What has moved on the stage; recorder 3.18.0 and later.
    pub moving_stage: MovingStage,
    /// How the game ended; `None` while it is on.
    pub end: Option<MatchEnd>,
}

/// How a game ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MatchEnd {
    /// Game End's method, in the numbers of the recorder's version.
    pub method: Option<Named>,
    /// The port, 1 to 4, of the player who left the match with L, R, A and Start; recorder 2.0.0 and
    /// later.
    pub left_by: Option<u8>,
    /// Places of the ports 1 to 4, from 1; `None` for a port without a player and before recorder
    /// 3.13.0.
    pub placements: [Option<u8>; PORTS],
}

impl MatchState {
    /// A match of which nothing came yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event. Event Payloads begins another game.
    pub fn observe(&mut self, event: Event<'_>) {
        match event.code() {
            EventCode::EVENT_PAYLOADS => *self = Self { is_on: true, ..Self::default() },
            EventCode::GAME_START => self.observe_start(event),
            EventCode::POST_FRAME => self.observe_post_frame(event),
            // A frame begins, and its items are yet to come. All recorders that tell of items say so.
            EventCode::FRAME_START => self.items.clear(),
            EventCode::ITEM_UPDATE => self.observe_item(event),
            EventCode::FOD_PLATFORM | EventCode::WHISPY | EventCode::STADIUM_TRANSFORMATION => {
                self.moving_stage.observe(event);
            }
            EventCode::FRAME_BOOKEND => {
                self.finalized_frame = event.i32(0x5).or(self.finalized_frame);
            }
            EventCode::GAME_END => {
                self.is_on = false;
                self.end = Some(MatchEnd::parse(event, self.version));
            }
            _ => {}
        }
    }

    fn observe_start(&mut self, event: Event<'_>) {
        let is_on = |offset| event.u8(offset).map(|value| value != 0);
        let version = event.array(0x1).map(|[major, minor, build]| Version(major, minor, build));
        *self = Self {
            is_on: true,
            recorder: version.map(|version| version.to_string()),
            version: version.unwrap_or_default(),
            stage: event.u16(INFO_BLOCK + 0xE).map(|id| Named::new(id, names::stage(id))),
            timer: Timer::parse(event),
            is_teams: is_on(INFO_BLOCK + 0x8),
            is_pal: is_on(0x1A1),
            is_frozen_stadium: is_on(0x1A2),
            ..Self::default()
        };
        if let Some(start) = GameStart::parse(event) {
            let is_teams = self.is_teams == Some(true);
            let players = start.players.into_iter();
            self.players =
                players.map(|player| PlayerState::new(player, is_teams, event)).collect();
        }
    }

    fn observe_post_frame(&mut self, event: Event<'_>) {
        let (Some(frame), Some(index), Some(follower)) =
            (event.frame(), event.u8(0x5), event.u8(0x6))
        else {
            return;
        };
        // Who is not in Game Start is not in the match.
        let mut players = self.players.iter_mut();
        let Some(player) = players.find(|player| Some(player.port) == port_of(index)) else {
            return;
        };
        // Every character of a frame tells its number.
        if self.frame.replace(frame.0) != Some(frame.0)
            && let Some(timer) = &mut self.timer
        {
            timer.set(frame);
        }
        player.observe(frame, follower != 0, Fighter::parse(event, frame));
    }

    fn observe_item(&mut self, event: Event<'_>) {
        if let Some(item) = Item::parse(event)
            && self.items.len() < MAX_ITEMS
        {
            self.items.push(item);
        }
    }
}

impl MatchEnd {
    fn parse(event: Event<'_>, recorder: Version) -> Self {
        let method =
            event.u8(0x1).map(|method| Named::new(method, names::end_method(method, recorder)));
        let placement = |port: usize| {
            let place = event.u8(0x3 + port)?;
            (usize::from(place) < PORTS).then(|| place + 1)
        };
        Self {
            method,
            left_by: event.u8(0x2).and_then(port_of),
            placements: std::array::from_fn(placement),
        }
    }
}

/// The port of a player index; `None` for the numbers that stand for nobody.
fn port_of(index: u8) -> Option<u8> {
    (usize::from(index) < PORTS).then(|| index + 1)
}

/// Frames since the timer started: none during the countdown.
fn running_frames(frame: FrameIndex) -> u32 {
    u32::try_from(frame.0).unwrap_or(0)
}

#[cfg(test)]
mod tests;

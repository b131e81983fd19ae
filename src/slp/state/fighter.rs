//! A character as the newest Post-Frame Update has it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Named, port_of};
use crate::slp::{Event, FrameIndex, names};

/// State Bit Flags 4: the character is in hitstun.
const IN_HITSTUN: u8 = 0x02;

/// Action states up to this one are those of a character that is being knocked out (DeadDown to
/// DeadUpFallHitCameraIce).
const LAST_DYING: u16 = 0x0A;

/// A character in the match. What the recorder's version does not tell is `None`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fighter {
    /// The frame it was in last.
    pub frame: i32,
    /// The character, by its internal id: changes between Zelda and Sheik.
    pub character: Option<Named>,
    /// Damage in percent, 0 to 999, with a fraction that the game does not show.
    pub percent: Option<f32>,
    /// Stocks that remain.
    pub stocks: Option<u8>,
    /// Position from left to right, in Melee units; 0 is the middle of the stage.
    pub x: Option<f32>,
    /// Position from below upwards, in Melee units; 0 is most stages' floor.
    pub y: Option<f32>,
    /// -1 to the left, 1 to the right, rarely 0.
    pub facing: Option<f32>,
    /// Action state id, as in the list that SPEC.md links.
    pub action_state: Option<u16>,
    /// Frames for which it has been in that state, some with a fraction; recorder 0.2.0 and later.
    pub action_frame: Option<f32>,
    /// Size of the shield, 0 to 60; 60 is a whole one.
    pub shield: Option<f32>,
    /// The port, 1 to 4, of the player who hit it last.
    pub last_hit_by: Option<u8>,
    /// Hits of the combo that it does, as the game counts.
    pub combo: Option<u8>,
    /// Whether it is in the air; recorder 2.0.0 and later.
    pub is_airborne: Option<bool>,
    /// Jumps that remain; recorder 2.0.0 and later.
    pub jumps: Option<u8>,
    /// Frames of hitstun that remain, 0 outside of it; recorder 2.0.0 and later.
    pub hitstun: Option<f32>,
    /// Frames of hitlag that remain, 0 outside of it; recorder 3.8.0 and later.
    pub hitlag: Option<f32>,
    /// What hits do to it: 0 vulnerable, 1 invulnerable, 2 intangible; recorder 2.1.0 and later.
    pub hurtbox: Option<Named>,
}

impl Fighter {
    pub(super) fn parse(event: Event<'_>, frame: FrameIndex) -> Self {
        Self {
            frame: frame.0,
            character: event.u8(0x7).map(|id| Named::new(id, names::internal_character(id))),
            action_state: event.u16(0x8),
            x: event.f32(0xA),
            y: event.f32(0xE),
            facing: event.f32(0x12),
            percent: event.f32(0x16),
            shield: event.f32(0x1A),
            combo: event.u8(0x1F),
            last_hit_by: event.u8(0x20).and_then(port_of),
            stocks: event.u8(0x21),
            is_airborne: event.u8(0x2F).map(|value| value != 0),
            jumps: event.u8(0x32),
            action_frame: event.f32(0x22),
            // Outside of hitstun the field is used for other things.
            hitstun: event.u8(0x29).and_then(|flags| {
                if flags & IN_HITSTUN == 0 { Some(0.0) } else { event.f32(0x2B) }
            }),
            hitlag: event.f32(0x49),
            hurtbox: event.u8(0x34).map(|id| Named::new(id, names::hurtbox(id))),
        }
    }

    /// Whether it is being knocked out right now.
    pub fn is_dying(&self) -> bool {
        self.action_state.is_some_and(|state| state <= LAST_DYING)
    }
}

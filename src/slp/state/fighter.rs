//! A character as the newest Post-Frame Update has it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Named, port_of};
use crate::slp::{Event, FrameIndex, names};

/// A character in the match. What the recorder's version does not tell is `None`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fighter {
    /// The frame it was in last.
    pub frame: i32,
    /// The character, by its internal id: changes between Zelda and Sheik.
    pub character: Option<Named>,
    /// Damage.
    pub percent: Option<f32>,
    /// Stocks that remain.
    pub stocks: Option<u8>,
    /// Position from left to right; 0 is the middle of the stage.
    pub x: Option<f32>,
    /// Position from below upwards; 0 is most stages' floor.
    pub y: Option<f32>,
    /// -1 to the left, 1 to the right, rarely 0.
    pub facing: Option<f32>,
    /// Action state id.
    pub action_state: Option<u16>,
    /// Size of the shield, 0 to 60.
    pub shield: Option<f32>,
    /// The port, 1 to 4, of the player who hit it last.
    pub last_hit_by: Option<u8>,
    /// Hits of the combo that it does, as the game counts.
    pub combo: Option<u8>,
    /// Whether it is in the air; recorder 2.0.0 and later.
    pub is_airborne: Option<bool>,
    /// Jumps that remain; recorder 2.0.0 and later.
    pub jumps: Option<u8>,
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
        }
    }
}

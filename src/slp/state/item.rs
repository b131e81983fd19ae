//! An item as the newest Item Update has it: what was thrown in, and everything that fighters shoot.

use serde::Serialize;
use utoipa::ToSchema;

use super::port_of;
use crate::slp::Event;

/// The most items of a frame; recorders send no more (SPEC.md, "Item Update").
pub const MAX_ITEMS: usize = 15;

/// An item or projectile. What the recorder's version does not tell is `None`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The number under which it came into the game, from 0: no other item of the game has it.
    pub id: u32,
    /// What it is, by Melee's item id: 54 is a laser of Fox's, 99 a turnip of Peach's.
    pub kind: u16,
    /// The state it is in; what that means differs from kind to kind.
    pub state: u8,
    /// Position from left to right, in Melee units; 0 is the middle of the stage.
    pub x: Option<f32>,
    /// Position from below upwards, in Melee units.
    pub y: Option<f32>,
    /// Speed to the right, in Melee units a frame.
    pub speed_x: Option<f32>,
    /// Speed upwards, in Melee units a frame.
    pub speed_y: Option<f32>,
    /// -1 to the left, 1 to the right, 0 for some.
    pub facing: Option<f32>,
    /// Damage that it has taken, in percent.
    pub damage: Option<u16>,
    /// Frames until it is gone; below 0 for some, such as Link's arrows.
    pub frames_left: Option<f32>,
    /// The missile of Samus: 0 homing, 1 super; recorder 3.2.0 and later, as all until `owner`.
    pub missile: Option<u8>,
    /// The face of Peach's turnip, 0 to 7; 7 is the stitch face.
    pub turnip_face: Option<u8>,
    /// Whether the charge shot of Samus or Mewtwo is on its way.
    pub is_launched: Option<bool>,
    /// How far that shot is charged, 0 to 7.
    pub charge: Option<u8>,
    /// The port, 1 to 4, of the player whose item it is; `None` if it is nobody's, and before recorder
    /// 3.6.0.
    pub owner: Option<u8>,
}

impl Item {
    pub(super) fn parse(event: Event<'_>) -> Option<Self> {
        Some(Self {
            kind: event.u16(0x5)?,
            state: event.u8(0x7)?,
            facing: event.f32(0x8),
            speed_x: event.f32(0xC),
            speed_y: event.f32(0x10),
            x: event.f32(0x14),
            y: event.f32(0x18),
            damage: event.u16(0x1C),
            frames_left: event.f32(0x1E),
            id: event.u32(0x22)?,
            missile: event.u8(0x26),
            turnip_face: event.u8(0x27),
            is_launched: event.u8(0x28).map(|value| value != 0),
            charge: event.u8(0x29),
            owner: event.u8(0x2A).and_then(port_of),
        })
    }
}

//! Stages that change during the game, as far as recorders tell: each event says what is new.

use serde::Serialize;
use utoipa::ToSchema;

use super::Named;
use crate::slp::{Event, EventCode, names};

/// What has moved on the stage. Everything is `None` on other stages, before recorder 3.18.0, and
/// until it moves for the first time.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MovingStage {
    /// Height of Fountain of Dreams' left platform, in Melee units.
    pub left_platform: Option<f32>,
    /// Height of its right platform, in Melee units.
    pub right_platform: Option<f32>,
    /// Where Whispy blows on Dream Land: 0 nowhere, 1 to the left, 2 to the right.
    pub whispy: Option<Named>,
    /// Pokémon Stadium's transformation.
    pub transformation: Option<Transformation>,
}

/// A transformation of Pokémon Stadium.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transformation {
    /// How far it is: 2 begins, 3 on the monitor, 4 the old one recedes, 5 the new one rises, 6 nearly
    /// done, 0 done.
    pub phase: u16,
    /// What the stage is, or is about to be: 3 fire, 4 grass, 5 normal, 6 rock, 9 water.
    pub terrain: Named,
}

impl MovingStage {
    /// Takes a stage's event; one that is cut off changes nothing.
    pub(super) fn observe(&mut self, event: Event<'_>) {
        match event.code() {
            EventCode::FOD_PLATFORM => match (event.u8(0x5), event.f32(0x6)) {
                (Some(0), Some(height)) => self.right_platform = Some(height),
                (Some(1), Some(height)) => self.left_platform = Some(height),
                _ => {}
            },
            EventCode::WHISPY => {
                if let Some(direction) = event.u8(0x5) {
                    self.whispy = Some(Named::new(direction, names::wind(direction)));
                }
            }
            EventCode::STADIUM_TRANSFORMATION => {
                if let (Some(phase), Some(terrain)) = (event.u16(0x5), event.u16(0x7)) {
                    let terrain = Named::new(terrain, names::terrain(terrain));
                    self.transformation = Some(Transformation { phase, terrain });
                }
            }
            _ => {}
        }
    }
}

//! A player: what Game Start says, and the characters that are out there now.

use serde::Serialize;
use utoipa::ToSchema;

use super::fighter::Fighter;
use super::{INFO_BLOCK, Named};
use crate::slp::game::Player;
use crate::slp::{Event, FrameIndex, names};

/// One player of a match.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlayerState {
    /// 1 to 4.
    pub port: u8,
    /// What people call the player: display name, name tag or `P1`.
    pub name: String,
    /// The character that was chosen, by its external id.
    pub character: Named,
    /// Costume index.
    pub costume: u8,
    /// Team: 0 red, 1 blue, 2 green; `None` unless teams play.
    pub team: Option<u8>,
    /// Who plays: 0 human, 1 CPU, 2 demo.
    pub kind: Named,
    /// Name tag; empty if none is used.
    pub name_tag: String,
    /// Display name of Slippi Online; recorder 3.9.0 and later.
    pub display_name: Option<String>,
    /// Connect code of Slippi Online; recorder 3.9.0 and later.
    pub connect_code: Option<String>,
    /// Stocks at the start.
    pub starting_stocks: u8,
    /// The player's character as it is now; `None` before its first frame.
    pub fighter: Option<Fighter>,
    /// The follower, Nana of the Ice Climbers; `None` for everyone else and while she is away.
    pub follower: Option<Fighter>,
}

impl PlayerState {
    pub(super) fn new(player: Player, is_teams: bool, start: Event<'_>) -> Self {
        let team = start.u8(INFO_BLOCK + 0x69 + 0x24 * usize::from(player.index));
        Self {
            port: player.index + 1,
            name: player.name(),
            character: Named::new(player.character, names::character(player.character)),
            costume: player.costume,
            team: team.filter(|_| is_teams),
            kind: Named::new(player.kind, names::player_kind(player.kind)),
            name_tag: player.name_tag,
            display_name: player.display_name,
            connect_code: player.connect_code,
            starting_stocks: player.stocks,
            fighter: None,
            follower: None,
        }
    }

    pub(super) fn observe(&mut self, frame: FrameIndex, is_follower: bool, fighter: Fighter) {
        if is_follower {
            self.follower = Some(fighter);
            return;
        }
        self.fighter = Some(fighter);
        // The leader's update comes first: a follower who is there was in the frame before.
        let follower = self.follower.take();
        self.follower = follower.filter(|follower| follower.frame >= frame.0.saturating_sub(1));
    }
}

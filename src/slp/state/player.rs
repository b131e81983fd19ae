//! A player: what Game Start says, and the characters that are out there now.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::fighter::Fighter;
use super::{INFO_BLOCK, Named};
use crate::slp::game::Player;
use crate::slp::{Event, FrameIndex, names};

/// Internal character ids of the two who are one player.
const SHEIK: u16 = 7;
const ZELDA: u16 = 19;

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
    /// Costume, from 0 in the order of the select screen, which differs from character to character.
    pub costume: u8,
    /// Team: 0 red, 1 blue, 2 green; `None` unless teams play.
    pub team: Option<Named>,
    /// Who plays: 0 human, 1 CPU, 2 demo. Ports without a player are not in the list.
    pub kind: Named,
    /// Name tag, in ordinary characters; empty if none is used, and before recorder 1.3.0.
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
            team: team.filter(|_| is_teams).map(|id| Named::new(id, names::team(id))),
            kind: Named::new(player.kind, names::player_kind(player.kind)),
            name_tag: player.name_tag,
            display_name: player.display_name,
            connect_code: player.connect_code,
            starting_stocks: player.stocks,
            fighter: None,
            follower: None,
        }
    }

    /// What the character is called that plays now. Zelda and Sheik change during the game; of the
    /// others the name on the select screen counts, where the Ice Climbers are one.
    pub fn character_now(&self) -> Cow<'static, str> {
        let now = self.fighter.as_ref().and_then(|fighter| fighter.character.as_ref());
        match now {
            Some(now) if matches!(now.id, SHEIK | ZELDA) => now.name.clone(),
            _ => self.character.name.clone(),
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

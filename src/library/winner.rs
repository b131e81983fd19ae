//! Who won, by the rules of slippi-js' `getWinners`, and by what is on the screen where the recorder
//! is too old to tell.

use std::collections::BTreeMap;

use crate::slp::state::{MatchState, PlayerState};

/// Game End's methods (SPEC.md, "Game End Method").
const UNRESOLVED: u16 = 0;
const TIME: u16 = 1;
const NO_CONTEST: u16 = 7;

/// The ports, 1 to 4, of those who won: one player, or a team. None for a game that nobody won, such
/// as one without an end, and for a game of one player.
pub(super) fn winners(state: &MatchState) -> Vec<u8> {
    let Some(end) = &state.end else { return Vec::new() };
    let Some(method) = end.method.as_ref().map(|method| method.id) else { return Vec::new() };
    let players = &state.players;
    if players.len() < 2 {
        return Vec::new();
    }
    if matches!(method, UNRESOLVED | NO_CONTEST) {
        // Who quits loses; with more than two players nobody knows who wins by that.
        return match (end.left_by, &players[..]) {
            (Some(left), [a, b]) if left == a.port => vec![b.port],
            (Some(left), [a, b]) if left == b.port => vec![a.port],
            _ => Vec::new(),
        };
    }
    let first = players.iter().find(|player| placement(state, player.port) == Some(1));
    match first {
        // Of two players who are level when the time is up, the game makes one the first.
        Some(first) if !(method == TIME && players.len() == 2) => side_of(state, first),
        _ => best(state, method == TIME),
    }
}

/// The place that the game itself tells.
pub(super) fn placement(state: &MatchState, port: u8) -> Option<u8> {
    let end = state.end.as_ref()?;
    *end.placements.get(usize::from(port.checked_sub(1)?))?
}

/// Stocks in the end. Who is out leaves the stream a second later.
pub(super) fn stocks(state: &MatchState, player: &PlayerState) -> Option<u8> {
    match &player.fighter {
        Some(fighter) => fighter.stocks,
        None => state.frame.is_some().then_some(0),
    }
}

/// The player, or with teams all of the team.
fn side_of(state: &MatchState, player: &PlayerState) -> Vec<u8> {
    let is_same = |other: &&PlayerState| side(other) == side(player);
    state.players.iter().filter(is_same).map(|player| player.port).collect()
}

/// Who plays on the same side has the same one.
fn side(player: &PlayerState) -> (bool, u16) {
    player.team.as_ref().map_or((false, player.port.into()), |team| (true, team.id))
}

/// The side with the most stocks; if the time is up and stocks are level, that with the least damage,
/// in whole percents as the screen has it. None if two are level.
fn best(state: &MatchState, time_is_up: bool) -> Vec<u8> {
    let mut sides: BTreeMap<(bool, u16), (u32, u32, Vec<u8>)> = BTreeMap::new();
    for player in &state.players {
        let (stocks_left, damage, ports) = sides.entry(side(player)).or_default();
        let Some(stocks) = stocks(state, player) else { return Vec::new() };
        *stocks_left += u32::from(stocks);
        let percent = player.fighter.as_ref().and_then(|fighter| fighter.percent);
        *damage = damage.saturating_add(percent.unwrap_or(0.0).max(0.0) as u32);
        ports.push(player.port);
    }
    let rank =
        |side: &(u32, u32, Vec<u8>)| (side.0, if time_is_up { u32::MAX - side.1 } else { 0 });
    let Some(highest) = sides.values().map(rank).max() else { return Vec::new() };
    let mut first = sides.into_values().filter(|side| rank(side) == highest);
    match (first.next(), first.next()) {
        (Some((_, _, ports)), None) => ports,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slp::Event;

    /// A game with these teams (`None`: nobody there) that ended like this; the stocks and percents
    /// of the last frame, and Game End's bytes behind its code.
    fn won(teams: [Option<u8>; 4], is_teams: bool, left: [(u8, f32); 4], end: &[u8]) -> Vec<u8> {
        let mut start = vec![0; 0x1A3];
        start[..4].copy_from_slice(&[0x36, 3, 18, 0]);
        start[0x5 + 0x8] = is_teams.into();
        let mut state = MatchState::new();
        for (port, team) in teams.iter().enumerate() {
            let block = 0x65 + 0x24 * port;
            start[block + 1] = if team.is_some() { 0 } else { 3 };
            start[block + 9] = team.unwrap_or_default();
        }
        state.observe(Event::new(&start).unwrap());
        for (port, (stocks, percent)) in left.into_iter().enumerate() {
            let mut post = vec![0; 0x34];
            (post[0], post[5], post[0x21]) = (0x38, port as u8, stocks);
            post[0x16..0x1A].copy_from_slice(&percent.to_be_bytes());
            state.observe(Event::new(&post).unwrap());
        }
        state.observe(Event::new(&[&[0x39], end].concat()).unwrap());
        winners(&state)
    }

    const TWO: [Option<u8>; 4] = [Some(0), None, Some(0), None];
    const FOUR: [Option<u8>; 4] = [Some(0), Some(1), Some(0), Some(1)];

    fn two(a: (u8, f32), b: (u8, f32), end: &[u8]) -> Vec<u8> {
        won(TWO, false, [a, (0, 0.0), b, (0, 0.0)], end)
    }

    #[test]
    fn time_is_decided_by_stocks_and_then_whole_percents() {
        // The game makes port 1 the first; what is on the screen counts.
        let time = [1, 0xFF, 0, 0xFF, 1, 0xFF];
        assert_eq!(two((2, 0.0), (3, 99.0), &time), [3]);
        assert_eq!(two((2, 80.2), (2, 79.9), &time), [3]);
        assert_eq!(two((2, 80.2), (2, 80.9), &time), [0; 0]);
        assert_eq!(two((1, 0.0), (0, 0.0), &[2]), [1]);
        assert_eq!(two((0, 0.0), (0, 50.0), &[2]), [0; 0], "both at once");
    }

    #[test]
    fn who_quits_loses_if_there_is_one_other() {
        let both = [(4, 0.0); 4];
        assert_eq!(won(TWO, false, both, &[7, 0]), [3]);
        assert_eq!(won(TWO, false, both, &[7, 2]), [1]);
        assert_eq!(won(TWO, false, both, &[7, 0xFF]), [0; 0]);
        assert_eq!(won(TWO, false, both, &[7]), [0; 0]);
        assert_eq!(won(FOUR, false, both, &[7, 0]), [0; 0]);
    }

    #[test]
    fn a_team_wins_together() {
        let left = [(0, 0.0), (1, 30.0), (0, 0.0), (0, 0.0)];
        assert_eq!(won(FOUR, true, left, &[2, 0xFF, 2, 0, 3, 1]), [2, 4]);
        assert_eq!(won(FOUR, true, left, &[2]), [2, 4], "without places, too");
        assert_eq!(won(FOUR, false, left, &[2]), [2]);
        // No game has such damage, but a file may.
        let damage = [(1, 1e30), (1, 30.0), (1, 1e30), (1, 30.0)];
        assert_eq!(won(FOUR, true, damage, &[1]), [2, 4]);
        let alone = [Some(0), None, None, None];
        assert_eq!(won(alone, false, left, &[2, 0xFF, 0, 0xFF, 0xFF, 0xFF]), [0; 0]);
    }
}

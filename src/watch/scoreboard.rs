//! How a game stands: who has how many stocks and percent, and what the timer shows.
//!
//! Offsets and versions are those of project-slippi/slippi-wiki `SPEC.md`, "Game Start" and "Post-Frame
//! Update"; all fields used are there since the first version.

use std::borrow::Cow;

use byteorder::{BigEndian, ByteOrder};

use crate::slp::game::{PORTS, Player, Version};
use crate::slp::names;
use crate::slp::{Event, EventCode, FrameIndex, GameStart};

/// Frames of a second on the game's own timer.
const TIMER_FPS: u32 = 60;

/// The largest percent that the game shows.
const MAX_PERCENT: f32 = 999.0;

/// Bits of Game Bitfield 1 that tell the timer's behaviour, and what they are if it counts down.
const TIMER_BITS: u8 = 0x03;
const COUNTS_DOWN: u8 = 2;

/// Internal character ids of the two who are one player.
const SHEIK: u8 = 7;
const ZELDA: u8 = 19;

/// Action states up to this one are those of a character that is being knocked out.
const LAST_DYING: u16 = 0x0A;

/// One game as far as it has gone.
#[derive(Clone, Debug, Default)]
pub struct Scoreboard {
    /// The game's number since the program started; 0 before the first.
    pub game: u64,
    /// How it was set up, once that came.
    pub start: Option<GameStart>,
    /// The newest frame for which a character's state came.
    pub frame: Option<FrameIndex>,
    /// How it ended ([`names::end_method`]); `None` while it goes on.
    pub end_method: Option<u8>,
    /// The timer's seconds at the start, if it counts down.
    count_down: Option<u32>,
    fighters: [Option<Fighter>; PORTS],
}

/// One player's character at one frame.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fighter {
    /// Internal character id: Zelda and Sheik change.
    pub character: u8,
    /// Stocks remaining.
    pub stocks: u8,
    /// Damage, as the game shows it.
    pub percent: u16,
    /// Action state.
    pub action: u16,
}

impl Fighter {
    /// Whether the character is being knocked out right now.
    pub fn is_dying(&self) -> bool {
        self.action <= LAST_DYING
    }
}

impl Scoreboard {
    /// A game of which nothing came yet.
    pub fn new(game: u64) -> Self {
        Self { game, ..Self::default() }
    }

    /// Takes the next event.
    pub fn observe(&mut self, event: Event<'_>) {
        match event.code() {
            EventCode::GAME_START => {
                self.start = GameStart::parse(event);
                let counts_down =
                    event.u8(0x5).is_some_and(|bits| bits & TIMER_BITS == COUNTS_DOWN);
                let seconds = event.array::<4>(0x15).map(|bytes| BigEndian::read_u32(&bytes));
                self.count_down = seconds.filter(|_| counts_down);
            }
            EventCode::POST_FRAME => self.observe_post_frame(event),
            EventCode::GAME_END => self.end_method = event.u8(0x1),
            _ => {}
        }
    }

    /// A follower (Nana) has no line of its own. A frame that a rollback sends again replaces what was
    /// there.
    fn observe_post_frame(&mut self, event: Event<'_>) {
        let (Some(player), Some(0), Some(character), Some(action), Some(percent), Some(stocks)) = (
            event.u8(0x5),
            event.u8(0x6),
            event.u8(0x7),
            event.u16(0x8),
            event.array::<4>(0x16),
            event.u8(0x21),
        ) else {
            return;
        };
        let Some(fighter) = self.fighters.get_mut(usize::from(player)) else { return };
        // What is no number becomes 0.
        let percent = BigEndian::read_f32(&percent).clamp(0.0, MAX_PERCENT) as u16;
        *fighter = Some(Fighter { character, stocks, percent, action });
        self.frame = event.frame();
    }

    /// The character at a port (0 to 3), once its first state came.
    pub fn fighter(&self, index: u8) -> Option<Fighter> {
        self.fighters.get(usize::from(index)).copied().flatten()
    }

    /// What a player's character is called. Zelda and Sheik change during the game; of the others the
    /// name on the select screen counts, where the Ice Climbers are one.
    pub fn character(&self, player: &Player) -> Cow<'static, str> {
        match self.fighter(player.index) {
            Some(Fighter { character: id @ (SHEIK | ZELDA), .. }) => names::internal_character(id),
            _ => names::character(player.character),
        }
    }

    /// The recorder's version; the first there was if it is not known.
    pub fn version(&self) -> Version {
        self.start.as_ref().map_or_else(Version::default, |start| start.version)
    }

    /// Whether a game is on.
    pub fn is_on(&self) -> bool {
        self.start.is_some() && self.end_method.is_none()
    }

    /// Seconds on the timer: what is left if it counts down, else what has passed. It stands still
    /// until frame 0.
    pub fn timer(&self) -> u32 {
        let frames = self.frame.map_or(0, |frame| u32::try_from(frame.0).unwrap_or(0));
        match self.count_down {
            Some(all) => all.saturating_mul(TIMER_FPS).saturating_sub(frames) / TIMER_FPS,
            None => frames / TIMER_FPS,
        }
    }

    /// One line without anything that players can type: port, character, stocks, percent.
    pub fn standing(&self) -> String {
        let players = self.start.iter().flat_map(|start| &start.players);
        let each = players.map(|player| {
            let port = player.index + 1;
            let character = self.character(player);
            match self.fighter(player.index) {
                Some(Fighter { stocks, percent, .. }) => {
                    let s = if stocks == 1 { "" } else { "s" };
                    format!("P{port} {character} {stocks} stock{s} {percent} %")
                }
                None => format!("P{port} {character}"),
            }
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn game_start(bits: u8, seconds: u32) -> Vec<u8> {
        let mut event = vec![0; 0x1A0];
        (event[0], event[1]) = (0x36, 3);
        event[5] = bits;
        event[0x15..0x19].copy_from_slice(&seconds.to_be_bytes());
        for (port, (character, kind)) in [(2, 0), (9, 0), (0, 3), (0, 3)].into_iter().enumerate() {
            event[0x65 + 0x24 * port] = character;
            event[0x66 + 0x24 * port] = kind;
        }
        event
    }

    fn post_frame(frame: i32, player: u8, follower: u8, percent: f32, stocks: u8) -> Vec<u8> {
        let mut event = vec![0; 0x22];
        event[0] = 0x38;
        event[1..5].copy_from_slice(&frame.to_be_bytes());
        (event[5], event[6], event[7], event[9]) = (player, follower, 1, 0x0E);
        event[0x16..0x1A].copy_from_slice(&percent.to_be_bytes());
        event[0x21] = stocks;
        event
    }

    fn scoreboard(events: &[Vec<u8>]) -> Scoreboard {
        let mut scoreboard = Scoreboard::new(1);
        for event in events {
            scoreboard.observe(Event::new(event).unwrap());
        }
        scoreboard
    }

    #[test]
    fn the_newest_frame_counts_and_followers_do_not() {
        let events = [
            game_start(0x32, 480),
            post_frame(-123, 0, 0, 0.0, 4),
            post_frame(3599, 0, 0, 47.9, 3),
            post_frame(3599, 0, 1, 120.0, 3),
            post_frame(3600, 1, 0, f32::NAN, 1),
            post_frame(3600, 200, 0, 5.0, 9),
        ];
        let board = scoreboard(&events);
        let expected = Fighter { character: 1, stocks: 3, percent: 47, action: 0x0E };
        assert_eq!(board.fighter(0), Some(expected));
        assert!(!expected.is_dying() && Fighter { action: 0, ..expected }.is_dying());
        assert_eq!(board.fighter(1).unwrap().percent, 0);
        assert_eq!((board.fighter(2), board.fighter(255)), (None, None));
        assert_eq!(board.standing(), "P1 Fox 3 stocks 47 %, P2 Marth 1 stock 0 %");
        assert!(board.is_on());
        assert_eq!(board.timer(), 420);
        let mut sheik = post_frame(3601, 1, 0, 0.0, 1);
        sheik[7] = SHEIK;
        let board = scoreboard(&[game_start(0, 0), sheik]);
        assert_eq!(board.standing(), "P1 Fox, P2 Sheik 1 stock 0 %");
    }

    #[test]
    fn the_timer_counts_down_up_or_stands_still() {
        let at = |bits, seconds, frame| {
            scoreboard(&[game_start(bits, seconds), post_frame(frame, 0, 0, 0.0, 4)]).timer()
        };
        assert_eq!([at(2, 480, -5), at(2, 480, 59), at(2, 480, 60)], [480, 479, 479]);
        assert_eq!(at(2, 1, 6000), 0);
        assert_eq!([at(0, 480, -5), at(3, 480, 125)], [0, 2]);
    }

    #[test]
    fn what_is_cut_off_changes_nothing() {
        let mut board = scoreboard(&[game_start(2, 480)]);
        let event = post_frame(0, 0, 0, 10.0, 4);
        for len in 1..event.len() {
            board.observe(Event::new(&event[..len]).unwrap());
        }
        board.observe(Event::new(&[0x36]).unwrap());
        assert!(board.fighter(0).is_none() && !board.is_on());
        board.observe(Event::new(&[0x39, 2]).unwrap());
        assert_eq!(board.end_method, Some(2));
    }
}

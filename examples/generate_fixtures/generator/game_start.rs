//! Game Start: how a match is set up.

use andross::slp::EventCode;
use encoding_rs::SHIFT_JIS;

use super::battle::Entrant;
use super::events::{Builder, Recorder};
use super::stages::Stage;

/// A player as Game Start tells of it.
#[derive(Clone, Copy)]
pub struct Player {
    pub entrant: Entrant,
    pub costume: u8,
    /// As shown to people; Game Start has it in full width, as Melee's keyboard writes.
    pub tag: &'static str,
    pub online: Option<Online>,
}

/// Who plays over Slippi Online.
#[derive(Clone, Copy)]
pub struct Online {
    pub name: &'static str,
    /// With an ordinary `#`.
    pub code: &'static str,
    pub uid: &'static str,
}

/// Everything about a match that is settled before it begins.
pub struct Setup {
    pub stage: &'static Stage,
    pub stocks: u8,
    pub players: Vec<Player>,
    pub seed: u32,
    /// Id of the online session.
    pub session: &'static str,
}

/// The Game Info Block up to the stage, as every tournament game has it: stock mode, the timer
/// counts down, friendly fire, no items.
const INFO_START: [u8; 14] = [0x32, 0x01, 0x86, 0x4C, 0xC3, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x6E];

/// Eight minutes.
const TIMER_SECONDS: u32 = 480;

/// External id of a port where nobody chose a character.
const NO_CHARACTER: u8 = 0x1A;

/// Player records in the block; Slippi uses four.
const RECORDS: usize = 6;

impl Setup {
    pub fn is_online(&self) -> bool {
        self.players.iter().any(|player| player.online.is_some())
    }

    fn player(&self, port: usize) -> Option<&Player> {
        let mut players = self.players.iter();
        players.find(|player| usize::from(player.entrant.port) == port)
    }

    /// The event, in the recorder's version.
    pub fn write(&self, recorder: &Recorder, out: &mut Vec<u8>) {
        let (major, minor, build) = recorder.version;
        let mut event = Builder::new(EventCode::GAME_START).bytes(&[major, minor, build, 0]);
        event = self.info_block(event).u32(self.seed);
        // Controller fix of every port, for the dash back and the shield drop: UCF.
        for _ in 0..4 {
            event = event.u32(1).u32(1);
        }
        for port in 0..4 {
            let tag = self.player(port).map_or("", |player| player.tag);
            event = event.bytes(&field::<16>(&full_width(tag)));
        }
        let is_online = self.is_online();
        event = event.u8(0).u8(0).u8(2).u8(if is_online { 8 } else { 2 });
        let online: Vec<_> =
            (0..4).map(|port| self.player(port).and_then(|player| player.online)).collect();
        for player in &online {
            event = event.bytes(&field::<31>(player.map_or("", |player| player.name)));
        }
        for player in &online {
            let code = player.map_or("", |player| player.code);
            event = event.bytes(&field::<10>(&code.replace('#', "＃")));
        }
        for player in &online {
            event = event.bytes(&field::<29>(player.map_or("", |player| player.uid)));
        }
        // English; then session, game, tiebreak.
        event = event.u8(1).bytes(&field::<51>(self.session));
        event = event.u32(is_online.into()).u32(0);
        recorder.write(out, event);
    }

    /// The block that Melee itself sets the match up from, 312 bytes.
    fn info_block(&self, mut event: Builder) -> Builder {
        event = event.bytes(&INFO_START);
        event = event.u16(self.stage.id).u32(TIMER_SECONDS).bytes(&[0; 12]);
        // Every item could appear, but none does.
        event = event.bytes(&[0xFF; 8]).bytes(&[0; 4]);
        // The damage ratio between its two neighbours.
        event = event.f32(1.0).f32(1.0).f32(1.0).bytes(&[0; 0x28]);
        for port in 0..RECORDS {
            event = self.player_record(event, port);
        }
        event
    }

    fn player_record(&self, event: Builder, port: usize) -> Builder {
        let player = self.player(port);
        let (character, kind, costume) = player.map_or((NO_CHARACTER, 3, 0), |player| {
            let Entrant { character, is_cpu, .. } = player.entrant;
            (character.external, u8::from(is_cpu), player.costume)
        });
        let start = [character, kind, self.stocks, costume];
        // Handicap 9, name tag slot 120 (none), rumble, CPU level.
        let rumble = if player.is_some() { 0xC0 } else { 0x40 };
        let level = if kind == 1 { 9 } else { 1 };
        let middle = [0, 0xFF, 0, 0, 9, 0, 0x78, 0, rumble, 0, 4, level, 0, 0, 0, 0, 0, 0, 0, 0];
        let event = event.bytes(&start).bytes(&middle);
        // Offense, defense, model scale.
        event.f32(1.0).f32(1.0).f32(1.0)
    }
}

/// Text as Shift JIS, filled up with NULs. There is always a NUL at the end, except in a name tag
/// that takes all eight characters.
fn field<const LEN: usize>(text: &str) -> [u8; LEN] {
    let (bytes, _, has_unknown) = SHIFT_JIS.encode(text);
    assert!(!has_unknown && bytes.len() <= LEN, "{text:?} does not fit into {LEN} bytes");
    let mut field = [0; LEN];
    field[..bytes.len()].copy_from_slice(&bytes);
    field
}

/// ASCII in full width, as Melee's keyboard writes it; other characters as they are.
fn full_width(text: &str) -> String {
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) - u32::from('!') + 0xFF01).unwrap_or(c),
        _ => c,
    };
    text.chars().map(wide).collect()
}

//! A message of the stream: event bytes, and in the headers what they are.
//!
//! The headers are text, so that `nats stream view` shows them: decimal numbers, tokens and relays'
//! ids in hexadecimal digits.

use async_nats::HeaderMap;

use crate::protocol::console::MAX_HOPS;
use crate::protocol::{ClientToken, Cursor, RelayId};
use crate::slp::FrameIndex;

const POS: &str = "Andross-Pos";
const NEXT_POS: &str = "Andross-Next-Pos";
const FRAME: &str = "Andross-Frame";
const TOKEN: &str = "Andross-Token";
const GAME: &str = "Andross-Game";
const IN_GAME: &str = "Andross-In-Game";
const ARRIVED: &str = "Andross-Arrived";
const LOST: &str = "Andross-Lost";
const PATH: &str = "Andross-Path";

/// What is said of a message's bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Note {
    /// Position of the first byte.
    pub(super) pos: Cursor,
    /// Position behind the last.
    pub(super) next_pos: Cursor,
    /// The newest frame that the bytes hold events of.
    pub(super) frame: Option<FrameIndex>,
    /// The newest token that names the positions.
    pub(super) token: ClientToken,
    /// The number of the game at the publisher, from 1.
    pub(super) game: u64,
    /// Whether the game goes on behind.
    pub(super) in_game: bool,
    /// When the last byte came from the console, in Unix nanoseconds by the publisher's clock.
    pub(super) arrived: u64,
    /// Bytes lost in front although the positions do not tell, 0 if nobody knows how many.
    pub(super) lost: Option<u64>,
    /// The stations that the stream comes through, the publisher's first.
    pub(super) path: Vec<RelayId>,
}

impl Note {
    /// As headers.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(POS, self.pos.to_string());
        headers.insert(NEXT_POS, self.next_pos.to_string());
        if let Some(frame) = self.frame {
            headers.insert(FRAME, frame.0.to_string());
        }
        headers.insert(TOKEN, self.token.to_string());
        headers.insert(GAME, self.game.to_string());
        headers.insert(IN_GAME, if self.in_game { "1" } else { "0" });
        headers.insert(ARRIVED, self.arrived.to_string());
        if let Some(lost) = self.lost {
            headers.insert(LOST, lost.to_string());
        }
        headers.insert(PATH, write_path(&self.path));
        headers
    }

    /// From the headers of a message of `len` bytes; `None` if they make no sense.
    pub(super) fn read(headers: &HeaderMap, len: usize) -> Option<Self> {
        let text = |name: &str| headers.get(name).map(async_nats::HeaderValue::as_str);
        let number = |name: &str| text(name)?.parse::<u64>().ok();
        let note = Self {
            pos: Cursor(number(POS)?),
            next_pos: Cursor(number(NEXT_POS)?),
            frame: text(FRAME).and_then(|frame| frame.parse().ok()).map(FrameIndex),
            token: ClientToken(u32::from_str_radix(text(TOKEN)?, 16).ok()?),
            game: number(GAME)?,
            in_game: text(IN_GAME)? == "1",
            arrived: number(ARRIVED)?,
            lost: number(LOST),
            path: read_path(text(PATH)?)?,
        };
        let fits = note.pos.0.checked_add(len as u64) == Some(note.next_pos.0);
        (fits && len > 0).then_some(note)
    }
}

/// Ids in hexadecimal digits, with commas between.
pub(super) fn write_path(path: &[RelayId]) -> String {
    let ids: Vec<String> = path.iter().map(|id| format!("{id:?}")).collect();
    ids.join(",")
}

/// The same, read; `None` if it is something else or too long.
pub(super) fn read_path(text: &str) -> Option<Vec<RelayId>> {
    let ids: Option<Vec<RelayId>> =
        text.split(',').map(|id| u64::from_str_radix(id, 16).ok().map(RelayId)).collect();
    ids.filter(|ids| ids.len() <= MAX_HOPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> Note {
        Note {
            pos: Cursor(7_000_000_000),
            next_pos: Cursor(7_000_000_100),
            frame: Some(FrameIndex(-123)),
            token: ClientToken(0xc0ffee),
            game: 3,
            in_game: true,
            arrived: 1_700_000_000_000_000_000,
            lost: None,
            path: vec![RelayId(1), RelayId(u64::MAX)],
        }
    }

    #[test]
    fn a_note_reads_back() {
        let others = [
            note(),
            Note { frame: None, in_game: false, lost: Some(0), path: vec![RelayId(9)], ..note() },
        ];
        for note in others {
            assert_eq!(Note::read(&note.headers(), 100), Some(note));
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_note() {
        assert_eq!(Note::read(&HeaderMap::new(), 100), None);
        assert_eq!(Note::read(&note().headers(), 99), None, "positions and length disagree");
        let nothing = Note { next_pos: note().pos, ..note() };
        assert_eq!(Note::read(&nothing.headers(), 0), None);
        let end = Note { pos: Cursor(u64::MAX), next_pos: Cursor(99), ..note() };
        assert_eq!(Note::read(&end.headers(), 100), None);
        for (name, value) in [(TOKEN, "x"), (POS, "-1"), (PATH, ""), (GAME, "1.5")] {
            let mut headers = note().headers();
            headers.insert(name, value);
            assert_eq!(Note::read(&headers, 100), None, "{name}");
        }
        let long = Note { path: vec![RelayId(1); MAX_HOPS + 1], ..note() };
        assert_eq!(Note::read(&long.headers(), 100), None);
    }
}

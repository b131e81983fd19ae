//! A message of the stream: event bytes, and in the headers what they are.
//!
//! The headers are text, so that `nats stream view` shows them: decimal numbers, tokens and relays'
//! ids in hexadecimal digits.

use async_nats::HeaderMap;

use super::trouble::Trouble;
use crate::protocol::console::{MAX_HOPS, MAX_TOKENS};
use crate::protocol::{ClientToken, Cursor, RelayId};
use crate::session::Station;
use crate::slp::FrameIndex;

const POS: &str = "Andross-Pos";
const NEXT_POS: &str = "Andross-Next-Pos";
const FRAME: &str = "Andross-Frame";
const TOKEN: &str = "Andross-Token";
const GAME: &str = "Andross-Game";
const ARRIVED: &str = "Andross-Arrived";
const LOST: &str = "Andross-Lost";
const PATH: &str = "Andross-Path";

/// What an edge must know of a message's bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Note {
    /// Position of the first byte.
    pub(super) pos: Cursor,
    /// Position behind the last.
    pub(super) next_pos: Cursor,
    /// The tokens that name the positions, the newest last. Only here it is sure which positions a
    /// token means: what the bucket says comes by another way, sooner or later.
    pub(super) tokens: Vec<ClientToken>,
    /// Bytes lost in front although the positions do not tell, 0 if nobody knows how many.
    pub(super) lost: Option<u64>,
    /// The stations that the stream comes through, the publisher's first.
    pub(super) path: Vec<RelayId>,
}

/// What people and other programs may want to know, too. No edge reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Details {
    /// The newest frame that the bytes hold events of.
    pub(super) frame: Option<FrameIndex>,
    /// The number of the game at the publisher, from 1.
    pub(super) game: u64,
    /// When the last byte came from the console, in Unix nanoseconds by the publisher's clock.
    pub(super) arrived: u64,
}

impl Note {
    /// The newest token, [`ClientToken::NONE`] without any.
    pub(super) fn token(&self) -> ClientToken {
        self.tokens.last().copied().unwrap_or(ClientToken::NONE)
    }

    /// As headers.
    pub(super) fn headers(&self, details: &Details) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(POS, self.pos.to_string());
        headers.insert(NEXT_POS, self.next_pos.to_string());
        if let Some(frame) = details.frame {
            headers.insert(FRAME, frame.0.to_string());
        }
        headers.insert(TOKEN, write_tokens(&self.tokens));
        headers.insert(GAME, details.game.to_string());
        headers.insert(ARRIVED, details.arrived.to_string());
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
            tokens: read_tokens(text(TOKEN)?)?,
            lost: number(LOST),
            path: read_path(text(PATH)?)?,
        };
        let fits = note.pos.0.checked_add(len as u64) == Some(note.next_pos.0);
        (fits && len > 0).then_some(note)
    }
}

/// The stations that what `station` publishes comes through, itself first.
///
/// # Errors
/// If they are more than whoever gets it would take.
pub(super) fn path_of(station: &Station) -> Result<Vec<RelayId>, Trouble> {
    let mut path = vec![station.relay_id];
    path.extend(station.upstream());
    if path.len() > MAX_HOPS { Err(Trouble::TooFar) } else { Ok(path) }
}

/// Tokens in hexadecimal digits, with commas between.
fn write_tokens(tokens: &[ClientToken]) -> String {
    let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    tokens.join(",")
}

/// The same, read; `None` if it is something else or too long. None at all is an empty text.
fn read_tokens(text: &str) -> Option<Vec<ClientToken>> {
    let token = |text: &str| u32::from_str_radix(text, 16).ok().map(ClientToken);
    let tokens: Option<Vec<ClientToken>> =
        text.split(',').filter(|_| !text.is_empty()).map(token).collect();
    tokens.filter(|tokens| tokens.len() <= MAX_TOKENS)
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
    use crate::session::StationId;

    fn note() -> Note {
        Note {
            pos: Cursor(7_000_000_000),
            next_pos: Cursor(7_000_000_100),
            tokens: vec![ClientToken(1), ClientToken(0xc0ffee)],
            lost: None,
            path: vec![RelayId(1), RelayId(u64::MAX)],
        }
    }

    fn details() -> Details {
        let arrived = 1_700_000_000_000_000_000;
        Details { frame: Some(FrameIndex(-123)), game: 3, arrived }
    }

    #[test]
    fn a_note_reads_back() {
        let other = Note { lost: Some(0), path: vec![RelayId(9)], tokens: vec![], ..note() };
        for note in [note(), other] {
            assert_eq!(Note::read(&note.headers(&details()), 100), Some(note));
        }
    }

    #[test]
    fn everything_that_is_known_is_said_and_only_what_is_needed_asked_for() {
        let mut headers = note().headers(&details());
        for (name, value) in [
            (FRAME, "-123"),
            (GAME, "3"),
            (ARRIVED, "1700000000000000000"),
            (TOKEN, "00000001,00c0ffee"),
        ] {
            assert_eq!(headers.get(name).map(|value| value.as_str()), Some(value), "{name}");
        }
        for (name, value) in [(FRAME, ""), (GAME, "1.5"), (ARRIVED, "never")] {
            headers.insert(name, value);
        }
        assert_eq!(Note::read(&headers, 100), Some(note()));
    }

    #[test]
    fn what_makes_no_sense_is_no_note() {
        let headers = |note: Note| note.headers(&details());
        assert_eq!(Note::read(&HeaderMap::new(), 100), None);
        assert_eq!(Note::read(&headers(note()), 99), None, "positions and length disagree");
        let nothing = Note { next_pos: note().pos, ..note() };
        assert_eq!(Note::read(&headers(nothing), 0), None);
        let end = Note { pos: Cursor(u64::MAX), next_pos: Cursor(99), ..note() };
        assert_eq!(Note::read(&headers(end), 100), None);
        for (name, value) in [(TOKEN, "x"), (POS, "-1"), (PATH, "")] {
            let mut headers = headers(note());
            headers.insert(name, value);
            assert_eq!(Note::read(&headers, 100), None, "{name}");
        }
        let many = Note { tokens: vec![ClientToken(1); MAX_TOKENS + 1], ..note() };
        assert_eq!(Note::read(&headers(many), 100), None);
        let long = Note { path: vec![RelayId(1); MAX_HOPS + 1], ..note() };
        assert_eq!(Note::read(&headers(long), 100), None);
    }

    #[test]
    fn a_path_that_nobody_would_take_is_not_sent() {
        let station = Station::new(StationId(1), "x");
        station.set_upstream(vec![RelayId(1); MAX_HOPS - 1]);
        assert_eq!(path_of(&station).unwrap().len(), MAX_HOPS);
        station.set_upstream(vec![RelayId(1); MAX_HOPS]);
        assert!(matches!(path_of(&station), Err(Trouble::TooFar)));
    }
}

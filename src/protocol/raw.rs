//! The raw relay protocol: event bytes, nothing around them.
//!
//! On connect the current game so far, then live bytes as they come. Consoles before the console
//! protocol (port 666) and Slippi Launcher's relay speak it.

use crate::slp::Scanner;
use crate::slp::scanner::find_game_start;

/// Sent between events while the stream is idle. A client recognises it there and nowhere else.
pub const KEEP_ALIVE: [u8; 5] = *b"HELO\0";

/// What stands at a boundary between two events of a raw stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boundary {
    /// A keep-alive: skip [`KEEP_ALIVE`]'s length.
    KeepAlive,
    /// An event.
    Event,
    /// Too few bytes to tell.
    NeedMore,
}

/// Looks at the bytes behind an event.
pub fn boundary(input: &[u8]) -> Boundary {
    if input.starts_with(&KEEP_ALIVE) {
        Boundary::KeepAlive
    } else if KEEP_ALIVE.starts_with(input) {
        Boundary::NeedMore
    } else {
        Boundary::Event
    }
}

/// Takes the keep-alives out of a raw stream and cuts it into whole events.
#[derive(Debug, Default)]
pub struct Decoder {
    scanner: Scanner,
}

/// What [`Decoder::decode`] did with its input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Decoded {
    /// Bytes done with; the rest is to be offered again with more behind it.
    pub consumed: usize,
    /// Bytes thrown away because no event could be made out in them.
    pub lost: usize,
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the whole events of `input` to `events`.
    ///
    /// A raw stream has no messages to hold on to: where an event has no announced size, everything
    /// up to what looks like the next game's start is lost.
    pub fn decode(&mut self, input: &[u8], events: &mut Vec<u8>) -> Decoded {
        let mut at = 0;
        let mut lost = 0;
        loop {
            let rest = &input[at..];
            match boundary(rest) {
                Boundary::NeedMore => break,
                Boundary::KeepAlive => at += KEEP_ALIVE.len(),
                Boundary::Event => match self.scanner.next(rest) {
                    Ok(Some(event)) => {
                        events.extend_from_slice(event.bytes());
                        at += event.size();
                    }
                    Ok(None) => break,
                    Err(_) => {
                        let skip = find_game_start(&rest[1..]).map_or(rest.len(), |next| 1 + next);
                        lost += skip;
                        at += skip;
                    }
                },
            }
        }
        Decoded { consumed: at, lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keep_alive_may_be_cut_anywhere() {
        for cut in 0..KEEP_ALIVE.len() {
            assert_eq!(boundary(&KEEP_ALIVE[..cut]), Boundary::NeedMore, "cut at {cut}");
        }
        assert_eq!(boundary(b"HELO\0\x38"), Boundary::KeepAlive);
        assert_eq!(boundary(b"\x38"), Boundary::Event);
        assert_eq!(boundary(b"HELP!"), Boundary::Event);
    }

    const GAME: [u8; 15] = [0x35, 7, 0x36, 0, 2, 0x39, 0, 1, 0x36, b'H', b'E', 0x36, 1, 2, 0x39];

    #[test]
    fn keep_alives_go_and_events_stay_at_any_cut() {
        let mut stream = b"HELO\0".to_vec();
        stream.extend(&GAME[..11]);
        stream.extend(b"HELO\0HELO\0");
        stream.extend(&GAME[11..]);
        stream.push(2);
        for cut in 0..stream.len() {
            let (mut decoder, mut events, mut rest) = (Decoder::new(), Vec::new(), Vec::new());
            for part in [&stream[..cut], &stream[cut..]] {
                rest.extend_from_slice(part);
                let decoded = decoder.decode(&rest, &mut events);
                assert_eq!(decoded.lost, 0);
                rest.drain(..decoded.consumed);
            }
            assert_eq!(events, [&GAME[..], &[2]].concat(), "cut at {cut}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_lost_up_to_the_next_game() {
        let (mut decoder, mut events) = (Decoder::new(), Vec::new());
        let stream = [&[0x38, 1, 2, 3][..], &GAME[..11]].concat();
        let decoded = decoder.decode(&stream, &mut events);
        assert_eq!(decoded, Decoded { consumed: stream.len(), lost: 4 });
        assert_eq!(events, GAME[..11]);
    }
}

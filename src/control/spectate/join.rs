//! How to begin in the middle of a game, so that what comes can be understood.

use std::sync::Arc;

use bytes::Bytes;

use super::reader::LogReader;
use crate::session::Chunk;
use crate::slp::{Event, EventCode, FrameIndex, Scanner};

/// The most bytes of a game's beginning: the sizes, Game Start and the gecko list, which takes 56 KiB in
/// real recordings.
const MAX_PROLOGUE: usize = 256 * 1024;

/// Chunks looked at for it at once.
const CHUNKS: usize = 64;

/// Where a reader has joined a game that was on.
pub(super) struct Joined {
    /// All events before the first frame.
    pub(super) prologue: Bytes,
    /// What is left out of the frame that was on.
    pub(super) cut: Cut,
}

/// Leaves out the rest of a frame of which the beginning was not seen.
pub(super) struct Cut {
    scanner: Scanner,
    frame: Option<FrameIndex>,
}

/// Lets `reader` go on from now: in the game that is on, whose beginning is returned, else with the
/// start of the next.
pub(super) fn join(reader: &mut LogReader) -> Option<Joined> {
    reader.go_to_running_game();
    let log = reader.station.log.clone();
    let last = log.last_within(reader.horizon()).filter(|last| last.in_game())?;
    // Without its beginning the game makes no sense to anybody: the next one does.
    let mut at = log.game_start(last.game())?;
    reader.go_into(last.seq().next(), last.game());
    let mut prologue = Vec::new();
    let mut scanner = Scanner::new();
    let mut chunks: Vec<Arc<Chunk>> = Vec::new();
    'game: while at <= last.seq() {
        chunks.clear();
        log.read(at, CHUNKS, &mut chunks);
        let Some(newest) = chunks.last() else { break };
        at = newest.seq().next();
        for chunk in chunks.iter().take_while(|chunk| chunk.seq() <= last.seq()) {
            let mut rest = &chunk.data()[..];
            while let Ok(Some(event)) = scanner.take(&mut rest) {
                if event.code().belongs_to_frame() || prologue.len() + event.size() > MAX_PROLOGUE {
                    break 'game;
                }
                prologue.extend_from_slice(event.bytes());
            }
        }
    }
    let cut = Cut { scanner, frame: last.frame() };
    Some(Joined { prologue: prologue.into(), cut })
}

impl Cut {
    /// What is left of `data`, the next bytes. Once something is, nothing is left out any more.
    pub(super) fn apply(&mut self, data: Bytes) -> Bytes {
        let mut at = 0;
        while self.frame.is_some() {
            match self.scanner.next(&data[at..]) {
                Ok(Some(event)) if self.is_old(event) => at += event.size(),
                Ok(None) if at == data.len() => break,
                _ => self.frame = None,
            }
        }
        data.slice(at..)
    }

    fn is_old(&self, event: Event<'_>) -> bool {
        event.frame().is_some()
            && event.frame() == self.frame
            && event.code() != EventCode::FRAME_START
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [u8; 14] = [0x35, 13, 0x38, 0, 4, 0x3A, 0, 4, 0x3C, 0, 4, 0x39, 0, 1];

    fn event(code: EventCode, frame: i32) -> Vec<u8> {
        [&[code.0][..], &frame.to_be_bytes()].concat()
    }

    /// What is left of the pieces after frame 5 was joined in its middle.
    fn left(pieces: &[Vec<u8>]) -> Vec<u8> {
        let mut scanner = Scanner::new();
        scanner.next(&TABLE).unwrap();
        let mut cut = Cut { scanner, frame: Some(FrameIndex(5)) };
        pieces.iter().flat_map(|piece| cut.apply(piece.clone().into()).to_vec()).collect()
    }

    #[test]
    fn the_rest_of_a_frame_is_left_out_and_nothing_behind_it() {
        let (start, post, bookend) =
            (EventCode::FRAME_START, EventCode::POST_FRAME, EventCode::FRAME_BOOKEND);
        let rest = [event(post, 5), event(bookend, 5)].concat();
        let next = [event(start, 6), event(post, 6), event(bookend, 6)].concat();
        assert_eq!(left(&[[&rest[..], &next].concat()]), next);
        assert_eq!(left(&[rest.clone(), next.clone(), rest.clone()]), [&next[..], &rest].concat());
        assert_eq!(left(std::slice::from_ref(&next)), next, "nothing was left of it");
        let again = [event(start, 5), event(post, 5)].concat();
        assert_eq!(left(&[[&rest[..], &again].concat()]), again, "a rollback sends it again");
        assert_eq!(left(&[vec![0x39, 2]]), [0x39, 2]);
        assert_eq!(left(&[vec![0xFF, 0x38]]), [0xFF, 0x38], "what cannot be read stays");
    }
}

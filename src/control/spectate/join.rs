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
            while let Ok(Some(event)) = scanner.next(rest) {
                if event.code().belongs_to_frame() || prologue.len() + event.len() > MAX_PROLOGUE {
                    break 'game;
                }
                prologue.extend_from_slice(event.bytes());
                rest = &rest[event.len()..];
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
                Ok(Some(event)) if self.is_old(event) => at += event.len(),
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

//! Bytes in, state out: a whole frame at a time, however they are cut.

use super::MatchState;
use crate::slp::{Event, EventCode, Scanner};

/// The most bytes of a frame that are held back until it is whole. Four Ice Climbers with all their
/// items take some 2 KiB; whoever sends more without an end is taken at his word.
const MAX_FRAME: usize = 64 * 1024;

/// Follows a stream of events. Its state changes from whole frame to whole frame, where the recorder
/// says where a frame ends (3.0.0 and later); with older ones it has all that came.
#[derive(Clone, Debug, Default)]
pub struct MatchReader {
    scanner: Scanner,
    state: MatchState,
    /// Whole events of a frame whose end has not come.
    held: Vec<u8>,
}

impl MatchReader {
    /// A reader of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the match stands.
    pub fn state(&self) -> &MatchState {
        &self.state
    }

    /// Takes the next bytes, which are whole events. What cannot be read is left out.
    pub fn feed(&mut self, data: &[u8]) {
        let whole = self.whole(data);
        if whole == 0 && self.held.len() + data.len() <= MAX_FRAME {
            self.held.extend_from_slice(data);
            return;
        }
        let held = std::mem::take(&mut self.held);
        self.observe(&held);
        let (now, later) = data.split_at(whole);
        self.observe(now);
        if later.len() <= MAX_FRAME {
            self.held.extend_from_slice(later);
        } else {
            self.observe(later);
        }
    }

    fn observe(&mut self, mut data: &[u8]) {
        while let Ok(Some(event)) = self.scanner.take(&mut data) {
            self.state.observe(event);
        }
    }

    /// How many of these bytes are in front of the last place where no frame is open.
    fn whole(&self, data: &[u8]) -> usize {
        let mut scanner = self.scanner.clone();
        let mut tells_ends = tells_ends(&scanner);
        let (mut at, mut whole) = (0, 0);
        while let Ok(Some(event)) = scanner.next(&data[at..]) {
            at += event.size();
            if event.code() == EventCode::EVENT_PAYLOADS {
                tells_ends = self::tells_ends(&scanner);
            }
            if !tells_ends || ends_frame(event) {
                whole = at;
            }
        }
        // What cannot be read is no part of a frame.
        if at < data.len() { data.len() } else { whole }
    }
}

/// Whether this game's recorder ends its frames with an event.
fn tells_ends(scanner: &Scanner) -> bool {
    scanner.sizes().is_some_and(|sizes| sizes.get(EventCode::FRAME_BOOKEND).is_some())
}

/// Whether no frame is open behind this event.
fn ends_frame(event: Event<'_>) -> bool {
    event.code() == EventCode::FRAME_BOOKEND || !event.code().belongs_to_frame()
}

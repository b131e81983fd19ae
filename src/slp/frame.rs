//! Frames: the game's own clock.

use std::fmt;

use super::{Event, EventCode};

/// The number of a frame. The first is [`FrameIndex::FIRST`]; the timer starts at 0; 59.94 a second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameIndex(pub i32);

impl FrameIndex {
    /// The first frame of every game (SPEC.md, "Pre-Frame Update").
    pub const FIRST: Self = Self(-123);
}

impl fmt::Display for FrameIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for FrameIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where a frame ends, as far as one event tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameEnd {
    /// Somewhere else.
    No,
    /// The frame before ended in front of this event. Recorders before 3.0.0 write no bookend: the
    /// first event of the next frame, or Game End, is all that tells.
    Before(FrameIndex),
    /// This event, a Frame Bookend, ends its frame.
    Here(FrameIndex),
}

/// Tells the end of each frame in a stream of events, with and without bookends.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameTracker {
    open: Option<FrameIndex>,
}

impl FrameTracker {
    /// A tracker at the start of a game.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event of the stream. A rollback sends a frame number again: each sending ends
    /// on its own.
    pub fn observe(&mut self, event: Event<'_>) -> FrameEnd {
        if event.code() == EventCode::FRAME_BOOKEND {
            let frame = event.frame().or(self.open.take());
            self.open = None;
            return frame.map_or(FrameEnd::No, FrameEnd::Here);
        }
        let next = match event.code() {
            EventCode::GAME_END | EventCode::EVENT_PAYLOADS => None,
            _ => match event.frame() {
                Some(frame) => Some(frame),
                None => return FrameEnd::No,
            },
        };
        let before = std::mem::replace(&mut self.open, next);
        match before {
            Some(frame) if before != next => FrameEnd::Before(frame),
            _ => FrameEnd::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: EventCode, frame: i32) -> Vec<u8> {
        let mut bytes = vec![code.0];
        bytes.extend(frame.to_be_bytes());
        bytes
    }

    fn observe(tracker: &mut FrameTracker, code: EventCode, frame: i32) -> FrameEnd {
        tracker.observe(Event::new(&event(code, frame)).unwrap())
    }

    #[test]
    fn a_bookend_ends_its_frame_even_when_a_rollback_repeats_it() {
        let mut tracker = FrameTracker::new();
        for _ in 0..2 {
            assert_eq!(observe(&mut tracker, EventCode::FRAME_START, 7), FrameEnd::No);
            assert_eq!(observe(&mut tracker, EventCode::PRE_FRAME, 7), FrameEnd::No);
            let end = observe(&mut tracker, EventCode::FRAME_BOOKEND, 7);
            assert_eq!(end, FrameEnd::Here(FrameIndex(7)));
        }
    }

    #[test]
    fn without_bookends_the_next_frame_or_game_end_tells() {
        let mut tracker = FrameTracker::new();
        assert_eq!(observe(&mut tracker, EventCode::PRE_FRAME, -123), FrameEnd::No);
        assert_eq!(observe(&mut tracker, EventCode::POST_FRAME, -123), FrameEnd::No);
        let end = observe(&mut tracker, EventCode::PRE_FRAME, -122);
        assert_eq!(end, FrameEnd::Before(FrameIndex::FIRST));
        let end = observe(&mut tracker, EventCode::GAME_END, 0);
        assert_eq!(end, FrameEnd::Before(FrameIndex(-122)));
    }
}

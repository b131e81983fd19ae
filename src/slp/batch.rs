//! Cuts a game's events into batches, as Dolphin does for its spectators.
//!
//! A batch ends behind Game Start, each part of a split message, each Frame Bookend and Game End.
//! Recorders before 3.0.0 write no bookend: there it ends where the frame does, which only the next
//! frame's first event tells.

use super::frame::FrameEnd;
use super::{Event, EventCode, FrameTracker, Scanner};

/// A batch that has so many bytes ends behind the event that it has. A frame of four Ice Climbers
/// with items has some 4,000; only a stream that is none never ends a batch itself.
pub const MAX_BATCH: usize = 25_000;

/// Finds where batches end in the stream of one game, however the stream is cut on its way.
#[derive(Clone, Debug, Default)]
pub struct Batcher {
    scanner: Scanner,
    frames: FrameTracker,
    /// The beginning of an event whose end has not come: less than the longest event has.
    carry: Vec<u8>,
    /// Where `carry` begins, in bytes from the stream's start.
    at: u64,
    /// Where the batch begins that is not at its end.
    batch: u64,
}

impl Batcher {
    /// A batcher at the start of a game.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream and appends to `ends` where batches end, in bytes from the
    /// stream's start; that may be in front of these bytes.
    ///
    /// Bytes in which no event can be made out make up a batch of their own, as far as they go here.
    pub fn push(&mut self, data: &[u8], ends: &mut Vec<u64>) {
        let joined;
        let mut rest = if self.carry.is_empty() {
            data
        } else {
            let mut carry = std::mem::take(&mut self.carry);
            carry.extend_from_slice(data);
            joined = carry;
            &joined[..]
        };
        loop {
            match self.scanner.take(&mut rest) {
                Ok(Some(event)) => {
                    self.take(event, ends);
                }
                Ok(None) => break,
                Err(_) => {
                    self.at += rest.len() as u64;
                    rest = &[];
                    self.end(ends);
                }
            }
        }
        self.carry.extend_from_slice(rest);
    }

    fn take(&mut self, event: Event<'_>, ends: &mut Vec<u64>) {
        let frame_end = self.frames.observe(event);
        if let FrameEnd::Before(_) = frame_end {
            self.end(ends);
        }
        self.at += event.size() as u64;
        let ends_batch = matches!(
            event.code(),
            EventCode::GAME_START
                | EventCode::FRAME_BOOKEND
                | EventCode::GAME_END
                | EventCode::MESSAGE_SPLITTER
        );
        if ends_batch || self.at - self.batch >= MAX_BATCH as u64 {
            self.end(ends);
        }
    }

    /// A batch ends here, unless it has nothing.
    fn end(&mut self, ends: &mut Vec<u64>) {
        if self.at > self.batch {
            self.batch = self.at;
            ends.push(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZES: [u8; 17] = [0x35, 16, 0x36, 0, 4, 0x37, 0, 6, 0x38, 0, 8, 0x3C, 0, 4, 0x39, 0, 1];

    fn event(code: u8, frame: i32, len: usize) -> Vec<u8> {
        let mut bytes = vec![code];
        bytes.extend(frame.to_be_bytes());
        bytes.resize(1 + len, 7);
        bytes
    }

    fn start() -> Vec<u8> {
        [&SIZES[..], &[0x36, 3, 0, 0, 0]].concat()
    }

    fn batches(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut batcher, mut ends) = (Batcher::new(), Vec::new());
        pieces.iter().for_each(|piece| batcher.push(piece, &mut ends));
        let stream = pieces.concat();
        let mut from = 0;
        ends.iter()
            .map(|&end| stream[std::mem::replace(&mut from, end as usize)..end as usize].to_vec())
            .collect()
    }

    #[test]
    fn a_batch_ends_behind_start_bookend_and_end() {
        let first = start();
        let frame = [event(0x37, -123, 6), event(0x38, -123, 8), event(0x3C, -123, 4)].concat();
        let end = [0x39, 2].to_vec();
        let stream = [&first[..], &frame, &frame, &end].concat();
        assert_eq!(batches(&[&stream]), [first, frame.clone(), frame, end]);
    }

    #[test]
    fn without_bookends_a_batch_ends_with_its_frame() {
        let first = start();
        let frame = |n| [event(0x37, n, 6), event(0x38, n, 8)].concat();
        let stream = [&first[..], &frame(-123), &frame(-122), &[0x39, 2]].concat();
        assert_eq!(batches(&[&stream]), [first, frame(-123), frame(-122), vec![0x39, 2]]);
        // The last frame's end is not known before Game End.
        assert_eq!(batches(&[&stream[..stream.len() - 2]]).len(), 2);
    }

    #[test]
    fn each_part_of_a_split_message_is_a_batch() {
        let sizes = [0x35, 4, 0x10, 0, 3];
        let stream = [&sizes[..], &[0x10, 1, 2, 3], &[0x10, 4, 5, 6]].concat();
        assert_eq!(
            batches(&[&stream]),
            [[&sizes[..], &[0x10, 1, 2, 3]].concat(), vec![0x10, 4, 5, 6]]
        );
    }

    #[test]
    fn a_stream_that_ends_no_batch_and_one_that_cannot_be_read_are_cut_all_the_same() {
        let sizes = [0x35, 4, 0x50, 0x27, 0x10];
        let one = [&[0x50][..], &[1; 0x2710]].concat();
        let cut = batches(&[&sizes, &one, &one, &one, &one]);
        assert_eq!(cut.len(), 1);
        assert_eq!(cut[0].len(), sizes.len() + 3 * one.len());
        assert_eq!(batches(&[&[0x77, 1, 2], &[3]]), [vec![0x77, 1, 2], vec![3]]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_batches(
            frames in prop::collection::vec((any::<bool>(), -123..400_i32, any::<bool>()), 0..30),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let mut stream = start();
            for (bookend, frame, double) in frames {
                for _ in 0..=usize::from(double) {
                    stream.extend(event(0x37, frame, 6));
                    stream.extend(event(0x38, frame, 8));
                }
                if bookend {
                    stream.extend(event(0x3C, frame, 4));
                }
            }
            stream.extend([0x39, 0]);
            let whole = batches(&[&stream]);
            prop_assert_eq!(whole.concat(), stream.clone(), "nothing is missing");
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
            at.extend([0, stream.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            prop_assert_eq!(batches(&pieces), whole);
        }

        #[test]
        fn any_bytes_are_taken(pieces in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..60), 0..8,
        )) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let cut = batches(&pieces).concat();
            prop_assert!(pieces.concat().starts_with(&cut));
        }
    }
}

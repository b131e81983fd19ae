//! Cuts the event stream into whole events.

use thiserror::Error;

use super::payload_sizes::PayloadSizesError;
use super::{Event, EventCode, PayloadSizes};

/// The longest possible event: a command byte and the largest payload that a u16 can announce.
///
/// A reader that buffers one incomplete event never needs more than this.
pub const MAX_EVENT_LEN: usize = 1 + u16::MAX as usize;

/// Finds the boundaries of events, driven by the sizes that the stream itself announces.
///
/// It holds no bytes, only the current table of sizes: the caller keeps the unread rest, at most
/// [`MAX_EVENT_LEN`] bytes, and offers it again with more behind it. So a stream may be cut
/// anywhere, and what comes out is byte for byte what went in.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    sizes: Option<PayloadSizes>,
}

/// The stream cannot be cut into events any further.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ScanError {
    /// An event whose size nobody announced: its end, and all that follows, cannot be found.
    #[error("event {0} has no announced size: the stream is lost until the next game begins")]
    UnknownEvent(EventCode),
    /// The table of sizes itself is broken.
    #[error(transparent)]
    PayloadSizes(#[from] PayloadSizesError),
}

impl Scanner {
    /// A scanner that knows no sizes yet: the first event must be Event Payloads (0x35).
    pub fn new() -> Self {
        Self::default()
    }

    /// The sizes in force, from the last Event Payloads event that was returned.
    pub fn sizes(&self) -> Option<&PayloadSizes> {
        self.sizes.as_ref()
    }

    /// Takes the first event off the front of `input`, or `None` if it is not all there yet.
    ///
    /// # Errors
    /// As [`Scanner::next`]; `input` is unchanged then.
    pub fn take<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, ScanError> {
        let event = self.next(input)?;
        if let Some(event) = event {
            *input = &input[event.size()..];
        }
        Ok(event)
    }

    /// The first event of `input`, or `None` if it is not all there yet. The next one begins
    /// [`Event::size`] bytes behind it.
    ///
    /// # Errors
    /// If `input` begins with a code that has no announced size, or with a broken table of sizes.
    /// The scanner is unchanged then and goes on at the next Event Payloads event.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<Option<Event<'a>>, ScanError> {
        let Some(&code) = input.first() else {
            return Ok(None);
        };
        let code = EventCode(code);
        if code == EventCode::EVENT_PAYLOADS {
            let Some(&size) = input.get(1) else {
                return Ok(None);
            };
            let Some(bytes) = input.get(..PayloadSizes::event_len(size)?) else {
                return Ok(None);
            };
            self.sizes = Some(PayloadSizes::parse(bytes)?);
            return Ok(Event::new(bytes));
        }
        let size = self
            .sizes
            .as_ref()
            .and_then(|sizes| sizes.get(code))
            .ok_or(ScanError::UnknownEvent(code))?;
        Ok(input.get(..1 + usize::from(size)).and_then(Event::new))
    }
}

/// Where a game may begin in bytes of which nothing is known: the first offset at which an Event
/// Payloads event whose first entry is Game Start could lie.
///
/// Every recorder writes Game Start (0x36) first into its table. A table that is cut off by the end
/// of `bytes` counts, so the caller can keep it and wait for more.
pub fn find_game_start(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|&at| match &bytes[at..] {
        [0x35] => true,
        [0x35, size] => PayloadSizes::event_len(*size).is_ok(),
        [0x35, size, first, ..] => {
            *first == EventCode::GAME_START.0 && PayloadSizes::event_len(*size).is_ok()
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: [u8; 8] = [0x35, 7, 0x36, 0, 2, 0x39, 0, 1];

    #[test]
    fn needs_more_until_the_event_is_whole() {
        let mut scanner = Scanner::new();
        for cut in 0..TABLE.len() {
            assert_eq!(scanner.next(&TABLE[..cut]), Ok(None), "cut at {cut}");
        }
        assert_eq!(scanner.next(&TABLE).unwrap().unwrap().size(), TABLE.len());
        assert_eq!(scanner.next(&[0x36, 1]), Ok(None));
        assert_eq!(scanner.next(&[0x36, 1, 2, 9]).unwrap().unwrap().bytes(), [0x36, 1, 2]);
    }

    #[test]
    fn an_unannounced_code_is_an_error_and_the_next_game_mends_it() {
        let mut scanner = Scanner::new();
        assert_eq!(scanner.next(&[0x36]), Err(ScanError::UnknownEvent(EventCode::GAME_START)));
        scanner.next(&TABLE).unwrap().unwrap();
        assert_eq!(scanner.next(&[0x48]), Err(ScanError::UnknownEvent(EventCode(0x48))));
        assert!(scanner.next(&TABLE).unwrap().is_some());
    }

    #[test]
    fn a_broken_table_is_refused_at_its_second_byte() {
        let error = Scanner::new().next(&[0x35, 8]).unwrap_err();
        assert_eq!(error, ScanError::PayloadSizes(PayloadSizesError::Length(8)));
        assert_eq!(
            Scanner::new().next(&[0x35, 0]),
            Err(ScanError::PayloadSizes(PayloadSizesError::Length(0)))
        );
    }

    #[test]
    fn finds_the_start_of_a_game_in_garbage() {
        let mut bytes = vec![0x38, 0x35, 0x35, 8, 0x36, 1];
        let at = bytes.len();
        bytes.extend(TABLE);
        assert_eq!(find_game_start(&bytes), Some(at));
        assert_eq!(find_game_start(&bytes[..at + 1]), Some(at), "a cut table is kept");
        assert_eq!(find_game_start(&[0, 1, 2]), None);
    }

    /// A stream of two games, the second with another table.
    fn stream(payloads: &[u8]) -> Vec<u8> {
        let mut bytes = TABLE.to_vec();
        bytes.extend([0x36, 1, 2]);
        bytes.extend([0x39, 7]);
        bytes.extend([0x35, 7, 0x36, 0, 1, 0x80, 0, payloads.len() as u8]);
        bytes.push(0x80);
        bytes.extend(payloads);
        bytes
    }

    proptest! {
        /// Cut anywhere, offered piece by piece: the same events, and together the same bytes.
        #[test]
        fn any_split_gives_the_same_events(
            payloads in proptest::collection::vec(any::<u8>(), 0..200),
            cuts in proptest::collection::vec(1_usize..40, 1..40)
        ) {
            let stream = stream(&payloads);
            let (mut scanner, mut events, mut unread) = (Scanner::new(), Vec::new(), Vec::new());
            let mut rest = &stream[..];
            for cut in cuts.into_iter().cycle() {
                let (piece, behind) = rest.split_at(cut.min(rest.len()));
                unread.extend_from_slice(piece);
                rest = behind;
                while let Some(event) = scanner.next(&unread).unwrap() {
                    let size = event.size();
                    events.push(event.bytes().to_vec());
                    unread.drain(..size);
                }
                prop_assert!(unread.len() < MAX_EVENT_LEN);
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(events.len(), 5);
            prop_assert_eq!(events.concat(), stream);
        }

        #[test]
        fn any_bytes_are_events_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut scanner = Scanner::new();
            let mut rest = &bytes[..];
            while let Ok(Some(event)) = scanner.take(&mut rest) {
                prop_assert!(event.size() >= 1);
            }
            let _ = find_game_start(&bytes);
        }
    }
}

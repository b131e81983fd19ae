//! The sizes announced by Event Payloads (0x35).

use byteorder::{BigEndian, ByteOrder};
use thiserror::Error;

use super::EventCode;

/// Bytes of one entry of the table: command byte, u16 payload size.
const ENTRY_LEN: usize = 3;

/// The table that the first event of a game announces: how long the payload of each code is.
///
/// Layout of the event (SPEC.md, "Event Payloads"): `0x35`, u8 size of the payload **counting this
/// byte** (`3n + 1`), then n entries of command byte and big-endian u16 payload size.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayloadSizes {
    sizes: [Option<u16>; 256],
}

/// An Event Payloads event that does not hold the table it must.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PayloadSizesError {
    /// The size byte is not of the form `3n + 1`.
    #[error("Event Payloads (0x35) announces {0} bytes for itself, which is not 3n+1")]
    Length(u8),
    /// The event does not begin with 0x35 or is shorter than it says.
    #[error("not a whole Event Payloads (0x35) event")]
    Truncated,
}

impl PayloadSizes {
    /// The length of the whole Event Payloads event whose size byte is `size`.
    ///
    /// # Errors
    /// [`PayloadSizesError::Length`] if no table can be that long.
    pub fn event_len(size: u8) -> Result<usize, PayloadSizesError> {
        if usize::from(size) % ENTRY_LEN == 1 {
            Ok(1 + usize::from(size))
        } else {
            Err(PayloadSizesError::Length(size))
        }
    }

    /// Reads the table from the bytes of a whole Event Payloads event, command byte included.
    ///
    /// # Errors
    /// If `event` is not exactly such an event.
    pub fn parse(event: &[u8]) -> Result<Self, PayloadSizesError> {
        let [0x35, size, entries @ ..] = event else {
            return Err(PayloadSizesError::Truncated);
        };
        if Self::event_len(*size)? != event.len() {
            return Err(PayloadSizesError::Truncated);
        }
        let mut sizes = [None; 256];
        sizes[usize::from(EventCode::EVENT_PAYLOADS.0)] = Some(u16::from(*size));
        for entry in entries.chunks_exact(ENTRY_LEN) {
            sizes[usize::from(entry[0])] = Some(BigEndian::read_u16(&entry[1..]));
        }
        Ok(Self { sizes })
    }

    /// The announced payload size of `code` in bytes, command byte excluded.
    pub fn get(&self, code: EventCode) -> Option<u16> {
        self.sizes[usize::from(code.0)]
    }
}

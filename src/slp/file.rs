//! The frame of a `.slp` file: 15 bytes before the events, the metadata behind them.
//!
//! ```text
//! { U 3 "raw" [ $ U # l <u32 length> <event bytes> U 8 "metadata" { .. } }
//! ```
//!
//! The length is 0 while the file grows and is patched in when it is complete (SPEC.md, "The `raw`
//! Element").

use byteorder::{BigEndian, ByteOrder};
use thiserror::Error;

/// The first bytes of a file whose length is not known yet.
pub const HEADER: [u8; EVENTS_AT] = *b"{U\x03raw[$U#l\0\0\0\0";

/// Offset of the length of the events: u32, big-endian, 0 while the file grows.
pub const LENGTH_AT: usize = 11;

/// Offset of the first event.
pub const EVENTS_AT: usize = 15;

/// What stands between the events and the metadata object.
pub const METADATA_KEY: [u8; 10] = *b"U\x08metadata";

/// A file that does not begin like a `.slp` file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("not a .slp file: it does not begin with a `raw` element")]
pub struct NotSlp;

/// Reads the length of the events in bytes out of the first [`EVENTS_AT`] bytes of a file; 0 means
/// that the file was not completed.
///
/// # Errors
/// [`NotSlp`] if the bytes are fewer or others.
pub fn events_len(start: &[u8]) -> Result<u32, NotSlp> {
    let start = start.get(..EVENTS_AT).ok_or(NotSlp)?;
    let (marker, len) = start.split_at(LENGTH_AT);
    if marker != &HEADER[..LENGTH_AT] {
        return Err(NotSlp);
    }
    Ok(BigEndian::read_u32(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_back() {
        assert_eq!(events_len(&HEADER), Ok(0));
        let mut header = HEADER;
        header[LENGTH_AT..].copy_from_slice(&[0, 1, 2, 3]);
        assert_eq!(events_len(&header), Ok(0x0001_0203));
        assert_eq!(events_len(&header[..14]), Err(NotSlp));
        assert_eq!(events_len(b"PK\x03\x04 some zip file"), Err(NotSlp));
    }
}

//! The list of gecko codes, cut into Message Splitter events.

use andross::slp::EventCode;

use super::events::{Builder, Recorder};
use super::random::Random;

/// Bytes of the list in one event.
const PART: usize = 512;

/// A made-up list of codes of at least `len` bytes: blocks of C2 (insert assembly), each with its
/// address, its number of 8-byte lines and those lines, and the F0 that ends a list.
pub fn list(len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random(seed);
    let mut list = Vec::new();
    while list.len() + 8 < len {
        let address = 0xC200_0000 + 4 * random.next();
        let lines = 1 + random.below(24);
        list.extend(address.to_be_bytes());
        list.extend(lines.to_be_bytes());
        for _ in 0..4 * lines {
            list.extend((random.next() as u16).to_be_bytes());
        }
    }
    list.extend([0xF0, 0, 0, 0, 0, 0, 0, 0]);
    list
}

/// Appends the events that carry the list, if the recorder writes such events. As in the recorder's
/// own buffer, the last part is followed by what is left of the one before it.
pub fn write(recorder: &Recorder, out: &mut Vec<u8>, list: &[u8]) {
    let mut buffer = [0; PART];
    let mut parts = list.chunks(PART).peekable();
    while let Some(part) = parts.next() {
        buffer[..part.len()].copy_from_slice(part);
        let event = Builder::new(EventCode::MESSAGE_SPLITTER).bytes(&buffer);
        let event = event.u16(part.len() as u16).u8(EventCode::GECKO_LIST.0);
        recorder.write(out, event.u8(parts.peek().is_none().into()));
    }
}

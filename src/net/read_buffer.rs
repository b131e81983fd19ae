//! A buffer of fixed size between a socket and a decoder.

use std::io::{self, Read};

use super::nonblocking;

/// Bytes read from a socket and not decoded yet. It never grows: whoever decodes must be able to
/// make progress within its capacity, and a peer that prevents that is hung up on.
#[derive(Debug)]
pub struct ReadBuffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

/// What one read gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fill {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now.
    WouldBlock,
    /// The peer sends no more.
    Closed,
}

impl ReadBuffer {
    /// An empty buffer for `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity].into(), start: 0, end: 0 }
    }

    /// The bytes not consumed yet.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Takes `len` bytes off the front.
    pub fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Reads once into the room there is; moves what is unread to the front first if need be.
    ///
    /// # Errors
    /// Those of the read, but not `WouldBlock` and `Interrupted`.
    pub fn fill(&mut self, source: &mut impl Read) -> io::Result<Fill> {
        if self.start == self.end {
            self.clear();
        } else if self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "more bytes without a whole message than a message may have",
            ));
        }
        let room = &mut self.bytes[self.end..];
        Ok(match nonblocking(|| source.read(room))? {
            None => Fill::WouldBlock,
            Some(0) => Fill::Closed,
            Some(len) => {
                self.end += len;
                Fill::Bytes(len)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_up_and_refuses_to_grow() {
        let mut buffer = ReadBuffer::new(4);
        let mut source: &[u8] = b"abcdefgh";
        assert_eq!(buffer.fill(&mut source).unwrap(), Fill::Bytes(4));
        buffer.consume(3);
        assert_eq!(buffer.fill(&mut source).unwrap(), Fill::Bytes(3));
        assert_eq!(buffer.unread(), b"defg");
        assert!(buffer.fill(&mut source).is_err());
        buffer.consume(4);
        assert_eq!(buffer.fill(&mut source).unwrap(), Fill::Bytes(1));
        assert_eq!(buffer.fill(&mut source).unwrap(), Fill::Closed);
    }
}

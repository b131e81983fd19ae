//! The raw relay protocol: event bytes, nothing around them.
//!
//! On connect the current game so far, then live bytes as they come. Consoles before the console
//! protocol (port 666) and Slippi Launcher's relay speak it.

/// Sent between events while the stream is idle. A client recognises it there and nowhere else.
pub const KEEP_ALIVE: [u8; 5] = *b"HELO\0";

/// What stands at a boundary between two events of a raw stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boundary {
    /// A keep-alive: skip [`KEEP_ALIVE`]'s length.
    KeepAlive,
    /// An event.
    Event,
    /// Too few bytes to tell.
    NeedMore,
}

/// Looks at the bytes behind an event.
pub fn boundary(input: &[u8]) -> Boundary {
    if input.starts_with(&KEEP_ALIVE) {
        Boundary::KeepAlive
    } else if KEEP_ALIVE.starts_with(input) {
        Boundary::NeedMore
    } else {
        Boundary::Event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keep_alive_may_be_cut_anywhere() {
        for cut in 0..KEEP_ALIVE.len() {
            assert_eq!(
                boundary(&KEEP_ALIVE[..cut]),
                Boundary::NeedMore,
                "cut at {cut}"
            );
        }
        assert_eq!(boundary(b"HELO\0\x38"), Boundary::KeepAlive);
        assert_eq!(boundary(b"\x38"), Boundary::Event);
        assert_eq!(boundary(b"HELP!"), Boundary::Event);
    }
}

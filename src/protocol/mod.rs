//! The wire: what the console says and what its clients say, as pure functions over bytes.
//!
//! Sources: project-slippi/Nintendont `kernel/SlippiNetwork.c`, `SlippiCommunication.c`;
//! project-slippi/slippi-js `consoleConnection.ts`; see `docs/protocol.md`.

pub mod console;
pub mod discovery;
pub mod raw;
pub mod spectator;

use std::fmt;

use console::ReplyStart;

/// A position in the console's event stream: bytes since the console booted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor(pub u64);

impl Cursor {
    /// The position `len` bytes further on.
    ///
    /// Saturates: positions come from the wire, and a hostile one must not overflow.
    pub const fn plus(self, len: usize) -> Self {
        Self(self.0.saturating_add(len as u64))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Names the position space of a [`Cursor`]: handed out by the console at the handshake and shown
/// again to resume. 0 means "none": the console never hands it out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClientToken(pub u32);

impl ClientToken {
    /// The token of a client that never was connected.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One station of one andross, for as long as it runs: how relays of a chain know each other, and
/// notice that a stream has come round a loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayId(pub u64);

impl fmt::Debug for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What can be spoken over a TCP connection, by a source and to spectators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// Length-prefixed UBJSON messages, a handshake reply first.
    Console,
    /// Raw event bytes: a console before the protocol, or Slippi Launcher's relay.
    Raw,
}

/// What spectators of a station can speak, and its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// The console protocol: [`Dialect::Console`].
    Console,
    /// Raw event bytes: [`Dialect::Raw`].
    Raw,
    /// Dolphin's spectator protocol, over UDP.
    Dolphin,
    /// HTTP: WebSockets, and files that grow.
    Web,
}

impl From<Dialect> for Protocol {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Console => Self::Console,
            Dialect::Raw => Self::Raw,
        }
    }
}

/// Tells the dialect as slippi-js does, by whether a handshake reply begins there; `None` while
/// `first` is too short to tell.
///
/// slippi-js looks at its first read only, however short; this looks on until 13 bytes have come or
/// one of them rules the reply out.
pub fn detect_dialect(first: &[u8]) -> Option<Dialect> {
    match console::reply_start(first) {
        ReplyStart::Yes => Some(Dialect::Console),
        ReplyStart::No => Some(Dialect::Raw),
        ReplyStart::TooShort => None,
    }
}

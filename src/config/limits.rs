//! What bounds spectators, and patience with consoles.

use std::time::Duration;

use crate::protocol::console;

/// How much spectators may take.
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    /// Connected at once, all stations together.
    pub total: usize,
    /// Connected at once from one address.
    pub per_address: usize,
    /// The longest handshake in bytes, its length excluded.
    pub handshake_len: usize,
    /// How long a spectator may take for its handshake.
    pub handshake_time: Duration,
    /// How long a spectator of Dolphin's protocol may acknowledge nothing of what is sent to it.
    pub silence: Duration,
}

impl Default for ClientLimits {
    /// As many in all as a laptop serves in time; from one address so many that a shared router is
    /// no trouble but one broken program cannot take every place; the console's own handshake
    /// limits; and the silence after which Linux gives up on a spectator over TCP, too
    /// (`net/sockets.rs`, `UNACKNOWLEDGED_FOR`).
    fn default() -> Self {
        Self {
            total: 4096,
            per_address: 256,
            handshake_len: console::MAX_HANDSHAKE_LEN,
            handshake_time: Duration::from_millis(console::HANDSHAKE_TIMEOUT_MS),
            silence: Duration::from_secs(30),
        }
    }
}

/// How patient the console thread is.
#[derive(Clone, Copy, Debug)]
pub struct SourceTiming {
    /// For a connection to be made.
    pub connect: Duration,
    /// For the answer to the handshake, before the console is called busy.
    pub busy_after: Duration,
    /// For the answer to the handshake, before the connection is made anew.
    pub give_up: Duration,
    /// Without a byte from a console, which sends a keep-alive every 0.5 s.
    pub silence: Duration,
    /// Without a byte from a raw source, which need not send any.
    pub raw_silence: Duration,
    /// The first and the longest wait before another attempt.
    pub back_off: (Duration, Duration),
}

impl Default for SourceTiming {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            busy_after: Duration::from_secs(3),
            give_up: Duration::from_secs(30),
            silence: Duration::from_secs(5),
            raw_silence: Duration::from_secs(20),
            back_off: (Duration::from_millis(250), Duration::from_secs(5)),
        }
    }
}

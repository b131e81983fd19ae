//! A spectator, as others are told of it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::protocol::{Cursor, Protocol};
use crate::session::StationId;

/// The number of a spectator. No other spectator of the same run ever has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u64);

/// A spectator, as its thread sees it at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientInfo {
    /// Its number.
    pub id: ClientId,
    /// The station it watches.
    pub station: StationId,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it connects from.
    pub peer: SocketAddr,
    /// When it came.
    pub since: SystemTime,
    /// Whether it has said its handshake; a raw spectator has none to say.
    pub is_greeted: bool,
    /// Whether it is another andross.
    pub is_relay: bool,
    /// The position it gets next; for Dolphin's protocol the number of the message.
    pub cursor: Cursor,
    /// Event bytes of the log that it may see and has not been given.
    pub lag_bytes: u64,
    /// Frames of those, if they are of the game it is in.
    pub lag_frames: Option<u64>,
    /// Since when its socket has taken nothing.
    pub idle: Duration,
}

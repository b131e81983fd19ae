//! Why spectators leave.

use std::io;

use thiserror::Error;

use crate::protocol::console::ConsoleError;

/// Why a spectator is hung up on.
#[derive(Debug, Error)]
pub(super) enum Farewell {
    #[error("it hung up")]
    Closed,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("its handshake cannot be understood: {0}")]
    Handshake(#[from] ConsoleError),
    #[error("it said no handshake in time")]
    HandshakeTimeout,
    #[error("it sends instead of listening")]
    Chatter,
    #[error("it was more than a game behind")]
    LeftBehind,
    #[error("its connection took no byte for a minute")]
    Stalled,
    #[error("somebody hung up on it by hand")]
    Kicked,
    #[error("its station was removed")]
    StationRemoved,
    #[error("the relay ends")]
    Shutdown,
}

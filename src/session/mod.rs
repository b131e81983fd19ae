//! The session log: where the threads meet.
//!
//! The console thread appends a chunk to a station's [`Log`] for each message that arrives, and
//! rings. Everyone else reads it with a cursor of their own. A [`Signal`] only says "look"; the log
//! holds the truth, so a lost signal loses nothing.

mod bell;
mod bridge;
mod chunk;
mod identity;
mod log;
mod signal;
mod station;
mod writer;

pub use bell::{Bell, Listening};
pub use bridge::{Bridge, Ear, News};
pub use chunk::{Chunk, Seq};
pub use identity::Identity;
pub use log::{Distance, GameSeen, Hold, Horizon, Log, ReadFrom};
pub use signal::{Announcer, Doorbell, Signal, SignalKind, Signals};
pub use station::{SavedFile, SourceState, Station, StationId};
pub use writer::{Divergence, Writer, Written};

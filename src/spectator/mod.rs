//! The spectator thread: everyone who watches with Dolphin's spectator protocol.
//!
//! One thread, one UDP socket a station, ENet over each. A station's events are cut into Dolphin's
//! batches once, for all who watch it; each spectator is a cursor into those messages, and gets only
//! so many ahead of what it has acknowledged.

mod feed;
mod hall;
mod peer;
mod thread;
mod usher;

pub use hall::MAX_PEERS;
pub use thread::SpectatorThread;
pub use usher::Usher;

//! Hears consoles announce themselves, and knows who was heard.
//!
//! ```text
//! UDP ─▶ Listener (shared port) ─▶ DiscoveryThread (bounded pace) ─▶ on_heard ─▶ Sightings
//! ```
//!
//! Anyone in the network can send an announcement, with any MAC address and as many as they like:
//! what is heard is a hint where to look, and everything here is bounded.

mod listener;
mod pace;
mod sightings;
mod thread;

pub use listener::Listener;
pub use sightings::{CAPACITY, News, Sighting, Sightings};
pub use thread::DiscoveryThread;

use std::net::IpAddr;

use crate::protocol::discovery::Announcement;

/// An announcement, and where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// What the console says of itself.
    pub announcement: Announcement,
    /// The console's address. Its port is not told: everyone uses
    /// [`console::PORT`](crate::protocol::console::PORT).
    pub ip: IpAddr,
}

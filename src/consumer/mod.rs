//! The consumer threads: everyone who watches.
//!
//! The listener thread accepts and hands each newcomer to the consumer thread with the fewest
//! clients. Each consumer thread has its own poll loop and its own share of the clients; a frame
//! costs it one look into the log and one write a client. What does not fit into a client's socket
//! is just a cursor that lags.

mod client;
mod farewell;
mod inbox;
mod listener;
mod reception;
mod stopwatch;
mod thread;
mod view;

pub use inbox::Inbox;
pub use listener::{Listener, ListenerThread, Porter};
pub use thread::ConsumerThread;

//! Beyond one machine: streams go from relay to relay through NATS JetStream.
//!
//! ```text
//!  station's log ──▶ publisher ──▶ subject andross.STATION of the stream `andross`
//!                        │                           │
//!                        └─ facts, lease ─▶ bucket `andross-stations`
//!                                                    │
//!  station's log ◀── edge ◀── ordered delivery ◀─────┘
//! ```
//!
//! A *publisher* is a reader of a station's log with a cursor, like any other. What it sends is fenced:
//! each message names the one before it, so that whatever a publisher says that was replaced is refused
//! by the server. An *edge* appends what comes to its own station's log, at the console's positions;
//! there it is recognised when it comes twice, and a gap is told when something is missing
//! ([`crate::session::Writer`]). Neither keeps anything on a disk.
//!
//! All of it runs on one thread in one tokio runtime, as a client of the engine.

mod batch;
mod delivery;
mod edge;
mod everything;
mod facts;
mod forget;
mod keeper;
mod layout;
mod lease;
mod link;
mod message;
mod place;
mod publisher;
mod publishers;
mod subject;
mod task;
mod thread;
mod trouble;

pub use forget::{ForgetError, forget_station};
pub use thread::ClusterThread;

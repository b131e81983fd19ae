//! The `.slp` format and the event stream inside it, as pure functions over bytes.
//!
//! A game is a stream of *events*: one command byte, then a payload whose size the stream's own
//! first event announces. The same bytes travel over the wire and lie in the `raw` element of a
//! `.slp` file, so everything here serves the relay, the recorder and the replay tools alike.
//!
//! Nothing in this module knows a socket, a file, a thread or a clock, and "need more bytes" is an
//! ordinary result (`Ok(None)`), so that a stream can be cut anywhere.
//!
//! Source of the facts: project-slippi/slippi-wiki `SPEC.md`; see `docs/protocol.md`.

pub mod batch;
pub mod event;
pub mod file;
pub mod frame;
pub mod game;
pub mod metadata;
pub mod names;
pub mod payload_sizes;
pub mod scanner;
pub mod state;
pub mod text;
pub mod ubjson;

pub use batch::Batcher;
pub use event::{Event, EventCode};
pub use frame::{FrameIndex, FrameTracker};
pub use game::{GameStart, Summary};
pub use metadata::Metadata;
pub use payload_sizes::PayloadSizes;
pub use scanner::{MAX_EVENT_LEN, ScanError, Scanner};

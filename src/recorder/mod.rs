//! The recorder thread: another reader of the log.
//!
//! It writes each game's events as they come into a growing `.slp`, and completes it with length
//! and metadata when the game is over. When the disk fails it keeps its cursor, tells, and tries
//! again: what the log still holds is written then.

mod journal;
mod recording;
mod recovery;
mod thread;
mod track;

pub use thread::{Clerk, RecorderOptions, RecorderThread};

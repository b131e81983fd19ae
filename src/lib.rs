//! andross: the relay between Melee consoles and everyone who watches them.
//!
//! The console's event stream is an append-only log addressed by absolute byte positions.
//! Everything else is a reader of that log with a cursor of its own: a spectator, the recorder,
//! another relay. A reader that falls behind costs nobody anything; one that comes back names its
//! cursor and goes on.
//!
//! Imports point down only:
//!
//! ```text
//! main → cli → relay (assemble, run, drain) · demo · bench · watch · simulator · replay
//! relay → control · hooks · obs · cluster → engine
//! engine → console · consumer · spectator · discovery · recorder   (siblings never import each other)
//! those → audience · library → session · replay · net · stats · shutdown · config · unix_time
//! all of it → protocol → slp
//! ```
//!
//! [`slp`] and [`protocol`] are pure: bytes come in, values go out; no socket, file, thread or
//! clock.

pub mod audience;
pub mod bench;
#[cfg(feature = "nats")]
pub mod cluster;
pub mod config;
pub mod console;
pub mod consumer;
pub mod control;
pub mod demo;
pub mod discovery;
pub mod engine;
pub mod hooks;
pub mod library;
pub mod net;
pub mod obs;
pub mod protocol;
pub mod recorder;
pub mod relay;
pub mod replay;
pub mod session;
pub mod shutdown;
pub mod simulator;
pub mod slp;
pub mod spectator;
pub mod stats;
pub mod unix_time;
pub mod watch;

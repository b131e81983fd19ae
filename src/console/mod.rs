//! The console thread: one loop over every console's socket, and every Dolphin's.
//!
//! It connects, greets, drains, appends to the stations' logs and rings. It never waits for
//! anybody: no lock is held across a syscall, and the bus is only ever tried.

mod back_off;
mod connection;
mod dolphin;
mod intake;
mod link;
mod program;
mod remote;
mod resolve;
mod tcp;
mod thread;

pub use remote::{Remote, RemoteOrder};
pub use thread::{ConsoleThread, Operator};

//! The console thread: one loop over every console's socket.
//!
//! It connects, greets, drains, appends to the stations' logs and rings. It never waits for
//! anybody: no lock is held across a syscall, and the bus is only ever tried.

mod back_off;
mod connection;
mod intake;
mod program;
mod resolve;
mod thread;

pub use thread::{ConsoleThread, Operator};

//! The engine: it owns the state of the relay, and everyone who wants to see or change it asks.
//!
//! Requests come in over one channel, each gets an answer, and every change is broadcast to all who
//! listen. HTTP, signals and the terminal are its clients; the data plane's threads only get orders
//! from it and know nothing of it.

mod pretend;
mod request;
mod status;

#[doc(hidden)]
pub use pretend::pretend;
pub use request::{Handle, NewStation, ProgramSwitch, Refusal, Reply, Request, StationChange};
pub use status::{
    Change, ClientStatus, Connection, DiscoveredConsole, Event, GameStatus, LatencyStatus, Origin,
    ProgramStatus, RecordingStatus, ReloadReport, StationKind, StationStatus, Status, SwitchAt,
    Totals,
};

/// What comes to the engine.
#[derive(Debug)]
enum Letter {
    Request(Request),
}

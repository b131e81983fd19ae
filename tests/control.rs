//! The control plane over real sockets: every call with good, bad and unauthorised input.

#[path = "control/desk.rs"]
mod desk;
#[path = "control/fake_engine.rs"]
mod fake_engine;

#[path = "control/access.rs"]
mod access;
#[path = "control/calls.rs"]
mod calls;
#[path = "control/command.rs"]
mod command;
#[path = "control/description.rs"]
mod description;
#[path = "control/events.rs"]
mod events;
#[path = "control/replays.rs"]
mod replays;

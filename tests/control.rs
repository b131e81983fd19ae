//! The control plane of a real relay over real sockets: every call with good, bad and unauthorised
//! input, and what it does.

mod common;

#[path = "control/desk.rs"]
mod desk;

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
#[path = "control/health.rs"]
mod health;
#[path = "control/program.rs"]
mod program;
#[path = "control/replays.rs"]
mod replays;
#[path = "control/spectators.rs"]
mod spectators;
#[path = "control/stations.rs"]
mod stations;
#[path = "control/unseen.rs"]
mod unseen;
#[path = "control/whole.rs"]
mod whole;

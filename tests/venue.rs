//! One andross runs a whole venue: the real binary, pretend consoles, hundreds of spectators, and
//! control calls that add, change and remove stations in the middle of games.
#![cfg(unix)]

mod common;

#[path = "venue/hall.rs"]
mod hall;
#[path = "venue/swarm.rs"]
mod swarm;

#[path = "venue/changes.rs"]
mod changes;
#[path = "venue/files.rs"]
mod files;
#[path = "venue/whole.rs"]
mod whole;

//! Consoles that announce themselves are adopted by the real binary: they come, go, move and are
//! removed. Linux takes every address 127.x.x.x as this computer's.
#![cfg(target_os = "linux")]

mod common;

#[path = "adoption/network.rs"]
mod network;

#[path = "adoption/comings.rs"]
mod comings;
#[path = "adoption/doubts.rs"]
mod doubts;
#[path = "adoption/moves.rs"]
mod moves;

//! Faults of stations that come, change and go while the relay runs, found once: each test failed
//! before its fault was mended.

mod common;

#[path = "engine_regressions/desk.rs"]
mod desk;

#[path = "engine_regressions/discovery.rs"]
mod discovery;
#[path = "engine_regressions/files.rs"]
mod files;
#[path = "engine_regressions/program.rs"]
mod program;
#[path = "engine_regressions/quiet.rs"]
mod quiet;
#[path = "engine_regressions/spectators.rs"]
mod spectators;
#[path = "engine_regressions/stations.rs"]
mod stations;

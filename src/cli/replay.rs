//! `andross replay`: look at, check and repair `.slp` files.

use std::process::ExitCode;

/// Look at, check and repair saved games.
#[derive(clap::Subcommand)]
pub enum Command {}

/// Runs one of the replay tools.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {}
}

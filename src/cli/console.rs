//! `andross console`: a pretend console.

use std::process::ExitCode;

use andross::shutdown::Shutdown;

/// A pretend console that plays recordings.
#[derive(clap::Args)]
pub struct Args {}

/// Runs until everything was played or someone asks to stop.
pub fn run(_args: Args, _shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}

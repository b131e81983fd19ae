//! What can be typed, and what each command does with it.
//!
//! Exit codes: 0 when all went well, 1 when something failed, 2 when the command line is wrong.

mod bench;
mod console;
mod demo;
mod relay;
mod replay;

use std::process::ExitCode;

use andross::shutdown::{Reason, Shutdown};
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// The relay between Melee consoles and everyone who watches them.
#[derive(Parser)]
#[command(
    name = "andross",
    version,
    arg_required_else_help = true,
    after_help = "See it work:         andross demo
Relay a console:     andross relay 192.168.1.20
Look at saved games: andross replay info replays/"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Relay(relay::Args),
    Demo(demo::Args),
    Console(console::Args),
    #[command(subcommand)]
    Replay(replay::Command),
    Bench(bench::Args),
    #[command(hide = true)]
    BenchSpectators(bench::SpectatorsArgs),
    #[command(hide = true)]
    BenchFloor(bench::FloorArgs),
}

/// Parses, sets up logging and signals, runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // The demonstration has its own live line; logs would only tear it.
    init_logging(if matches!(cli.command, Command::Demo(_)) { "warn" } else { "info" });
    let shutdown = Shutdown::new();
    let on_signal = shutdown.clone();
    if let Err(error) = ctrlc::set_handler(move || on_signal.request(Reason::Signal)) {
        tracing::warn!("Ctrl-C will not end andross in good order: {error}");
    }
    let result = match cli.command {
        Command::Relay(args) => relay::run(args, &shutdown),
        Command::Demo(args) => demo::run(args, &shutdown),
        Command::Console(args) => console::run(args, &shutdown),
        Command::Replay(command) => replay::run(command),
        Command::Bench(args) => bench::run(args, &shutdown),
        Command::BenchSpectators(args) => bench::run_spectators(&args, &shutdown),
        Command::BenchFloor(args) => bench::run_floor(&args, &shutdown),
    };
    result.unwrap_or_else(|error| {
        eprintln!("andross: {error:#}");
        ExitCode::FAILURE
    })
}

/// Logs go to standard error, so that what a command prints can be piped. `RUST_LOG` says what is
/// logged; else `default`.
fn init_logging(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(LocalTime)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
}

/// The time as the clock on the wall has it: what someone compares a log with.
struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", jiff::Zoned::now().strftime("%H:%M:%S%.3f"))
    }
}

//! What can be typed, and what each command does with it.
//!
//! Exit codes: 0 when all went well, 1 when something failed, 2 when the command line is wrong.

mod bench;
mod console;
mod ctl;
mod demo;
mod relay;
mod replay;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use andross::shutdown::{Reason, Shutdown};
use clap::{Parser, Subcommand};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
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
    Ctl(ctl::Args),
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
    let _log = init_logging(if matches!(cli.command, Command::Demo(_)) { "warn" } else { "info" });
    let shutdown = Shutdown::new();
    let on_signal = shutdown.clone();
    if let Err(error) = ctrlc::set_handler(move || on_signal.request(Reason::Signal)) {
        tracing::warn!("Ctrl-C will not end andross in good order: {error}");
    }
    let result = match cli.command {
        Command::Relay(args) => relay::run(args, &shutdown),
        Command::Demo(args) => demo::run(args, &shutdown),
        Command::Console(args) => console::run(args, &shutdown),
        Command::Ctl(args) => ctl::run(args, &shutdown),
        Command::Replay(command) => replay::run(command),
        Command::Bench(args) => bench::run(args, &shutdown),
        Command::BenchSpectators(args) => bench::run_spectators(&args, &shutdown),
        Command::BenchFloor(args) => bench::run_floor(&args, &shutdown),
    };
    result.unwrap_or_else(|error| {
        last_words(format!("andross: {error:#}"));
        ExitCode::FAILURE
    })
}

/// How long a terminal may take for the last line.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Says what went wrong, but does not wait for a terminal that takes nothing.
fn last_words(text: String) {
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = writeln!(std::io::stderr(), "{text}");
        let _ = said.send(());
    });
    let _ = heard.recv_timeout(LAST_WORDS);
}

/// Lines of the log that may wait for the terminal; beyond, the newest are dropped.
const LOG_LINES: usize = 8192;

/// Logs go to standard error, so that what a command prints can be piped. `RUST_LOG` says what is
/// logged; else `default`. What still waits is written when the guard is dropped, if that goes quickly.
///
/// A thread of its own writes them: a terminal that takes no output (text is selected in it, a pipe
/// is stuck) or a log file on a full disk must not stop anybody who serves frames.
fn init_logging(default: &str) -> WorkerGuard {
    let (log, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LOG_LINES)
        .thread_name("log")
        .finish(std::io::stderr());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(LocalTime)
        .with_writer(log)
        .log_internal_errors(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
    guard
}

/// The time as the clock on the wall has it: what someone compares a log with.
struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", jiff::Zoned::now().strftime("%H:%M:%S%.3f"))
    }
}

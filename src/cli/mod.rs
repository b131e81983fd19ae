//! What can be typed, and what each command does with it.
//!
//! Exit codes: 0 when all went well, 1 when something failed, 2 when the command line or the
//! configuration file is wrong.

mod bench;
mod console;
mod ctl;
mod demo;
mod discover;
mod logging;
mod relay;
mod replay;
mod signals;
mod watch;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use andross::shutdown::Shutdown;
use clap::{Parser, Subcommand};
use logging::LogFormat;
use signals::Signals;

/// The exit code for a command line or a configuration that is wrong.
const WRONG_USE: u8 = 2;

/// The command line or the configuration is wrong: marks an error for [`WRONG_USE`].
#[derive(Debug)]
struct WrongUse(anyhow::Error);

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for WrongUse {}

/// The relay between Melee consoles and everyone who watches them.
#[derive(Parser)]
#[command(
    name = "andross",
    version,
    arg_required_else_help = true,
    after_help = "See it work:         andross demo
Find consoles:       andross discover
Relay a console:     andross relay 192.168.1.20
Watch from afar:     andross watch 192.168.1.5
Look at saved games: andross replay list replays/"
)]
struct Cli {
    /// What the lines of the log look like
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "human",
        display_order = 900
    )]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Relay(Box<relay::Args>),
    Watch(watch::Args),
    Discover(discover::Args),
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

impl Command {
    /// What is logged unless `RUST_LOG` says otherwise.
    fn default_log(&self) -> &'static str {
        match self {
            // These have a live line or table of their own; logs would only tear it.
            Self::Demo(_) => "warn",
            Self::Discover(args) if args.shows_table() => "error",
            // It says itself what goes wrong.
            Self::Watch(_) if watch::shows_view() => "off",
            _ => "info,async_nats=off",
        }
    }
}

/// Parses, sets up logging and signals, runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let _log = logging::init(cli.log_format, cli.command.default_log());
    let shutdown = Shutdown::new();
    let signals = Signals::install(&shutdown);
    let result = match cli.command {
        Command::Relay(args) => relay::run(*args, &shutdown, &signals),
        Command::Watch(args) => watch::run(args, &shutdown),
        Command::Discover(args) => discover::run(args, &shutdown),
        Command::Demo(args) => demo::run(args, &shutdown),
        Command::Console(args) => console::run(args, &shutdown),
        Command::Ctl(args) => ctl::run(args, &shutdown),
        Command::Replay(command) => replay::run(command, &shutdown),
        Command::Bench(args) => bench::run(args, &shutdown),
        Command::BenchSpectators(args) => bench::run_spectators(&args, &shutdown),
        Command::BenchFloor(args) => bench::run_floor(&args, &shutdown),
    };
    let code = match &result {
        Ok(code) => *code,
        Err(error) if error.is::<WrongUse>() => ExitCode::from(WRONG_USE),
        Err(_) => ExitCode::FAILURE,
    };
    if let Err(error) = &result {
        match cli.log_format {
            LogFormat::Human => last_words(format!("andross: {error:#}")),
            // Whoever reads objects reads nothing else.
            LogFormat::Json => tracing::error!("{error:#}"),
        }
    }
    code
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

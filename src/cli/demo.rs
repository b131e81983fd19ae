//! `andross demo`: see it work.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use andross::config::value::seconds;
use andross::demo::{self, Addresses, Figures, Options};
use andross::shutdown::Shutdown;
use andross::simulator::Recording;
use anyhow::Context;

/// See it work: a pretend console, a relay and a spectator, with nothing to set up.
///
/// The pretend console plays games of this project's own (or yours) at 60 frames a second; the relay
/// hands every frame to the spectator, which compares every byte, and saves each game. Join in with
/// any Slippi client at the address it prints.
#[derive(clap::Args)]
pub struct Args {
    /// Play these .slp files instead of the built-in games
    #[arg(value_name = "REPLAY")]
    recordings: Vec<PathBuf>,

    /// The folder that games are saved in
    #[arg(long, value_name = "FOLDER", default_value = "replays")]
    replays: PathBuf,

    /// End after so many seconds instead of at Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<Duration>,
}

/// How often a line is printed where it cannot be rewritten in place.
const PLAIN_PERIOD: Duration = Duration::from_secs(5);

/// Runs until the time is over or someone asks to stop.
pub fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let recordings = args
        .recordings
        .iter()
        .map(|path| Recording::load(path).with_context(|| path.display().to_string()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let options = Options { recordings, replays: args.replays, duration: args.seconds };
    let live = std::io::stdout().is_terminal();
    let mut next_line = Instant::now();
    let last = demo::run(options, shutdown, introduce, |figures| {
        if live {
            say(format_args!("\r\x1b[2K{}", line(figures)));
        } else if Instant::now() >= next_line {
            next_line += PLAIN_PERIOD;
            say(format_args!(
                "{}
",
                line(figures)
            ));
        }
    })?;
    if live {
        say(format_args!("\n"));
    }
    say(format_args!(
        "The spectator compared {} event bytes: all as the console sent them.
",
        last.checked
    ));
    Ok(ExitCode::SUCCESS)
}

fn introduce(addresses: &Addresses) {
    say(format_args!(
        "A pretend console plays, a relay hands it on, a spectator checks every byte.\n"
    ));
    if let Some(address) = addresses.console {
        say(format_args!("  Slippi Launcher, slippi-js, andross:  {address}\n"));
    }
    if let Some(address) = addresses.raw {
        say(format_args!("  raw stream:                           {address}\n"));
    }
    if let Some(address) = addresses.dolphin {
        say(format_args!("  libmelee, Dolphin's protocol (UDP):   {address}\n"));
    }
    if let Some(address) = addresses.http {
        say(format_args!("  the dashboard, in a browser:          http://{address}/\n"));
    }
    say(format_args!("Ctrl-C ends it.\n\n"));
}

/// Prints. A terminal or pipe that is gone is no reason to stop.
fn say(text: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}

fn line(figures: &Figures) -> String {
    let file = figures
        .file
        .as_ref()
        .and_then(|path| path.file_name())
        .map_or_else(|| "no file yet".into(), |name| name.to_string_lossy());
    let seconds = (figures.frame.max(0) as f64 / 59.94) as u64;
    format!(
        "game {} {}:{:02} frame {:>5} | {} client{} | p50 {} p99 {} ms, {} late | {file}",
        figures.game,
        seconds / 60,
        seconds % 60,
        figures.frame,
        figures.clients,
        if figures.clients == 1 { "" } else { "s" },
        milliseconds(figures.p50),
        milliseconds(figures.p99),
        figures.misses,
    )
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1000.0)
}

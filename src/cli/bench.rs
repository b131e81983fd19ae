//! `andross bench`: what the relay costs and how late it is, beside the least that is possible.

use std::net::SocketAddr;
use std::process::ExitCode;

use andross::bench::{self, FloorOptions, Options, Progress, Report, SpectatorsOptions};
use andross::config::{MAX_STATIONS, NatsServer};
use andross::shutdown::Shutdown;
use anyhow::Context;
use clap::value_parser;

use super::WrongUse;

/// Measure a relay with spectators by the thousand, beside the barest possible forwarder.
///
/// Pretend consoles, `andross relay` and its spectators run as separate processes on this machine.
/// The spectators check every byte and take the time from the console's write to their read. A
/// floor, the barest loop that writes the same bytes to the same sockets, takes turns with the
/// relay: what it takes is what this machine takes at least. Close other programs for good figures.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  andross bench
  andross bench --spectators 100 --seconds 5 --rounds 1
  andross bench --stations 8 --spectators 1000
  andross bench --hops 3 --spectators 1,100
  andross bench --nats nats://127.0.0.1:4222 --spectators 1,100
  andross bench --json > figures.json")]
pub struct Args {
    /// Spectators at once, a row of figures for each number
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', default_value = "1,100,1000,2000", value_parser = value_parser!(u32).range(1..=50_000))]
    spectators: Vec<u32>,

    /// Consoles at once, which play out of step; the spectators are spread evenly over them
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = value_parser!(u16).range(1..=MAX_STATIONS as i64))]
    stations: u16,

    /// Relays in a row between the console and its spectators; with one station only. CPU and memory
    /// are those of the last, the latency is that from end to end
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = value_parser!(u16).range(1..=8))]
    hops: u16,

    /// Measure a relay and an edge with this NATS server between them, too; with one station and one
    /// relay only. What is published there for that is removed again
    #[arg(long, value_name = "URL", value_parser = nats)]
    nats: Option<String>,

    /// Seconds that the frames of one round take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = value_parser!(u32).range(1..=600))]
    seconds: u32,

    /// Rounds of each row, of which the medians are shown
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = value_parser!(u16).range(1..=100))]
    rounds: u16,

    /// Frames a second
    #[arg(long, value_name = "NUMBER", default_value = "59.94", value_parser = fps)]
    fps: f64,

    /// Processes that share the spectators
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    spectator_processes: u16,

    /// Threads of the relay that serve spectators [default: the relay's own]
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u16).range(1..=64))]
    consumers: Option<u16>,

    /// Print one JSON object with everything instead of the table
    #[arg(long)]
    json: bool,
}

fn nats(text: &str) -> Result<String, String> {
    match text.parse::<NatsServer>() {
        Ok(_) => Ok(text.trim_end_matches('/').to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn fps(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(fps) if (1.0..=1000.0).contains(&fps) => Ok(fps),
        _ => Err("write a number from 1 to 1000, such as 59.94".to_owned()),
    }
}

/// Measures and prints. What is under way goes to standard error.
pub fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let json = args.json;
    if args.hops > 1 && args.stations > 1 {
        let sentence = format!("--hops {} goes with --stations 1 only", args.hops);
        return Err(WrongUse(anyhow::Error::msg(sentence)).into());
    }
    if args.nats.is_some() && args.stations > 1 {
        let sentence = "--nats goes with --stations 1 only";
        return Err(WrongUse(anyhow::Error::msg(sentence)).into());
    }
    if args.nats.is_some() && args.hops > 1 {
        let sentence = "--nats and --hops do not go together: measure one after the other";
        return Err(WrongUse(anyhow::Error::msg(sentence)).into());
    }
    let options = Options {
        executable: std::env::current_exe().context("this program cannot find itself")?,
        stations: args.stations.into(),
        hops: args.hops.into(),
        nats: args.nats,
        spectators: args.spectators.iter().map(|&n| n as usize).collect(),
        spectator_processes: args.spectator_processes.into(),
        consumers: args.consumers,
        seconds: args.seconds,
        rounds: args.rounds.into(),
        fps: args.fps,
    };
    if !json {
        println!("{}", Report::new(&options).heading());
    }
    let report = bench::run(&options, shutdown, |progress| tell(&progress, json))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.summary());
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(progress: &Progress<'_>, json: bool) {
    match progress {
        Progress::Row(row) if !json => println!("{row}"),
        Progress::Row(_) => {}
        other => eprintln!("{other}"),
    }
}

/// Be the spectators of a bench.
#[derive(clap::Args)]
pub struct SpectatorsArgs {
    #[arg(long = "address", value_name = "ADDRESSES", value_delimiter = ',', required = true)]
    addresses: Vec<SocketAddr>,
    #[arg(long, default_value_t = 0)]
    first: usize,
    #[arg(long)]
    count: usize,
    #[arg(long)]
    frames: usize,
}

/// Runs until the game is over or the bench is gone.
pub fn run_spectators(args: &SpectatorsArgs, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    bench::end_with_parent(shutdown)?;
    let options = SpectatorsOptions {
        addresses: args.addresses.clone(),
        first: args.first,
        count: args.count,
        frames: args.frames,
    };
    bench::run_spectators(&options, shutdown)?;
    Ok(ExitCode::SUCCESS)
}

/// Be the floor of a bench.
#[derive(clap::Args)]
pub struct FloorArgs {
    #[arg(long = "source", required = true)]
    sources: Vec<SocketAddr>,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    spectators: usize,
}

/// Runs until a source is gone or the bench is.
pub fn run_floor(args: &FloorArgs, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    bench::end_with_parent(shutdown)?;
    let options = FloorOptions {
        sources: args.sources.clone(),
        listen: args.listen,
        spectators: args.spectators,
    };
    bench::run_floor(&options, shutdown)?;
    Ok(ExitCode::SUCCESS)
}

//! `andross ctl`: see and control a relay that runs, over its HTTP calls.

mod client;
mod find;
mod tables;
pub(super) mod text;
mod watch;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use andross::config::{MAX_DELAY, Source};
use andross::engine::{
    ClientStatus, NewStation, ProgramStatus, ProgramSwitch, ReloadReport, StationChange,
    StationStatus, Status, SwitchAt,
};
use andross::shutdown::Shutdown;
use anyhow::Context;
use clap::{Subcommand, ValueEnum};

use client::Client;
use text::printable;

/// See and control a relay that runs.
///
/// STATION is a station's name or its number, as `andross ctl stations` shows them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  andross ctl status --watch
  andross ctl add Side=192.168.1.21 --delay 5
  andross ctl program Side --now
  andross ctl --url http://192.168.1.5:51480 --token-file token.txt record Side off

Exit code: 0, or 1 if the relay did not do it.")]
pub struct Args {
    /// Where the relay answers control calls
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:51480")]
    url: String,

    /// The file whose first line is the relay's token
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show everything
    Status {
        /// Show it again and again until Ctrl-C
        #[arg(long)]
        watch: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// List the stations
    Stations,
    /// List the spectators
    Clients {
        /// Only this station's
        #[arg(long, value_name = "STATION")]
        station: Option<String>,
    },
    /// Add a station
    Add(Add),
    /// Remove a station: its games are completed, its spectators hung up on
    Remove {
        /// Its name or number
        station: String,
    },
    /// Give a station another name
    Rename {
        /// Its name or number
        station: String,
        /// The new name
        name: String,
    },
    /// Change a station's source or delays
    Set(Set),
    /// Save a station's games, or do not
    Record {
        /// Its name or number
        station: String,
        /// Whether to save them
        what: OnOff,
    },
    /// Hang up on a spectator
    Kick {
        /// Its number, as `andross ctl clients` shows it
        client: u64,
    },
    /// Let the program output show a station, or `none`
    Program {
        /// Its name or number
        station: String,
        /// At once instead of when its next game begins
        #[arg(long)]
        now: bool,
    },
    /// List the consoles that have announced themselves
    Discovered,
    /// Let the relay read its configuration file again
    Reload,
    /// End the relay in order
    Shutdown,
}

#[derive(clap::Args)]
struct Add {
    /// [name=]host[:port], [name=]raw:host:port, [name=]dolphin:host[:port] or the MAC address of a discovered console
    #[arg(value_name = "SOURCE|MAC")]
    what: String,
    /// What to call it
    #[arg(long)]
    name: Option<String>,
    /// Seconds that its spectators are behind
    #[arg(long, value_name = "SECONDS", value_parser = delay, allow_negative_numbers = true)]
    delay: Option<f64>,
    /// Do not save its games
    #[arg(long)]
    no_record: bool,
}

#[derive(clap::Args)]
struct Set {
    /// Its name or number
    station: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Settings {
    /// Another address: host[:port], raw:host:port or dolphin:host[:port]
    #[arg(long)]
    source: Option<Source>,
    /// Seconds that all its spectators are behind
    #[arg(long, value_name = "SECONDS", value_parser = delay, allow_negative_numbers = true)]
    delay: Option<f64>,
    /// Seconds that spectators of the console protocol are behind
    #[arg(long, value_name = "SECONDS", value_parser = delay, allow_negative_numbers = true)]
    console_delay: Option<f64>,
    /// Seconds that raw spectators are behind
    #[arg(long, value_name = "SECONDS", value_parser = delay, allow_negative_numbers = true)]
    raw_delay: Option<f64>,
    /// Seconds that spectators of Dolphin's protocol are behind
    #[arg(long, value_name = "SECONDS", value_parser = delay, allow_negative_numbers = true)]
    dolphin_delay: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnOff {
    On,
    Off,
}

fn delay(text: &str) -> Result<f64, String> {
    let longest = MAX_DELAY.as_secs_f64();
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=longest).contains(&seconds) => Ok(seconds),
        _ => Err(format!("write a number of seconds from 0 to {longest}, such as 2.5")),
    }
}

/// Does one thing and says so.
pub fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.url, args.token_file.as_deref())?;
    if let Command::Status { watch: true, json } = args.command {
        return finish(watch::run(&client, json, shutdown)?);
    }
    let text = answer(&client, args.command)?;
    finish(print(&text))
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn finish(written: io::Result<()>) -> anyhow::Result<ExitCode> {
    match written {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Does what is asked; what there is to say of it.
fn answer(client: &Client, command: Command) -> anyhow::Result<String> {
    let station = |name: &str| -> anyhow::Result<StationStatus> {
        find::station(client.get("/api/stations")?, name)
    };
    let change = |name: &str, change: StationChange| -> anyhow::Result<StationStatus> {
        client.patch(&format!("/api/stations/{}", station(name)?.id), &change)
    };
    Ok(match command {
        Command::Status { json: true, .. } => line(&serde_json::to_string(&status(client)?)?),
        Command::Status { .. } => tables::status(&status(client)?),
        Command::Stations => tables::stations(&client.get::<Vec<StationStatus>>("/api/stations")?),
        Command::Clients { station: name } => {
            let stations: Vec<StationStatus> = client.get("/api/stations")?;
            let path = match name {
                Some(name) => {
                    format!("/api/clients?station={}", find::station(stations.clone(), &name)?.id)
                }
                None => "/api/clients".to_owned(),
            };
            tables::clients(&client.get::<Vec<ClientStatus>>(&path)?, &stations)
        }
        Command::Add(add) => {
            let added: StationStatus = client.post("/api/stations", &new_station(add)?)?;
            said("added", &added)
        }
        Command::Remove { station: name } => {
            let found = station(&name)?;
            client.delete(&format!("/api/stations/{}", found.id))?;
            said("removed", &found)
        }
        Command::Rename { station: old, name } => {
            let name = Some(name);
            said("changed", &change(&old, StationChange { name, ..StationChange::default() })?)
        }
        Command::Set(Set { station: name, settings }) => {
            let Settings { source, delay, console_delay, raw_delay, dolphin_delay } = settings;
            let source = source.map(|source| source.to_string());
            let wanted = StationChange {
                source,
                delay,
                console_delay,
                raw_delay,
                dolphin_delay,
                ..StationChange::default()
            };
            said("changed", &change(&name, wanted)?)
        }
        Command::Record { station: name, what } => {
            let record = Some(what == OnOff::On);
            said("changed", &change(&name, StationChange { record, ..StationChange::default() })?)
        }
        Command::Kick { client: id } => {
            client.delete(&format!("/api/clients/{id}"))?;
            line(&format!("spectator {id} was hung up on"))
        }
        Command::Program { station: name, now } => {
            let shown = if name == "none" { None } else { Some(station(&name)?) };
            let at = if now { SwitchAt::Now } else { SwitchAt::NextGame };
            let switch = ProgramSwitch { station: shown.as_ref().map(|found| found.id), at };
            let program: ProgramStatus = client.post("/api/program", &switch)?;
            tables::program(&program, &client.get::<Vec<StationStatus>>("/api/stations")?)
        }
        Command::Discovered => tables::discovered(&status(client)?),
        Command::Reload => {
            let report: ReloadReport = client.post_nothing("/api/reload")?;
            tables::reload(&report)
        }
        Command::Shutdown => {
            client.post_and_forget("/api/shutdown")?;
            line("the relay ends")
        }
    })
}

fn status(client: &Client) -> anyhow::Result<Status> {
    client.get("/api/status")
}

fn new_station(add: Add) -> anyhow::Result<NewStation> {
    let record = add.no_record.then_some(false);
    let mut new = NewStation { name: add.name, delay: add.delay, record, ..NewStation::default() };
    if let Some(mac) = find::mac(&add.what) {
        new.mac = Some(mac);
    } else {
        let source: Source = add.what.parse()?;
        new.source = Some(source.to_string());
        if new.name.is_none() && add.what.contains('=') {
            new.name = Some(source.name);
        }
    }
    Ok(new)
}

fn said(what: &str, station: &StationStatus) -> String {
    let StationStatus { id, name, source, .. } = station;
    line(&format!("{what}: station {id}, {} ({})", printable(name), printable(source)))
}

fn line(text: &str) -> String {
    format!("{text}\n")
}

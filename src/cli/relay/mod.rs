//! `andross relay`: what the program is for.

mod args;
mod supervisor;

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};

use andross::config::RelayConfig;
use andross::engine::{Handle, Hooks, Request};
use andross::relay::Relay;
use andross::shutdown::Shutdown;
use anyhow::Context;

use super::WrongUse;
use super::signals::{Reload, Signals};

pub use args::{Args, read};

use supervisor::Supervisor;

/// Runs until someone asks to stop.
pub fn run(args: Args, shutdown: &Shutdown, signals: &Signals) -> anyhow::Result<ExitCode> {
    // Before anything else: a SIGHUP that comes while the relay starts must not end it.
    let (started, engine) = sync_channel(1);
    if args.config.is_some() {
        signals.on_reload(reload(engine));
    }
    let config = read(&args).map_err(WrongUse)?;
    if args.check_config {
        println!("{}", summary(&args, &config));
        return Ok(ExitCode::SUCCESS);
    }
    let mut supervisor = Supervisor::new();
    let mut hooks = Hooks { on_alive: supervisor.watchdog(), ..Hooks::default() };
    if args.config.is_some() {
        let args = args.clone();
        hooks.read_config = Some(Box::new(move || {
            read(&args).map_err(|error| format!("the configuration stays as it was: {error:#}"))
        }));
    }
    let relay = Relay::start_with(config, hooks, shutdown).context("the relay did not start")?;
    // Nobody waits for it without a file to read.
    let _ = started.send(relay.engine().clone());
    supervisor.ready();
    shutdown.wait();
    supervisor.stopping();
    relay.run_to_end()?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the relay read its configuration again, as SIGHUP asks, once it has started. What it did is
/// in its log.
fn reload(started: Receiver<Handle>) -> Reload {
    let mut engine = None;
    Box::new(move || {
        if engine.is_none() {
            engine = started.recv().ok();
        }
        // A relay that did not start has said why.
        let Some(engine) = &engine else { return };
        if let Err(refusal) = engine.ask_blocking(Request::Reload) {
            tracing::error!("{refusal}");
        }
    })
}

/// One line: what was found good, and what is in it.
fn summary(args: &Args, config: &RelayConfig) -> String {
    let what = match &args.config {
        Some(path) => path.display().to_string(),
        None => "the command line".to_owned(),
    };
    let names: Vec<&str> =
        config.stations.iter().map(|station| station.source.name.as_str()).collect();
    let stations = match names.as_slice() {
        [] => "no station yet".to_owned(),
        [name] => format!("1 station ({name})"),
        names => format!("{} stations ({})", names.len(), names.join(", ")),
    };
    let or_off = |address: Option<String>| address.unwrap_or_else(|| "off".to_owned());
    let mut parts = vec![
        stations,
        format!("spectators {}", or_off(config.listen.map(|a| a.to_string()))),
        format!("raw spectators {}", or_off(config.raw_listen.map(|a| a.to_string()))),
        format!("Dolphin spectators {}", or_off(config.dolphin_listen.map(|a| a.to_string()))),
        format!("http {}", or_off(config.http.as_ref().map(|http| http.listen.to_string()))),
        format!("replays {}", or_off(config.replays.as_ref().map(|f| f.display().to_string()))),
    ];
    if let Some(discovery) = &config.discovery {
        parts.push(format!("discovery {}", discovery.listen));
    }
    if let Some(program) = &config.program {
        let first = program.station.as_deref().unwrap_or("nothing yet");
        parts.push(format!("program output ({first})"));
    }
    let hooks: Vec<&str> = config.hooks.commands.keys().map(|it| it.name()).collect();
    if !hooks.is_empty() {
        parts.push(format!("commands on {}", hooks.join(", ")));
    }
    if let Some(obs) = &config.obs {
        parts.push(format!("OBS {}", obs.address));
    }
    for server in &config.follow {
        parts.push(format!("all stations of {server}"));
    }
    if let Some(publish) = &config.publish {
        parts.push(format!("published to {}", publish.server));
    }
    format!("{what} is good: {}", parts.join("; "))
}

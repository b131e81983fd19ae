//! `andross relay`: what the program is for.

mod args;

use std::process::ExitCode;

use andross::config::RelayConfig;
use andross::relay::Relay;
use andross::shutdown::Shutdown;
use anyhow::Context;

use super::WrongUse;
use super::signals::Signals;

pub use args::{Args, read};

/// Runs until someone asks to stop.
pub fn run(args: Args, shutdown: &Shutdown, signals: &Signals) -> anyhow::Result<ExitCode> {
    let config = read(&args).map_err(WrongUse)?;
    if args.check_config {
        println!("{}", summary(&args, &config));
        return Ok(ExitCode::SUCCESS);
    }
    if args.config.is_some() {
        let args = args.clone();
        signals.on_reload(Box::new(move || reload(&args)));
    }
    let relay = Relay::start(config, shutdown).context("the relay did not start")?;
    relay.run_to_end()?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the configuration again, as SIGHUP asks. What is wrong changes nothing.
fn reload(args: &Args) {
    match read(args) {
        Ok(config) => apply_reloaded(config),
        Err(error) => tracing::error!("the configuration stays as it was: {error:#}"),
    }
}

/// Hands a configuration that was read again to the relay that runs.
fn apply_reloaded(_config: RelayConfig) {
    tracing::warn!(
        "the configuration is good, but a relay that runs does not take it: start it anew"
    );
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
    format!("{what} is good: {}", parts.join("; "))
}

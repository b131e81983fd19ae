//! `andross relay`: what the program is for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use andross::config::{ClientLimits, RelayConfig, Source};
use andross::relay::Relay;
use andross::shutdown::Shutdown;
use anyhow::Context;

/// Relay consoles to everyone who watches them, and keep each game as a .slp file.
///
/// SOURCE is a console's address: [name=]host[:port], with port 51441 if none is given. It connects
/// as the console's only client and reconnects for ever. raw:host:port is a Slippi Launcher's relay
/// or a console before the console protocol.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  andross relay 192.168.1.20
  andross relay \"Stream=192.168.1.20\" \"Side=192.168.1.21\" --replays D:\\replays
  andross relay raw:192.168.1.5:53742 --raw-listen off

Spectators connect with Slippi Launcher, slippi-js or another andross to port 51441 of this
computer; the second console is on 51442 and so on. Ctrl-C ends the relay and completes its files.")]
pub struct Args {
    /// Consoles to relay, in the order of their ports
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<Source>,

    /// Where spectators of the console protocol connect; `off` for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:51441", value_parser = listen_address)]
    listen: ListenAddress,

    /// Where spectators of the raw relay protocol connect; `off` for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:53742", value_parser = listen_address)]
    raw_listen: ListenAddress,

    /// The folder that games are saved in; `off` saves none
    #[arg(long, value_name = "FOLDER", default_value = "replays")]
    replays: PathBuf,

    /// Spectators at once, all consoles together
    #[arg(long, value_name = "NUMBER", default_value_t = ClientLimits::default().total)]
    max_clients: usize,

    /// Spectators at once from one address
    #[arg(long, value_name = "NUMBER", default_value_t = ClientLimits::default().per_address)]
    max_clients_per_address: usize,

    /// Seconds that a spectator may take for its handshake
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    handshake_time: Duration,

    /// Bytes that a spectator's handshake may have
    #[arg(long, value_name = "BYTES", default_value_t = ClientLimits::default().handshake_len)]
    handshake_size: usize,

    /// Seconds without the console after which its game's file is completed
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    away_limit: Duration,

    /// Threads that serve spectators [default: half the number of cores]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    consumers: Option<u16>,
}

#[derive(Clone, Copy)]
enum ListenAddress {
    Off,
    On(SocketAddr),
}

impl From<ListenAddress> for Option<SocketAddr> {
    fn from(address: ListenAddress) -> Self {
        match address {
            ListenAddress::Off => None,
            ListenAddress::On(address) => Some(address),
        }
    }
}

fn listen_address(text: &str) -> Result<ListenAddress, String> {
    if text == "off" {
        return Ok(ListenAddress::Off);
    }
    text.parse()
        .map(ListenAddress::On)
        .map_err(|_| "write address:port, such as 0.0.0.0:51441 or [::]:51441, or `off`".to_owned())
}

/// Seconds, with a fraction if need be, up to a day.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("write a number of seconds from 0 to 86400, such as 2.5".to_owned()),
    }
}

impl Args {
    fn config(self) -> RelayConfig {
        let limits = ClientLimits {
            total: self.max_clients,
            per_address: self.max_clients_per_address,
            handshake_len: self.handshake_size,
            handshake_time: self.handshake_time,
        };
        let mut config = RelayConfig::new(self.sources);
        config.listen = self.listen.into();
        config.raw_listen = self.raw_listen.into();
        config.replays = (self.replays.as_os_str() != "off").then_some(self.replays);
        config.limits = limits;
        config.away_limit = self.away_limit;
        if let Some(consumers) = self.consumers {
            config.consumers = consumers.into();
        }
        config
    }
}

/// Runs until someone asks to stop.
pub fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let relay = Relay::start(args.config(), shutdown).context("the relay did not start")?;
    relay.run_to_end()?;
    Ok(ExitCode::SUCCESS)
}

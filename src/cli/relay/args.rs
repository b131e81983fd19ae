//! What can be typed behind `andross relay`, and what it means together with the file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use andross::config::value::{
    command_line, consumers, count, delay, folder, hook_time, host_name, listen_address,
    nats_server, obs_address, obs_name, obs_scene, origin, port, publish_max_age,
    publish_max_bytes, replicas, seconds, station_name,
};
use andross::config::{
    DelaySettings, HookCommand, NatsAccess, NatsServer, ObsAddress, ObsScene, Occasion, OrOff,
    ProgramConfig, RelayConfig, Settings, Source, StationConfig, file,
};
use anyhow::bail;

/// Relay consoles to everyone who watches them, and keep each game as a .slp file.
///
/// SOURCE is a console's address: [name=]host[:port], with port 51441 if none is given. It connects
/// as the console's only client and reconnects for ever. raw:host:port is a Slippi Launcher's relay
/// or a console before the console protocol; dolphin:host[:port] is Slippi Dolphin's spectator server,
/// UDP port 51441 if none is given: netplay on a PC. nats://host[:port]/STATION is a station that another
/// andross publishes, nats://host[:port]/* all of them; tls:// is the same, encrypted.
///
/// All options but --config and --check-config can be given in a file, too: there they are called
/// the same, without the dashes. The command line wins over the file.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  andross relay 192.168.1.20
  andross relay \"Stream=192.168.1.20\" \"Side=192.168.1.21\" --replays D:\\replays
  andross relay raw:192.168.1.5:53742 --raw-listen off
  andross relay PC=dolphin:192.168.1.30
  andross relay --config andross.toml

Spectators connect with Slippi Launcher, slippi-js or another andross to port 51441 of this
computer; the second console is on 51442 and so on. Ctrl-C ends the relay and completes its files.")]
pub struct Args {
    /// Consoles to relay, in the order of their ports; those of the file come behind them
    #[arg(value_name = "SOURCE")]
    sources: Vec<Source>,

    /// A file that says what to relay and how, such as packaging/andross.example.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Say whether the command line and the file are good, and do nothing else
    #[arg(long)]
    pub check_config: bool,

    /// Where spectators of the console protocol connect; `off` for nowhere [default: 0.0.0.0:51441]
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    listen: Option<OrOff<SocketAddr>>,

    /// Where spectators of the raw relay protocol connect; `off` for nowhere [default:
    /// 0.0.0.0:53742]
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    raw_listen: Option<OrOff<SocketAddr>>,

    /// Where spectators of Dolphin's protocol connect, over UDP; `off` for nowhere [default:
    /// 0.0.0.0:51441]
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    dolphin_listen: Option<OrOff<SocketAddr>>,

    /// Where the dashboard and the control calls are served; `off` for nowhere [default:
    /// 127.0.0.1:51480]
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    http: Option<OrOff<SocketAddr>>,

    /// The file whose first line is the token that changing calls must show; without it things
    /// can be changed only while --http is an address that no other computer reaches (127.0.0.1)
    #[arg(long, value_name = "FILE")]
    http_token_file: Option<PathBuf>,

    /// A name, besides addresses and localhost, by which browsers may call; can be repeated
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    http_host: Vec<String>,

    /// Where web pages may be from that watch games here, such as https://overlay.example.org; `*`
    /// for everywhere; can be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    http_allow_origin: Vec<String>,

    /// The folder that games are saved in; `off` saves none [default: replays]
    #[arg(long, value_name = "FOLDER")]
    replays: Option<PathBuf>,

    /// Save each console's games in a folder of its own [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    replay_folders: Option<bool>,

    /// Seconds without the console after which its game's file is completed [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    away_limit: Option<Duration>,

    /// Spectators at once, all consoles together [default: 4096]
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    max_clients: Option<usize>,

    /// Spectators at once from one address [default: 256]
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    max_clients_per_address: Option<usize>,

    /// Seconds that a spectator may take for its handshake [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    handshake_time: Option<Duration>,

    /// Bytes that a spectator's handshake may have [default: 1024]
    #[arg(long, value_name = "BYTES", value_parser = count)]
    handshake_size: Option<usize>,

    /// Threads that serve spectators, up to 64 [default: one a core, up to 4]
    #[arg(long, value_name = "NUMBER", value_parser = consumers)]
    consumers: Option<u16>,

    /// Seconds that all spectators are behind, up to 900 [default: 0]
    #[arg(long, value_name = "SECONDS", value_parser = delay)]
    delay: Option<Duration>,

    /// Seconds that spectators of the console protocol are behind, whatever --delay says
    #[arg(long, value_name = "SECONDS", value_parser = delay)]
    console_delay: Option<Duration>,

    /// Seconds that raw spectators are behind, whatever --delay says
    #[arg(long, value_name = "SECONDS", value_parser = delay)]
    raw_delay: Option<Duration>,

    /// Seconds that spectators of Dolphin's protocol are behind, whatever --delay says
    #[arg(long, value_name = "SECONDS", value_parser = delay)]
    dolphin_delay: Option<Duration>,

    /// Relay every console that announces itself in the local network over UDP; `off` for none
    /// [default: off; without ADDRESS 0.0.0.0:20582]
    #[arg(
        long,
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0.0.0.0:20582",
        value_parser = listen_address,
    )]
    discover: Option<OrOff<SocketAddr>>,

    /// The TCP port that a discovered console is asked on [default: 51441]
    #[arg(long, value_name = "PORT", value_parser = port)]
    discover_port: Option<u16>,

    /// Have a program output, which shows one station at a time: STATION first
    #[arg(long, value_name = "STATION", num_args = 0..=1, require_equals = true, value_parser = station_name)]
    program: Option<Option<String>>,

    /// Run CMD when a console's stream is on. CMD is split as a shell would, but none is needed: it
    /// is told everything in variables (ANDROSS_STATION, ...) and as JSON on its standard input
    #[arg(long, value_name = "CMD", value_parser = command_line)]
    on_connected: Option<HookCommand>,

    /// Run CMD when a console's stream is off
    #[arg(long, value_name = "CMD", value_parser = command_line)]
    on_lost: Option<HookCommand>,

    /// Run CMD when a game has begun
    #[arg(long, value_name = "CMD", value_parser = command_line)]
    on_game_start: Option<HookCommand>,

    /// Run CMD when a game is over
    #[arg(long, value_name = "CMD", value_parser = command_line)]
    on_game_end: Option<HookCommand>,

    /// Run CMD when a game's file is complete; ANDROSS_FILE is its path
    #[arg(long, value_name = "CMD", value_parser = command_line)]
    on_file: Option<HookCommand>,

    /// Seconds after which such a command is killed [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = hook_time)]
    hook_time: Option<Duration>,

    /// Where OBS's WebSocket server is, such as 127.0.0.1:4455; `off` for nowhere [default: off]
    #[arg(long, value_name = "HOST:PORT", value_parser = obs_address)]
    obs: Option<OrOff<ObsAddress>>,

    /// The file whose first line is OBS's password
    #[arg(long, value_name = "FILE")]
    obs_password_file: Option<PathBuf>,

    /// The source that OBS shows while a game is on, and hides after: at the program output if
    /// there is one, else at the first console
    #[arg(long, value_name = "NAME", value_parser = obs_name)]
    obs_source: Option<String>,

    /// The scene that OBS switches to when the program output shows STATION; can be repeated
    #[arg(long, value_name = "STATION=SCENE", value_parser = obs_scene)]
    obs_scene: Vec<ObsScene>,

    /// Publish every console's stream to a NATS server with JetStream, such as nats://127.0.0.1:4222
    /// or tls://USER:PASSWORD@hub.example; `off` for none [default: off]
    #[arg(long, value_name = "URL", value_parser = nats_server)]
    publish: Option<OrOff<NatsServer>>,

    /// NATS servers of a cluster that keep what is published, up to 5 [default: 1]
    #[arg(long, value_name = "NUMBER", value_parser = replicas)]
    publish_replicas: Option<u8>,

    /// Seconds that NATS keeps what is published, at least 60 [default: 7200]
    #[arg(long, value_name = "SECONDS", value_parser = publish_max_age)]
    publish_max_age: Option<Duration>,

    /// Bytes of it that NATS keeps, all consoles together [default: 4G]
    #[arg(long, value_name = "BYTES", value_parser = publish_max_bytes)]
    publish_max_bytes: Option<u64>,

    /// Take over a station that another andross publishes once that one is gone [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    standby: Option<bool>,

    /// The credentials file (.creds: JWT and NKEY) that NATS servers are shown
    #[arg(long, value_name = "FILE")]
    nats_creds: Option<PathBuf>,

    /// The file whose first line is the NKEY seed that NATS servers are answered with
    #[arg(long, value_name = "FILE")]
    nats_nkey: Option<PathBuf>,

    /// Certificates (PEM) by which NATS servers are known besides the system's
    #[arg(long, value_name = "FILE")]
    nats_ca: Option<PathBuf>,
}

/// The configuration that the command line and the file make together. It can be read again: the
/// file may say something else by then.
///
/// # Errors
/// One line that says what is wrong and what to do.
pub fn read(args: &Args) -> anyhow::Result<RelayConfig> {
    let mut settings = args.settings()?;
    if let Some(path) = &args.config {
        settings = settings.over(file::read(path)?);
    }
    let config = settings.into_config()?;
    let has_none = config.stations.is_empty() && config.follow.is_empty();
    if args.config.is_none() && has_none && config.discovery.is_none() {
        bail!(
            "there is nothing to relay: name a SOURCE, such as 192.168.1.20, or a file with \
             --config, or let consoles be found with --discover"
        );
    }
    Ok(config)
}

impl Args {
    /// What the command line says.
    fn settings(&self) -> anyhow::Result<Settings> {
        let replays = self.replays.clone().map(folder).transpose().map_err(anyhow::Error::msg)?;
        let program = self
            .program
            .clone()
            .map(|station| ProgramConfig { station, delay: DelaySettings::default() });
        Ok(Settings {
            stations: self.sources.iter().cloned().map(StationConfig::new).collect(),
            listen: self.listen,
            raw_listen: self.raw_listen,
            dolphin_listen: self.dolphin_listen,
            http: self.http,
            http_token_file: self.http_token_file.clone(),
            http_host: (!self.http_host.is_empty()).then(|| self.http_host.clone()),
            http_allow_origin: (!self.http_allow_origin.is_empty())
                .then(|| self.http_allow_origin.clone()),
            replays,
            replay_folders: self.replay_folders,
            away_limit: self.away_limit,
            max_clients: self.max_clients,
            max_clients_per_address: self.max_clients_per_address,
            handshake_time: self.handshake_time,
            handshake_size: self.handshake_size,
            consumers: self.consumers,
            delay: DelaySettings {
                all: self.delay,
                console: self.console_delay,
                raw: self.raw_delay,
                dolphin: self.dolphin_delay,
            },
            discover: self.discover,
            discover_port: self.discover_port,
            program,
            hooks: self.hooks(),
            hook_time: self.hook_time,
            obs: self.obs.clone(),
            obs_password_file: self.obs_password_file.clone(),
            obs_source: self.obs_source.clone(),
            obs_scene: (!self.obs_scene.is_empty()).then(|| self.obs_scene.clone()),
            publish: self.publish.clone(),
            publish_replicas: self.publish_replicas,
            publish_max_age: self.publish_max_age,
            publish_max_bytes: self.publish_max_bytes,
            standby: self.standby,
            nats: NatsAccess {
                creds: self.nats_creds.clone(),
                nkey: self.nats_nkey.clone(),
                ca: self.nats_ca.clone(),
            },
        })
    }

    fn hooks(&self) -> BTreeMap<Occasion, HookCommand> {
        [
            (Occasion::Connected, &self.on_connected),
            (Occasion::Lost, &self.on_lost),
            (Occasion::GameStart, &self.on_game_start),
            (Occasion::GameEnd, &self.on_game_end),
            (Occasion::File, &self.on_file),
        ]
        .into_iter()
        .filter_map(|(occasion, command)| Some((occasion, command.clone()?)))
        .collect()
    }
}

#[cfg(test)]
mod tests;

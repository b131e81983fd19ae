//! What one place (the command line, the file) says, and how two places become one configuration.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::{
    DelaySettings, DiscoveryConfig, HookCommand, HttpConfig, MAX_STATIONS, NatsAccess, NatsServer,
    ObsAddress, ObsConfig, ObsScene, Occasion, ProgramConfig, PublishConfig, RAW_PORT, RelayConfig,
    StationConfig, default_consumers, same_station_name,
};
use crate::protocol::{console, spectator};

/// Something that can be had or be left out on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrOff<T> {
    /// Left out.
    Off,
    /// This.
    On(T),
}

impl<T> OrOff<T> {
    fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

/// What one place says. `None` is what it says nothing about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// Its stations, in order.
    pub stations: Vec<StationConfig>,
    /// Where spectators of the console protocol connect.
    pub listen: Option<OrOff<SocketAddr>>,
    /// Where raw spectators connect.
    pub raw_listen: Option<OrOff<SocketAddr>>,
    /// Where spectators of Dolphin's protocol connect.
    pub dolphin_listen: Option<OrOff<SocketAddr>>,
    /// Where the control calls are answered.
    pub http: Option<OrOff<SocketAddr>>,
    /// The file with the token that changing calls must show.
    pub http_token_file: Option<PathBuf>,
    /// Names by which browsers may call.
    pub http_host: Option<Vec<String>>,
    /// Where pages may be from that watch games.
    pub http_allow_origin: Option<Vec<String>>,
    /// The folder that games are kept in.
    pub replays: Option<OrOff<PathBuf>>,
    /// Whether each station has a folder of its own in there.
    pub replay_folders: Option<bool>,
    /// How long a source may stay away before its game's file is completed.
    pub away_limit: Option<Duration>,
    /// Spectators at once.
    pub max_clients: Option<usize>,
    /// Spectators at once from one address.
    pub max_clients_per_address: Option<usize>,
    /// How long a spectator may take for its handshake.
    pub handshake_time: Option<Duration>,
    /// How many bytes that handshake may have.
    pub handshake_size: Option<usize>,
    /// Threads that serve spectators.
    pub consumers: Option<u16>,
    /// How late spectators see what happens.
    pub delay: DelaySettings,
    /// Where consoles that announce themselves are heard.
    pub discover: Option<OrOff<SocketAddr>>,
    /// The port that a discovered console is asked on.
    pub discover_port: Option<u16>,
    /// The program output.
    pub program: Option<ProgramConfig>,
    /// Commands that run when something happens.
    pub hooks: BTreeMap<Occasion, HookCommand>,
    /// How long such a command may take.
    pub hook_time: Option<Duration>,
    /// Where OBS is.
    pub obs: Option<OrOff<ObsAddress>>,
    /// The file with OBS's password.
    pub obs_password_file: Option<PathBuf>,
    /// The source that OBS shows while a game is on.
    pub obs_source: Option<String>,
    /// OBS's scenes for stations.
    pub obs_scene: Option<Vec<ObsScene>>,
    /// The NATS server that the stations are published to.
    pub publish: Option<OrOff<NatsServer>>,
    /// Servers that keep what is published.
    pub publish_replicas: Option<u8>,
    /// How long it is kept.
    pub publish_max_age: Option<Duration>,
    /// How many bytes of it are kept.
    pub publish_max_bytes: Option<u64>,
    /// Whether stations are taken over from a publisher that is gone.
    pub standby: Option<bool>,
    /// How NATS servers are called.
    pub nats: NatsAccess,
}

/// Why settings make no configuration, though each of them is good.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SettingsError {
    /// Two stations have one name.
    #[error(
        "two stations are called `{0}`; give one of them another name, \
         such as {0} 2=192.168.1.21 on the command line or `name = \"{0} 2\"` in the file"
    )]
    SameName(String),
    /// A console serves one client.
    #[error("`{name}` and `{other}` are the same console, {console}; remove one of them")]
    SameSource {
        /// A station.
        name: String,
        /// The one before it.
        other: String,
        /// Their console's address.
        console: String,
    },
    /// More stations than a relay has.
    #[error("{0} stations are too many; name {MAX_STATIONS} at most")]
    TooMany(usize),
    /// The program output is to show a station that is not there.
    #[error("the program output cannot show `{wanted}`: there is no such station; {known}")]
    NoProgramStation {
        /// What was asked for.
        wanted: String,
        /// What could be asked for.
        known: String,
    },
    /// There is something to tell OBS, but not where it is.
    #[error("`obs-source` and `obs-scene` need `obs`, the address of OBS, such as 127.0.0.1:4455")]
    NoObs,
    /// There is an OBS, but nothing to tell it.
    #[error("`obs` does nothing without `obs-source` or `obs-scene`; add one of them")]
    NothingForObs,
    /// Something is said about what is published, but nothing is.
    #[error("`{0}` needs `publish`, the address of a NATS server, such as nats://127.0.0.1")]
    NoPublish(&'static str),
    /// Two ways to call NATS.
    #[error("`nats-creds` and `nats-nkey` do not go together; remove one of them")]
    TwoLogins,
}

impl Settings {
    /// These settings, and for all they say nothing about, `wider` ones. Stations of both, these
    /// first.
    #[must_use]
    pub fn over(self, wider: Self) -> Self {
        let mut stations = self.stations;
        stations.extend(wider.stations);
        let mut hooks = wider.hooks;
        hooks.extend(self.hooks);
        Self {
            stations,
            listen: self.listen.or(wider.listen),
            raw_listen: self.raw_listen.or(wider.raw_listen),
            dolphin_listen: self.dolphin_listen.or(wider.dolphin_listen),
            http: self.http.or(wider.http),
            http_token_file: self.http_token_file.or(wider.http_token_file),
            http_host: self.http_host.or(wider.http_host),
            http_allow_origin: self.http_allow_origin.or(wider.http_allow_origin),
            replays: self.replays.or(wider.replays),
            replay_folders: self.replay_folders.or(wider.replay_folders),
            away_limit: self.away_limit.or(wider.away_limit),
            max_clients: self.max_clients.or(wider.max_clients),
            max_clients_per_address: self.max_clients_per_address.or(wider.max_clients_per_address),
            handshake_time: self.handshake_time.or(wider.handshake_time),
            handshake_size: self.handshake_size.or(wider.handshake_size),
            consumers: self.consumers.or(wider.consumers),
            delay: delay_over(self.delay, wider.delay),
            discover: self.discover.or(wider.discover),
            discover_port: self.discover_port.or(wider.discover_port),
            program: program_over(self.program, wider.program),
            hooks,
            hook_time: self.hook_time.or(wider.hook_time),
            obs: self.obs.or(wider.obs),
            obs_password_file: self.obs_password_file.or(wider.obs_password_file),
            obs_source: self.obs_source.or(wider.obs_source),
            obs_scene: self.obs_scene.or(wider.obs_scene),
            publish: self.publish.or(wider.publish),
            publish_replicas: self.publish_replicas.or(wider.publish_replicas),
            publish_max_age: self.publish_max_age.or(wider.publish_max_age),
            publish_max_bytes: self.publish_max_bytes.or(wider.publish_max_bytes),
            standby: self.standby.or(wider.standby),
            nats: NatsAccess {
                creds: self.nats.creds.or(wider.nats.creds),
                nkey: self.nats.nkey.or(wider.nats.nkey),
                ca: self.nats.ca.or(wider.nats.ca),
            },
        }
    }

    /// The configuration: defaults for all that nothing is said about.
    ///
    /// # Errors
    /// [`SettingsError`] when settings do not go together.
    pub fn into_config(mut self) -> Result<RelayConfig, SettingsError> {
        let all_of = |station: &mut StationConfig| station.source.is_all_of_nats();
        let follow: Vec<_> = self.stations.extract_if(.., all_of).collect();
        check_stations(&self.stations)?;
        let obs = self.obs_config()?;
        let publish = self.publish_config()?;
        let calls_nats = publish.is_some()
            || !follow.is_empty()
            || self.stations.iter().any(|station| station.source.nats.is_some());
        if calls_nats && self.nats.creds.is_some() && self.nats.nkey.is_some() {
            return Err(SettingsError::TwoLogins);
        }
        let mut config = RelayConfig::new(Vec::new());
        let everywhere = |port| OrOff::On((Ipv4Addr::UNSPECIFIED, port).into());
        config.listen = self.listen.unwrap_or_else(|| everywhere(console::PORT)).on();
        config.raw_listen = self.raw_listen.unwrap_or_else(|| everywhere(RAW_PORT)).on();
        config.dolphin_listen =
            self.dolphin_listen.unwrap_or_else(|| everywhere(spectator::PORT)).on();
        let http = self.http.unwrap_or(OrOff::On(HttpConfig::default().listen));
        config.http = http.on().map(|listen| HttpConfig {
            listen,
            token_file: self.http_token_file,
            host_names: self.http_host.unwrap_or_default(),
            allow_origins: self.http_allow_origin.unwrap_or_default(),
        });
        config.replays = self.replays.unwrap_or_else(|| OrOff::On("replays".into())).on();
        config.replay_folders = self.replay_folders.unwrap_or(config.replay_folders);
        config.away_limit = self.away_limit.unwrap_or(config.away_limit);
        config.consumers = self.consumers.map_or_else(default_consumers, usize::from);
        let limits = &mut config.limits;
        limits.total = self.max_clients.unwrap_or(limits.total);
        limits.per_address = self.max_clients_per_address.unwrap_or(limits.per_address);
        limits.handshake_time = self.handshake_time.unwrap_or(limits.handshake_time);
        limits.handshake_len = self.handshake_size.unwrap_or(limits.handshake_len);
        config.delay = self.delay;
        let console_port = self.discover_port.unwrap_or(console::PORT);
        config.discovery = self
            .discover
            .and_then(OrOff::on)
            .map(|listen| DiscoveryConfig { listen, console_port });
        config.stations = self.stations;
        config.follow = follow
            .into_iter()
            .filter_map(|station| station.source.nats.map(|nats| nats.server))
            .collect();
        config.publish = publish;
        config.nats = self.nats;
        config.program = self.program;
        config.obs = obs;
        config.hooks.commands = self.hooks;
        config.hooks.time = self.hook_time.unwrap_or(config.hooks.time);
        // A console that will be discovered may have the name.
        if config.discovery.is_none() && config.follow.is_empty() {
            check_program(&mut config)?;
        }
        Ok(config)
    }

    fn publish_config(&self) -> Result<Option<PublishConfig>, SettingsError> {
        let said = [
            ("publish-replicas", self.publish_replicas.is_some()),
            ("publish-max-age", self.publish_max_age.is_some()),
            ("publish-max-bytes", self.publish_max_bytes.is_some()),
            ("standby", self.standby == Some(true)),
        ];
        match (&self.publish, said.iter().find(|(_, is_said)| *is_said)) {
            (None, Some((name, _))) => Err(SettingsError::NoPublish(name)),
            (None | Some(OrOff::Off), _) => Ok(None),
            (Some(OrOff::On(server)), _) => {
                let usual = PublishConfig::new(server.clone());
                Ok(Some(PublishConfig {
                    replicas: self.publish_replicas.unwrap_or(usual.replicas),
                    max_age: self.publish_max_age.unwrap_or(usual.max_age),
                    max_bytes: self.publish_max_bytes.unwrap_or(usual.max_bytes),
                    standby: self.standby.unwrap_or(usual.standby),
                    ..usual
                }))
            }
        }
    }

    fn obs_config(&self) -> Result<Option<ObsConfig>, SettingsError> {
        let scenes = self.obs_scene.clone().unwrap_or_default();
        let is_told = self.obs_source.is_some() || !scenes.is_empty();
        match self.obs.clone() {
            Some(OrOff::On(address)) if is_told => Ok(Some(ObsConfig {
                address,
                password_file: self.obs_password_file.clone(),
                source: self.obs_source.clone(),
                scenes,
            })),
            Some(OrOff::On(_)) => Err(SettingsError::NothingForObs),
            None if is_told => Err(SettingsError::NoObs),
            Some(OrOff::Off) | None => Ok(None),
        }
    }
}

/// One delay over another, each listener's for itself.
fn delay_over(narrow: DelaySettings, wider: DelaySettings) -> DelaySettings {
    DelaySettings {
        all: narrow.all.or(wider.all),
        console: narrow.console.or(wider.console),
        raw: narrow.raw.or(wider.raw),
        dolphin: narrow.dolphin.or(wider.dolphin),
    }
}

fn program_over(
    narrow: Option<ProgramConfig>,
    wider: Option<ProgramConfig>,
) -> Option<ProgramConfig> {
    match (narrow, wider) {
        (Some(narrow), Some(wider)) => Some(ProgramConfig {
            station: narrow.station.or(wider.station),
            delay: delay_over(narrow.delay, wider.delay),
        }),
        (narrow, wider) => narrow.or(wider),
    }
}

fn check_stations(stations: &[StationConfig]) -> Result<(), SettingsError> {
    if stations.len() > MAX_STATIONS {
        return Err(SettingsError::TooMany(stations.len()));
    }
    for (k, station) in stations.iter().enumerate() {
        let name = &station.source.name;
        if stations[..k].iter().any(|before| same_station_name(&before.source.name, name)) {
            return Err(SettingsError::SameName(name.clone()));
        }
        let is_there = |before: &&StationConfig| before.source.is_same_place(&station.source);
        if let Some(other) = stations[..k].iter().find(is_there) {
            return Err(SettingsError::SameSource {
                name: name.clone(),
                other: other.source.name.clone(),
                console: station.source.to_string(),
            });
        }
    }
    Ok(())
}

/// Finds the program output's station and writes its name as the station does.
fn check_program(config: &mut RelayConfig) -> Result<(), SettingsError> {
    let Some(wanted) = config.program.as_mut().and_then(|program| program.station.as_mut()) else {
        return Ok(());
    };
    let mut names = config.stations.iter().map(|station| &station.source.name);
    if let Some(name) = names.find(|name| same_station_name(name, wanted)) {
        wanted.clone_from(name);
        return Ok(());
    }
    let names: Vec<&str> =
        config.stations.iter().map(|station| station.source.name.as_str()).collect();
    let known = match names.as_slice() {
        [] => "name one".to_owned(),
        names => format!("there is {}", names.join(", ")),
    };
    Err(SettingsError::NoProgramStation { wanted: wanted.clone(), known })
}

#[cfg(test)]
mod tests;

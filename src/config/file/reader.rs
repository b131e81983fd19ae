//! From the file's tables to settings.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::FileError;
use super::keys::BACKSLASH;
use crate::config::{
    DelaySettings, DiscoveryConfig, HookCommand, NatsAccess, Occasion, OrOff, ProgramConfig,
    Settings, Source, StationConfig, same_station_name, value,
};

/// A value and where it is written.
type Written = Option<Spanned<Value>>;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Document {
    listen: Written,
    raw_listen: Written,
    dolphin_listen: Written,
    http: Written,
    http_token_file: Written,
    http_host: Written,
    http_allow_origin: Written,
    replays: Written,
    replay_folders: Written,
    away_limit: Written,
    max_clients: Written,
    max_clients_per_address: Written,
    handshake_time: Written,
    handshake_size: Written,
    consumers: Written,
    delay: Written,
    console_delay: Written,
    raw_delay: Written,
    dolphin_delay: Written,
    discover: Written,
    discover_port: Written,
    on_connected: Written,
    on_lost: Written,
    on_game_start: Written,
    on_game_end: Written,
    on_file: Written,
    hook_time: Written,
    obs: Written,
    obs_password_file: Written,
    obs_source: Written,
    obs_scene: Written,
    publish: Written,
    publish_replicas: Written,
    publish_max_age: Written,
    publish_max_bytes: Written,
    standby: Written,
    nats_creds: Written,
    nats_nkey: Written,
    nats_ca: Written,
    program: Option<ProgramTable>,
    #[serde(default)]
    station: Vec<StationTable>,
}

/// `[program]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[serde(expecting = "[program] on a line of its own and its keys below")]
pub(super) struct ProgramTable {
    station: Written,
    delay: Written,
    console_delay: Written,
    raw_delay: Written,
    dolphin_delay: Written,
}

/// `[[station]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[serde(expecting = "[[station]] on a line of its own and its keys below")]
pub(super) struct StationTable {
    name: Written,
    source: Spanned<Value>,
    delay: Written,
    console_delay: Written,
    raw_delay: Written,
    dolphin_delay: Written,
    record: Written,
}

/// Knows the file whose values are read.
pub(super) struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, path: &'a Path) -> Self {
        Self { text, path }
    }

    pub(super) fn settings(&self, file: Document) -> Result<Settings, FileError> {
        Ok(Settings {
            listen: self.address("listen", &file.listen)?,
            raw_listen: self.address("raw-listen", &file.raw_listen)?,
            dolphin_listen: self.address("dolphin-listen", &file.dolphin_listen)?,
            http: self.address("http", &file.http)?,
            http_token_file: self.file("http-token-file", &file.http_token_file)?,
            http_host: self.list(
                "http-host",
                &file.http_host,
                "write names in brackets, such as [\"relay.example.org\"]",
                |names| names.into_iter().map(value::host_name).collect(),
            )?,
            http_allow_origin: self.list(
                "http-allow-origin",
                &file.http_allow_origin,
                "write origins in brackets, such as [\"https://overlay.example.org\"]",
                |origins| origins.into_iter().map(value::origin).collect(),
            )?,
            replays: self.text("replays", &file.replays, |text| {
                Ok(match value::folder(PathBuf::from(text))? {
                    OrOff::On(_) => OrOff::On(self.beside(text)?),
                    OrOff::Off => OrOff::Off,
                })
            })?,
            replay_folders: self.yes_or_no("replay-folders", &file.replay_folders)?,
            away_limit: self.number("away-limit", &file.away_limit, value::seconds)?,
            max_clients: self.number("max-clients", &file.max_clients, value::count)?,
            max_clients_per_address: self.number(
                "max-clients-per-address",
                &file.max_clients_per_address,
                value::count,
            )?,
            handshake_time: self.number("handshake-time", &file.handshake_time, value::seconds)?,
            handshake_size: self.number("handshake-size", &file.handshake_size, value::count)?,
            consumers: self.number("consumers", &file.consumers, value::consumers)?,
            delay: self.delays([
                &file.delay,
                &file.console_delay,
                &file.raw_delay,
                &file.dolphin_delay,
            ])?,
            discover: self.discover("discover", &file.discover)?,
            discover_port: self.number("discover-port", &file.discover_port, value::port)?,
            hooks: self.hooks(&file)?,
            hook_time: self.number("hook-time", &file.hook_time, value::hook_time)?,
            obs: self.text("obs", &file.obs, value::obs_address)?,
            obs_password_file: self.file("obs-password-file", &file.obs_password_file)?,
            obs_source: self.text("obs-source", &file.obs_source, value::obs_name)?,
            obs_scene: self.list(
                "obs-scene",
                &file.obs_scene,
                "write stations and scenes in brackets, such as [\"Stream=Main\"]",
                |scenes| scenes.into_iter().map(value::obs_scene).collect(),
            )?,
            publish: self.text("publish", &file.publish, value::nats_server)?,
            publish_replicas: self.number(
                "publish-replicas",
                &file.publish_replicas,
                value::replicas,
            )?,
            publish_max_age: self.number(
                "publish-max-age",
                &file.publish_max_age,
                value::publish_max_age,
            )?,
            publish_max_bytes: match &file.publish_max_bytes {
                text @ Some(value) if value.get_ref().is_str() => {
                    self.text("publish-max-bytes", text, value::publish_max_bytes)?
                }
                bytes => self.number("publish-max-bytes", bytes, value::publish_max_bytes)?,
            },
            standby: self.yes_or_no("standby", &file.standby)?,
            nats: NatsAccess {
                creds: self.file("nats-creds", &file.nats_creds)?,
                nkey: self.file("nats-nkey", &file.nats_nkey)?,
                ca: self.file("nats-ca", &file.nats_ca)?,
            },
            program: file.program.map(|table| self.program(&table)).transpose()?,
            stations: self.stations(&file.station)?,
        })
    }

    fn hooks(&self, file: &Document) -> Result<BTreeMap<Occasion, HookCommand>, FileError> {
        let mut commands = BTreeMap::new();
        for (occasion, key, value) in [
            (Occasion::Connected, "on-connected", &file.on_connected),
            (Occasion::Lost, "on-lost", &file.on_lost),
            (Occasion::GameStart, "on-game-start", &file.on_game_start),
            (Occasion::GameEnd, "on-game-end", &file.on_game_end),
            (Occasion::File, "on-file", &file.on_file),
        ] {
            let say =
                "write a program and what it is given in brackets, such as [\"tell\", \"me\"]";
            if let Some(command) = self.list(key, value, say, |words| self.command(words))? {
                commands.insert(occasion, command);
            }
        }
        Ok(commands)
    }

    /// A program with a folder in front is seen from the file's folder, as all paths in it.
    fn command(&self, words: Vec<&str>) -> Result<HookCommand, String> {
        let mut command = value::command(words.into_iter().map(str::to_owned).collect())?;
        if command.program.components().count() > 1
            && let Some(program) = command.program.to_str()
        {
            command.program = self.beside(program)?;
        }
        Ok(command)
    }

    fn program(&self, table: &ProgramTable) -> Result<ProgramConfig, FileError> {
        Ok(ProgramConfig {
            station: self.text("station", &table.station, value::station_name)?,
            delay: self.delays([
                &table.delay,
                &table.console_delay,
                &table.raw_delay,
                &table.dolphin_delay,
            ])?,
        })
    }

    fn stations(&self, tables: &[StationTable]) -> Result<Vec<StationConfig>, FileError> {
        let mut stations: Vec<StationConfig> = Vec::new();
        for table in tables {
            let station = self.station(table)?;
            let name = &station.source.name;
            if stations.iter().any(|before| same_station_name(&before.source.name, name)) {
                let (key, at) = match &table.name {
                    Some(name) => ("name", name.span()),
                    None => ("source", table.source.span()),
                };
                let what =
                    format!("another station is called `{name}`, too; give this one a `name`");
                return Err(self.wrong(key, at, &what));
            }
            stations.push(station);
        }
        Ok(stations)
    }

    fn station(&self, table: &StationTable) -> Result<StationConfig, FileError> {
        let name = self.text("name", &table.name, value::station_name)?;
        let source = self.text_of("source", &table.source, |text| {
            let text = match &name {
                None => text.to_owned(),
                Some(_) if text.contains('=') => {
                    return Err("this station has a `name`; leave out what is before `=`".into());
                }
                Some(name) => format!("{name}={text}"),
            };
            text.parse::<Source>().map_err(|error| error.to_string())
        })?;
        Ok(StationConfig {
            source,
            delay: self.delays([
                &table.delay,
                &table.console_delay,
                &table.raw_delay,
                &table.dolphin_delay,
            ])?,
            record: self.yes_or_no("record", &table.record)?.unwrap_or(true),
        })
    }

    fn delays(
        &self,
        [all, console, raw, dolphin]: [&Written; 4],
    ) -> Result<DelaySettings, FileError> {
        let delay = |key, value: &Written| -> Result<Option<Duration>, FileError> {
            self.number(key, value, value::delay)
        };
        Ok(DelaySettings {
            all: delay("delay", all)?,
            console: delay("console-delay", console)?,
            raw: delay("raw-delay", raw)?,
            dolphin: delay("dolphin-delay", dolphin)?,
        })
    }

    fn address(&self, key: &str, value: &Written) -> Result<Option<OrOff<SocketAddr>>, FileError> {
        self.text(key, value, value::listen_address)
    }

    fn discover(&self, key: &str, value: &Written) -> Result<Option<OrOff<SocketAddr>>, FileError> {
        match value.as_ref().map(Spanned::get_ref) {
            Some(Value::Boolean(true)) => Ok(Some(OrOff::On(DiscoveryConfig::default().listen))),
            Some(Value::Boolean(false)) => Ok(Some(OrOff::Off)),
            _ => self.address(key, value),
        }
    }

    fn file(&self, key: &str, value: &Written) -> Result<Option<PathBuf>, FileError> {
        self.text(key, value, |text| match text {
            "" => Err("name a file".to_owned()),
            _ => self.beside(text),
        })
    }

    /// Texts in brackets; `say` says so.
    fn list<T>(
        &self,
        key: &str,
        value: &Written,
        say: &str,
        understand: impl Fn(Vec<&str>) -> Result<T, String>,
    ) -> Result<Option<T>, FileError> {
        let Some(value) = value else { return Ok(None) };
        let array = value.get_ref().as_array();
        let texts = array.and_then(|texts| texts.iter().map(Value::as_str).collect());
        texts
            .ok_or_else(|| say.to_owned())
            .and_then(understand)
            .map(Some)
            .map_err(|what| self.wrong(key, value.span(), &what))
    }

    fn yes_or_no(&self, key: &str, value: &Written) -> Result<Option<bool>, FileError> {
        let Some(value) = value else { return Ok(None) };
        match value.get_ref() {
            Value::Boolean(yes) => Ok(Some(*yes)),
            _ => Err(self.wrong(key, value.span(), "write true or false, without quotes")),
        }
    }

    fn number<T>(
        &self,
        key: &str,
        value: &Written,
        understand: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, FileError> {
        let Some(value) = value else { return Ok(None) };
        let understood = match value.get_ref() {
            Value::Integer(number) => understand(&number.to_string()),
            Value::Float(number) => understand(&number.to_string()),
            // It says what to write, whatever is there.
            _ => understand("").map_err(|what| format!("{what}, without quotes")),
        };
        understood.map(Some).map_err(|what| self.wrong(key, value.span(), &what))
    }

    fn text<T>(
        &self,
        key: &str,
        value: &Written,
        understand: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, FileError> {
        value.as_ref().map(|value| self.text_of(key, value, understand)).transpose()
    }

    fn text_of<T>(
        &self,
        key: &str,
        value: &Spanned<Value>,
        understand: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, FileError> {
        let text = value.get_ref().as_str();
        text.ok_or_else(|| format!("write it in quotes: {key} = \"...\""))
            .and_then(understand)
            .map_err(|what| self.wrong(key, value.span(), &what))
    }

    fn wrong(&self, key: &str, at: Range<usize>, what: &str) -> FileError {
        FileError::wrong(self.path, self.text, at.start, format!("`{key}`: {what}"))
    }

    /// A path as the file means it.
    fn beside(&self, text: &str) -> Result<PathBuf, String> {
        // "D:\replays" is good TOML, with a carriage return in it.
        if text.contains(char::is_control) {
            return Err(BACKSLASH.to_owned());
        }
        Ok(self.path.parent().unwrap_or(Path::new("")).join(text))
    }
}

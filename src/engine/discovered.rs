//! Consoles that announce themselves: adopted, followed to another address, left out when somebody
//! removed them.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use super::Engine;
use super::look::unix_ms;
use super::request::Refusal;
use super::status::{Change, DiscoveredConsole, Origin};
use crate::config::{Source, StationConfig, check_station_name};
use crate::discovery::{Heard, Sightings};
use crate::protocol::discovery::Mac;
use crate::session::{SourceState, StationId};

/// A console that has not announced itself for so long and is no station is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(10 * 60);

/// Consoles that were removed by hand and are remembered as such: more than any venue has.
const MAX_REMOVED: usize = 1024;

/// What the engine knows of consoles that announce themselves.
#[derive(Default)]
pub(super) struct Discovery {
    seen: Sightings,
    /// Which station a console is.
    stations: HashMap<Mac, u64>,
    /// Removed by hand: not adopted until somebody asks.
    removed: HashSet<Mac>,
    /// Where stations were that were removed by hand before their consoles ever announced
    /// themselves: whoever does so from there first is meant.
    removed_hosts: HashSet<String>,
}

impl Engine {
    /// A console has announced itself.
    pub(super) fn heard(&mut self, heard: Heard) {
        let Some(wanted) = &self.config.discovery else { return };
        let port = wanted.console_port;
        let Heard { announcement, ip } = heard.clone();
        let mac = announcement.mac;
        self.discovery.seen.hear(heard, Instant::now());
        match self.discovery.stations.get(&mac).copied() {
            Some(id) => self.follow(id, ip),
            None => self.meet(mac, &announcement.nick, ip, port),
        }
        let console = self.discovery.seen.get(mac).map(|_| self.discovered_console(mac));
        if let Some(Some(console)) = console {
            self.tell(Change::Discovered { console });
        }
    }

    /// A known console speaks: if it is somewhere else now, that is where its station connects. One
    /// whose stream is on is silent, so whoever speaks in its name then is somebody else.
    fn follow(&mut self, id: u64, ip: IpAddr) {
        let Some(entry) = self.stations.iter_mut().find(|entry| entry.id() == id) else { return };
        let Some(source) = &mut entry.source else { return };
        let is_there = source.host == ip.to_string();
        if is_there || entry.station.source() == SourceState::Connected {
            return;
        }
        tracing::info!(station = %entry.station.name(), "the console is at {ip} now");
        source.host = ip.to_string();
        self.threads.operator.redirect(StationId(id), source.clone());
    }

    /// A console that is no station so far: adopted, unless somebody removed it by hand.
    fn meet(&mut self, mac: Mac, nick: &str, ip: IpAddr, port: u16) {
        let source = Source { name: String::new(), host: ip.to_string(), port, raw: false };
        if let Some(entry) = self.with_source(&source) {
            let id = entry.id();
            self.bind_mac(mac, id);
            return;
        }
        if self.discovery.removed_hosts.remove(&source.host) {
            self.discovery.removed.insert(mac);
        }
        if self.discovery.removed.contains(&mac) {
            return;
        }
        let source = Source { name: self.name_for(nick, mac), ..source };
        match self.add(StationConfig::new(source), Origin::Discovered) {
            Ok(id) => {
                self.discovery.stations.insert(mac, id);
                self.look();
            }
            Err(error) => tracing::warn!(%mac, "a console was discovered but not added: {error}"),
        }
    }

    /// The nickname as far as a station can be called that, with a number if another is.
    fn name_for(&self, nick: &str, mac: Mac) -> String {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
        let mut name: String = nick.trim().chars().filter(|c| fits(*c)).take(48).collect();
        if check_station_name(&name).is_err() {
            name = mac.to_string();
        }
        let is_free = |name: &String| self.check_is_new(name, None).is_ok();
        let numbered = (2..).map(|n| format!("{name} {n}"));
        std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name)
    }

    /// Forgets consoles that have been silent for long and are no station.
    pub(super) fn forget_silent(&mut self) {
        for mac in self.discovery.seen.forget_older_than(FORGET_AFTER, Instant::now()) {
            if !self.discovery.stations.contains_key(&mac) {
                self.tell(Change::Forgotten { mac: mac.to_string() });
            }
        }
    }

    pub(super) fn discovered(&self) -> Vec<DiscoveredConsole> {
        self.discovery.seen.iter().filter_map(|(mac, _)| self.discovered_console(mac)).collect()
    }

    fn discovered_console(&self, mac: Mac) -> Option<DiscoveredConsole> {
        let seen = self.discovery.seen.get(mac)?;
        Some(DiscoveredConsole {
            mac: mac.to_string(),
            nick: seen.nick.clone(),
            ip: seen.ip,
            last_seen: unix_ms(SystemTime::now() - seen.last_seen.elapsed()),
            station: self.discovery.stations.get(&mac).copied(),
            is_removed: self.discovery.removed.contains(&mac),
        })
    }

    pub(super) fn mac_of(&self, station: u64) -> Option<String> {
        let is_its = |(_, id): &(&Mac, &u64)| **id == station;
        self.discovery.stations.iter().find(is_its).map(|(mac, _)| mac.to_string())
    }

    /// Where the console with that MAC address was heard, as a source named after it.
    pub(super) fn source_of(&self, mac: &str) -> Result<(Mac, Source), Refusal> {
        let mac: Mac = mac.parse().map_err(|error| Refusal::Invalid(format!("{error}")))?;
        let Some(seen) = self.discovery.seen.get(mac) else {
            let sentence = format!("no console {mac} has announced itself; is it on, and free?");
            return Err(Refusal::Conflict(sentence));
        };
        let port = self.config.discovery.clone().unwrap_or_default().console_port;
        let name = self.name_for(&seen.nick, mac);
        Ok((mac, Source { name, host: seen.ip.to_string(), port, raw: false }))
    }

    /// Somebody asked for a console: it is that station from now on.
    pub(super) fn bind_mac(&mut self, mac: Mac, id: u64) {
        self.discovery.removed.remove(&mac);
        self.discovery.stations.insert(mac, id);
    }

    /// Somebody asked for what is there.
    pub(super) fn wants_host(&mut self, host: &str) {
        self.discovery.removed_hosts.remove(host);
    }

    /// A station that was at `host` is removed by hand: its console is not to be adopted again.
    pub(super) fn renounce(&mut self, id: u64, host: &str) {
        let discovery = &mut self.discovery;
        let had_room = discovery.removed.len() + discovery.removed_hosts.len() < MAX_REMOVED;
        let before = discovery.stations.len();
        for (mac, _) in discovery.stations.extract_if(|_, station| *station == id) {
            if had_room {
                discovery.removed.insert(mac);
            }
        }
        if had_room && discovery.stations.len() == before {
            discovery.removed_hosts.insert(host.to_owned());
        }
    }

    /// A station is gone: no console is it any more.
    pub(super) fn unbind_mac(&mut self, id: u64) {
        self.discovery.stations.retain(|_, station| *station != id);
    }
}

//! Consoles that announce themselves: adopted, followed to another address, left out when somebody
//! removed them.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use super::Engine;
use super::request::Refusal;
use super::status::{Change, DiscoveredConsole, Origin};
use crate::config::{Source, SourceProtocol, StationConfig, check_station_name};
use crate::discovery::{Heard, Sightings};
use crate::protocol::discovery::Mac;
use crate::session::{SourceState, StationId};
use crate::unix_time::unix_ms;

/// A console that has not announced itself for so long and is no station is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(10 * 60);

/// Consoles that were removed by hand and are remembered as such: more than any venue has.
const MAX_REMOVED: usize = 1024;

/// Stations that may come by themselves: anyone in the network can invent announcements, and must not
/// take every place of what people add.
const MAX_ADOPTED: usize = 32;

/// A station's console must be away for so long before it is looked for elsewhere, and is not sent
/// elsewhere again for the other time: somebody who announces himself in its name, from here and from
/// there, must not keep it from its console.
const AWAY_BEFORE_MOVE: Duration = Duration::from_secs(2);
const BETWEEN_MOVES: Duration = Duration::from_secs(10);

/// How long a station that has a host name may look for its address before the console at any
/// address may be adopted: it could be the same one.
const RESOLVING: Duration = Duration::from_secs(30);

/// What the engine knows of consoles that announce themselves.
#[derive(Default)]
pub(super) struct Discovery {
    seen: Sightings,
    /// Which station a console is: one console a station.
    stations: HashMap<Mac, u64>,
    /// Removed by hand: not adopted until somebody asks.
    removed: HashSet<Mac>,
    /// Where stations were that were removed by hand before their consoles ever announced
    /// themselves: whoever does so from there first is meant.
    removed_hosts: HashSet<String>,
    /// What control clients were told of.
    told: HashSet<Mac>,
    /// That there is no place was told.
    is_full: bool,
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
            Some(id) => self.follow(id, ip, port),
            None => self.meet(mac, &announcement.nick, ip, port),
        }
        self.tell_of(mac);
    }

    /// Tells control clients how a console stands.
    fn tell_of(&mut self, mac: Mac) {
        if let Some(console) = self.discovered_console(mac) {
            self.discovery.told.insert(mac);
            self.tell(Change::Discovered { console });
        }
    }

    /// A known console speaks: if it is somewhere else now, that is where its station connects. One
    /// whose stream is on is silent, so whoever speaks in its name then is somebody else.
    fn follow(&mut self, id: u64, ip: IpAddr, port: u16) {
        let now = Instant::now();
        let Some(entry) = self.stations.iter_mut().find(|entry| entry.id() == id) else { return };
        let Some(source) = &mut entry.source else { return };
        let is_there = source.host == ip.to_string()
            || entry.station.peer().is_some_and(|peer| peer.ip() == ip);
        let is_away = entry.station.source() != SourceState::Connected
            && entry.away_since.is_some_and(|since| now >= since + AWAY_BEFORE_MOVE);
        let may_move = entry.moved.is_none_or(|moved| now >= moved + BETWEEN_MOVES);
        if is_there || !is_away || !may_move {
            return;
        }
        tracing::info!(station = %entry.station.name(), "the console is at {ip} now");
        entry.moved = Some(now);
        *source = Source {
            name: source.name.clone(),
            host: ip.to_string(),
            port,
            protocol: SourceProtocol::Console,
            nats: None,
        };
        self.threads.operator.redirect(StationId(id), source.clone());
    }

    /// A console that is no station so far: recognised, or adopted, unless somebody removed it by
    /// hand.
    fn meet(&mut self, mac: Mac, nick: &str, ip: IpAddr, port: u16) {
        let source = Source {
            name: String::new(),
            host: ip.to_string(),
            port,
            protocol: SourceProtocol::Console,
            nats: None,
        };
        if let Some(entry) = self.with_source(&source) {
            let id = entry.id();
            self.bind_mac(mac, id);
            return;
        }
        if self.discovery.removed_hosts.remove(&source.host) {
            self.discovery.removed.insert(mac);
        }
        if self.discovery.removed.contains(&mac) || self.stations.iter().any(is_resolving) {
            return;
        }
        self.make_room();
        let source = Source { name: self.name_for(nick, mac), ..source };
        match self.add(StationConfig::new(source), Origin::Discovered) {
            Ok(id) => {
                self.discovery.is_full = false;
                self.bind_mac(mac, id);
                self.look();
            }
            Err(error) => {
                if !std::mem::replace(&mut self.discovery.is_full, true) {
                    tracing::warn!(%mac, "a console was discovered but not added: {error}");
                }
            }
        }
    }

    /// When as many stations came by themselves as may: the oldest of them that was never reached goes.
    fn make_room(&mut self) {
        let adopted = || self.stations.iter().filter(|entry| entry.origin == Origin::Discovered);
        if adopted().count() < MAX_ADOPTED {
            return;
        }
        let idle = adopted().filter(|entry| !entry.was_reached()).min_by_key(|entry| entry.added);
        if let Some(id) = idle.map(super::Entry::id) {
            // It was there a moment ago.
            let _ = self.take_away(id);
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

    /// Forgets consoles that have been silent for long, and tells of all that are not known any more.
    pub(super) fn forget_silent(&mut self) {
        self.discovery.seen.forget_older_than(FORGET_AFTER, Instant::now());
        let Discovery { seen, told, .. } = &mut self.discovery;
        let forgotten: Vec<Mac> = told.extract_if(|mac| seen.get(*mac).is_none()).collect();
        for mac in forgotten {
            self.tell(Change::Forgotten { mac: mac.to_string() });
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
        let (host, protocol) = (seen.ip.to_string(), SourceProtocol::Console);
        Ok((mac, Source { name, host, port, protocol, nats: None }))
    }

    /// A console is that station from now on, and no other is.
    pub(super) fn bind_mac(&mut self, mac: Mac, id: u64) {
        self.unbind_mac(id);
        self.discovery.removed.remove(&mac);
        self.discovery.stations.insert(mac, id);
        self.tell_of(mac);
    }

    /// Somebody asked for what is there.
    pub(super) fn wants_host(&mut self, host: &str) {
        self.discovery.removed_hosts.remove(host);
    }

    /// A station that was at `host` is removed by hand: its console is not to be adopted again.
    pub(super) fn renounce(&mut self, id: u64, host: &str) {
        let macs = self.unbind_mac(id);
        let discovery = &mut self.discovery;
        if discovery.removed.len() + discovery.removed_hosts.len() >= MAX_REMOVED {
            return;
        }
        if macs.is_empty() {
            discovery.removed_hosts.insert(host.to_owned());
        }
        for mac in macs {
            self.discovery.removed.insert(mac);
            self.tell_of(mac);
        }
    }

    /// No console is that station any more; which ones were.
    pub(super) fn unbind_mac(&mut self, id: u64) -> Vec<Mac> {
        let bound = self.discovery.stations.extract_if(|_, station| *station == id);
        let macs: Vec<Mac> = bound.map(|(mac, _)| mac).collect();
        for mac in &macs {
            self.tell_of(*mac);
        }
        macs
    }
}

/// Whether a station has a host name whose address is not known yet, but may be in a moment.
fn is_resolving(entry: &super::Entry) -> bool {
    let has_name =
        entry.source.as_ref().is_some_and(|source| source.host.parse::<IpAddr>().is_err());
    has_name && entry.station.peer().is_none() && entry.added.elapsed() < RESOLVING
}

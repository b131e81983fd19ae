//! Stations are added: a name, a console and ports that no other has.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use super::Engine;
use super::entry::Entry;
use super::request::Refusal;
use super::status::{Origin, StationKind};
use crate::config::{
    DelaySettings, MAX_STATIONS, Source, SourceProtocol, StationConfig, same_station_name,
};
use crate::consumer::Listener;
use crate::net::EnetSocket;
use crate::protocol::{Dialect, Protocol};
use crate::session::{Station, StationId};

/// Whose delays there are, in the order in which a station is told of them.
pub(super) const PROTOCOLS: [Protocol; 3] = [Protocol::Console, Protocol::Raw, Protocol::Dolphin];

/// Why a station cannot be added.
#[derive(Debug, Error)]
pub enum AddError {
    /// A port cannot be listened on.
    #[error(
        "cannot listen on {address} for {what}: {error}; {flag} sets another address, or `off`"
    )]
    Listen {
        /// The address wanted.
        address: SocketAddr,
        /// Who would connect there.
        what: &'static str,
        /// The option that says where.
        flag: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// Ports end at 65535.
    #[error(
        "a station would listen {place} ports above {base}, where there is none; {flag} sets another address"
    )]
    Port {
        /// The first station's address.
        base: SocketAddr,
        /// How far above.
        place: usize,
        /// The option that says where.
        flag: &'static str,
    },
    /// There are as many as there may be.
    #[error("there are {MAX_STATIONS} stations, and no more are possible")]
    Full,
    /// Another has the name.
    #[error("another station is called `{0}`; choose another name")]
    Name(String),
    /// The source would be this relay.
    #[error("`{console}` is a port of this relay itself; {flag} sets another")]
    Ourselves {
        /// As it was given.
        console: Source,
        /// The option that says where that port is.
        flag: &'static str,
    },
    /// Another has the console.
    #[error("`{console}` is the station `{name}` already")]
    Source {
        /// The address.
        console: Source,
        /// Whose it is.
        name: String,
    },
}

impl Engine {
    pub(super) fn entry(&self, id: u64) -> Result<&Entry, Refusal> {
        self.stations.iter().find(|entry| entry.id() == id).ok_or(Refusal::NoStation(id))
    }

    pub(super) fn entry_mut(&mut self, id: u64) -> Result<&mut Entry, Refusal> {
        self.stations.iter_mut().find(|entry| entry.id() == id).ok_or(Refusal::NoStation(id))
    }

    /// Adds a station; its number.
    pub(super) fn add(&mut self, wanted: StationConfig, origin: Origin) -> Result<u64, AddError> {
        let StationConfig { source, delay, record } = wanted;
        if self.stations.len() >= MAX_STATIONS {
            return Err(AddError::Full);
        }
        self.check_is_new(&source.name, None)?;
        if let Some(other) = self.with_source(&source) {
            let name = other.station.name().to_string();
            return Err(AddError::Source { console: source, name });
        }
        self.check_is_no_port_of_ours(&source)?;
        let station = self.new_station(&source.name);
        let (slot, doors) = self.bind_somewhere(&station, &source, origin)?;
        set_delays(&station, &delay, &self.config.delay);
        station.set_recorded(record);
        let [console_address, raw_address, dolphin_address] = self.open(&station, doors);
        if let Some(clerk) = &self.threads.clerk {
            clerk.add(station.clone());
        }
        self.threads.operator.connect(source.clone(), station.clone());
        let id = station.id.0;
        self.stations.push(Entry {
            station,
            kind: StationKind::Console,
            configured_as: (origin == Origin::Config).then(|| source.name.clone()),
            source: Some(source),
            origin,
            added: Instant::now(),
            away_since: None,
            moved: None,
            delay,
            slot: Some(slot),
            console_address,
            raw_address,
            dolphin_address,
            told: None,
        });
        self.show_if_wanted(id);
        Ok(id)
    }

    /// Binds a new station's listeners at the lowest place that nobody has. What the operator wrote
    /// has just that place; a station that comes while the relay runs takes the next one if another
    /// program has a port of it.
    fn bind_somewhere(
        &self,
        station: &Arc<Station>,
        source: &Source,
        origin: Origin,
    ) -> Result<(usize, Doors), AddError> {
        let is_taken = |slot: &usize| self.stations.iter().any(|entry| entry.slot == Some(*slot));
        let mut refused = None;
        for slot in (0..2 * MAX_STATIONS).filter(|slot| !is_taken(slot) && !self.is_http(*slot)) {
            match self.bind(station, Some(source), Place::Above(slot)) {
                Ok(doors) => return Ok((slot, doors)),
                Err(error) if origin == Origin::Config => return Err(error),
                Err(error) => _ = refused.get_or_insert(error),
            }
        }
        Err(refused.unwrap_or(AddError::Full))
    }

    /// Whether a station at that place would listen where control calls are answered.
    fn is_http(&self, slot: usize) -> bool {
        let http = self.config.http.as_ref().map(|http| usize::from(http.listen.port()));
        let bases = [self.config.listen, self.config.raw_listen].into_iter().flatten();
        let mut ports = bases.filter(|base| base.port() != 0).map(|b| usize::from(b.port()) + slot);
        ports.any(|port| Some(port) == http)
    }

    pub(super) fn new_station(&mut self, name: &str) -> Arc<Station> {
        self.last_id += 1;
        Arc::new(Station::new(StationId(self.last_id), name))
    }

    /// Binds a station's listeners at its place. `source` is what the station will be fed from.
    pub(super) fn bind(
        &self,
        station: &Arc<Station>,
        source: Option<&Source>,
        place: Place,
    ) -> Result<Doors, AddError> {
        let wanted = [
            (self.config.listen, Dialect::Console, "spectators", "--listen"),
            (self.config.raw_listen, Dialect::Raw, "raw spectators", "--raw-listen"),
        ];
        let mut listeners = Vec::new();
        for (base, dialect, what, flag) in wanted {
            let Some(base) = base else { continue };
            let address = place.address(base, flag)?;
            let listener = Listener::bind(address, station.clone(), dialect)
                .map_err(|error| AddError::Listen { address, what, flag, error })?;
            listeners.push((what, listener));
        }
        let dolphin = match self.config.dolphin_listen {
            Some(base) if self.threads.usher.is_some() => {
                let (what, flag) = ("Dolphin spectators (UDP)", "--dolphin-listen");
                let address = place.address(base, flag)?;
                let bound = match self.is_for_a_dolphin(address.port(), source) {
                    true => Err(io::ErrorKind::AddrInUse.into()),
                    false => EnetSocket::bind(address),
                };
                match bound {
                    Ok(socket) => Some((what, socket)),
                    // A Dolphin on this computer has it, or will: no reason to relay nothing.
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        tracing::warn!(
                            station = %station.name(),
                            "no {what} on {address}: {error} (is a Dolphin running here?); {flag} sets another address, or `off`"
                        );
                        None
                    }
                    Err(error) => {
                        return Err(AddError::Listen { address, what, flag, error });
                    }
                }
            }
            _ => None,
        };
        let tcp = listeners.iter().map(|(what, listener)| (what, listener.address()));
        let udp = dolphin.iter().map(|(what, socket)| (what, socket.address()));
        for (what, address) in tcp.chain(udp) {
            tracing::info!(station = %station.name(), "{what} connect to {address}");
        }
        Ok(Doors {
            listeners: listeners.into_iter().map(|(_, listener)| listener).collect(),
            dolphin: dolphin.map(|(_, socket)| socket),
        })
    }

    /// Lets spectators in; where each kind connects.
    pub(super) fn open(&self, station: &Arc<Station>, doors: Doors) -> [Option<SocketAddr>; 3] {
        let Doors { listeners, dolphin } = doors;
        let address_of =
            |dialect| listeners.iter().find(|l| l.dialect() == dialect).map(Listener::address);
        let addresses = [
            address_of(Dialect::Console),
            address_of(Dialect::Raw),
            dolphin.as_ref().map(EnetSocket::address),
        ];
        for listener in listeners {
            self.threads.porter.open(listener);
        }
        if let (Some(usher), Some(socket)) = (&self.threads.usher, dolphin) {
            usher.open(socket, station.clone());
        }
        addresses
    }

    pub(super) fn check_is_new(&self, name: &str, except: Option<u64>) -> Result<(), AddError> {
        let has_it = |entry: &Entry| {
            Some(entry.id()) != except && same_station_name(&entry.station.name(), name)
        };
        match self.stations.iter().any(has_it) {
            true => Err(AddError::Name(name.to_owned())),
            false => Ok(()),
        }
    }

    pub(super) fn with_source(&self, source: &Source) -> Option<&Entry> {
        let address = source.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, source.port));
        let is_it = |entry: &&Entry| {
            // A console that has a name is the same console at its address.
            let is_there = |own: &Source| {
                let at = Source { host: source.host.clone(), ..own.clone() };
                own.host.parse::<IpAddr>().is_err()
                    && address.is_some()
                    && entry.station.peer() == address
                    && at.is_same_place(source)
            };
            entry.source.as_ref().is_some_and(|own| own.is_same_place(source) || is_there(own))
        };
        self.stations.iter().find(is_it)
    }

    /// Raw sources and Dolphins say nothing of where their stream comes from: this relay's own ports of
    /// those kinds must not be one, for each byte would come round for ever. (Of the console
    /// protocol's ports that shows.)
    pub(super) fn check_is_no_port_of_ours(&self, source: &Source) -> Result<(), AddError> {
        let is_dolphin = source.protocol == SourceProtocol::Dolphin;
        let is_ours = |entry: &Entry| {
            let ours = if is_dolphin { entry.dolphin_address } else { entry.raw_address };
            ours.is_some_and(|ours| ours.port() == source.port) && is_this_computer(&source.host)
        };
        let flag = if is_dolphin { "--dolphin-listen" } else { "--raw-listen" };
        match self.stations.iter().any(is_ours) {
            true => Err(AddError::Ourselves { console: source.clone(), flag }),
            false => Ok(()),
        }
    }

    /// Whether a Dolphin that is relayed, or will be as `new`, has that port of this computer: it may
    /// be started later.
    fn is_for_a_dolphin(&self, port: u16, new: Option<&Source>) -> bool {
        let is_it = |source: &Source| {
            source.protocol == SourceProtocol::Dolphin
                && source.port == port
                && is_this_computer(&source.host)
        };
        self.stations.iter().filter_map(|entry| entry.source.as_ref()).chain(new).any(is_it)
    }
}

/// Whether a host is the computer that this runs on: nothing else can have its addresses.
fn is_this_computer(host: &str) -> bool {
    let ip = if host == "localhost" { Ok(Ipv4Addr::LOCALHOST.into()) } else { host.parse() };
    ip.is_ok_and(|ip: IpAddr| ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok())
}

pub(super) fn set_delays(station: &Station, own: &DelaySettings, wider: &DelaySettings) {
    let delay = |protocol| own.resolve(wider, protocol);
    let [console, raw, dolphin] = PROTOCOLS.map(delay);
    station.set_delays(console, raw, dolphin);
}

/// A station's sockets, bound and not yet served.
pub(super) struct Doors {
    listeners: Vec<Listener>,
    dolphin: Option<EnetSocket>,
}

/// Where a station listens, seen from the first one's port; port 0 means a free one for each.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// So many ports above.
    Above(usize),
    /// In front of it: the program output.
    Before,
}

impl Place {
    fn address(self, base: SocketAddr, flag: &'static str) -> Result<SocketAddr, AddError> {
        let port = match self {
            _ if base.port() == 0 => Some(0),
            Self::Above(place) => {
                u16::try_from(place).ok().and_then(|place| base.port().checked_add(place))
            }
            // In front of port 1 there is 0, which takes a free one.
            Self::Before => Some(base.port() - 1),
        };
        let place = if let Self::Above(place) = self { place } else { 0 };
        port.map(|port| SocketAddr::new(base.ip(), port)).ok_or(AddError::Port {
            base,
            place,
            flag,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stations_ports_are_above_the_first_ones_and_end_where_ports_do() {
        let base: SocketAddr = "127.0.0.1:65530".parse().unwrap();
        let port =
            |place: Place, base: SocketAddr| place.address(base, "--listen").map(|a| a.port());
        assert_eq!(port(Place::Above(5), base).unwrap(), 65535);
        assert!(port(Place::Above(6), base).unwrap_err().to_string().contains("--listen"));
        assert_eq!(port(Place::Before, base).unwrap(), 65529);
        let free: SocketAddr = "[::1]:0".parse().unwrap();
        assert_eq!(port(Place::Above(6), free).unwrap(), 0);
        assert_eq!(port(Place::Before, free).unwrap(), 0);
    }
}

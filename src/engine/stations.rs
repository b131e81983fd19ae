//! Stations come, change and go; none of that disturbs another.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::entry::Entry;
use super::request::{NewStation, ProgramSwitch, Refusal, StationChange};
use super::status::{Change, Origin, ProgramStatus, StationKind, StationStatus, SwitchAt};
use super::{ANSWER_LIMIT, Engine};
use crate::config::{
    DelaySettings, MAX_DELAY, MAX_STATIONS, ProgramConfig, Source, SourceError, StationConfig,
    check_station_name, same_station_name,
};
use crate::consumer::Listener;
use crate::protocol::{Dialect, Protocol};
use crate::session::{Station, StationId};
use crate::spectator::SpectatorSocket;

/// Whose delays there are, in the order in which a station is told of them.
const PROTOCOLS: [Protocol; 3] = [Protocol::Console, Protocol::Raw, Protocol::Dolphin];

/// What the program output is called.
const PROGRAM: &str = "program";

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
    #[error("`{0}` is a raw port of this relay itself")]
    Ourselves(Source),
    /// Another has the console.
    #[error("`{console}` is the station `{name}` already")]
    Source {
        /// The address.
        console: Source,
        /// Whose it is.
        name: String,
    },
}

impl From<AddError> for Refusal {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Listen { .. } => Self::System(error.to_string()),
            _ => Self::Conflict(error.to_string()),
        }
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl Engine {
    pub(super) fn entry(&self, id: u64) -> Result<&Entry, Refusal> {
        self.stations.iter().find(|entry| entry.id() == id).ok_or(Refusal::NoStation(id))
    }

    fn entry_mut(&mut self, id: u64) -> Result<&mut Entry, Refusal> {
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
        let (slot, doors) = self.bind_somewhere(&station, origin)?;
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
        origin: Origin,
    ) -> Result<(usize, Doors), AddError> {
        let is_taken = |slot: &usize| self.stations.iter().any(|entry| entry.slot == Some(*slot));
        let mut refused = None;
        for slot in (0..2 * MAX_STATIONS).filter(|slot| !is_taken(slot) && !self.is_http(*slot)) {
            match self.bind(station, Place::Above(slot)) {
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

    /// The program output may have been told to show a station that was not there yet.
    fn show_if_wanted(&mut self, id: u64) {
        let Ok(entry) = self.entry(id) else { return };
        let name = entry.station.name();
        if self.program_waits_for.as_deref().is_some_and(|wanted| same_station_name(wanted, &name))
        {
            self.threads.operator.switch(Some(entry.station.clone()), true);
            self.program_waits_for = None;
        }
    }

    /// Adds the program output, on the ports in front of the first station's.
    pub(super) fn begin_program(&mut self, wanted: &ProgramConfig) -> Result<(), AddError> {
        let station = self.new_station(PROGRAM);
        let doors = self.bind(&station, Place::Before)?;
        set_delays(&station, &wanted.delay, &self.config.delay);
        let [console_address, raw_address, dolphin_address] = self.open(&station, doors);
        self.threads.operator.begin_program(station.clone());
        self.program = Some(ProgramStatus { id: station.id.0, station: None, next: None });
        self.stations.push(Entry {
            station,
            kind: StationKind::Program,
            source: None,
            origin: Origin::Config,
            configured_as: None,
            added: Instant::now(),
            away_since: None,
            moved: None,
            delay: wanted.delay,
            slot: None,
            console_address,
            raw_address,
            dolphin_address,
            told: None,
        });
        if let Some(name) = &wanted.station {
            let is_it = |entry: &&Entry| same_station_name(&entry.station.name(), name);
            let chosen = self.stations.iter().filter(|entry| !entry.is_program()).find(is_it);
            match chosen {
                Some(chosen) => self.threads.operator.switch(Some(chosen.station.clone()), true),
                None => {
                    tracing::info!("the program output waits for the station `{name}`");
                    self.program_waits_for = Some(name.clone());
                }
            }
        }
        Ok(())
    }

    fn new_station(&mut self, name: &str) -> Arc<Station> {
        self.last_id += 1;
        Arc::new(Station::new(StationId(self.last_id), name))
    }

    /// Binds a station's listeners at its place.
    fn bind(&self, station: &Arc<Station>, place: Place) -> Result<Doors, AddError> {
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
        let dolphin =
            match self.config.dolphin_listen {
                Some(base) if self.threads.usher.is_some() => {
                    let (what, flag) = ("Dolphin spectators (UDP)", "--dolphin-listen");
                    let address = place.address(base, flag)?;
                    let socket = SpectatorSocket::bind(address)
                        .map_err(|error| AddError::Listen { address, what, flag, error })?;
                    Some((what, socket))
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
    fn open(&self, station: &Arc<Station>, doors: Doors) -> [Option<SocketAddr>; 3] {
        let Doors { listeners, dolphin } = doors;
        let address_of =
            |dialect| listeners.iter().find(|l| l.dialect() == dialect).map(Listener::address);
        let addresses = [
            address_of(Dialect::Console),
            address_of(Dialect::Raw),
            dolphin.as_ref().map(SpectatorSocket::address),
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
            let same = |own: &Source| own.host == source.host && own.port == source.port;
            // A console that has a name is the same console at its address.
            let is_there = |own: &Source| {
                own.host.parse::<IpAddr>().is_err()
                    && address.is_some()
                    && entry.station.peer() == address
            };
            entry.source.as_ref().is_some_and(|own| same(own) || is_there(own))
        };
        self.stations.iter().find(is_it)
    }

    /// A raw source says nothing of where it comes from: this relay's own raw ports must not be one,
    /// for each byte would come round for ever. (Of the console protocol's ports that shows.)
    pub(super) fn check_is_no_port_of_ours(&self, source: &Source) -> Result<(), AddError> {
        let is_ours = |entry: &Entry| {
            entry.raw_address.is_some_and(|ours| ours.port() == source.port)
                && is_this_computer(&source.host)
        };
        match self.stations.iter().any(is_ours) {
            true => Err(AddError::Ourselves(source.clone())),
            false => Ok(()),
        }
    }

    pub(super) fn add_new(&mut self, new: NewStation) -> Result<StationStatus, Refusal> {
        let (mut source, mac) = match (&new.source, &new.mac) {
            (Some(source), None) => (source.parse::<Source>()?, None),
            (None, Some(mac)) => {
                let (mac, source) = self.source_of(mac)?;
                (source, Some(mac))
            }
            _ => return Err(Refusal::Invalid("give either a source or a MAC address".into())),
        };
        if let Some(name) = &new.name {
            check_station_name(name)?;
            source.name.clone_from(name);
        }
        let delay = DelaySettings { all: seconds(new.delay)?, ..DelaySettings::default() };
        let wanted = StationConfig { source, delay, record: new.record.unwrap_or(true) };
        let host = wanted.source.host.clone();
        let id = self.add(wanted, Origin::Api)?;
        self.wants_host(&host);
        if let Some(mac) = mac {
            self.bind_mac(mac, id);
        }
        self.told_of(id)
    }

    pub(super) fn change(
        &mut self,
        id: u64,
        change: StationChange,
    ) -> Result<StationStatus, Refusal> {
        let is_program = self.entry(id)?.is_program();
        if is_program && (change.name.is_some() || change.source.is_some()) {
            let sentence = "the program output keeps its name, and shows what /api/program says";
            return Err(Refusal::Invalid(sentence.into()));
        }
        if let Some(true) = change.record
            && (is_program || self.threads.clerk.is_none())
        {
            let sentence = if is_program {
                "the program output is not recorded: the stations it shows are"
            } else {
                "nothing is recorded: the relay was started with `--replays off`"
            };
            return Err(Refusal::Conflict(sentence.into()));
        }
        // Everything is checked before anything is changed.
        let source = change.source.as_deref().map(str::parse::<Source>).transpose()?;
        if let Some(source) = &source
            && let Some(other) = self.with_source(source)
            && other.id() != id
        {
            let name = other.station.name().to_string();
            return Err(AddError::Source { console: source.clone(), name }.into());
        }
        if let Some(source) = &source {
            self.check_is_no_port_of_ours(source)?;
        }
        if let Some(name) = &change.name {
            check_station_name(name)?;
            self.check_is_new(name, Some(id))?;
        }
        let asked = DelaySettings {
            all: seconds(change.delay)?,
            console: seconds(change.console_delay)?,
            raw: seconds(change.raw_delay)?,
            dolphin: seconds(change.dolphin_delay)?,
        };
        let wider = self.config.delay;
        if source.is_some() {
            // Another console, as far as anybody knows: the one before may be a station of its own.
            self.unbind_mac(id);
        }
        let entry = self.entry_mut(id)?;
        if let Some(name) = &change.name {
            entry.station.rename(name);
        }
        entry.delay = DelaySettings {
            all: asked.all.or(entry.delay.all),
            console: asked.console.or(entry.delay.console),
            raw: asked.raw.or(entry.delay.raw),
            dolphin: asked.dolphin.or(entry.delay.dolphin),
        };
        set_delays(&entry.station, &entry.delay, &wider);
        if let Some(record) = change.record {
            entry.station.set_recorded(record);
        }
        if let Some(mut source) = source {
            source.name = entry.station.name().to_string();
            entry.source = Some(source.clone());
            entry.station.forget_peer();
            self.threads.operator.redirect(StationId(id), source);
        }
        if let Some(clerk) = &self.threads.clerk {
            clerk.look();
        }
        self.told_of(id)
    }

    /// Tells everyone of a station that was added or changed, and returns what was told.
    fn told_of(&mut self, id: u64) -> Result<StationStatus, Refusal> {
        self.look();
        let entry = self.entry(id)?;
        Ok(self.station_status(entry))
    }

    /// Removes a station by hand.
    pub(super) fn remove(&mut self, id: u64) -> Result<(), Refusal> {
        if self.entry(id)?.is_program() {
            let sentence = "the program output stays; let it show nothing instead";
            return Err(Refusal::Conflict(sentence.into()));
        }
        let source = self.entry(id)?.source.clone();
        self.renounce(id, source.as_ref().map_or("", |source| &source.host));
        self.take_away(id)
    }

    /// Nobody new, then nothing new, then its file is complete and its spectators leave.
    pub(super) fn take_away(&mut self, id: u64) -> Result<(), Refusal> {
        let at = self.stations.iter().position(|entry| entry.id() == id);
        let at = at.ok_or(Refusal::NoStation(id))?;
        let station = StationId(id);
        // The next station may want the ports at once; and whoever was let in is with a consumer
        // thread then, and leaves with the others.
        let is_closed = self.threads.porter.close(station).recv_timeout(ANSWER_LIMIT);
        if is_closed.is_err() && !self.shutdown.is_requested() {
            tracing::warn!("the listener thread takes long to close a station's ports");
        }
        let is_quiet = self.threads.operator.disconnect(station).recv_timeout(ANSWER_LIMIT);
        if is_quiet.is_err() && !self.shutdown.is_requested() {
            tracing::warn!("the console thread takes long to hang up on a station");
        }
        if let Some(clerk) = &self.threads.clerk {
            clerk.remove(station);
        }
        for inbox in &self.threads.inboxes {
            inbox.remove_station(station);
        }
        if let Some(usher) = &self.threads.usher {
            // Its port is free when that is answered, for the next station.
            let is_closed = usher.close(station).recv_timeout(ANSWER_LIMIT);
            if is_closed.is_err() && !self.shutdown.is_requested() {
                tracing::warn!("the spectator thread takes long to close a station's port");
            }
        }
        let gone = self.stations.remove(at);
        self.unbind_mac(id);
        tracing::info!(station = %gone.station.name(), "the station was removed");
        self.tell(Change::StationRemoved { id });
        Ok(())
    }

    /// Lets the program output show another station.
    pub(super) fn switch(&mut self, switch: &ProgramSwitch) -> Result<ProgramStatus, Refusal> {
        let chosen = match switch.station {
            None => None,
            Some(id) => {
                let entry = self.entry(id)?;
                if entry.is_program() {
                    let sentence = "the program output cannot show itself";
                    return Err(Refusal::Invalid(sentence.into()));
                }
                Some(entry.station.clone())
            }
        };
        if self.program.is_none() {
            let wanted = self.config.program.clone().unwrap_or_default();
            self.begin_program(&wanted)?;
        }
        self.program_waits_for = None;
        self.delay_program(chosen.as_ref().map(|chosen| chosen.id.0));
        self.threads.operator.switch(chosen, switch.at == SwitchAt::Now);
        // The console thread reads its letters in order: the look sees the switch done.
        self.look();
        self.program.clone().ok_or(Refusal::Busy)
    }
}

impl Engine {
    /// The program output is at least as late as the stations that it shows, will show, or is about to
    /// be told to show: a station's delay keeps its players from watching it.
    pub(super) fn delay_program(&mut self, about_to_show: Option<u64>) {
        let Some(program) = &self.program else { return };
        let Ok(own) = self.entry(program.id) else { return };
        let shown = [program.station, program.next, about_to_show].into_iter().flatten();
        let shown: Vec<&Entry> = shown.filter_map(|id| self.entry(id).ok()).collect();
        let delay = |protocol| {
            let least = own.delay.resolve(&self.config.delay, protocol);
            shown.iter().map(|entry| entry.station.delay(protocol)).fold(least, Duration::max)
        };
        let mut delays = PROTOCOLS.map(delay);
        let program = own.station.clone();
        match self.program_floor {
            Some((until, floor)) if Instant::now() < until => {
                delays = std::array::from_fn(|k| delays[k].max(floor[k]));
            }
            _ => self.program_floor = None,
        }
        let [console, raw, dolphin] = delays;
        program.set_delays(console, raw, dolphin);
    }

    /// The program output shows something else from now on. For as long as it holds what was shown
    /// before and must not be seen yet, it stays as late as it is.
    pub(super) fn keep_program_late(&mut self) {
        let Some(program) = self.program.as_ref().and_then(|p| self.entry(p.id).ok()) else {
            return;
        };
        let present = PROTOCOLS.map(|protocol| program.station.delay(protocol));
        let longest = present.into_iter().max().unwrap_or_default();
        self.program_floor = Some((Instant::now() + longest, present));
    }
}

/// Whether a host is the computer that this runs on: nothing else can have its addresses.
fn is_this_computer(host: &str) -> bool {
    let ip = if host == "localhost" { Ok(Ipv4Addr::LOCALHOST.into()) } else { host.parse() };
    ip.is_ok_and(|ip: IpAddr| ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok())
}

/// Seconds that make sense as a delay.
fn seconds(asked: Option<f64>) -> Result<Option<Duration>, Refusal> {
    let Some(seconds) = asked else { return Ok(None) };
    let max = MAX_DELAY.as_secs_f64();
    if (0.0..=max).contains(&seconds) {
        return Ok(Some(Duration::from_secs_f64(seconds)));
    }
    Err(Refusal::Invalid(format!("a delay is a number of seconds from 0 to {max}")))
}

pub(super) fn set_delays(station: &Station, own: &DelaySettings, wider: &DelaySettings) {
    let delay = |protocol| own.resolve(wider, protocol);
    let [console, raw, dolphin] = PROTOCOLS.map(delay);
    station.set_delays(console, raw, dolphin);
}

/// A station's sockets, bound and not yet served.
struct Doors {
    listeners: Vec<Listener>,
    dolphin: Option<SpectatorSocket>,
}

/// Where a station listens, seen from the first one's port; port 0 means a free one for each.
#[derive(Clone, Copy)]
enum Place {
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

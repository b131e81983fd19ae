//! Stations come, change and go; none of that disturbs another.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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
use crate::protocol::Protocol;
use crate::session::{Station, StationId};

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
    /// There are as many as there may be.
    #[error("there are {MAX_STATIONS} stations, and no more are possible")]
    Full,
    /// Another has the name.
    #[error("another station is called `{0}`; choose another name")]
    Name(String),
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
        let slot = self.free_slot();
        let station = self.new_station(&source.name);
        let listeners = self.bind(&station, |base| offset(base, slot))?;
        set_delays(&station, &delay, &self.config.delay);
        station.set_recorded(record);
        let (console_address, raw_address) = self.open(listeners);
        if let Some(clerk) = &self.threads.clerk {
            clerk.add(station.clone());
        }
        self.threads.operator.connect(source.clone(), station.clone());
        let id = station.id.0;
        self.stations.push(Entry {
            station,
            kind: StationKind::Console,
            source: Some(source),
            origin,
            delay,
            slot: Some(slot),
            console_address,
            raw_address,
            told: None,
        });
        Ok(id)
    }

    /// Adds the program output, on the ports in front of the first station's.
    pub(super) fn begin_program(&mut self, wanted: &ProgramConfig) -> Result<(), AddError> {
        let station = self.new_station(PROGRAM);
        let listeners = self.bind(&station, before)?;
        set_delays(&station, &wanted.delay, &self.config.delay);
        let (console_address, raw_address) = self.open(listeners);
        self.threads.operator.begin_program(station.clone());
        self.program = Some(ProgramStatus { id: station.id.0, station: None, next: None });
        self.stations.push(Entry {
            station,
            kind: StationKind::Program,
            source: None,
            origin: Origin::Config,
            delay: wanted.delay,
            slot: None,
            console_address,
            raw_address,
            told: None,
        });
        if let Some(name) = &wanted.station {
            let chosen = self.stations.iter().find(|entry| *entry.station.name() == **name);
            match chosen {
                Some(chosen) => self.threads.operator.switch(Some(chosen.station.clone()), true),
                None => tracing::warn!("the program output has no station `{name}` to show yet"),
            }
        }
        Ok(())
    }

    fn new_station(&mut self, name: &str) -> Arc<Station> {
        self.last_id += 1;
        Arc::new(Station::new(StationId(self.last_id), name))
    }

    /// The lowest place that no station has: its ports are so many above the first station's.
    fn free_slot(&self) -> usize {
        let is_taken = |slot: &usize| self.stations.iter().any(|entry| entry.slot == Some(*slot));
        (0..).find(|slot| !is_taken(slot)).unwrap_or(MAX_STATIONS)
    }

    /// Binds a station's listeners where `place` moves the configured addresses.
    fn bind(
        &self,
        station: &Arc<Station>,
        place: impl Fn(SocketAddr) -> SocketAddr,
    ) -> Result<Vec<Listener>, AddError> {
        let wanted = [
            (self.config.listen, Protocol::Console, "spectators", "--listen"),
            (self.config.raw_listen, Protocol::Raw, "raw spectators", "--raw-listen"),
        ];
        let mut listeners = Vec::new();
        for (base, protocol, what, flag) in wanted {
            let Some(base) = base else { continue };
            let address = place(base);
            let listener = Listener::bind(address, station.clone(), protocol)
                .map_err(|error| AddError::Listen { address, what, flag, error })?;
            tracing::info!(station = %station.name(), "{what} connect to {}", listener.address());
            listeners.push(listener);
        }
        Ok(listeners)
    }

    fn open(&self, listeners: Vec<Listener>) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let address_of =
            |protocol| listeners.iter().find(|l| l.protocol() == protocol).map(Listener::address);
        let addresses = (address_of(Protocol::Console), address_of(Protocol::Raw));
        for listener in listeners {
            self.threads.porter.open(listener);
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
        let is_it = |entry: &&Entry| {
            let same = |own: &Source| own.host == source.host && own.port == source.port;
            entry.source.as_ref().is_some_and(same)
        };
        self.stations.iter().find(is_it)
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
        let id = self.add(wanted, Origin::Api)?;
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
        if let Some(name) = &change.name {
            check_station_name(name)?;
            self.check_is_new(name, Some(id))?;
        }
        let asked = DelaySettings {
            all: seconds(change.delay)?,
            console: seconds(change.console_delay)?,
            raw: seconds(change.raw_delay)?,
        };
        let wider = self.config.delay;
        let entry = self.entry_mut(id)?;
        if let Some(name) = &change.name {
            entry.station.rename(name);
        }
        entry.delay = DelaySettings {
            all: asked.all.or(entry.delay.all),
            console: asked.console.or(entry.delay.console),
            raw: asked.raw.or(entry.delay.raw),
        };
        set_delays(&entry.station, &entry.delay, &wider);
        if let Some(record) = change.record {
            entry.station.set_recorded(record);
        }
        if let Some(mut source) = source {
            source.name = entry.station.name().to_string();
            entry.source = Some(source.clone());
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
        self.unbind_mac(id, true);
        self.take_away(id)
    }

    /// Nobody new, then nothing new, then its file is complete and its spectators leave.
    pub(super) fn take_away(&mut self, id: u64) -> Result<(), Refusal> {
        let at = self.stations.iter().position(|entry| entry.id() == id);
        let at = at.ok_or(Refusal::NoStation(id))?;
        let station = StationId(id);
        self.threads.porter.close(station);
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
        let gone = self.stations.remove(at);
        self.unbind_mac(id, false);
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
        self.threads.operator.switch(chosen, switch.at == SwitchAt::Now);
        // The console thread reads its letters in order: the look sees the switch done.
        self.look();
        self.program.clone().ok_or(Refusal::Busy)
    }
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
    station.set_delays(own.resolve(wider, Protocol::Console), own.resolve(wider, Protocol::Raw));
}

/// Station k listens on port + k; port 0 means a free one for each.
fn offset(base: SocketAddr, k: usize) -> SocketAddr {
    let mut address = base;
    if base.port() != 0 {
        let port = usize::from(base.port()) + k;
        address.set_port(u16::try_from(port).unwrap_or(u16::MAX));
    }
    address
}

/// The program output listens in front of the first station.
fn before(base: SocketAddr) -> SocketAddr {
    let mut address = base;
    address.set_port(base.port().saturating_sub(1));
    address
}

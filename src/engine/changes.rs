//! A station is added, changed or removed by a control call.

use std::time::Duration;

use super::request::{NewStation, Refusal, StationChange};
use super::stations::{AddError, set_delays};
use super::status::{Change, Origin, StationStatus};
use super::{ANSWER_LIMIT, Engine};
use crate::config::{
    DelaySettings, MAX_DELAY, Source, SourceError, StationConfig, check_station_name,
};
use crate::session::StationId;

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
        check_is_one(&source)?;
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

    /// Adds a station that a NATS server has.
    pub(super) fn adopt(&mut self, source: Source) -> Result<StationStatus, Refusal> {
        let id = self.add(StationConfig::new(source), Origin::Discovered)?;
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
            check_is_one(source)?;
            check_feeder(self.entry(id)?.source.as_ref(), source)?;
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
        self.look_at_sources();
        let mut stations = self.look_at_stations().into_iter();
        stations.find(|station| station.id == id).ok_or(Refusal::NoStation(id))
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
        // Whoever comes in from now on looks whether the station is still there.
        self.threads.gallery.remove_station(station);
        self.unbind_mac(id);
        tracing::info!(station = %gone.station.name(), "the station was removed");
        self.tell(Change::StationRemoved { id });
        Ok(())
    }
}

/// A station has one source.
fn check_is_one(source: &Source) -> Result<(), Refusal> {
    if !source.is_all_of_nats() {
        return Ok(());
    }
    let sentence = "name one station of the NATS server, such as nats://host/Stream; all of them are \
                    followed from the start on only";
    Err(Refusal::Invalid(sentence.into()))
}

/// A station's log has one writer, which is another one for consoles than for NATS.
pub(super) fn check_feeder(old: Option<&Source>, new: &Source) -> Result<(), Refusal> {
    if old.is_some_and(|old| old.nats.is_some() != new.nats.is_some()) {
        let sentence = "a station cannot change between a console and a NATS server; remove it and add \
                        another";
        return Err(Refusal::Conflict(sentence.into()));
    }
    Ok(())
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

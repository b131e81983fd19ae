//! The program output: what it shows, and how late.

use std::time::{Duration, Instant};

use super::Engine;
use super::entry::Entry;
use super::request::{ProgramSwitch, Refusal};
use super::stations::{AddError, PROTOCOLS, Place, set_delays};
use super::status::{Origin, ProgramStatus, StationKind, SwitchAt};
use crate::config::{ProgramConfig, same_station_name};

/// What the program output is called.
const PROGRAM: &str = "program";

impl Engine {
    /// Adds the program output, on the ports in front of the first station's.
    pub(super) fn begin_program(&mut self, wanted: &ProgramConfig) -> Result<(), AddError> {
        let station = self.new_station(PROGRAM);
        let doors = self.bind(&station, None, Place::Before)?;
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

    /// The program output may have been told to show a station that was not there yet.
    pub(super) fn show_if_wanted(&mut self, id: u64) {
        let Ok(entry) = self.entry(id) else { return };
        let name = entry.station.name();
        if self.program_waits_for.as_deref().is_some_and(|wanted| same_station_name(wanted, &name))
        {
            self.threads.operator.switch(Some(entry.station.clone()), true);
            self.program_waits_for = None;
        }
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

    /// The program output shows something else than `before` from now on. For as long as it holds what
    /// it showed then and must not be seen yet, it stays as late as that.
    pub(super) fn keep_program_late(&mut self, before: Option<u64>) {
        let (Some(before), Some(program)) = (before, &self.program) else { return };
        // Of a station that is gone the program output knows the delay.
        let Ok(entry) = self.entry(before).or_else(|_| self.entry(program.id)) else { return };
        let mut floor = PROTOCOLS.map(|protocol| entry.station.delay(protocol));
        let longest = floor.into_iter().max().unwrap_or_default();
        let mut until = Instant::now() + longest;
        if let Some((earlier, higher)) = self.program_floor {
            until = until.max(earlier);
            floor = std::array::from_fn(|k| floor[k].max(higher[k]));
        }
        self.program_floor = Some((until, floor));
    }
}

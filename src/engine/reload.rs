//! The configuration is read again: what differs is changed, and nothing else.

use super::Engine;
use super::request::Refusal;
use super::stations::set_delays;
use super::status::{Origin, ReloadReport};
use crate::config::{RelayConfig, StationConfig};
use crate::session::StationId;

impl Engine {
    pub(super) fn reload(&mut self) -> Result<ReloadReport, Refusal> {
        let Some(read) = &self.hooks.read_config else {
            let sentence = "there is no configuration file: the relay was started without --config";
            return Err(Refusal::Conflict(sentence.into()));
        };
        let wanted = read().map_err(Refusal::Invalid)?;
        let mut report = ReloadReport {
            needs_restart: needs_restart(&self.config, &wanted),
            ..ReloadReport::default()
        };
        self.change_settings(&wanted, &mut report);
        self.change_stations(&wanted, &mut report);
        self.config.stations = wanted.stations;
        for sentence in &report.changed {
            tracing::info!("configuration: {sentence}");
        }
        for setting in &report.needs_restart {
            tracing::warn!("configuration: `{setting}` differs; it takes effect at the next start");
        }
        if report.changed.is_empty() && report.needs_restart.is_empty() {
            tracing::info!("configuration: read again, nothing differs");
        }
        self.look();
        Ok(report)
    }

    /// What holds for all stations.
    fn change_settings(&mut self, wanted: &RelayConfig, report: &mut ReloadReport) {
        let (old, new) = (self.config.limits, wanted.limits);
        if (old.total, old.per_address) != (new.total, new.per_address) {
            self.threads.admission.set_limits(new.total, new.per_address);
            (self.config.limits.total, self.config.limits.per_address) =
                (new.total, new.per_address);
            let ReloadReport { changed, .. } = report;
            changed.push(format!(
                "there are {} places for spectators, {} for one address",
                new.total, new.per_address
            ));
        }
        if self.config.away_limit != wanted.away_limit {
            self.config.away_limit = wanted.away_limit;
            if let Some(clerk) = &self.threads.clerk {
                clerk.set_away_limit(wanted.away_limit);
            }
            let seconds = wanted.away_limit.as_secs_f64();
            report.changed.push(format!("a console may stay away for {seconds} s"));
        }
        if self.config.delay != wanted.delay {
            self.config.delay = wanted.delay;
            for entry in &self.stations {
                set_delays(&entry.station, &entry.delay, &wanted.delay);
            }
            report.changed.push("the delay for all stations".into());
        }
        let new = wanted.program.as_ref().map(|program| program.delay);
        let program = self.stations.iter_mut().find(|entry| entry.is_program());
        if let (Some(program), Some(delay)) = (program, new)
            && program.delay != delay
        {
            program.delay = delay;
            set_delays(&program.station, &delay, &self.config.delay);
            report.changed.push("the program output's delay".into());
        }
    }

    /// Stations of the file that are new, different or gone. Those that were added by hand or found
    /// by themselves are no business of the file's.
    fn change_stations(&mut self, wanted: &RelayConfig, report: &mut ReloadReport) {
        let old = self.config.stations.clone();
        for gone in old.iter().filter(|old| find(&wanted.stations, old).is_none()) {
            let Some(id) = self.configured(gone) else { continue };
            if self.take_away(id).is_ok() {
                report.changed.push(format!("the station `{}` is gone", gone.source.name));
            }
        }
        for new in &wanted.stations {
            match find(&old, new) {
                None => self.add_from_file(new, report),
                Some(old) if old != new => self.change_from_file(old, new, report),
                Some(_) => {}
            }
        }
    }

    /// The station that was made from `wanted`, if it is still there.
    fn configured(&self, wanted: &StationConfig) -> Option<u64> {
        let is_it = |entry: &&super::Entry| {
            entry.origin == Origin::Config && *entry.station.name() == *wanted.source.name
        };
        self.stations.iter().find(is_it).map(|entry| entry.id())
    }

    fn add_from_file(&mut self, new: &StationConfig, report: &mut ReloadReport) {
        let name = &new.source.name;
        match self.add(new.clone(), Origin::Config) {
            Ok(_) => report.changed.push(format!("the station `{name}` is new")),
            Err(error) => {
                report.changed.push(format!("the station `{name}` could not be added: {error}"));
            }
        }
    }

    fn change_from_file(
        &mut self,
        old: &StationConfig,
        new: &StationConfig,
        report: &mut ReloadReport,
    ) {
        let Some(id) = self.configured(new) else { return };
        let wider = self.config.delay;
        let Some(entry) = self.stations.iter_mut().find(|entry| entry.id() == id) else { return };
        if old.delay != new.delay {
            entry.delay = new.delay;
            set_delays(&entry.station, &new.delay, &wider);
        }
        if old.record != new.record {
            entry.station.set_recorded(new.record);
            if let Some(clerk) = &self.threads.clerk {
                clerk.look();
            }
        }
        if old.source != new.source {
            entry.source = Some(new.source.clone());
            self.threads.operator.redirect(StationId(id), new.source.clone());
        }
        report.changed.push(format!("the station `{}` is different", new.source.name));
    }
}

/// The station of the same name.
fn find<'a>(stations: &'a [StationConfig], like: &StationConfig) -> Option<&'a StationConfig> {
    stations.iter().find(|station| station.source.name == like.source.name)
}

/// The settings that differ and that a running relay cannot change, by the names of their options.
fn needs_restart(old: &RelayConfig, new: &RelayConfig) -> Vec<String> {
    let limits = |config: &RelayConfig| (config.limits.handshake_len, config.limits.handshake_time);
    let differs = [
        ("listen", old.listen != new.listen),
        ("raw-listen", old.raw_listen != new.raw_listen),
        ("dolphin-listen", old.dolphin_listen != new.dolphin_listen),
        ("http", old.http != new.http),
        ("replays", old.replays != new.replays),
        ("replay-folders", old.replay_folders != new.replay_folders),
        ("consumers", old.consumers != new.consumers),
        ("handshake-time", limits(old).1 != limits(new).1),
        ("handshake-size", limits(old).0 != limits(new).0),
        ("discover", old.discovery != new.discovery),
        ("program", old.program.is_some() != new.program.is_some()),
    ];
    differs.iter().filter(|(_, differs)| *differs).map(|(name, _)| (*name).to_owned()).collect()
}

//! The configuration is read again: what differs is changed, and nothing else.

use super::Engine;
use super::changes::check_feeder;
use super::request::Refusal;
use super::stations::{AddError, set_delays};
use super::status::{Origin, ReloadReport};
use crate::config::{Occasion, RelayConfig, StationConfig};
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
        self.config.stations = self.change_stations(&wanted, &mut report);
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
        let (old, mut new) = (self.config.limits, wanted.limits);
        new.total = new.total.min(self.threads.max_places);
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
    /// by themselves are no business of the file's, unless it names their console. Returns what holds
    /// now: what could not be done is tried again at the next reload.
    fn change_stations(
        &mut self,
        wanted: &RelayConfig,
        report: &mut ReloadReport,
    ) -> Vec<StationConfig> {
        let old = self.config.stations.clone();
        for gone in old.iter().filter(|old| find(&wanted.stations, old).is_none()) {
            let name = &gone.source.name;
            match self.configured(gone).map(|id| self.take_away(id)) {
                Some(Ok(())) => report.changed.push(format!("the station `{name}` is gone")),
                _ => report.changed.push(format!("the station `{name}` was gone already")),
            }
        }
        let mut holds = Vec::new();
        for new in &wanted.stations {
            let done = match find(&old, new) {
                None => self.add_from_file(new),
                Some(old) if old != new => self.change_from_file(old, new),
                Some(_) => Ok(None),
            };
            match done {
                Ok(sentence) => {
                    holds.push(new.clone());
                    report.changed.extend(sentence);
                }
                Err(why) => {
                    holds.extend(find(&old, new).cloned());
                    let name = &new.source.name;
                    report.changed.push(format!("the station `{name}` stays as it is: {why}"));
                }
            }
        }
        holds
    }

    /// The station that was made from `wanted`, if it is still there, whatever it is called now.
    fn configured(&self, wanted: &StationConfig) -> Option<u64> {
        let is_it =
            |entry: &&super::Entry| entry.configured_as.as_ref() == Some(&wanted.source.name);
        self.stations.iter().find(is_it).map(|entry| entry.id())
    }

    fn add_from_file(&mut self, new: &StationConfig) -> Result<Option<String>, Refusal> {
        let name = &new.source.name;
        // One that was found or added by hand meanwhile is what the file means.
        let there = self.with_source(&new.source).filter(|entry| entry.configured_as.is_none());
        let Some(id) = there.map(super::Entry::id) else {
            self.add(new.clone(), Origin::Config)?;
            return Ok(Some(format!("the station `{name}` is new")));
        };
        self.check_is_new(name, Some(id))?;
        let wider = self.config.delay;
        if let Some(entry) = self.stations.iter_mut().find(|entry| entry.id() == id) {
            entry.origin = Origin::Config;
            entry.configured_as = Some(name.clone());
            entry.delay = new.delay;
            entry.station.rename(name);
            set_delays(&entry.station, &new.delay, &wider);
            entry.station.set_recorded(new.record);
        }
        Ok(Some(format!("the station `{name}` was there and is the file's now")))
    }

    fn change_from_file(
        &mut self,
        old: &StationConfig,
        new: &StationConfig,
    ) -> Result<Option<String>, Refusal> {
        let gone = || Refusal::Conflict("it was removed by hand".into());
        let id = self.configured(new).ok_or_else(gone)?;
        if old.source != new.source {
            if let Some(other) = self.with_source(&new.source)
                && other.id() != id
            {
                let name = other.station.name().to_string();
                return Err(AddError::Source { console: new.source.clone(), name }.into());
            }
            check_feeder(Some(&old.source), &new.source)?;
            self.check_is_no_port_of_ours(&new.source)?;
            self.unbind_mac(id);
        }
        let wider = self.config.delay;
        let entry = self.stations.iter_mut().find(|entry| entry.id() == id).ok_or_else(gone)?;
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
            entry.station.forget_peer();
            self.threads.operator.redirect(StationId(id), new.source.clone());
        }
        Ok(Some(format!("the station `{}` is different", new.source.name)))
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
        ("obs", old.obs != new.obs),
        ("nats://.../*", old.follow != new.follow),
        ("publish", old.publish != new.publish),
        ("nats", old.nats != new.nats),
        ("hook-time", old.hooks.time != new.hooks.time),
    ];
    let named = differs.iter().filter(|(_, differs)| *differs).map(|(name, _)| (*name).to_owned());
    named.chain(changed_hooks(old, new)).collect()
}

fn changed_hooks(old: &RelayConfig, new: &RelayConfig) -> impl Iterator<Item = String> {
    let command = |config: &RelayConfig, occasion| config.hooks.commands.get(&occasion).cloned();
    Occasion::ALL
        .into_iter()
        .filter(move |&occasion| command(old, occasion) != command(new, occasion))
        .map(|occasion| format!("on-{}", occasion.name()))
}

//! What OBS is to show, as the engine's changes say.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{ObsConfig, same_station_name};
use crate::engine::{Change, Connection, ProgramStatus, StationKind, StationStatus, Status};

/// What OBS is to show.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Wish {
    /// Whether the source is to be seen.
    pub(super) is_visible: bool,
    /// The station that the program output shows, and the scene for it.
    pub(super) scene: Option<(u64, String)>,
}

/// What matters of a station.
struct Performer {
    name: String,
    is_program: bool,
    is_connected: bool,
    is_on: bool,
    /// How late spectators of the console protocol see it, which is what streams mirror.
    delay: Duration,
}

/// Everyone who may be shown.
pub(super) struct Stage {
    config: ObsConfig,
    performers: BTreeMap<u64, Performer>,
    program: Option<ProgramStatus>,
}

impl Stage {
    pub(super) fn new(config: ObsConfig) -> Self {
        Self { config, performers: BTreeMap::new(), program: None }
    }

    /// Everything is as `status` says.
    pub(super) fn set(&mut self, status: &Status) {
        self.performers.clear();
        status.stations.iter().for_each(|station| self.set_station(station));
        self.program.clone_from(&status.program);
    }

    /// Something is different.
    pub(super) fn hear(&mut self, change: &Change) {
        match change {
            Change::Station { station } => self.set_station(station),
            Change::StationRemoved { id } => drop(self.performers.remove(id)),
            Change::Program { program } => self.program = Some(program.clone()),
            _ => {}
        }
    }

    fn set_station(&mut self, station: &StationStatus) {
        let performer = Performer {
            name: station.name.clone(),
            is_program: station.kind == StationKind::Program,
            is_connected: station.connection == Connection::Connected,
            // Wishes are delayed here: streams mirror the console protocol's spectators.
            is_on: station.newest.game.as_ref().is_some_and(|game| game.is_on),
            delay: Duration::try_from_secs_f64(station.console_delay).unwrap_or_default(),
        };
        self.performers.insert(station.id, performer);
    }

    /// What OBS is to show now.
    pub(super) fn wish(&self) -> Wish {
        Wish { is_visible: self.is_visible(), scene: self.scene() }
    }

    /// A game is on where OBS looks: at the program output if there is one, else at the first
    /// station. One that stands still is not shown: its console is gone, or the program output was
    /// switched to a console that has none, and waits for its next one.
    fn is_visible(&self) -> bool {
        let console = match &self.program {
            Some(program) => program.station.and_then(|id| self.performers.get(&id)),
            None => self.shown(),
        };
        let moves = |console: &Performer| console.is_connected && console.is_on;
        self.shown().is_some_and(|shown| shown.is_on) && console.is_some_and(moves)
    }

    /// Where OBS looks.
    fn shown(&self) -> Option<&Performer> {
        match &self.program {
            Some(program) => self.performers.get(&program.id),
            None => self.performers.values().find(|performer| !performer.is_program),
        }
    }

    /// How far OBS is behind.
    pub(super) fn delay(&self) -> Duration {
        self.shown().map(|shown| shown.delay).unwrap_or_default()
    }

    fn scene(&self) -> Option<(u64, String)> {
        let id = self.program.as_ref()?.station?;
        let name = &self.performers.get(&id)?.name;
        let mut scenes = self.config.scenes.iter();
        let found = scenes.find(|scene| same_station_name(&scene.station, name))?;
        Some((id, found.scene.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ObsAddress, ObsScene};

    fn performer(name: &str, is_program: bool, is_on: bool) -> Performer {
        let delay = Duration::from_secs(if is_program { 9 } else { 3 });
        Performer { name: name.into(), is_program, is_connected: !is_program, is_on, delay }
    }

    fn stage() -> Stage {
        let scene =
            |station: &str, scene: &str| ObsScene { station: station.into(), scene: scene.into() };
        let mut stage = Stage::new(ObsConfig {
            address: ObsAddress { host: "obs".into(), port: 1 },
            password_file: None,
            source: Some("Melee".into()),
            scenes: vec![scene("stream", "Main"), scene("Side", "Other")],
        });
        stage.performers.insert(1, performer("Stream", false, true));
        stage.performers.insert(2, performer("Side", false, false));
        stage
    }

    #[test]
    fn without_a_program_output_the_first_station_counts() {
        let mut stage = stage();
        assert_eq!(stage.wish(), Wish { is_visible: true, scene: None });
        assert_eq!(stage.delay(), Duration::from_secs(3));
        stage.performers.get_mut(&1).unwrap().is_connected = false;
        assert!(!stage.wish().is_visible, "nothing moves");
        stage.hear(&Change::StationRemoved { id: 1 });
        assert!(!stage.wish().is_visible, "the next one is the first now, and has no game");
        stage.performers.get_mut(&2).unwrap().is_on = true;
        assert!(stage.wish().is_visible);
    }

    #[test]
    fn the_program_output_counts_if_there_is_one() {
        let mut stage = stage();
        stage.performers.insert(3, performer("program", true, false));
        let program = ProgramStatus { id: 3, station: Some(1), next: None };
        stage.hear(&Change::Program { program });
        let scene = Some((1, "Main".to_owned()));
        assert_eq!(stage.wish(), Wish { is_visible: false, scene }, "its game has not begun");
        assert_eq!(stage.delay(), Duration::from_secs(9));
        stage.performers.get_mut(&3).unwrap().is_on = true;
        assert!(stage.wish().is_visible);
        let program = ProgramStatus { id: 3, station: Some(2), next: None };
        stage.hear(&Change::Program { program });
        assert!(!stage.wish().is_visible, "the game of the one before stands still");
        stage.performers.get_mut(&2).unwrap().is_on = true;
        assert!(stage.wish().is_visible);
        let program = ProgramStatus { id: 3, station: None, next: Some(2) };
        stage.hear(&Change::Program { program });
        assert_eq!(stage.wish(), Wish::default(), "nothing is shown");
    }
}

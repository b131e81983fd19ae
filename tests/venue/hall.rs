//! A relay process with its consoles: what every test here starts from.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use andross::shutdown::Shutdown;
use andross::simulator::{Options, Recording, Repeat, Simulator};
use serde_json::json;
use tempfile::TempDir;

use crate::common::ports::free_row;
use crate::common::process::{RelayProcess, StationView};

/// Stations that a hall has ports for.
const ROOM: u16 = 24;

/// A running relay that listens on rows of ports that are free, and its folder of games.
pub struct Hall {
    pub relay: RelayProcess,
    pub folder: TempDir,
}

impl Hall {
    /// A relay of these stations (`name=host:port`), with more options.
    pub fn open(stations: &[String], options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relay = start(folder.path(), stations, options);
        Self { relay, folder }
    }

    /// The relay is started again, with the same folder.
    pub fn reopen(&mut self, stations: &[String], options: &[&str]) {
        self.relay = start(self.folder.path(), stations, options);
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a station by a control call.
    pub fn add(&self, name: &str, console: SocketAddr) -> StationView {
        let wanted = json!({"name": name, "source": console.to_string()});
        let (status, body) = self.relay.post("/api/stations", Some(wanted));
        assert_eq!(status, 201, "{body}");
        StationView(body)
    }

    /// Removes a station by a control call.
    pub fn remove(&self, station: &StationView) {
        let (status, body) = self.relay.delete(&station.path());
        assert_eq!(status, 204, "{body}");
    }

    /// Changes a station by a control call.
    pub fn change(&self, name: &str, change: serde_json::Value) {
        let (status, body) = self.relay.patch(&self.relay.station(name).path(), change);
        assert_eq!(status, 200, "{body}");
    }
}

fn start(folder: &Path, stations: &[String], options: &[&str]) -> RelayProcess {
    let (console, raw) = two_rows();
    let own = [
        format!("--listen={console}"),
        format!("--raw-listen={raw}"),
        "--http=127.0.0.1:0".to_owned(),
        format!("--replays={}", folder.display()),
    ];
    let options = options.iter().map(|option| (*option).to_owned());
    let relay = RelayProcess::start(stations.iter().cloned().chain(own).chain(options));
    relay.wait_for_log("control calls are answered");
    relay
}

/// The two halves of one row cannot lie on each other.
fn two_rows() -> (SocketAddr, SocketAddr) {
    let first = free_row(2 * ROOM);
    (first, crate::common::ports::nth(first, ROOM))
}

/// A console that plays these games one right after the other, at this pace.
pub fn console(games: Vec<Recording>, fps: f64) -> Simulator {
    console_at(crate::common::loopback(), games, fps)
}

/// The same at a certain address.
pub fn console_at(listen: SocketAddr, recordings: Vec<Recording>, fps: f64) -> Simulator {
    let options = Options { listen, recordings, fps, pause: Duration::ZERO, ..Options::default() };
    Simulator::start(options, &Shutdown::new()).unwrap()
}

/// A console that plays one game over and over.
pub fn endless_console(game: Recording, fps: f64) -> Simulator {
    let options = Options {
        recordings: vec![game],
        fps,
        pause: Duration::ZERO,
        repeat: Repeat::Forever,
        ..Options::default()
    };
    Simulator::start(options, &Shutdown::new()).unwrap()
}

/// How a station is named on the command line.
pub fn named(name: &str, console: SocketAddr) -> String {
    format!("{name}={console}")
}

/// All events of these games, as they come from a console that plays them.
pub fn stream_of(games: &[Recording]) -> Vec<u8> {
    games.iter().flat_map(|game| game.events().iter().copied()).collect()
}

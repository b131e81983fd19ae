//! What the tests of the control plane share: a relay of pretend consoles, and its control calls.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use andross::config::{HttpConfig, RelayConfig};
use andross::relay::{EndError, Relay};
use andross::shutdown::{Reason, Shutdown};
use andross::simulator::{Options, Recording, Simulator};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::http::Http;
pub use crate::common::http::TOKEN;
use crate::common::{loopback, named_source, quick, recorded, synthetic, wait_until};

/// A relay whose first station, `Stream`, is fed by a pretend console.
pub struct Desk {
    http: Http,
    pub relay: Relay,
    pub folder: TempDir,
    pub shutdown: Shutdown,
    /// Switched off with the desk.
    consoles: Vec<Simulator>,
}

impl Deref for Desk {
    type Target = Http;

    fn deref(&self) -> &Http {
        &self.http
    }
}

/// The game that the first station's console plays.
pub fn first_game() -> Recording {
    synthetic(1, 50, true)
}

/// A pretend console that plays `games` when it is connected to, as fast as `fps` says.
pub fn console(games: Vec<Recording>, fps: f64) -> Simulator {
    let nick = "Stream Wii".into();
    let options =
        Options { recordings: games, fps, pause: Duration::ZERO, nick, ..Options::default() };
    Simulator::start(options, &Shutdown::new()).unwrap()
}

impl Desk {
    /// On loopback without a token; its console has played [`first_game`] and is silent now.
    pub fn new() -> Self {
        Self::open(|_, _| {})
    }

    /// One whose changes need [`TOKEN`].
    pub fn with_token() -> Self {
        Self::open(|config, folder| {
            let path = folder.path().join("token.txt");
            std::fs::write(&path, TOKEN).unwrap();
            http_of(config).token_file = Some(path);
        })
    }

    pub fn open(tweak: impl FnOnce(&mut RelayConfig, &TempDir)) -> Self {
        let desk = Self::playing(first_game(), 5000.0, tweak);
        desk.wait_until_saved(1, 1);
        desk
    }

    /// One whose console plays `game`.
    pub fn playing(
        game: Recording,
        fps: f64,
        tweak: impl FnOnce(&mut RelayConfig, &TempDir),
    ) -> Self {
        let console = console(vec![game], fps);
        let folder = tempfile::tempdir().unwrap();
        let mut config = RelayConfig::new(vec![named_source("Stream", console.local_addr())]);
        config.listen = Some(loopback());
        config.raw_listen = Some(loopback());
        config.http = Some(HttpConfig { listen: loopback(), ..HttpConfig::default() });
        config.replays = Some(folder.path().join("replays"));
        config.consumers = 2;
        config.timing = quick();
        tweak(&mut config, &folder);
        let shutdown = Shutdown::new();
        let relay = Relay::start(config, &shutdown).unwrap();
        let mut address = relay.http().unwrap();
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        Self { http: Http { address }, relay, folder, shutdown, consoles: vec![console] }
    }

    /// Switches a console on and adds a station that it feeds; the station.
    pub fn add_console(&mut self, name: &str, games: Vec<Recording>, fps: f64) -> Value {
        let console = console(games, fps);
        let body = format!(r#"{{"name":"{name}","source":"{}"}}"#, console.local_addr());
        self.consoles.push(console);
        let added = self.send("POST", "/api/stations", &body);
        assert_eq!(added.status, 201, "{}", added.text());
        added.json()
    }

    pub fn first_console(&self) -> &Simulator {
        &self.consoles[0]
    }

    pub fn station(&self, id: u64) -> Value {
        self.get(&format!("/api/stations/{id}")).good()
    }

    /// Where spectators of a station connect.
    pub fn console_address(&self, id: u64) -> SocketAddr {
        self.station(id)["consoleAddress"].as_str().unwrap().parse().unwrap()
    }

    pub fn raw_address(&self, id: u64) -> SocketAddr {
        self.station(id)["rawAddress"].as_str().unwrap().parse().unwrap()
    }

    /// Waits until a station has saved so many games.
    pub fn wait_until_saved(&self, id: u64, games: u64) {
        let stations = self.relay.stations();
        let station = stations.iter().find(|station| station.id.0 == id).unwrap();
        wait_until("its games are saved", || station.stats.files.get() == games);
    }

    /// Waits until a station has so many event bytes.
    pub fn wait_for_bytes(&self, id: u64, len: usize) {
        let stations = self.relay.stations();
        let station = stations.iter().find(|station| station.id.0 == id).unwrap();
        wait_until("the bytes are there", || station.stats.bytes.get() >= len as u64);
    }

    pub fn replays(&self) -> PathBuf {
        self.folder.path().join("replays")
    }

    /// Puts a game into the folder.
    pub fn save(&self, name: &str, bytes: &[u8]) {
        let path = self.replays().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Ends the relay; the event bytes of the games that it saved.
    pub fn end(self) -> Vec<Vec<u8>> {
        self.shutdown.request(Reason::Finished);
        let (end, games) = self.wait_for_end();
        assert_eq!(end, Ok(Reason::Finished));
        games
    }

    /// Waits for the relay's end; how that was, and the event bytes of the games that it saved.
    pub fn wait_for_end(self) -> (Result<Reason, EndError>, Vec<Vec<u8>>) {
        let replays = self.replays();
        let end = self.relay.run_to_end();
        (end, recorded(&replays))
    }
}

pub fn http_of(config: &mut RelayConfig) -> &mut HttpConfig {
    config.http.as_mut().unwrap()
}

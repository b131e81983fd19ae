//! The real binary reads its configuration file again, by SIGHUP and by a control call.
#![cfg(unix)]

mod common;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use andross::shutdown::Shutdown;
use andross::simulator::{Options, Recording, Simulator};
use common::process::RelayProcess;
use common::{
    ConsoleSpectator, RawSpectator, assert_same_bytes, files_of, is_complete, synthetic, wait_until,
};
use serde_json::json;
use tempfile::TempDir;

/// A way to make a relay read its file again.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    Signal,
    Call,
}

/// A relay with a file, and three consoles, the first two of which are in it.
struct Desk {
    relay: RelayProcess,
    folder: TempDir,
    consoles: [Simulator; 3],
    game: Recording,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let game = synthetic(1, 3_000, true);
        let consoles = [1, 2, 3].map(|_| console(&game));
        let settings = settings(folder.path(), 500, 1);
        let stations = [("Stream", consoles[0].local_addr()), ("Side", consoles[1].local_addr())];
        let file = write(folder.path(), &settings, &stations);
        let relay = RelayProcess::start([Path::new("--config"), &file]);
        for name in ["Stream", "Side"] {
            relay.wait_until_connected(name);
        }
        Self { relay, folder, consoles, game }
    }

    fn write(&self, settings: &str, stations: &[(&str, usize)]) {
        let stations: Vec<_> =
            stations.iter().map(|(name, k)| (*name, self.consoles[*k].local_addr())).collect();
        write(self.folder.path(), settings, &stations);
    }

    fn settings(&self, max_clients: u32, consumers: u32) -> String {
        settings(self.folder.path(), max_clients, consumers)
    }

    fn max_clients(&self) -> u64 {
        self.relay.get("/api/status")["maxClients"].as_u64().unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.relay.stations().iter().map(|station| station.name().to_owned()).collect()
    }
}

fn console(game: &Recording) -> Simulator {
    let options = Options {
        recordings: vec![game.clone()],
        fps: 300.0,
        pause: Duration::ZERO,
        ..Options::default()
    };
    Simulator::start(options, &Shutdown::new()).unwrap()
}

fn settings(folder: &Path, max_clients: u32, consumers: u32) -> String {
    format!(
        "listen = '127.0.0.1:0'\nraw-listen = '127.0.0.1:0'\nhttp = '127.0.0.1:0'\n\
         replays = '{}'\nmax-clients = {max_clients}\nconsumers = {consumers}\n",
        folder.join("replays").display()
    )
}

fn write(folder: &Path, settings: &str, stations: &[(&str, SocketAddr)]) -> PathBuf {
    let stations: String = stations
        .iter()
        .map(|(name, source)| format!("[[station]]\nname = '{name}'\nsource = '{source}'\n"))
        .collect();
    let path = folder.join("andross.toml");
    std::fs::write(&path, format!("{settings}{stations}")).unwrap();
    path
}

#[test]
fn a_good_file_changes_what_differs_and_nothing_else() {
    for way in [Way::Signal, Way::Call] {
        let mut desk = Desk::open();
        let [stays, goes] = ["Stream", "Side"].map(|name| desk.relay.station(name));
        let mut spectator = ConsoleSpectator::connect(stays.console_address());
        let mut raw = RawSpectator::connect(stays.raw_address());
        let mut leaving = ConsoleSpectator::connect(goes.console_address());
        spectator.read_bytes(10_000);
        leaving.read_bytes(10_000);

        // The raw delay only: who is served without one shows that nothing was lost.
        let settings = format!("{}raw-delay = 0.25\n", desk.settings(700, 2));
        desk.write(&settings, &[("Stream", 0), ("New", 2)]);
        let wanted = ["700 places", "the delay for all", "`Side` is gone", "`New` is new"];
        if way == Way::Signal {
            desk.relay.signal("-HUP");
        } else {
            let (status, report) = desk.relay.post("/api/reload", None);
            assert_eq!(status, 200, "{report}");
            assert_eq!(report["needsRestart"], json!(["consumers"]));
            let changed = report["changed"].to_string();
            assert!(wanted.iter().all(|part| changed.contains(part)), "{changed}");
            assert_eq!(report["changed"].as_array().unwrap().len(), wanted.len(), "{changed}");
        }
        for part in wanted {
            desk.relay.wait_for_log(part);
        }
        desk.relay.wait_for_log("`consumers` differs; it takes effect at the next start");
        leaving.read_to_end();
        let replays = desk.folder.path().join("replays");
        wait_until("the file of the station that is gone is complete", || {
            files_of(&replays, "Side").first().is_some_and(|file| is_complete(file))
        });
        desk.relay.wait_until_connected("New");
        assert_eq!((desk.names(), desk.max_clients()), (vec!["Stream".into(), "New".into()], 700));
        let after = desk.relay.station("Stream");
        assert_eq!((after.id(), after.addresses()), (stays.id(), stays.addresses()));
        assert_eq!((&after.0["rawDelay"], &after.0["consoleDelay"]), (&json!(0.25), &json!(0.0)));

        assert!(spectator.data.len() < desk.game.events().len());
        spectator.read_bytes(desk.game.events().len());
        raw.read_bytes(desk.game.events().len());
        assert_same_bytes("spectator", &spectator.data, desk.game.events());
        assert_same_bytes("raw spectator", &raw.data, desk.game.events());
        assert_eq!(desk.relay.station("Stream").0["totals"]["reconnects"], 0);

        // The same again is no change.
        let (_, report) = desk.relay.post("/api/reload", None);
        assert_eq!(report["changed"], json!([]), "{way:?}");
        assert_eq!(desk.relay.shut_down(), Some(0));
    }
}

#[test]
fn a_broken_file_is_named_with_its_place_and_changes_nothing() {
    let mut desk = Desk::open();
    let before: Vec<_> = desk.relay.stations().iter().map(|s| (s.id(), s.addresses())).collect();
    let station = desk.relay.station("Stream");
    let mut spectator = ConsoleSpectator::connect(station.console_address());
    spectator.read_bytes(10_000);
    // What is good in it counts for nothing either.
    let broken = format!("{}  delya = 5\n", desk.settings(700, 1));
    let line = broken.lines().count();
    desk.write(&broken, &[("New", 2)]);
    let place = format!("andross.toml:{line}:3: unknown key `delya`; did you mean `delay`?");

    let (status, answer) = desk.relay.post("/api/reload", None);
    assert_eq!((status, &answer["code"]), (422, &json!("invalid")));
    assert!(answer["message"].as_str().unwrap().contains(&place), "{answer}");
    let told = desk.relay.logs(&place).len();
    desk.relay.signal("-HUP");
    desk.relay.wait_for_logs(&place, told + 1);
    // A file that is not there is no reason to end either.
    std::fs::remove_file(desk.folder.path().join("andross.toml")).unwrap();
    let (status, answer) = desk.relay.post("/api/reload", None);
    assert!(answer["message"].as_str().unwrap().contains("andross.toml"), "{status} {answer}");

    let after: Vec<_> = desk.relay.stations().iter().map(|s| (s.id(), s.addresses())).collect();
    assert_eq!((after, desk.max_clients()), (before, 500));
    spectator.read_bytes(desk.game.events().len());
    assert_same_bytes("spectator", &spectator.data, desk.game.events());
    assert_eq!(desk.relay.shut_down(), Some(0));
}

#[test]
fn what_the_system_does_not_allow_is_not_promised_by_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &settings(folder.path(), 4_000, 1), &[]);
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "ulimit -n 600 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_andross")])
        .args(["relay", "--config"])
        .arg(&file);
    let mut relay = RelayProcess::spawn(command);
    let places = |relay: &RelayProcess| relay.get("/api/status")["maxClients"].as_u64().unwrap();
    let allowed = places(&relay);
    assert!(allowed < 600, "{allowed}");
    let (_, report) = relay.post("/api/reload", None);
    assert_eq!(report["changed"], json!([]), "nothing differs");
    assert_eq!(places(&relay), allowed);
    assert_eq!(relay.shut_down(), Some(0));
}

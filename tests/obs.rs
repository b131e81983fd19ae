//! OBS is told what is on. The OBS here is the test's own (`obs/pretend.rs`); `tests/obs_studio.rs` asks OBS
//! itself, where there is one.

mod common;
#[path = "obs/pretend.rs"]
mod pretend;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use andross::config::{ObsAddress, ObsConfig, ObsScene, ProgramConfig, RelayConfig};
use andross::engine::{ProgramSwitch, Request, SwitchAt};
use andross::session::Seq;
use andross::shutdown::{Reason, Shutdown};
use common::process::RelayProcess;
use common::scripted::ScriptedConsole;
use common::{PATIENCE, Venue, loopback, synthetic, wait_until, write_secret};
use pretend::{Obs, PASSWORD, everywhere, reserve};
use serde_json::{Value, json};
use tempfile::TempDir;

fn password_file(password: &str) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    write_secret(&path, &format!("{password}\n"));
    (folder, path)
}

fn obs_config(address: SocketAddr, folder: &TempDir, scenes: &[(&str, &str)]) -> ObsConfig {
    let scene = |(station, scene): &(&str, &str)| ObsScene {
        station: (*station).into(),
        scene: (*scene).into(),
    };
    ObsConfig {
        address: ObsAddress { host: address.ip().to_string(), port: address.port() },
        password_file: Some(folder.path().join("password")),
        source: Some("Melee".into()),
        scenes: scenes.iter().map(scene).collect(),
    }
}

/// A relay of a scripted console that tells OBS at `address`.
fn venue(
    console: &mut ScriptedConsole,
    obs: ObsConfig,
    tweak: impl FnOnce(&mut RelayConfig),
) -> Venue {
    let venue = Venue::relay(console.address(), Shutdown::new(), |config| {
        config.obs = Some(obs);
        tweak(config);
    });
    console.accept();
    venue
}

fn end(venue: Venue) {
    venue.shutdown.request(Reason::Finished);
    assert_eq!(venue.relay.run_to_end(), Ok(Reason::Finished));
}

#[test]
fn the_source_is_shown_while_a_game_is_on_wherever_it_is() {
    let (obs, (folder, _)) = (Obs::new(), password_file(PASSWORD));
    let mut console = ScriptedConsole::new();
    let venue = venue(&mut console, obs_config(obs.address(), &folder, &[]), |_| {});
    obs.wait_for(3);
    let game = synthetic(1, 5, true);
    let (beginning, rest) = game.events().split_at(game.events().len() - 2);
    console.say(beginning);
    obs.wait_for(6);
    console.say(rest);
    obs.wait_for(9);
    assert_eq!(obs.changes(), [everywhere(false), everywhere(true), everywhere(false)].concat());
    end(venue);
}

#[test]
fn the_source_is_shown_when_spectators_see_the_game() {
    let (obs, (folder, _)) = (Obs::new(), password_file(PASSWORD));
    let delay = Duration::from_millis(1_200);
    let mut console = ScriptedConsole::new();
    let venue = venue(&mut console, obs_config(obs.address(), &folder, &[]), |config| {
        config.delay.console = Some(delay);
    });
    obs.wait_for(3);
    let game = synthetic(1, 5, true);
    let (beginning, rest) = game.events().split_at(game.events().len() - 2);
    console.say(beginning);
    obs.wait_for(6);
    let log = &venue.station().log;
    assert!(log.arrival(Seq(0)).unwrap().elapsed() >= delay, "shown too early");
    console.say(rest);
    obs.wait_for(9);
    assert!(log.last().unwrap().arrived().elapsed() >= delay, "hidden too early");
    assert_eq!(obs.changes(), [everywhere(false), everywhere(true), everywhere(false)].concat());
    end(venue);
}

#[test]
fn obs_may_come_later_go_and_come_back() {
    // A port where no OBS listens yet, and nothing else can.
    let (place, address) = reserve();
    let (folder, password) = password_file(PASSWORD);
    let mut console = ScriptedConsole::new();
    let games = tempfile::tempdir().unwrap();
    let mut relay = RelayProcess::start([
        console.address().to_string(),
        "--listen=127.0.0.1:0".into(),
        "--raw-listen=off".into(),
        "--http=127.0.0.1:0".into(),
        format!("--replays={}", games.path().display()),
        format!("--obs={address}"),
        format!("--obs-password-file={}", password.display()),
        "--obs-source=Melee".into(),
    ]);
    console.accept();
    let absent = relay.wait_for_log("OBS is not at");
    assert!(absent.contains(&address.to_string()) && absent.contains("WebSocket"), "{absent}");
    console.say(synthetic(1, 5, false).events());

    let obs = Obs::at(place, true);
    relay.wait_for_log("connected to OBS at");
    // The newest wish counts: whether the game was told first is not important.
    wait_until("OBS shows the source", || obs.changes().ends_with(&everywhere(true)));
    obs.hang_up();
    relay.wait_for_log("is gone (it hung up): trying again");
    relay.wait_for_logs("connected to OBS at", 2);
    let told = obs.changes().len();
    wait_until("OBS is told again", || obs.changes().len() >= told.max(6));
    assert!(obs.changes().ends_with(&everywhere(true)), "{:?}", obs.changes());
    assert_eq!(relay.logs("OBS is not at").len(), 1, "once, not every attempt");
    assert_eq!(relay.shut_down(), Some(0));
    drop(folder);
}

#[test]
fn a_wrong_password_is_told_once_and_may_be_put_right() {
    let obs = Obs::new();
    let (_folder, password) = password_file("open barley");
    let mut console = ScriptedConsole::new();
    let mut relay = RelayProcess::start([
        console.address().to_string(),
        "--listen=127.0.0.1:0".into(),
        "--raw-listen=off".into(),
        "--http=127.0.0.1:0".into(),
        "--replays=off".into(),
        format!("--obs={}", obs.address()),
        format!("--obs-password-file={}", password.display()),
        "--obs-source=Maelee".into(),
    ]);
    console.accept();
    let line = relay.wait_for_log("refuses the password");
    assert!(line.contains("--obs-password-file") && !line.contains("barley"), "{line}");
    wait_until("it is tried again", || obs.refused() >= 3);
    assert_eq!(relay.logs("refuses the password").len(), 1, "once, not every attempt");
    // The relay itself does not care.
    relay.wait_until_connected(relay.stations()[0].name());

    write_secret(&password, &format!("{PASSWORD}\n"));
    relay.wait_for_log("connected to OBS at");
    let line = relay.wait_for_log("no scene of OBS has a source");
    assert!(line.contains("`Maelee`") && line.contains("--obs-source"), "{line}");
    assert_eq!(obs.changes(), [Value::Null; 0]);
    assert_eq!(relay.shut_down(), Some(0));
}

#[test]
fn a_password_that_is_wanted_but_not_there_is_named() {
    let obs = Obs::new();
    let mut relay = RelayProcess::start([
        "127.0.0.1:9",
        "--listen=127.0.0.1:0",
        "--raw-listen=off",
        "--http=127.0.0.1:0",
        "--replays=off",
        &format!("--obs={}", obs.address()),
        "--obs-source=Melee",
    ]);
    relay.wait_for_log("wants a password; --obs-password-file");
    assert_eq!(relay.shut_down(), Some(0));

    let missing = tempfile::tempdir().unwrap();
    let config = obs_config(obs.address(), &missing, &[]);
    let mut relay = RelayConfig::new(Vec::new());
    relay.obs = Some(config);
    let error = andross::relay::Relay::start(relay, &Shutdown::new()).err().unwrap().to_string();
    assert!(error.contains("--obs-password-file"), "{error}");
}

#[test]
fn the_scene_follows_the_program_output_and_its_game_counts() {
    let obs = Obs::without_password();
    let (folder, _) = password_file("nobody asks");
    let (mut stream, mut side) = (ScriptedConsole::new(), ScriptedConsole::new());
    let scenes = [("stream", "Main"), ("Side", "Other")];
    let venue = Venue::relay(stream.address(), Shutdown::new(), |config| {
        config.stations[0].source.name = "Stream".into();
        let side = common::named_source("Side", side.address());
        config.stations.push(andross::config::StationConfig::new(side));
        config.obs = Some(obs_config(obs.address(), &folder, &scenes));
        config.program =
            Some(ProgramConfig { station: Some("Stream".into()), ..ProgramConfig::default() });
    });
    stream.accept();
    side.accept();
    wait_until("the first scene", || obs.changes().contains(&json!(["Main"])));
    side.say(synthetic(1, 5, false).events());
    stream.say(synthetic(2, 5, false).events());
    wait_until("Stream's game", || obs.changes().ends_with(&everywhere(true)));
    let told = obs.changes().len();

    let engine = venue.relay.engine();
    let switch = ProgramSwitch { station: Some(2), at: SwitchAt::Now };
    engine.ask_blocking(|reply| Request::Switch(switch, reply)).unwrap();
    wait_until("the other scene", || obs.changes()[told..].contains(&json!(["Other"])));

    let switch = ProgramSwitch { station: None, at: SwitchAt::Now };
    engine.ask_blocking(|reply| Request::Switch(switch, reply)).unwrap();
    wait_until("nothing is shown", || obs.changes().ends_with(&everywhere(false)));
    let scenes: Vec<Value> =
        obs.changes().into_iter().filter(|change| change.as_array().unwrap().len() == 1).collect();
    assert_eq!(scenes, [json!(["Main"]), json!(["Other"])], "each scene once");
    end(venue);
}

#[test]
fn an_obs_that_says_nothing_is_in_nobodys_way() {
    let silent = TcpListener::bind(loopback()).unwrap();
    let (folder, _) = password_file(PASSWORD);
    let mut console = ScriptedConsole::new();
    let config = obs_config(silent.local_addr().unwrap(), &folder, &[]);
    let venue = venue(&mut console, config, |_| {});
    let (held, _) = silent.accept().unwrap();
    held.set_read_timeout(Some(PATIENCE)).unwrap();
    console.say(synthetic(1, 100, true).events());
    wait_until("the game is saved", || venue.station().stats.files.get() == 1);
    end(venue);
}

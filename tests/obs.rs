//! OBS is told what is on. The OBS here is the test's own: it speaks obs-websocket 5's handshake and
//! answers its requests as OBS 28 to 30.1 do (later ones say more), and remembers what it was asked.
//! `tests/obs_studio.rs` asks OBS itself, where there is one.

mod common;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use andross::config::{ObsAddress, ObsConfig, ObsScene, ProgramConfig, RelayConfig};
use andross::engine::{ProgramSwitch, Request, SwitchAt};
use andross::session::Seq;
use andross::shutdown::{Reason, Shutdown};
use common::process::RelayProcess;
use common::scripted::ScriptedConsole;
use common::{PATIENCE, Venue, loopback, synthetic, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

const PASSWORD: &str = "open sesame";
const SALT: &str = "salt+of/obs=";
const CHALLENGE: &str = "challenge+of/obs=";

/// `base64(sha256(base64(sha256(password + salt)) + challenge))`, as Python's hashlib says.
const AUTHENTICATION: &str = "MMl2Kf1UWQlwva2LqmaooEVHFfCmIFDlN0R+2BSj4Xo=";

/// What obs-websocket hangs up with when the password is wrong.
const AUTHENTICATION_FAILED: u16 = 4009;

/// Where the source `Melee` is: scene or group, and number. `Main` has it twice.
const ITEMS: [(&str, i64); 3] = [("Main", 3), ("Main", 5), ("Frame", 9)];

/// A pretend OBS with the scenes `Main` and `Other`, and a group `Frame`.
struct Obs {
    listener: TcpListener,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    wants_password: bool,
    /// What was asked for that changes something.
    changes: Mutex<Vec<Value>>,
    connections: Mutex<Vec<TcpStream>>,
    refused: Mutex<usize>,
}

impl Obs {
    fn at(address: SocketAddr, wants_password: bool) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let shared = Arc::new(Shared { wants_password, ..Shared::default() });
        let (accepting, known) = (listener.try_clone().unwrap(), shared.clone());
        thread::spawn(move || {
            while let Ok((stream, _)) = accepting.accept() {
                let known = known.clone();
                known.connections.lock().unwrap().push(stream.try_clone().unwrap());
                thread::spawn(move || serve(stream, &known));
            }
        });
        Self { listener, shared }
    }

    fn new() -> Self {
        Self::at(loopback(), true)
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    fn changes(&self) -> Vec<Value> {
        self.shared.changes.lock().unwrap().clone()
    }

    /// Waits until so many changes were asked for; the newest of them.
    #[track_caller]
    fn wait_for(&self, count: usize) -> Value {
        wait_until(&format!("OBS is told {count} things"), || self.changes().len() >= count);
        assert_eq!(self.changes().len(), count, "{:#?}", self.changes());
        self.changes().pop().unwrap()
    }

    /// As if OBS ended: it hangs up on everyone.
    fn hang_up(&self) {
        for stream in self.shared.connections.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

type Socket = WebSocket<TcpStream>;

fn say(socket: &mut Socket, op: u8, data: Value) -> tungstenite::Result<()> {
    socket.send(Message::text(json!({ "op": op, "d": data }).to_string()))
}

/// The next message's `op` and `d`; none when the other side is gone.
fn hear(socket: &mut Socket) -> Option<(u64, Value)> {
    loop {
        if let Message::Text(text) = socket.read().ok()? {
            let mut message: Value = serde_json::from_str(&text).unwrap();
            return Some((message["op"].as_u64().unwrap(), message["d"].take()));
        }
    }
}

fn serve(stream: TcpStream, known: &Shared) -> Option<()> {
    let mut socket = tungstenite::accept(stream).ok()?;
    let mut hello = json!({ "obsWebSocketVersion": "5.1.0", "rpcVersion": 1 });
    if known.wants_password {
        hello["authentication"] = json!({ "challenge": CHALLENGE, "salt": SALT });
    }
    say(&mut socket, 0, hello).ok()?;
    let (op, identify) = hear(&mut socket)?;
    assert_eq!((op, &identify["rpcVersion"]), (1, &json!(1)));
    assert_eq!(identify["eventSubscriptions"], 0, "no events are wanted: {identify}");
    if known.wants_password && identify["authentication"] != AUTHENTICATION {
        let reason = "Authentication failed.".into();
        let frame = CloseFrame { code: AUTHENTICATION_FAILED.into(), reason };
        *known.refused.lock().unwrap() += 1;
        let _ = socket.close(Some(frame));
        while socket.read().is_ok() {}
        return None;
    }
    say(&mut socket, 2, json!({ "negotiatedRpcVersion": 1 })).ok()?;
    loop {
        let (op, request) = hear(&mut socket)?;
        assert_eq!(op, 6, "a request: {request}");
        let kind = request["requestType"].as_str().unwrap();
        let data = &request["requestData"];
        let mut response = json!({
            "requestType": kind,
            "requestId": request["requestId"],
            "requestStatus": { "result": true, "code": 100 },
        });
        match answer(kind, data, known) {
            Some(data) => response["responseData"] = data,
            None => {
                response["requestStatus"] =
                    json!({ "result": false, "code": 600, "comment": "No source was found." });
            }
        }
        say(&mut socket, 7, response).ok()?;
    }
}

/// What OBS says; none if it has no such thing.
fn answer(kind: &str, data: &Value, known: &Shared) -> Option<Value> {
    let change = |change: Value| known.changes.lock().unwrap().push(change);
    match kind {
        "GetVersion" => Some(json!({
            "obsVersion": "29.0.2", "obsWebSocketVersion": "5.1.0", "rpcVersion": 1,
            "availableRequests": [], "supportedImageFormats": [],
            "platform": "debian", "platformDescription": "Debian GNU/Linux 12 (bookworm)",
        })),
        "GetSceneList" => Some(json!({
            "currentProgramSceneName": "Main", "currentPreviewSceneName": null,
            "scenes": [
                { "sceneIndex": 0, "sceneName": "Other" },
                { "sceneIndex": 1, "sceneName": "Main" },
            ],
        })),
        "GetGroupList" => Some(json!({ "groups": ["Frame"] })),
        "GetSceneItemId" => {
            let scene = data["sceneName"].as_str().unwrap();
            let skipped = data["searchOffset"].as_u64().unwrap_or(0) as usize;
            let mut found = ITEMS.iter().filter(|(place, _)| *place == scene);
            let found = found.nth(skipped).filter(|_| data["sourceName"] == "Melee");
            found.map(|(_, id)| json!({ "sceneItemId": id }))
        }
        "SetSceneItemEnabled" => {
            let (scene, id) = (&data["sceneName"], &data["sceneItemId"]);
            assert!(ITEMS.iter().any(|item| item.0 == *scene && item.1 == *id), "{data}");
            change(json!([scene, id, data["sceneItemEnabled"]]));
            Some(Value::Null)
        }
        "SetCurrentProgramScene" => {
            let is_there = ["Main", "Other"].iter().any(|scene| data["sceneName"] == *scene);
            change(json!([data["sceneName"]]));
            is_there.then_some(Value::Null)
        }
        other => panic!("what is {other}?"),
    }
}

/// What OBS is told to show or hide the source everywhere.
fn everywhere(is_visible: bool) -> Vec<Value> {
    ITEMS.iter().map(|(scene, id)| json!([scene, id, is_visible])).collect()
}

fn password_file(password: &str) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, format!("{password}\n")).unwrap();
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
    // A port where no OBS listens yet.
    let address = TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
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

    let obs = Obs::at(address, true);
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
    wait_until("it is tried again", || *obs.shared.refused.lock().unwrap() >= 3);
    assert_eq!(relay.logs("refuses the password").len(), 1, "once, not every attempt");
    // The relay itself does not care.
    relay.wait_until_connected(relay.stations()[0].name());

    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
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
    let obs = Obs::at(loopback(), false);
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

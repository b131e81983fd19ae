//! OBS itself, on a display that nobody sees, and a second connection to it.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

use super::common::{PATIENCE, ports, wait_until};

pub const PASSWORD: &str = "open sesame";

/// A running OBS with the scenes of `scenes.json`; killed with its display when it is dropped.
pub struct Studio {
    pub address: SocketAddr,
    obs: Child,
    display: Child,
    _home: TempDir,
}

/// Whether there are OBS and a display server without a screen.
pub fn is_there() -> bool {
    // OBS itself wants a display before it says anything, and Xvfb has nothing that it merely says.
    let found = |program: &str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
    };
    if found("obs") && found("Xvfb") {
        return true;
    }
    assert!(
        std::env::var_os("ANDROSS_REQUIRE_OBS").is_none(),
        "OBS is required: apt-get install obs-studio xvfb"
    );
    eprintln!("skipped: no OBS, or no Xvfb (apt-get install obs-studio xvfb)");
    false
}

impl Studio {
    pub fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let address = ports::free_row(1);
        configure(&home.path().join("obs-studio"), address.port());
        let mut display = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(display.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let obs = Command::new("obs")
            .args(["--multi", "--minimize-to-tray", "--disable-updater"])
            .args(["--profile", "andross", "--collection", "andross"])
            .env("DISPLAY", format!(":{}", number.trim()))
            .env("HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut studio = Self { address, obs, display, _home: home };
        wait_until("OBS is there", || {
            assert_eq!(studio.obs.try_wait().unwrap(), None, "OBS has ended");
            TcpStream::connect(address).is_ok()
        });
        studio
    }

    /// As if it crashed.
    pub fn kill(&mut self) {
        let _ = self.obs.kill();
        let _ = self.obs.wait();
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.kill();
        let _ = self.display.kill();
        let _ = self.display.wait();
    }
}

/// Writes what OBS would have after its first start, with the WebSocket server on.
fn configure(folder: &Path, port: u16) {
    let write = |path: &str, text: String| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let general = "[General]\nFirstRun=true\nEnableAutoUpdates=false\n";
    // Until OBS 30.1 the server's settings are there, from 30.2 on in a file of their own.
    let server = format!(
        "[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={port}\n\
         AlertsEnabled=false\nAuthRequired=true\nServerPassword={PASSWORD}\n"
    );
    write("global.ini", format!("{general}{server}"));
    write("user.ini", general.into());
    let server = json!({
        "first_load": false, "server_enabled": true, "server_port": port,
        "alerts_enabled": false, "auth_required": true, "server_password": PASSWORD,
    });
    write("plugin_config/obs-websocket/config.json", server.to_string());
    let video = "[Video]\nBaseCX=320\nBaseCY=240\nOutputCX=320\nOutputCY=240\nFPSCommon=10\n";
    write("basic/profiles/andross/basic.ini", format!("[General]\nName=andross\n{video}"));
    write("basic/scenes/andross.json", include_str!("scenes.json").into());
}

/// A connection of the test's own.
pub struct Remote {
    socket: WebSocket<TcpStream>,
}

impl Remote {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://{address}/"), stream).unwrap();
        let mut remote = Self { socket };
        let hello = remote.hear(0);
        let part = |name: &str| hello["authentication"][name].as_str().unwrap().to_owned();
        let digest = |text: String| BASE64_STANDARD.encode(Sha256::digest(text));
        let secret = digest(PASSWORD.to_owned() + &part("salt"));
        let authentication = digest(secret + &part("challenge"));
        let identify = json!({
            "rpcVersion": 1, "eventSubscriptions": 0, "authentication": authentication,
        });
        remote.say(1, &identify);
        remote.hear(2);
        remote
    }

    fn say(&mut self, op: u64, data: &Value) {
        let text = json!({ "op": op, "d": data }).to_string();
        self.socket.send(Message::text(text)).unwrap();
    }

    fn hear(&mut self, op: u64) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                let mut message: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(message["op"], op, "{message}");
                return message["d"].take();
            }
        }
    }

    fn ask(&mut self, kind: &str, data: Value) -> Value {
        let request = json!({ "requestType": kind, "requestId": "1", "requestData": data });
        self.say(6, &request);
        let mut answer = self.hear(7);
        assert_eq!(answer["requestStatus"]["result"], true, "{kind}: {answer}");
        answer["responseData"].take()
    }

    pub fn version(&mut self) -> String {
        self.ask("GetVersion", json!({}))["obsVersion"].as_str().unwrap().to_owned()
    }

    /// The scene that is on air.
    pub fn scene(&mut self) -> String {
        let scene = self.ask("GetCurrentProgramScene", json!({}));
        scene["currentProgramSceneName"].as_str().unwrap().to_owned()
    }

    /// Chooses a scene, as somebody does by hand.
    pub fn choose(&mut self, scene: &str) {
        self.ask("SetCurrentProgramScene", json!({ "sceneName": scene }));
    }

    /// Whether an item of a scene or group is to be seen.
    pub fn is_shown(&mut self, scene: &str, item: u64) -> bool {
        let item = json!({ "sceneName": scene, "sceneItemId": item });
        self.ask("GetSceneItemEnabled", item)["sceneItemEnabled"].as_bool().unwrap()
    }

    /// A picture of a scene as OBS draws it.
    pub fn picture(&mut self, scene: &str) -> String {
        let wish = json!({ "sourceName": scene, "imageFormat": "png", "imageWidth": 32 });
        self.ask("GetSourceScreenshot", wish)["imageData"].as_str().unwrap().to_owned()
    }
}

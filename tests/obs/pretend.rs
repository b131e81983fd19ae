//! A pretend OBS. It speaks obs-websocket 5's handshake and answers its requests as OBS 28 to 30.1 do
//! (later ones say more), and remembers what it was asked.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

use super::common::{loopback, wait_until};

pub const PASSWORD: &str = "open sesame";
const SALT: &str = "salt+of/obs=";
const CHALLENGE: &str = "challenge+of/obs=";

/// `base64(sha256(base64(sha256(password + salt)) + challenge))`, as Python's hashlib says.
const AUTHENTICATION: &str = "MMl2Kf1UWQlwva2LqmaooEVHFfCmIFDlN0R+2BSj4Xo=";

/// What obs-websocket hangs up with when the password is wrong.
const AUTHENTICATION_FAILED: u16 = 4009;

/// Where the source `Melee` is: scene or group, and number. `Main` has it twice.
const ITEMS: [(&str, i64); 3] = [("Main", 3), ("Main", 5), ("Frame", 9)];

/// A pretend OBS with the scenes `Main` and `Other`, and a group `Frame`.
pub struct Obs {
    address: SocketAddr,
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

/// A port of this computer where nobody listens until [`Obs::at`] does: who connects is refused, and no
/// other program can have it.
pub fn reserve() -> (Socket, SocketAddr) {
    let place = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    place.bind(&loopback().into()).unwrap();
    let address = place.local_addr().unwrap().as_socket().unwrap();
    (place, address)
}

impl Obs {
    pub fn at(place: Socket, wants_password: bool) -> Self {
        place.listen(16).unwrap();
        let listener = TcpListener::from(place);
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { wants_password, ..Shared::default() });
        let known = shared.clone();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let known = known.clone();
                known.connections.lock().unwrap().push(stream.try_clone().unwrap());
                thread::spawn(move || serve(stream, &known));
            }
        });
        Self { address, shared }
    }

    pub fn new() -> Self {
        Self::at(reserve().0, true)
    }

    pub fn without_password() -> Self {
        Self::at(reserve().0, false)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many times the password was wrong.
    pub fn refused(&self) -> usize {
        *self.shared.refused.lock().unwrap()
    }

    /// What it was asked to change.
    pub fn changes(&self) -> Vec<Value> {
        self.shared.changes.lock().unwrap().clone()
    }

    /// Waits until so many changes were asked for; the newest of them.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Value {
        wait_until(&format!("OBS is told {count} things"), || self.changes().len() >= count);
        assert_eq!(self.changes().len(), count, "{:#?}", self.changes());
        self.changes().pop().unwrap()
    }

    /// As if OBS ended: it hangs up on everyone.
    pub fn hang_up(&self) {
        for stream in self.shared.connections.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

type Client = WebSocket<TcpStream>;

fn say(socket: &mut Client, op: u8, data: Value) -> tungstenite::Result<()> {
    socket.send(Message::text(json!({ "op": op, "d": data }).to_string()))
}

/// The next message's `op` and `d`; none when the other side is gone.
fn hear(socket: &mut Client) -> Option<(u64, Value)> {
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
pub fn everywhere(is_visible: bool) -> Vec<Value> {
    ITEMS.iter().map(|(scene, id)| json!([scene, id, is_visible])).collect()
}

//! What the tests of the control plane share: a server with an engine behind it, and a client that
//! says exactly what it is told to.
//!
//! [`Desk::open`] is the only place that knows which engine that is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use andross::config::HttpConfig;
use andross::control::{HttpServer, News};
use andross::engine::{Change, Event};
use andross::shutdown::{Reason, Shutdown};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::broadcast;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use super::fake_engine;

/// A test that waits longer than this for anything has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const TOKEN: &str = "a-token-of-24-characters";

/// A server, its engine and a folder of saved games.
pub struct Desk {
    pub address: SocketAddr,
    pub folder: TempDir,
    pub shutdown: Shutdown,
    pub events: broadcast::Sender<Event>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {:?}", self.head, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Checks that this is an error in the form of the API.
    #[track_caller]
    pub fn is_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json()["code"].as_str()), (status, Some(code)), "{self:?}");
        assert!(self.json()["message"].as_str().is_some_and(|message| message.contains(' ')));
    }
}

impl Desk {
    /// A server on loopback without a token.
    pub fn new() -> Self {
        Self::open(|_, _| {})
    }

    /// A server whose changes need [`TOKEN`].
    pub fn with_token() -> Self {
        Self::open(|config, folder| {
            let path = folder.path().join("token.txt");
            std::fs::write(&path, TOKEN).unwrap();
            config.token_file = Some(path);
        })
    }

    pub fn open(tweak: impl FnOnce(&mut HttpConfig, &TempDir)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = HttpConfig { listen: ([127, 0, 0, 1], 0).into(), ..HttpConfig::default() };
        tweak(&mut config, &folder);
        let replays = folder.path().join("replays");
        std::fs::create_dir(&replays).unwrap();
        let shutdown = Shutdown::new();
        let (engine, events) = fake_engine::start(&shutdown);
        let server =
            HttpServer::bind(&config, engine, Some(replays), News::none(), shutdown.clone())
                .unwrap();
        let mut address = server.address();
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        let thread = std::thread::Builder::new().name("http".into());
        let thread = Some(thread.spawn(move || server.run()).unwrap());
        Self { address, folder, shutdown, events, thread }
    }

    /// Puts a game into the folder.
    pub fn save(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join("replays").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], None)
    }

    /// Sends JSON, with no more than needs to be said.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        self.call(method, path, &[("Content-Type", "application/json")], Some(body.as_bytes()))
    }

    /// Sends a request with these headers beside Host, which one of them may replace.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        self.raw(&[head.as_bytes(), body.unwrap_or_default()].concat())
    }

    /// Sends bytes and reads until the server hangs up.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may answer and hang up before all is sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let mut scratch = [0; 16 * 1024];
        loop {
            match stream.read(&mut scratch) {
                Ok(0) => break,
                Ok(read) => answer.extend_from_slice(&scratch[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("no answer: {error}"),
            }
        }
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer but {answer:?}"));
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    /// Follows the changes.
    pub fn follow(&self) -> Follower {
        self.try_follow(&[]).unwrap()
    }

    pub fn try_follow(&self, headers: &[(&'static str, &str)]) -> tungstenite::Result<Follower> {
        let url = format!("ws://{}/api/events", self.address);
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Follower { socket }),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("the handshake hangs"),
        }
    }

    /// Tells everybody of a change with this number.
    pub fn tell(&self, seq: u64, change: Change) {
        let _ = self.events.send(Event { seq, change });
    }

    /// Ends the server and waits for that.
    pub fn end(mut self) {
        self.shutdown.request(Reason::Finished);
        self.thread.take().unwrap().join().unwrap();
    }

    pub fn wait_for_end(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.request(Reason::Finished);
    }
}

/// A client of `/api/events`.
pub struct Follower {
    pub socket: WebSocket<TcpStream>,
}

impl Follower {
    /// The next message that says something; none when the server has said goodbye.
    pub fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) => return None,
                Ok(_) => {}
                Err(error) => panic!("nothing comes any more: {error}"),
            }
        }
    }

    /// The next message, which is of this type.
    #[track_caller]
    pub fn expect(&mut self, kind: &str) -> Value {
        let message = self.next().expect("the server has said goodbye");
        assert_eq!(message["type"], kind, "{message}");
        message
    }
}

//! A client of control calls that says exactly what it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use super::PATIENCE;

/// The relay's token, where a test wants one.
pub const TOKEN: &str = "a-token-of-24-characters";

/// Where calls go.
pub struct Http {
    pub address: SocketAddr,
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

    /// Checks that it went well, and returns what it says.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.head, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that this is an error in the form of the API.
    #[track_caller]
    pub fn is_error(&self, status: u16, code: &str) {
        let said = format!("{} {}", self.head, self.text());
        assert_eq!((self.status, self.json()["code"].as_str()), (status, Some(code)), "{said}");
        assert!(self.json()["message"].as_str().is_some_and(|message| message.contains(' ')));
    }
}

impl Http {
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], None)
    }

    /// Sends JSON, with no more than needs to be said.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        self.call(method, path, &[("Content-Type", "application/json")], Some(body.as_bytes()))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &[], None)
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
            Ok((socket, _)) => Ok(Follower { socket, state: Value::Null, seq: 0 }),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("the handshake hangs"),
        }
    }
}

/// A client of `/api/events` that keeps the state as the changes tell it.
pub struct Follower {
    pub socket: WebSocket<TcpStream>,
    /// `GET /api/status`, as far as was told.
    pub state: Value,
    /// The number of the last change in it.
    seq: u64,
}

impl Follower {
    /// The next message; none when the server has said goodbye. Changes must follow one another
    /// without a gap.
    pub fn next(&mut self) -> Option<Value> {
        let message: Value = loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => break serde_json::from_str(&text).unwrap(),
                Ok(Message::Close(_)) => return None,
                Ok(_) => {}
                Err(error) => panic!("nothing comes any more: {error}"),
            }
        };
        if message["type"] == "state" {
            self.state = message["status"].clone();
            self.seq = self.state["seq"].as_u64().unwrap();
            return Some(message);
        }
        assert!(!self.state.is_null(), "the state comes first, not {message}");
        assert_eq!(message["seq"].as_u64(), Some(self.seq + 1), "a change is missing: {message}");
        self.seq += 1;
        self.apply(&message);
        Some(message)
    }

    fn apply(&mut self, message: &Value) {
        self.state["seq"] = self.seq.into();
        match message["type"].as_str().unwrap() {
            "station" => replace(&mut self.state["stations"], "id", &message["station"]),
            "stationRemoved" => remove(&mut self.state["stations"], "id", &message["id"]),
            "program" => self.state["program"] = message["program"].clone(),
            "discovered" => replace(&mut self.state["discovered"], "mac", &message["console"]),
            "forgotten" => remove(&mut self.state["discovered"], "mac", &message["mac"]),
            "shutdown" => {}
            other => panic!("what is a {other}?"),
        }
    }

    /// Reads on until a message of this type.
    #[track_caller]
    pub fn expect(&mut self, kind: &str) -> Value {
        self.until(kind, |message| message["type"] == kind)
    }

    /// Reads on until a message that is what the test waits for.
    #[track_caller]
    pub fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next();
            let message =
                message.unwrap_or_else(|| panic!("the server says goodbye before {what}"));
            if is_it(&message) {
                return message;
            }
        }
    }

    /// Reads on until everything up to this change is in the state.
    pub fn read_to(&mut self, seq: u64) {
        while self.seq < seq {
            self.next().expect("the server says goodbye before that change");
        }
    }
}

fn replace(list: &mut Value, key: &str, with: &Value) {
    let list = list.as_array_mut().unwrap();
    match list.iter_mut().find(|one| one[key] == with[key]) {
        Some(one) => *one = with.clone(),
        None => list.push(with.clone()),
    }
}

fn remove(list: &mut Value, key: &str, gone: &Value) {
    list.as_array_mut().unwrap().retain(|one| one[key] != *gone);
}

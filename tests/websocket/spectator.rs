//! A spectator that comes over HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use andross::config::{HttpConfig, RelayConfig};
use andross::slp::{EventCode, Scanner};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use super::common::{PATIENCE, Venue, loopback};

/// Lets a relay answer HTTP.
pub fn with_http(config: &mut RelayConfig) {
    config.http = Some(HttpConfig { listen: loopback(), ..HttpConfig::default() });
}

/// Where it does.
pub fn http(venue: &Venue) -> SocketAddr {
    venue.relay.http().unwrap()
}

/// Opens a WebSocket.
pub fn open(
    at: SocketAddr,
    path: &str,
    headers: &[(&'static str, &str)],
) -> tungstenite::Result<WebSocket<TcpStream>> {
    let mut request = format!("ws://{at}{path}").into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
        Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("the handshake hangs"),
    }
}

/// The status with which a WebSocket is refused.
pub fn refused(at: SocketAddr, path: &str, headers: &[(&'static str, &str)]) -> u16 {
    match open(at, path, headers) {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{path}: {error}"),
        Ok(_) => panic!("{path} is not refused"),
    }
}

/// Reads what a GET is answered, to the end; headers and body.
pub fn get(at: SocketAddr, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head, answer[end + 4..].to_vec())
}

/// A spectator of the event bytes.
pub struct Spectator {
    socket: WebSocket<TcpStream>,
    /// All event bytes so far.
    pub data: Vec<u8>,
    pub messages: Vec<Vec<u8>>,
    /// Knows the sizes of the first game.
    pub scanner: Scanner,
}

impl Spectator {
    #[track_caller]
    pub fn open(venue: &Venue, path: &str) -> Self {
        let socket = open(http(venue), path, &[]).unwrap();
        Self { socket, data: Vec::new(), messages: Vec::new(), scanner: Scanner::new() }
    }

    /// Where it connects from.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    /// Reads one message that says something; false when the relay said goodbye.
    pub fn try_read(&mut self) -> bool {
        loop {
            match self.socket.read() {
                Ok(Message::Binary(message)) => {
                    assert!(!message.is_empty(), "a message that says nothing");
                    if self.data.is_empty() {
                        self.scanner.next(&message).unwrap().expect("a game begins a message");
                    }
                    self.data.extend_from_slice(&message);
                    self.messages.push(message.to_vec());
                    return true;
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) => return false,
                Ok(other) => panic!("unexpected: {other:?}"),
                Err(error) => panic!("nothing comes any more: {error}"),
            }
        }
    }

    #[track_caller]
    pub fn read_message(&mut self) {
        assert!(self.try_read(), "the relay said goodbye");
    }

    #[track_caller]
    pub fn read_bytes(&mut self, len: usize) {
        while self.data.len() < len {
            self.read_message();
        }
    }

    /// Reads until Game End.
    pub fn read_until_end(&mut self) {
        let mut scanner = Scanner::new();
        loop {
            self.read_message();
            let mut rest = &self.messages[self.messages.len() - 1][..];
            while let Some(event) = scanner.take(&mut rest).unwrap() {
                if event.code() == EventCode::GAME_END {
                    return;
                }
            }
        }
    }
}

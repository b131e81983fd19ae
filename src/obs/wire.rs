//! The obs-websocket 5 protocol: the handshake, and requests one at a time.
//!
//! Messages are JSON texts `{"op": .., "d": ..}` (obs-websocket, `docs/generated/protocol.md`):
//!
//! ```text
//! OBS                                                            andross
//!  │ ── 0 Hello: rpcVersion, authentication {challenge, salt} ────▶ │
//!  │ ◀─────────── 1 Identify: rpcVersion, authentication, no events │
//!  │ ── 2 Identified ─────────────────────────────────────────────▶ │
//!  │ ◀───────────────── 6 Request: requestType, requestId, its data │
//!  │ ── 7 RequestResponse: requestId, requestStatus, its data ────▶ │
//! ```
//!
//! Only fields that every OBS since 28 sends are looked at.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::config::ObsAddress;

/// The version of requests and answers that is spoken here; there is no other so far.
const RPC_VERSION: u64 = 1;

/// The most bytes of a message that are taken. The longest is the list of scenes: some 100 bytes each.
const MAX_MESSAGE: usize = 1024 * 1024;

/// What obs-websocket hangs up with when the password is wrong or missing.
const AUTHENTICATION_FAILED: u16 = 4009;

const HELLO: u64 = 0;
const IDENTIFY: u64 = 1;
const IDENTIFIED: u64 = 2;
const REQUEST: u64 = 6;
const RESPONSE: u64 = 7;

/// Why nothing more is to be had from OBS.
#[derive(Debug, Error)]
pub(super) enum WireError {
    /// Nobody listens there.
    #[error("{0}")]
    Connect(#[from] std::io::Error),
    /// The password is wrong, or there is none.
    #[error("the password is wrong")]
    Password,
    /// It hung up.
    #[error("it hung up")]
    HungUp,
    /// Not WebSocket as it should be.
    #[error("{0}")]
    WebSocket(tungstenite::Error),
    /// It is not obs-websocket 5.
    #[error("it does not speak obs-websocket 5")]
    NotObs,
}

impl From<tungstenite::Error> for WireError {
    fn from(error: tungstenite::Error) -> Self {
        use tungstenite::Error::{AlreadyClosed, ConnectionClosed, Io, Protocol};
        use tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
        match error {
            ConnectionClosed | AlreadyClosed | Io(_) => Self::HungUp,
            Protocol(ResetWithoutClosingHandshake) => Self::HungUp,
            error => Self::WebSocket(error),
        }
    }
}

/// OBS did not do what it was asked for: why, in its words.
pub(super) type Refused = String;

/// A connection to OBS, greeted.
pub(super) struct Wire {
    socket: WebSocketStream<TcpStream>,
    /// The id of the last request.
    asked: u64,
}

impl Wire {
    /// Connects and shows the password, if there is one and OBS wants one.
    ///
    /// # Errors
    /// [`WireError`]
    pub(super) async fn connect(
        address: &ObsAddress,
        password: Option<&str>,
    ) -> Result<Self, WireError> {
        let stream = TcpStream::connect((host_name(&address.host), address.port)).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let url = format!("ws://{address}/");
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        let mut wire = Self { socket, asked: 0 };
        let hello = wire.hear(HELLO).await?;
        wire.say(IDENTIFY, identify(&hello, password)).await?;
        wire.hear(IDENTIFIED).await?;
        Ok(wire)
    }

    /// Asks for something; what is answered, null if that is nothing.
    ///
    /// # Errors
    /// [`WireError`]; that OBS refuses is none.
    pub(super) async fn ask(
        &mut self,
        kind: &str,
        data: Value,
    ) -> Result<Result<Value, Refused>, WireError> {
        self.asked += 1;
        let id = self.asked.to_string();
        self.say(REQUEST, json!({ "requestType": kind, "requestId": id, "requestData": data }))
            .await?;
        loop {
            let mut answer = self.hear(RESPONSE).await?;
            // One that nobody waited for any more may still come.
            if answer["requestId"] == *id {
                let status = &answer["requestStatus"];
                if status["result"] == true {
                    return Ok(Ok(answer["responseData"].take()));
                }
                let why = status["comment"].as_str().map(str::to_owned);
                return Ok(Err(why.unwrap_or_else(|| format!("code {}", status["code"]))));
            }
        }
    }

    /// Waits until OBS hangs up. Safe to give up waiting.
    pub(super) async fn ended(&mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    async fn say(&mut self, op: u64, data: Value) -> Result<(), WireError> {
        let text = json!({ "op": op, "d": data }).to_string();
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// Waits for a message of this kind; passes over others.
    async fn hear(&mut self, op: u64) -> Result<Value, WireError> {
        while let Some(message) = self.socket.next().await {
            match message? {
                Message::Text(text) => {
                    let message = serde_json::from_str::<Value>(&text);
                    let mut message = message.map_err(|_| WireError::NotObs)?;
                    match message["op"].as_u64() {
                        Some(heard) if heard == op => return Ok(message["d"].take()),
                        Some(_) => {}
                        None => return Err(WireError::NotObs),
                    }
                }
                Message::Close(Some(frame)) if u16::from(frame.code) == AUTHENTICATION_FAILED => {
                    return Err(WireError::Password);
                }
                _ => {}
            }
        }
        Err(WireError::HungUp)
    }
}

/// What andross says of itself: it wants no events.
fn identify(hello: &Value, password: Option<&str>) -> Value {
    let mut identify = json!({ "rpcVersion": RPC_VERSION, "eventSubscriptions": 0 });
    let wanted = &hello["authentication"];
    let (salt, challenge) = (wanted["salt"].as_str(), wanted["challenge"].as_str());
    if let (Some(password), Some(salt), Some(challenge)) = (password, salt, challenge) {
        identify["authentication"] = authentication(password, salt, challenge).into();
    }
    identify
}

/// Shows that one knows the password, without it.
fn authentication(password: &str, salt: &str, challenge: &str) -> String {
    let digest = |text: String| BASE64_STANDARD.encode(Sha256::digest(text));
    digest(digest(format!("{password}{salt}")) + challenge)
}

/// An IPv6 address stands in brackets only in front of a port.
fn host_name(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example is Python's: base64(sha256(base64(sha256(password + salt)) + challenge)).
    #[test]
    fn the_password_is_shown_only_where_it_is_wanted() {
        let hello = json!({ "authentication": {
            "salt": "salt+of/obs=", "challenge": "challenge+of/obs=",
        }});
        let shown = "MMl2Kf1UWQlwva2LqmaooEVHFfCmIFDlN0R+2BSj4Xo=";
        assert_eq!(identify(&hello, Some("open sesame"))["authentication"], shown);
        assert_eq!(identify(&hello, None)["authentication"], Value::Null);
        assert_eq!(identify(&json!({}), Some("open sesame"))["authentication"], Value::Null);
    }

    #[test]
    fn an_address_of_ipv6_has_brackets_or_none() {
        assert_eq!(["obs.local", "[::1]", "::1"].map(host_name), ["obs.local", "::1", "::1"]);
    }
}

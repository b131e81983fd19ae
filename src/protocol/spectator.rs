//! Dolphin's spectator protocol: one JSON object in each packet, in both directions.
//!
//! How the packets travel (ENet over UDP, all on channel 0) is none of this room's business. A
//! client says [`ConnectRequest`]; the server, silent until then, answers with
//! [`Message::ConnectReply`] and goes on with the messages of the stream. Cursors count those
//! messages; they grow from game to game.
//!
//! Sources: project-slippi/Ishiiruka and project-slippi/dolphin `SlippiSpectate.cpp`;
//! project-slippi/slippi-js `dolphinConnection.ts`; vladfi1/libmelee `slippstream.py`.

mod follower;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use follower::{Follower, Place, Step};

/// The UDP port that Dolphin listens on.
pub const PORT: u16 = 51441;

/// The channel that everything is sent on.
pub const CHANNEL: u8 = 0;

/// How many channels a connection has at Dolphin. Clients ask for 1, 2 or 3.
pub const CHANNELS: usize = 2;

/// The longest request that is looked at, in bytes. Real ones have some 40.
pub const MAX_REQUEST_LEN: usize = 1024;

/// The longest message that a server sends, in bytes: a batch with the longest possible event takes
/// some 120 KiB as base64.
pub const MAX_MESSAGE_LEN: usize = 256 * 1024;

/// A packet that holds no message of this protocol.
#[derive(Debug, Error)]
pub enum SpectatorError {
    /// More bytes than any message has.
    #[error("a packet of {0} bytes is too long for a message")]
    TooLong(usize),
    /// No JSON, or other fields than the message has.
    #[error("not a message: {0}")]
    Json(#[from] serde_json::Error),
    /// The event bytes are no base64.
    #[error("the payload is no base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// What a client says first: where it wants to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectRequest {
    /// The message wanted next; 0 from a client that was never connected.
    pub cursor: u64,
}

impl ConnectRequest {
    /// The packet.
    pub fn encode(self) -> Vec<u8> {
        format!("{{\"type\":\"connect_request\",\"cursor\":{}}}", self.cursor).into_bytes()
    }

    /// Reads a packet from a client. `None` if it says something else, which Dolphin passes over in
    /// silence, too.
    ///
    /// # Errors
    /// If the packet is no such message.
    pub fn decode(packet: &[u8]) -> Result<Option<Self>, SpectatorError> {
        if packet.len() > MAX_REQUEST_LEN {
            return Err(SpectatorError::TooLong(packet.len()));
        }
        Ok(match serde_json::from_slice(packet)? {
            Said::ConnectRequest { cursor } => Some(Self { cursor }),
            Said::Other => None,
        })
    }
}

/// A client's words, as JSON has them.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectRequest {
        cursor: u64,
    },
    #[serde(other)]
    Other,
}

/// What a server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// The answer to a request.
    ConnectReply {
        /// What the console is called.
        nick: String,
        /// The version of what runs the game.
        version: String,
        /// The message that comes next; it may be another than the one asked for.
        cursor: u64,
    },
    /// A game begins. Cursors are 0 from Dolphins before they counted this message.
    StartGame {
        /// This message's number.
        cursor: u64,
        /// The next one's.
        next_cursor: u64,
    },
    /// A batch of event bytes.
    GameEvent {
        /// This message's number.
        cursor: u64,
        /// The next one's.
        next_cursor: u64,
        /// Whole events. Empty from old Dolphins that close.
        payload: Vec<u8>,
    },
    /// The game is over. Cursors are 0 from Dolphins before they counted this message.
    EndGame {
        /// This message's number.
        cursor: u64,
        /// The next one's.
        next_cursor: u64,
        /// Nothing more will come: clients hang up.
        dolphin_closed: bool,
    },
    /// The state of a menu, between games; the newest is all that counts.
    MenuEvent {
        /// The event's bytes.
        payload: Vec<u8>,
    },
    /// Something that this program does not know.
    Unknown,
}

/// A server's words, as JSON has them.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Written {
    ConnectReply {
        nick: String,
        version: String,
        cursor: u64,
    },
    StartGame {
        #[serde(default)]
        cursor: u64,
        #[serde(default)]
        next_cursor: u64,
    },
    GameEvent {
        cursor: u64,
        next_cursor: u64,
        #[serde(default)]
        payload: String,
    },
    EndGame {
        #[serde(default)]
        cursor: u64,
        #[serde(default)]
        next_cursor: u64,
        #[serde(default)]
        dolphin_closed: bool,
    },
    MenuEvent {
        #[serde(default)]
        payload: String,
    },
    #[serde(other)]
    Unknown,
}

impl Message {
    /// The packet.
    pub fn encode(&self) -> Vec<u8> {
        let written = match self {
            Self::ConnectReply { nick, version, cursor } => Written::ConnectReply {
                nick: nick.clone(),
                version: version.clone(),
                cursor: *cursor,
            },
            &Self::StartGame { cursor, next_cursor } => Written::StartGame { cursor, next_cursor },
            Self::GameEvent { cursor, next_cursor, payload } => {
                return encode_game_event(*cursor, *next_cursor, payload);
            }
            &Self::EndGame { cursor, next_cursor, dolphin_closed } => {
                Written::EndGame { cursor, next_cursor, dolphin_closed }
            }
            Self::MenuEvent { payload } => Written::MenuEvent { payload: STANDARD.encode(payload) },
            Self::Unknown => Written::Unknown,
        };
        // Maps with text as keys, numbers and text: JSON has all of them.
        ascii(&serde_json::to_string(&written).unwrap_or_default()).into_bytes()
    }

    /// Reads a packet from a server. Packets without a byte are none of its messages: clients pass
    /// over them.
    ///
    /// # Errors
    /// If the packet is no message.
    pub fn decode(packet: &[u8]) -> Result<Self, SpectatorError> {
        if packet.len() > MAX_MESSAGE_LEN {
            return Err(SpectatorError::TooLong(packet.len()));
        }
        Ok(match serde_json::from_slice(packet)? {
            Written::ConnectReply { nick, version, cursor } => {
                Self::ConnectReply { nick, version, cursor }
            }
            Written::StartGame { cursor, next_cursor } => Self::StartGame { cursor, next_cursor },
            Written::GameEvent { cursor, next_cursor, payload } => {
                Self::GameEvent { cursor, next_cursor, payload: STANDARD.decode(payload)? }
            }
            Written::EndGame { cursor, next_cursor, dolphin_closed } => {
                Self::EndGame { cursor, next_cursor, dolphin_closed }
            }
            Written::MenuEvent { payload } => {
                Self::MenuEvent { payload: STANDARD.decode(payload)? }
            }
            Written::Unknown => Self::Unknown,
        })
    }
}

/// A batch of event bytes as a packet, without a copy in between: it is done 60 times a second for
/// each station.
pub fn encode_game_event(cursor: u64, next_cursor: u64, payload: &[u8]) -> Vec<u8> {
    /// What stands around the payload, with the longest numbers.
    const AROUND: usize = 120;
    let mut text = String::with_capacity(AROUND + payload.len().div_ceil(3) * 4);
    // Writing to a string cannot fail.
    let _ = write!(text, "{{\"type\":\"game_event\",\"cursor\":{cursor},");
    let _ = write!(text, "\"next_cursor\":{next_cursor},\"payload\":\"");
    STANDARD.encode_string(payload, &mut text);
    text.push_str("\"}");
    text.into_bytes()
}

/// The same JSON with other characters than ASCII's spelled as escapes: slippi-js reads packets as
/// ASCII.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

#[cfg(test)]
mod tests;

//! The console protocol, TCP port 51441: a u32 big-endian length, then one UBJSON object.
//!
//! What is encoded here is the console's own byte layout (and slippi-js's for the client's
//! handshake), because both ends read parts of it at fixed offsets. What is decoded may use any
//! UBJSON integer.

mod handshake;
mod notice;

use std::borrow::Cow;

use byteorder::{BigEndian, ByteOrder};
use bytes::Bytes;
use thiserror::Error;

use super::{ClientToken, Cursor};
use crate::slp::ubjson::{self, Reader, UbjsonError, Value};

pub use handshake::Handshake;
pub use notice::RelayNotice;

/// The TCP port of a console.
pub const PORT: u16 = 51441;

/// Bytes of the length in front of every message.
pub const LENGTH_PREFIX: usize = 4;

/// The longest handshake a console reads, in bytes of its body; beyond, it hangs up
/// (`CLIENT_MSG_BUF_SIZE`).
pub const MAX_HANDSHAKE_LEN: usize = 1024;

/// The most event bytes that a console puts into one Replay message (`MAX_TX_SIZE`).
pub const MAX_REPLAY_DATA: usize = 25_000;

/// The longest message body taken from a console. Real ones stay below 25,500 bytes
/// (`REPLAY_MSG_BUF_SIZE`); the room above is for a relay that must pass on the longest possible
/// event in one message.
pub const MAX_MESSAGE_LEN: usize = 128 * 1024;

/// The longest nickname or version that is taken from a message; what is beyond is dropped. A console's
/// nickname has 32 bytes at most. A relay passes both on, to every spectator and to relays whose
/// messages must not become too long by it.
pub const MAX_TEXT_LEN: usize = 128;

/// A console sends a keep-alive after this many milliseconds without other traffic.
pub const KEEP_ALIVE_MS: u64 = 500;

/// A console waits this many milliseconds for a client's handshake (`HANDSHAKE_TIMEOUT_MS`).
pub const HANDSHAKE_TIMEOUT_MS: u64 = 5_000;

/// The keep-alive message, length included: `{type: 3}`.
pub const KEEP_ALIVE: [u8; 14] = *b"\0\0\0\x0a{i\x04typeU\x03}";

/// Offset of the `forcePos` marker, `T` or `F`, in an encoded Replay message, length included.
pub const FORCE_POS_AT: usize = 75;

const TYPE_HANDSHAKE: u8 = 1;
const TYPE_REPLAY: u8 = 2;
const TYPE_KEEP_ALIVE: u8 = 3;

/// The keys of a notice's tokens, 4 bytes each, and path, 8 bytes for each station.
const TOKENS: &str = "tokens";
const PATH: &str = "path";

/// Relays that may lie between a spectator and the console: far more than any venue chains, and an
/// end to a loop in which somebody does not know its own name.
pub const MAX_HOPS: usize = 16;

/// Tokens of one position space that are remembered. Each reconnect behind another client's back
/// makes one; a handful covers an evening.
pub const MAX_TOKENS: usize = 16;

/// Bytes that a message or handshake cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ConsoleError {
    /// The length in front of a message is beyond the limit.
    #[error("a message of {len} bytes is announced; the limit is {limit}")]
    TooLong {
        /// The announced length in bytes.
        len: u32,
        /// The limit that holds here.
        limit: usize,
    },
    /// The body is not UBJSON.
    #[error(transparent)]
    Ubjson(#[from] UbjsonError),
    /// A field is missing or of another kind than it must be.
    #[error("the message has no usable `{0}`")]
    Field(&'static str),
    /// A Replay message whose `nextPos` is not `pos` plus the length of its data.
    #[error("a Replay message's nextPos does not fit its data")]
    Positions,
}

/// Cuts the first message off `input`: its body, without the length. `None` if it is not all there;
/// the message then takes `LENGTH_PREFIX + body.len()` bytes.
///
/// # Errors
/// [`ConsoleError::TooLong`] if more than `limit` bytes are announced.
pub fn split_message(input: &[u8], limit: usize) -> Result<Option<&[u8]>, ConsoleError> {
    let Some((prefix, rest)) = input.split_first_chunk::<LENGTH_PREFIX>() else {
        return Ok(None);
    };
    let len = BigEndian::read_u32(prefix);
    match usize::try_from(len) {
        Ok(wanted) if wanted <= limit => Ok(rest.get(..wanted)),
        _ => Err(ConsoleError::TooLong { len, limit }),
    }
}

/// The console's answer to a handshake: type 1, from console to client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandshakeReply<'a> {
    /// The console's nickname, in the bytes its settings hold.
    pub nick: Cow<'a, [u8]>,
    /// Version of Nintendont.
    pub version: Cow<'a, [u8]>,
    /// The token to show when coming back.
    pub token: ClientToken,
    /// Where the console will start. May differ from what was asked for.
    pub pos: Cursor,
}

impl HandshakeReply<'_> {
    /// The message in the console's layout, length included.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = begin(TYPE_HANDSHAKE);
        begin_payload(&mut out);
        ubjson::write_key(&mut out, "nick");
        ubjson::write_text(&mut out, &self.nick);
        ubjson::write_key(&mut out, "nintendontVersion");
        ubjson::write_text(&mut out, &self.version);
        ubjson::write_key(&mut out, "clientToken");
        ubjson::write_bytes(&mut out, &self.token.0.to_be_bytes());
        ubjson::write_key(&mut out, "pos");
        ubjson::write_bytes(&mut out, &self.pos.0.to_be_bytes());
        out.extend(b"}}");
        finish(&mut out);
        out
    }
}

/// A piece of the event stream: type 2, from console to client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replay<'a> {
    /// Position of the first byte of `data`.
    pub pos: Cursor,
    /// The client must go on here although it did not expect it: bytes were lost, or the positions
    /// began anew.
    pub force_pos: bool,
    /// Whole events of one game.
    pub data: &'a [u8],
}

impl Replay<'_> {
    /// The position behind the data, sent as `nextPos`.
    pub fn next_pos(&self) -> Cursor {
        self.pos.plus(self.data.len())
    }

    /// The message in the console's layout, length included, and the offset of the data in it.
    pub fn encode(&self) -> (Bytes, usize) {
        // 106 bytes are around the data when its length takes a `l`.
        let mut out = Vec::with_capacity(self.data.len() + 106);
        begin_into(&mut out, TYPE_REPLAY);
        begin_payload(&mut out);
        ubjson::write_key(&mut out, "pos");
        ubjson::write_bytes(&mut out, &self.pos.0.to_be_bytes());
        ubjson::write_key(&mut out, "nextPos");
        ubjson::write_bytes(&mut out, &self.next_pos().0.to_be_bytes());
        ubjson::write_key(&mut out, "forcePos");
        out.push(if self.force_pos { b'T' } else { b'F' });
        ubjson::write_key(&mut out, "data");
        ubjson::write_bytes_header(&mut out, self.data.len());
        let data_at = out.len();
        out.extend(self.data);
        out.extend(b"}}");
        finish(&mut out);
        (out.into(), data_at)
    }
}

/// What a console says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message<'a> {
    /// The answer to the handshake.
    Reply(HandshakeReply<'a>),
    /// A piece of the event stream.
    Replay(Replay<'a>),
    /// The console is there and has nothing to say.
    KeepAlive,
    /// A keep-alive from a relay to a relay.
    Notice(RelayNotice<'a>),
    /// A type that no source of this protocol names; to be ignored, as slippi-js does.
    Unknown(i64),
}

impl<'a> Message<'a> {
    /// Decodes the body of a message, as the console, a relay or slippi-js encodes it.
    ///
    /// # Errors
    /// If the body is not UBJSON or lacks what its type needs.
    pub fn decode(body: &'a [u8]) -> Result<Self, ConsoleError> {
        let mut reader = Reader::new(body);
        reader.begin_object()?;
        let mut kind = None;
        let mut fields = Fields::default();
        while let Some(key) = reader.key()? {
            match key {
                b"type" => kind = reader.value()?.as_int(),
                b"payload" => fields = Fields::read(&mut reader)?,
                _ => drop(reader.value()?),
            }
        }
        match kind.ok_or(ConsoleError::Field("type"))? {
            1 => fields.reply().map(Message::Reply),
            2 => fields.replay().map(Message::Replay),
            3 => Ok(fields.notice().map_or(Message::KeepAlive, Message::Notice)),
            other => Ok(Message::Unknown(other)),
        }
    }
}

/// The members of a payload that any message has.
#[derive(Default)]
struct Fields<'a> {
    nick: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    token: Option<Value<'a>>,
    pos: Option<Value<'a>>,
    next_pos: Option<Value<'a>>,
    force_pos: bool,
    data: Option<&'a [u8]>,
    tokens: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, UbjsonError> {
        let mut fields = Self::default();
        reader.begin_object()?;
        while let Some(key) = reader.key()? {
            let value = reader.value()?;
            match (key, value) {
                (b"nick", Value::Text(nick)) => fields.nick = Some(bounded(nick)),
                (b"nintendontVersion", Value::Text(version)) => {
                    fields.version = Some(bounded(version));
                }
                (b"clientToken", token) => fields.token = Some(token),
                (b"pos", pos) => fields.pos = Some(pos),
                (b"nextPos", next_pos) => fields.next_pos = Some(next_pos),
                (b"forcePos", force_pos) => fields.force_pos = force_pos == Value::Bool(true),
                (b"data", Value::Bytes(data)) => fields.data = Some(data),
                (b"tokens", Value::Bytes(tokens)) => fields.tokens = Some(tokens),
                (b"path", Value::Bytes(path)) => fields.path = Some(path),
                _ => {}
            }
        }
        Ok(fields)
    }

    fn reply(self) -> Result<HandshakeReply<'a>, ConsoleError> {
        Ok(HandshakeReply {
            nick: Cow::Borrowed(self.nick.unwrap_or_default()),
            version: Cow::Borrowed(self.version.unwrap_or_default()),
            token: ClientToken(u32::from_be_bytes(byte_array(self.token.as_ref(), "clientToken")?)),
            pos: Cursor(u64::from_be_bytes(byte_array(self.pos.as_ref(), "pos")?)),
        })
    }

    /// A relay's notice; `None` for anything else, which is a plain keep-alive.
    fn notice(self) -> Option<RelayNotice<'a>> {
        Some(RelayNotice {
            nick: Cow::Borrowed(self.nick?),
            version: Cow::Borrowed(self.version?),
            tokens: notice::read_tokens(self.tokens?),
            path: notice::read_path(self.path?),
        })
    }

    fn replay(self) -> Result<Replay<'a>, ConsoleError> {
        let replay = Replay {
            pos: Cursor(u64::from_be_bytes(byte_array(self.pos.as_ref(), "pos")?)),
            force_pos: self.force_pos,
            data: self.data.ok_or(ConsoleError::Field("data"))?,
        };
        let next_pos = u64::from_be_bytes(byte_array(self.next_pos.as_ref(), "nextPos")?);
        // Saturating addition would hide a position at the end of u64.
        match replay.pos.0.checked_add(replay.data.len() as u64) {
            Some(next) if next == next_pos => Ok(replay),
            _ => Err(ConsoleError::Positions),
        }
    }
}

fn bounded(text: &[u8]) -> &[u8] {
    &text[..text.len().min(MAX_TEXT_LEN)]
}

/// A field of exactly `N` bytes: an optimised byte array, or an array of small integers as an
/// encoder without optimisation writes it.
fn byte_array<const N: usize>(
    value: Option<&Value<'_>>,
    field: &'static str,
) -> Result<[u8; N], ConsoleError> {
    let bytes = match value {
        Some(Value::Bytes(bytes)) => <[u8; N]>::try_from(*bytes).ok(),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| value.as_int().and_then(|n| u8::try_from(n).ok()))
            .collect::<Option<Vec<u8>>>()
            .and_then(|bytes| bytes.try_into().ok()),
        _ => None,
    };
    bytes.ok_or(ConsoleError::Field(field))
}

/// Whether a handshake reply begins at the start of a connection's bytes.
pub(super) enum ReplyStart {
    Yes,
    No,
    TooShort,
}

/// slippi-js compares bytes 4..13 with `{ i 4 "type" U 1`; an encoder that is not the console may
/// write the type as `i` or wider.
pub(super) fn reply_start(first: &[u8]) -> ReplyStart {
    const OPENING: &[u8] = b"{i\x04type";
    let body = first.get(LENGTH_PREFIX..).unwrap_or_default();
    let len = body.len().min(OPENING.len());
    if body[..len] != OPENING[..len] {
        return ReplyStart::No;
    }
    match body.get(OPENING.len()..) {
        None | Some([] | [_]) => ReplyStart::TooShort,
        Some([b'U' | b'i', 1, ..]) => ReplyStart::Yes,
        Some(_) => ReplyStart::No,
    }
}

fn begin(kind: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    begin_into(&mut out, kind);
    out
}

/// Room for the length, then `{type: kind`, the kind as `U` as the console writes it.
fn begin_into(out: &mut Vec<u8>, kind: u8) {
    out.extend([0; LENGTH_PREFIX]);
    out.push(b'{');
    ubjson::write_key(out, "type");
    out.extend([b'U', kind]);
}

fn begin_payload(out: &mut Vec<u8>) {
    ubjson::write_key(out, "payload");
    out.push(b'{');
}

/// Fills in the length that [`begin_into`] left room for.
fn finish(out: &mut [u8]) {
    let len = out.len().saturating_sub(LENGTH_PREFIX) as u32;
    BigEndian::write_u32(&mut out[..LENGTH_PREFIX], len);
}

#[cfg(test)]
mod tests;

//! The client's handshake.

use byteorder::{BigEndian, ByteOrder};

use super::{ConsoleError, TYPE_HANDSHAKE, byte_array, finish};
use crate::protocol::{ClientToken, Cursor, RelayId};
use crate::slp::ubjson::{self, Reader, Value};

/// The key of a relay's own member in its handshake.
const RELAY: &str = "relay";

/// What a client says first: type 1, from client to console.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Handshake {
    /// Where the client wants to go on; only means something together with a known token.
    pub cursor: Cursor,
    /// The token of the client's last connection, [`ClientToken::NONE`] at first.
    pub token: ClientToken,
    /// Asks the console to turn Nagle's algorithm off.
    pub realtime: bool,
    /// The client is a relay: it wants to hear by which way the stream comes and who the console is (see [`super::RelayNotice`]).
    pub relay: Option<RelayId>,
}

impl Handshake {
    /// Bytes of the handshake of a client that is no relay, length included.
    pub const ENCODED_LEN: usize = 83;

    /// The message as slippi-js 9.1.2 emits it, length included. The console reads fixed offsets,
    /// so no other layout will do. A relay's own member stands behind all of them, where the console
    /// reads nothing; the whole stays far below [`super::MAX_HANDSHAKE_LEN`].
    pub fn encode(&self) -> Vec<u8> {
        let mut out = b"\0\0\0\x4f{i\x04typei\x01i\x07payload{i\x06cursor[$U#i\x08........\
            i\x0bclientToken[$U#i\x04....i\x0aisRealtimeF"
            .to_vec();
        out[37..45].copy_from_slice(&self.cursor.0.to_be_bytes());
        out[64..68].copy_from_slice(&self.token.0.to_be_bytes());
        if self.realtime {
            out[80] = b'T';
        }
        if let Some(relay) = self.relay {
            ubjson::write_key(&mut out, RELAY);
            ubjson::write_bytes(&mut out, &relay.0.to_be_bytes());
        }
        out.extend(b"}}");
        finish(&mut out);
        out
    }

    /// Decodes the body of a handshake by its UBJSON, whatever layout the client chose.
    ///
    /// # Errors
    /// If it is not a handshake.
    pub fn decode(body: &[u8]) -> Result<Self, ConsoleError> {
        let message = Reader::new(body).value()?;
        if message.get("type").and_then(Value::as_int) != Some(TYPE_HANDSHAKE.into()) {
            return Err(ConsoleError::Field("type"));
        }
        let payload = message.get("payload").ok_or(ConsoleError::Field("payload"))?;
        Ok(Self {
            cursor: Cursor(u64::from_be_bytes(byte_array(payload.get("cursor"), "cursor")?)),
            token: ClientToken(u32::from_be_bytes(byte_array(
                payload.get("clientToken"),
                "clientToken",
            )?)),
            realtime: payload.get("isRealtime") == Some(&Value::Bool(true)),
            relay: byte_array(payload.get(RELAY), RELAY)
                .ok()
                .map(|id| RelayId(u64::from_be_bytes(id))),
        })
    }

    /// Reads the body as the console does: at fixed offsets, whatever stands there. `None` if byte
    /// 8 does not say that it is a handshake. Bytes that a short body lacks read as zero.
    pub fn read_at_fixed_offsets(body: &[u8]) -> Option<Self> {
        let mut at = [0; 77];
        let len = body.len().min(at.len());
        at[..len].copy_from_slice(&body[..len]);
        (at[8] == TYPE_HANDSHAKE).then(|| Self {
            cursor: Cursor(BigEndian::read_u64(&at[33..41])),
            token: ClientToken(BigEndian::read_u32(&at[60..64])),
            realtime: at[76] == b'T',
            relay: None,
        })
    }
}

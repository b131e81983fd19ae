//! What the bucket says of a station: its facts, and who publishes it.

use serde::{Deserialize, Serialize};

use super::message::{read_path, write_path};
use crate::protocol::RelayId;
use crate::protocol::console::MAX_TEXT_LEN;
use crate::session::{SourceState, Station};

/// The longest value that is looked at, in bytes: facts have some hundred.
const MAX_VALUE: usize = 16 * 1024;

/// A station's facts. They change with its console and when a game begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    /// What the station is called at its publisher.
    pub(super) name: String,
    /// The console's nickname, each byte as two hexadecimal digits: it need not be UTF-8.
    nick_bytes: String,
    /// The same for people.
    nick: String,
    /// Nintendont's version, likewise for people and programs.
    version: String,
    /// The tokens that name the present positions, the newest last, for people: edges learn them from
    /// messages, where it is sure which positions they name.
    tokens: Vec<String>,
    /// The stations that the stream comes through, the publisher's first.
    path: String,
    /// Whether the console's stream is on.
    pub(super) connected: bool,
    /// The stream sequence of the message in which the newest game begins.
    pub(super) game_start: Option<u64>,
}

impl Facts {
    /// What is known of `station` now.
    pub(super) fn of(station: &Station, game_start: Option<u64>) -> Self {
        let identity = station.identity();
        let mut path = vec![station.relay_id];
        path.extend(station.upstream());
        Self {
            name: station.name().to_string(),
            nick_bytes: identity.nick().iter().map(|byte| format!("{byte:02x}")).collect(),
            nick: String::from_utf8_lossy(identity.nick()).into_owned(),
            version: String::from_utf8_lossy(identity.version()).into_owned(),
            tokens: identity.tokens().iter().map(ToString::to_string).collect(),
            path: write_path(&path),
            connected: station.source() == SourceState::Connected,
            game_start,
        }
    }

    /// The value of a key; `None` if it is something else.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let facts: Self = read(value)?;
        let is_good = facts.version.len() <= MAX_TEXT_LEN
            && facts.nick_bytes.len() <= 2 * MAX_TEXT_LEN
            && facts.path().is_some();
        is_good.then_some(facts)
    }

    pub(super) fn nick(&self) -> Vec<u8> {
        let digits = self.nick_bytes.as_bytes().chunks(2);
        digits.filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
    }

    pub(super) fn version(&self) -> &[u8] {
        self.version.as_bytes()
    }

    pub(super) fn path(&self) -> Option<Vec<RelayId>> {
        read_path(&self.path)
    }
}

/// Who publishes a station. Written anew several times a second: one that stays the same is of a
/// publisher that is gone, whatever anybody's clock says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lease {
    /// The publishing station's id.
    pub(super) publisher: String,
    /// The publisher's address as NATS sees it, for people.
    pub(super) address: String,
    /// Whether the publisher has the console's stream.
    pub(super) connected: bool,
    /// Counts the writings.
    pub(super) beat: u64,
}

/// A value of the bucket, if it is one.
pub(super) fn read<T: serde::de::DeserializeOwned>(value: &[u8]) -> Option<T> {
    if value.len() > MAX_VALUE {
        return None;
    }
    serde_json::from_slice(value).ok()
}

/// As a value of the bucket.
pub(super) fn write<T: Serialize>(value: &T) -> bytes::Bytes {
    // Nothing in it can fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ClientToken;
    use crate::protocol::console::MAX_HOPS;
    use crate::session::StationId;

    #[test]
    fn facts_read_back_whatever_the_nick_is() {
        let station = Station::new(StationId(1), "Stream 1");
        station.update_identity(|identity| {
            identity.introduce(&[0x83, 0x4f, 0xff], b"1.9", ClientToken(7));
        });
        let facts = Facts::of(&station, Some(9));
        let read = Facts::read(&write(&facts)).unwrap();
        assert_eq!(read, facts);
        assert_eq!(read.nick(), [0x83, 0x4f, 0xff]);
        assert_eq!(read.tokens.last().map(String::as_str), Some("00000007"));
        assert_eq!(read.path(), Some(vec![station.relay_id]));
        assert!(!read.connected && read.game_start == Some(9));
    }

    #[test]
    fn what_makes_no_sense_is_no_fact() {
        assert_eq!(Facts::read(b""), None);
        assert_eq!(Facts::read(b"{}"), None);
        let station = Station::new(StationId(1), "x");
        let mut facts = Facts::of(&station, None);
        facts.nick = "x".repeat(MAX_VALUE);
        assert_eq!(Facts::read(&write(&facts)), None, "too long");
        facts.nick.clear();
        assert!(Facts::read(&write(&facts)).is_some());
        facts.path = write_path(&[RelayId(1); MAX_HOPS + 1]);
        assert_eq!(Facts::read(&write(&facts)), None, "too far away");
    }
}

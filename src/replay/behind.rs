//! What stands behind the events of a file: the metadata, or what is left of it.

use std::io::{self, Read, Seek, SeekFrom};

use thiserror::Error;

use crate::slp::Metadata;
use crate::slp::file::METADATA_KEY;
use crate::slp::metadata::{PlayerMetadata, RecordingNotes};
use crate::slp::ubjson::{Reader, UbjsonError, Value};

/// The longest metadata that is read, in bytes. Every known recorder writes less than 1 KiB; a
/// value decoded from hostile bytes takes some thirty times their room in memory.
pub const MAX_METADATA_LEN: usize = 64 * 1024;

/// Why metadata cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum MetadataError {
    /// The file ends inside it.
    #[error("the file ends inside it")]
    Cut,
    /// It is longer than [`MAX_METADATA_LEN`].
    #[error("it is longer than {MAX_METADATA_LEN} bytes")]
    TooLong,
    /// It is a value, but no object.
    #[error("it is no object")]
    NotAnObject,
    /// It is not UBJSON.
    #[error(transparent)]
    Ubjson(UbjsonError),
}

/// What stands behind the events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Behind {
    /// The end of the file.
    Nothing,
    /// `}` and the end of the file: complete, without metadata.
    Closed,
    /// The metadata element, readable.
    Metadata(Found),
    /// A metadata element that cannot be read, and what could be read of it.
    Unreadable(Metadata, MetadataError),
    /// Something else: the rest of an event, or bytes that are none.
    Other,
}

/// A metadata element that was read to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub metadata: Metadata,
    /// Bytes of the element: key and object.
    pub len: u64,
    /// Whether the `}` that ends the file's object follows.
    pub closed: bool,
    /// Bytes behind that.
    pub trailing: u64,
}

impl Behind {
    /// Reads what stands at `at` of an input of `input_len` bytes.
    pub fn read(input: &mut (impl Read + Seek), at: u64, input_len: u64) -> io::Result<Self> {
        input.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        // One byte more than the metadata: the `}` that ends the file's object.
        let limit = METADATA_KEY.len() + MAX_METADATA_LEN + 1;
        input.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Self::parse(&bytes, input_len.saturating_sub(at)))
    }

    /// Tells what begins with `bytes` and has `len` bytes up to the end of the file.
    fn parse(bytes: &[u8], len: u64) -> Self {
        if bytes.is_empty() {
            return Self::Nothing;
        }
        if bytes == b"}" && len == 1 {
            return Self::Closed;
        }
        let Some(object) = bytes.strip_prefix(&METADATA_KEY) else {
            return if METADATA_KEY.starts_with(bytes) {
                Self::Unreadable(Metadata::default(), MetadataError::Cut)
            } else {
                Self::Other
            };
        };
        let mut reader = Reader::new(object);
        let error = match reader.value() {
            Ok(Value::Object(members)) => {
                let closed = object.get(reader.position()) == Some(&b'}');
                let element = METADATA_KEY.len() + reader.position();
                let mut metadata = Metadata::default();
                for (key, value) in &members {
                    set(&mut metadata, key, value);
                }
                return Self::Metadata(Found {
                    metadata,
                    len: element as u64,
                    closed,
                    trailing: len.saturating_sub(element as u64 + u64::from(closed)),
                });
            }
            Ok(_) => MetadataError::NotAnObject,
            Err(UbjsonError::Truncated(_)) if len > bytes.len() as u64 => MetadataError::TooLong,
            Err(UbjsonError::Truncated(_)) => MetadataError::Cut,
            Err(error) => MetadataError::Ubjson(error),
        };
        Self::Unreadable(salvage(object), error)
    }
}

/// What can be read of metadata that cannot be read to its end. slippi-js counts the characters of
/// a nickname instead of its bytes: what it wrote before the nickname is good, and the nickname is
/// the last value before the error, one byte or more short.
fn salvage(object: &[u8]) -> Metadata {
    let mut reader = Reader::new(object);
    let mut metadata = Metadata::default();
    if reader.begin_object().is_err() {
        return metadata;
    }
    let mut last: Option<(&[u8], Value<'_>)> = None;
    while let Ok(Some(key)) = reader.key() {
        if let Some((key, value)) = last.take() {
            set(&mut metadata, key, &value);
        }
        let Ok(value) = reader.value() else {
            break;
        };
        last = Some((key, value));
    }
    metadata
}

/// Takes one member of the metadata; keys that nobody here needs are passed over.
fn set(metadata: &mut Metadata, key: &[u8], value: &Value<'_>) {
    match key {
        b"startAt" => metadata.start_at = value.as_text(),
        b"lastFrame" => metadata.last_frame = number(Some(value)),
        b"playedOn" => metadata.played_on = value.as_text(),
        b"consoleNick" => metadata.console_nick = value.as_text(),
        b"players" => {
            for (index, value) in value.members() {
                if let Some(index) = decimal(index) {
                    metadata.players.insert(index, player(value));
                }
            }
        }
        b"andross" => {
            metadata.recording = Some(RecordingNotes {
                gaps: number(value.get("gaps")).unwrap_or_default(),
                lost_bytes: number(value.get("lostBytes")).unwrap_or_default(),
                repaired: number(value.get("repaired")) == Some(1),
            });
        }
        _ => {}
    }
}

fn player(value: &Value<'_>) -> PlayerMetadata {
    let name = |key| value.get("names")?.get(key)?.as_text();
    let characters = value.get("characters").map_or(&[][..], Value::members);
    PlayerMetadata {
        characters: characters
            .iter()
            .filter_map(|(id, frames)| Some((decimal(id)?, number(Some(frames))?)))
            .collect(),
        netplay: name("netplay"),
        code: name("code"),
    }
}

/// A key that is a number, as those of players and characters are.
fn decimal(key: &[u8]) -> Option<u8> {
    std::str::from_utf8(key).ok()?.parse().ok()
}

fn number<T: TryFrom<i64>>(value: Option<&Value<'_>>) -> Option<T> {
    T::try_from(value?.as_int()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Behind {
        Behind::parse(bytes, bytes.len() as u64)
    }

    fn example() -> Metadata {
        Metadata {
            start_at: Some("2018-06-22T07:52:59Z".into()),
            last_frame: Some(5085),
            players: [(
                3,
                PlayerMetadata {
                    characters: [(7, 5209), (19, 1)].into(),
                    netplay: Some("マルス".into()),
                    code: Some("ABCD#0".into()),
                },
            )]
            .into(),
            played_on: Some("network".into()),
            console_nick: Some("Bühne 1".into()),
            recording: Some(RecordingNotes { gaps: 2, lost_bytes: 77, repaired: true }),
        }
    }

    #[test]
    fn metadata_reads_back_and_every_cut_of_it_is_told() {
        let encoded = example().encode();
        let expected =
            Found { metadata: example(), len: encoded.len() as u64 - 1, closed: true, trailing: 0 };
        assert_eq!(parse(&encoded), Behind::Metadata(expected.clone()));

        assert_eq!(parse(&[]), Behind::Nothing);
        for cut in 1..encoded.len() - 1 {
            let behind = parse(&encoded[..cut]);
            assert!(
                matches!(behind, Behind::Unreadable(_, MetadataError::Cut)),
                "cut at {cut}: {behind:?}"
            );
        }
        let not_closed = Found { closed: false, ..expected.clone() };
        assert_eq!(parse(&encoded[..encoded.len() - 1]), Behind::Metadata(not_closed));
        let stray = Found { trailing: 3, ..expected };
        assert_eq!(parse(&[&encoded[..], b"abc"].concat()), Behind::Metadata(stray));
    }

    #[test]
    fn what_is_no_metadata_is_told_apart() {
        assert_eq!(parse(b"}"), Behind::Closed);
        assert_eq!(parse(b"}}"), Behind::Other);
        assert_eq!(parse(b"\x38\0\0"), Behind::Other);
        let unreadable = |object: &[u8]| match parse(&[&METADATA_KEY[..], object].concat()) {
            Behind::Unreadable(_, error) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(unreadable(b"Z}"), MetadataError::NotAnObject);
        assert!(matches!(unreadable(b"{?"), MetadataError::Ubjson(_)));
        let bytes = [&METADATA_KEY[..], b"{U\x04nick"].concat();
        let behind = Behind::parse(&bytes, 1 << 40);
        assert!(matches!(behind, Behind::Unreadable(_, MetadataError::TooLong)));
    }

    #[test]
    fn slippi_js_counts_characters_and_its_start_time_is_still_read() {
        let encoded = [
            &METADATA_KEY[..],
            b"{U\x07startAtSU\x182020-08-09T15:15:33.123ZU\x09lastFramel\0\0\x01\0",
            b"U\x0bconsoleNickSU\x07",
            "Bühne 1U".as_bytes(),
            b"\x07players{}}}",
        ]
        .concat();
        let Behind::Unreadable(metadata, MetadataError::Ubjson(_)) = parse(&encoded) else {
            panic!("unreadable")
        };
        assert_eq!(metadata.start_at.as_deref(), Some("2020-08-09T15:15:33.123Z"));
        assert_eq!(metadata.last_frame, Some(256));
        assert_eq!(metadata.console_nick, None);
    }
}

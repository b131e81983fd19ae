//! What can be wrong with a `.slp` file.

use thiserror::Error;

use super::behind::MetadataError;
use crate::slp::EventCode;
use crate::slp::file::LENGTH_AT;
use crate::slp::payload_sizes::PayloadSizesError;

/// One thing that a survey found wrong with a file. Offsets are bytes from the start of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Problem {
    /// The length of the events is still 0: nobody completed the file.
    #[error("unfinished: the length at byte {LENGTH_AT} is still 0")]
    Unfinished,
    /// The length says something else than the events do.
    #[error("the length at byte {LENGTH_AT} says {announced}, the events have {found} bytes")]
    Length {
        /// The length that the file states.
        announced: u32,
        /// The length up to the end of the last whole event.
        found: u64,
    },
    /// There is not one whole event.
    #[error("no events: nothing whole at byte {at}")]
    NoEvents {
        /// Where the first event should be.
        at: u64,
    },
    /// The events do not begin with Event Payloads (0x35), so none can be told from another.
    #[error("the first event, at byte {at}, is {code} instead of 0x35")]
    FirstEvent {
        /// Where it is.
        at: u64,
        /// What stands there.
        code: EventCode,
    },
    /// The second event is not Game Start (0x36).
    #[error("the second event, at byte {at}, is {code} instead of 0x36")]
    SecondEvent {
        /// Where it is.
        at: u64,
        /// What stands there.
        code: EventCode,
    },
    /// The events end inside one.
    #[error("cut inside event {code} at byte {at}, of which {have} bytes are there")]
    CutEvent {
        /// Where the event begins.
        at: u64,
        /// Its command byte.
        code: EventCode,
        /// How many of its bytes are there.
        have: u64,
    },
    /// An event whose size was not announced: its end, and all that follows, cannot be found.
    #[error("unknown event {code} at byte {at}")]
    UnknownEvent {
        /// Where it is.
        at: u64,
        /// What stands there.
        code: EventCode,
    },
    /// An Event Payloads event (0x35) that holds no table of sizes.
    #[error("broken table of sizes at byte {at}: {error}")]
    PayloadSizes {
        /// Where the event begins.
        at: u64,
        /// What is wrong with it.
        error: PayloadSizesError,
    },
    /// The game has no Game End (0x39): power-off, quit to menu, or a file cut short. A note, as
    /// whole recordings without it exist.
    #[error("no Game End")]
    NoGameEnd,
    /// The file is closed in good order and has no metadata, as anonymised recordings do. A note.
    #[error("no metadata, by intent: the file is closed at byte {at}")]
    Anonymous {
        /// Where metadata would be.
        at: u64,
    },
    /// There is no metadata behind the events.
    #[error("no metadata at byte {at}")]
    NoMetadata {
        /// Where it should be.
        at: u64,
    },
    /// There is metadata that cannot be read.
    #[error("unreadable metadata at byte {at}: {error}")]
    Metadata {
        /// Where its element begins.
        at: u64,
        /// Why not.
        error: MetadataError,
    },
    /// The file ends before its object is closed.
    #[error("the closing brace at byte {at} is missing")]
    NotClosed {
        /// Where it should be.
        at: u64,
    },
    /// Something follows the end of the file's object. Readers that parse from the end trip over it.
    #[error("{len} stray bytes at byte {at}, behind the end")]
    TrailingBytes {
        /// Where they begin.
        at: u64,
        /// How many there are.
        len: u64,
    },
    /// The metadata names another last frame than the events.
    #[error("the metadata's last frame is {metadata}, the events' is {events}")]
    LastFrame {
        /// What the metadata says.
        metadata: i32,
        /// The last frame for which a character's state came.
        events: i32,
    },
}

impl Problem {
    /// Whether this is worth knowing but nothing is wrong with the file.
    pub const fn is_note(&self) -> bool {
        matches!(self, Self::NoGameEnd | Self::Anonymous { .. })
    }

    /// A name for programs, stable from version to version.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Length { .. } => "length",
            Self::NoEvents { .. } => "noEvents",
            Self::FirstEvent { .. } => "firstEvent",
            Self::SecondEvent { .. } => "secondEvent",
            Self::CutEvent { .. } => "cutEvent",
            Self::UnknownEvent { .. } => "unknownEvent",
            Self::PayloadSizes { .. } => "payloadSizes",
            Self::NoGameEnd => "noGameEnd",
            Self::Anonymous { .. } => "anonymous",
            Self::NoMetadata { .. } => "noMetadata",
            Self::Metadata { .. } => "metadata",
            Self::NotClosed { .. } => "notClosed",
            Self::TrailingBytes { .. } => "trailingBytes",
            Self::LastFrame { .. } => "lastFrame",
        }
    }

    /// Where it is, in bytes from the start of the file; `None` if it is in no one place.
    pub const fn at(&self) -> Option<u64> {
        match *self {
            Self::Unfinished | Self::Length { .. } => Some(LENGTH_AT as u64),
            Self::NoEvents { at }
            | Self::FirstEvent { at, .. }
            | Self::SecondEvent { at, .. }
            | Self::CutEvent { at, .. }
            | Self::UnknownEvent { at, .. }
            | Self::PayloadSizes { at, .. }
            | Self::Anonymous { at }
            | Self::NoMetadata { at }
            | Self::Metadata { at, .. }
            | Self::NotClosed { at }
            | Self::TrailingBytes { at, .. } => Some(at),
            Self::NoGameEnd | Self::LastFrame { .. } => None,
        }
    }
}

//! One event of the stream: its code and its bytes.

use std::fmt;

use byteorder::{BigEndian, ByteOrder};

use super::FrameIndex;

/// The command byte that begins every event.
///
/// Any value may occur: a code this list does not name is passed through untouched as long as its
/// size was announced (SPEC.md, "Backwards Compatibility").
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventCode(pub u8);

impl EventCode {
    /// A part of a message too large for one event, such as the gecko list. Since 3.3.0.
    pub const MESSAGE_SPLITTER: Self = Self(0x10);
    /// The first event of a game: the payload sizes of all others.
    pub const EVENT_PAYLOADS: Self = Self(0x35);
    /// How the game is set up: version, stage, players. Exactly once, right after 0x35.
    pub const GAME_START: Self = Self(0x36);
    /// Inputs, once a frame and character.
    pub const PRE_FRAME: Self = Self(0x37);
    /// The state after the frame, once a frame and character.
    pub const POST_FRAME: Self = Self(0x38);
    /// The game is over. May be missing: power-off, quit to menu.
    pub const GAME_END: Self = Self(0x39);
    /// Random seed at the start of a frame. Since 2.2.0.
    pub const FRAME_START: Self = Self(0x3A);
    /// State of an item or projectile. Since 3.0.0.
    pub const ITEM_UPDATE: Self = Self(0x3B);
    /// The frame is complete. Since 3.0.0.
    pub const FRAME_BOOKEND: Self = Self(0x3C);
    /// The list of gecko codes; travels inside [`Self::MESSAGE_SPLITTER`]. Since 3.3.0.
    pub const GECKO_LIST: Self = Self(0x3D);
    /// Height of a platform on Fountain of Dreams. Since 3.18.0.
    pub const FOD_PLATFORM: Self = Self(0x3F);
    /// Direction in which Whispy blows on Dream Land. Since 3.18.0.
    pub const WHISPY: Self = Self(0x40);
    /// Transformation of Pokémon Stadium. Since 3.18.0.
    pub const STADIUM_TRANSFORMATION: Self = Self(0x41);

    /// Whether events of this code carry a frame number as the first field of their payload.
    pub const fn belongs_to_frame(self) -> bool {
        matches!(
            self,
            Self::PRE_FRAME
                | Self::POST_FRAME
                | Self::FRAME_START
                | Self::ITEM_UPDATE
                | Self::FRAME_BOOKEND
                | Self::FOD_PLATFORM
                | Self::WHISPY
                | Self::STADIUM_TRANSFORMATION
        )
    }

    /// The name that SPEC.md gives the event, or `None` for a code it does not list.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::MESSAGE_SPLITTER => "Message Splitter",
            Self::EVENT_PAYLOADS => "Event Payloads",
            Self::GAME_START => "Game Start",
            Self::PRE_FRAME => "Pre-Frame Update",
            Self::POST_FRAME => "Post-Frame Update",
            Self::GAME_END => "Game End",
            Self::FRAME_START => "Frame Start",
            Self::ITEM_UPDATE => "Item Update",
            Self::FRAME_BOOKEND => "Frame Bookend",
            Self::GECKO_LIST => "Gecko List",
            Self::FOD_PLATFORM => "FOD Platforms",
            Self::WHISPY => "Whispy Blow Direction",
            Self::STADIUM_TRANSFORMATION => "Stadium Transformations",
            _ => return None,
        })
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

impl fmt::Debug for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One whole event, borrowed from the stream: the command byte and its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    code: EventCode,
    bytes: &'a [u8],
}

impl<'a> Event<'a> {
    /// Wraps the bytes of one event, command byte first. `None` if there is no command byte.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let code = EventCode(*bytes.first()?);
        Some(Self { code, bytes })
    }

    /// The command byte.
    pub const fn code(self) -> EventCode {
        self.code
    }

    /// The whole event, command byte included. Offsets in SPEC.md are offsets into this slice.
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Length in bytes, command byte included; at least 1.
    pub const fn size(self) -> usize {
        self.bytes.len()
    }

    /// `N` bytes at `offset` of the event, or `None` where this version's event is shorter.
    pub fn array<const N: usize>(self, offset: usize) -> Option<[u8; N]> {
        self.bytes.get(offset..)?.first_chunk().copied()
    }

    /// The byte at `offset`, or `None` where this version's event is shorter.
    pub fn u8(self, offset: usize) -> Option<u8> {
        self.bytes.get(offset).copied()
    }

    /// The big-endian u16 at `offset`, or `None` where this version's event is shorter.
    pub fn u16(self, offset: usize) -> Option<u16> {
        self.array::<2>(offset).map(|b| BigEndian::read_u16(&b))
    }

    /// The big-endian i32 at `offset`, or `None` where this version's event is shorter.
    pub fn i32(self, offset: usize) -> Option<i32> {
        self.array::<4>(offset).map(|b| BigEndian::read_i32(&b))
    }

    /// The big-endian u32 at `offset`, or `None` where this version's event is shorter.
    pub fn u32(self, offset: usize) -> Option<u32> {
        self.array::<4>(offset).map(|b| BigEndian::read_u32(&b))
    }

    /// The big-endian f32 at `offset`, or `None` where this version's event is shorter or the bytes
    /// are no finite number.
    pub fn f32(self, offset: usize) -> Option<f32> {
        self.array::<4>(offset).map(|b| BigEndian::read_f32(&b)).filter(|value| value.is_finite())
    }

    /// The frame this event belongs to (offset 0x1, int32), or `None` for events outside frames.
    pub fn frame(self) -> Option<FrameIndex> {
        if self.code.belongs_to_frame() { self.i32(1).map(FrameIndex) } else { None }
    }
}

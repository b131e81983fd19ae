//! A station: one console and everything that is known of it.

use std::fmt;
use std::path::PathBuf;

use parking_lot::Mutex;

use super::{Identity, Log, ReadFrom};
use crate::protocol::Cursor;
use crate::protocol::console::{Handshake, HandshakeReply};
use crate::stats::StationStats;

/// The place of a station in the relay's list, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StationId(pub u64);

/// What the console thread is doing about a station's source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SourceState {
    /// Trying to connect, or waiting to try again.
    #[default]
    Connecting,
    /// Connected, but the console does not answer: another client has it.
    Busy,
    /// The stream is on.
    Connected,
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Busy => "busy with another client",
            Self::Connected => "connected",
        })
    }
}

/// One console, its log and its figures. Written by the console thread, read by all.
pub struct Station {
    /// The place in the relay's list.
    pub id: StationId,
    /// What people call it.
    pub name: String,
    /// What arrived.
    pub log: Log,
    /// Counters and gauges.
    pub stats: StationStats,
    identity: Mutex<Identity>,
    source: Mutex<SourceState>,
    recording: Mutex<Option<PathBuf>>,
}

impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Station").field("id", &self.id).field("name", &self.name).finish()
    }
}

impl Station {
    /// A station whose console has not been heard of.
    pub fn new(id: StationId, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id,
            identity: Mutex::new(Identity::unknown(&name)),
            name,
            log: Log::new(),
            stats: StationStats::default(),
            source: Mutex::new(SourceState::default()),
            recording: Mutex::new(None),
        }
    }

    /// A copy of what is known of the console.
    pub fn identity(&self) -> Identity {
        self.identity.lock().clone()
    }

    /// Changes what is known of the console.
    pub fn update_identity(&self, change: impl FnOnce(&mut Identity)) {
        change(&mut self.identity.lock());
    }

    /// What the console thread is doing.
    pub fn source(&self) -> SourceState {
        *self.source.lock()
    }

    /// Says what the console thread is doing; whether that is news.
    pub fn set_source(&self, state: SourceState) -> bool {
        std::mem::replace(&mut *self.source.lock(), state) != state
    }

    /// The file of the newest game, if games are recorded.
    pub fn recording(&self) -> Option<PathBuf> {
        self.recording.lock().clone()
    }

    /// Says which file the newest game is in.
    pub fn set_recording(&self, path: Option<PathBuf>) {
        *self.recording.lock() = path;
    }

    /// Answers a spectator's handshake by the console's rules: a token of this position space goes
    /// on at its cursor if the log still has it; anyone else begins like a newcomer.
    ///
    /// Returns where to read, and the encoded reply.
    pub fn greet(&self, handshake: Handshake) -> (ReadFrom, Vec<u8>) {
        let identity = self.identity();
        let from =
            if identity.knows(handshake.token) { self.log.resume(handshake.cursor) } else { None };
        let from = from.unwrap_or_else(|| self.log.fresh(identity.start()));
        let reply = HandshakeReply {
            nick: identity.nick().into(),
            version: identity.version().into(),
            token: identity.token(),
            pos: from.pos,
        };
        (from, reply.encode())
    }

    /// The position behind the newest byte.
    pub fn end_pos(&self) -> Cursor {
        match self.log.last() {
            Some(last) => last.next_pos(),
            None => self.identity.lock().start(),
        }
    }
}

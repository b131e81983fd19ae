//! A station: one console and everything that is known of it.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Horizon, Identity, Log, ReadFrom};
use crate::protocol::console::{Handshake, HandshakeReply, RelayNotice};
use crate::protocol::{Cursor, Protocol, RelayId};
use crate::stats::StationStats;

/// The number of a station. No other station of the same run ever has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StationId(pub u64);

impl fmt::Display for StationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the console thread is doing about a station's source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SourceState {
    /// Trying to connect, or waiting to try again.
    #[default]
    Connecting,
    /// Connected, but the console does not answer: another client has it.
    Busy,
    /// Its stream comes from this very station, round a loop of relays.
    Loop,
    /// The stream is on.
    Connected,
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Busy => "busy with another client",
            Self::Loop => "fed by itself",
            Self::Connected => "connected",
        })
    }
}

/// Complete files that are remembered: whoever wants to hear of each looks four times a second.
const MAX_SAVED: usize = 64;

/// A complete file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedFile {
    /// Where it is.
    pub path: PathBuf,
    /// The number of its game.
    pub game: u64,
}

#[derive(Default)]
struct Saved {
    count: u64,
    newest: VecDeque<SavedFile>,
}

/// One console, its log and its figures. Written by the console thread, read by all.
pub struct Station {
    /// Its number.
    pub id: StationId,
    /// What relays that it feeds know it by.
    pub relay_id: RelayId,
    /// What arrived.
    pub log: Log,
    /// Counters and gauges.
    pub stats: StationStats,
    /// What people call it. The engine may change that.
    name: Mutex<Arc<str>>,
    identity: Mutex<Identity>,
    source: Mutex<SourceState>,
    /// Where the console was reached last: its name may mean another address some day.
    peer: Mutex<Option<SocketAddr>>,
    /// The relays that its stream comes through, the nearest first.
    upstream: Mutex<Vec<RelayId>>,
    /// Counts changes of identity and upstream: who is fed by this station is to hear of them.
    changes: AtomicU64,
    recording: Mutex<Option<PathBuf>>,
    saved: Mutex<Saved>,
    /// Whether its games are to be saved. The engine changes it, the recorder heeds it.
    is_recorded: AtomicBool,
    /// Milliseconds that spectators are behind, by protocol. The engine changes them.
    console_delay: AtomicU64,
    raw_delay: AtomicU64,
    dolphin_delay: AtomicU64,
}

impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Station").field("id", &self.id).field("name", &self.name()).finish()
    }
}

impl Station {
    /// A station whose console has not been heard of.
    pub fn new(id: StationId, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id,
            relay_id: RelayId(fastrand::u64(..)),
            identity: Mutex::new(Identity::unknown(&name)),
            name: Mutex::new(name.into()),
            log: Log::new(),
            stats: StationStats::default(),
            source: Mutex::new(SourceState::default()),
            peer: Mutex::new(None),
            upstream: Mutex::default(),
            changes: AtomicU64::new(0),
            recording: Mutex::new(None),
            saved: Mutex::default(),
            is_recorded: AtomicBool::new(true),
            console_delay: AtomicU64::new(0),
            raw_delay: AtomicU64::new(0),
            dolphin_delay: AtomicU64::new(0),
        }
    }

    /// What people call it now.
    pub fn name(&self) -> Arc<str> {
        self.name.lock().clone()
    }

    /// Calls it something else from now on.
    pub fn rename(&self, name: &str) {
        *self.name.lock() = name.into();
    }

    /// The relays that its stream comes through, the nearest first.
    pub fn upstream(&self) -> Vec<RelayId> {
        self.upstream.lock().clone()
    }

    /// Says which relays the stream comes through now.
    pub fn set_upstream(&self, path: Vec<RelayId>) {
        if std::mem::replace(&mut *self.upstream.lock(), path.clone()) != path {
            self.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// What the relays that this station feeds are to know: who the console is, and the way by which
    /// its stream reaches them, through this station and those upstream.
    pub fn notice(&self, horizon: Horizon) -> Vec<u8> {
        let identity = self.identity_within(horizon);
        let mut path = vec![self.relay_id];
        path.extend(self.upstream());
        RelayNotice {
            nick: identity.nick().into(),
            version: identity.version().into(),
            tokens: identity.tokens().to_vec(),
            path,
        }
        .encode()
    }

    /// Counts the changes of what [`Station::notice`] says.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether its games are to be saved.
    pub fn is_recorded(&self) -> bool {
        self.is_recorded.load(Ordering::Acquire)
    }

    /// Says whether its games are to be saved.
    pub fn set_recorded(&self, wanted: bool) {
        self.is_recorded.store(wanted, Ordering::Release);
    }

    /// How late spectators of `protocol` see what happens.
    pub fn delay(&self, protocol: Protocol) -> Duration {
        let delay = match protocol {
            Protocol::Console => &self.console_delay,
            Protocol::Raw => &self.raw_delay,
            Protocol::Dolphin => &self.dolphin_delay,
            // It has no delay of its own: nobody may learn of anything over HTTP before the others.
            Protocol::Web => {
                let others = [Protocol::Console, Protocol::Raw, Protocol::Dolphin];
                return others.map(|other| self.delay(other)).into_iter().max().unwrap_or_default();
            }
        };
        Duration::from_millis(delay.load(Ordering::Relaxed))
    }

    /// Says how late spectators see what happens. Who was less behind waits; who was more behind
    /// gets at once what there is.
    pub fn set_delays(&self, console: Duration, raw: Duration, dolphin: Duration) {
        let millis = |delay: Duration| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        // What must be kept is kept before anybody needs it.
        self.log.hold(console.max(raw).max(dolphin));
        self.console_delay.store(millis(console), Ordering::Relaxed);
        self.raw_delay.store(millis(raw), Ordering::Relaxed);
        self.dolphin_delay.store(millis(dolphin), Ordering::Relaxed);
    }

    /// A copy of what is known of the console.
    pub fn identity(&self) -> Identity {
        self.identity.lock().clone()
    }

    /// What was known of the console when that happened which `horizon` shows: a console that was
    /// restarted since had other tokens then, for other positions.
    fn identity_within(&self, horizon: Horizon) -> Identity {
        let identity = self.identity();
        match self.log.restarts_behind(horizon) {
            0 => identity,
            _ => identity.before_restart(),
        }
    }

    /// Changes what is known of the console.
    pub fn update_identity(&self, change: impl FnOnce(&mut Identity)) {
        change(&mut self.identity.lock());
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// What the console thread is doing.
    pub fn source(&self) -> SourceState {
        *self.source.lock()
    }

    /// Says what the console thread is doing; whether that is news.
    pub fn set_source(&self, state: SourceState) -> bool {
        std::mem::replace(&mut *self.source.lock(), state) != state
    }

    /// Where the console was reached last.
    pub fn peer(&self) -> Option<SocketAddr> {
        *self.peer.lock()
    }

    /// Says where the console is being reached.
    pub fn set_peer(&self, address: SocketAddr) {
        *self.peer.lock() = Some(address);
    }

    /// The console is another one now.
    pub fn forget_peer(&self) {
        *self.peer.lock() = None;
    }

    /// The file of the newest game, if games are recorded.
    pub fn recording(&self) -> Option<PathBuf> {
        self.recording.lock().clone()
    }

    /// Says which file the newest game is in.
    pub fn set_recording(&self, path: Option<PathBuf>) {
        *self.recording.lock() = path;
    }

    /// Remembers that a game's file is complete.
    pub fn add_saved(&self, file: SavedFile) {
        let mut saved = self.saved.lock();
        saved.count += 1;
        saved.newest.push_back(file);
        if saved.newest.len() > MAX_SAVED {
            saved.newest.pop_front();
        }
    }

    /// How many files have been completed, and those after the first `seen`, as far as they are
    /// remembered.
    pub fn saved_since(&self, seen: u64) -> (u64, Vec<SavedFile>) {
        let saved = self.saved.lock();
        let new = usize::try_from(saved.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        let known = saved.newest.len().saturating_sub(new);
        (saved.count, saved.newest.range(known..).cloned().collect())
    }

    /// Answers a spectator's handshake by the console's rules: a token of this position space goes
    /// on at its cursor if the log still has it; anyone else begins like a newcomer, with what
    /// `horizon` shows.
    ///
    /// Returns where to read, and the encoded reply.
    pub fn greet(&self, handshake: Handshake, horizon: Horizon) -> (ReadFrom, Vec<u8>) {
        let identity = self.identity_within(horizon);
        let from = if identity.knows(handshake.token) {
            self.log.resume(handshake.cursor, horizon)
        } else {
            None
        };
        let from = from.unwrap_or_else(|| self.log.fresh(identity.start(), horizon));
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
        self.end_pos_within(Horizon::at(Instant::now(), Duration::ZERO))
    }

    /// The position behind the newest byte that `horizon` shows.
    pub fn end_pos_within(&self, horizon: Horizon) -> Cursor {
        match self.log.last_within(horizon) {
            Some(last) => last.next_pos(),
            None => self.identity.lock().start(),
        }
    }
}

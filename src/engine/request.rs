//! What control clients can ask of the engine, and how they get their answer.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{broadcast, oneshot};
use utoipa::ToSchema;

use super::status::{
    ClientStatus, Event, ProgramStatus, ReloadReport, StationStatus, Status, SwitchAt,
};
use crate::config::Source;
use crate::session::Station;
use crate::shutdown::Reason;

/// Requests that may wait for the engine. It answers one in well under a millisecond, so that more
/// only wait when somebody floods it.
pub(super) const QUEUE_LEN: usize = 256;

/// Changes that a control client may be behind before it is given the whole state anew.
pub(super) const EVENTS_LEN: usize = 1024;

/// Where an answer goes. Whoever asked may be gone.
pub type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// A request and where its answer goes.
#[derive(Debug)]
pub enum Request {
    /// The state of everything.
    Status(Reply<Status>),
    /// The spectators, by number; those of one station if one is given.
    Clients(Option<u64>, Reply<Vec<ClientStatus>>),
    /// The stations themselves, whose figures can be read at any time.
    Stations(Reply<Vec<Arc<Station>>>),
    /// Add a station.
    Add(NewStation, Reply<StationStatus>),
    /// Change a station.
    Change(u64, StationChange, Reply<StationStatus>),
    /// Remove a station: its files are completed, its spectators hung up on.
    Remove(u64, Reply<()>),
    /// Add a station that is found at a NATS server.
    Adopt(Source, Reply<StationStatus>),
    /// Remove a station that is no longer there.
    Dismiss(u64, Reply<()>),
    /// Hang up on a spectator.
    Kick(u64, Reply<()>),
    /// Let the program output show another station.
    Switch(ProgramSwitch, Reply<ProgramStatus>),
    /// Read the configuration file again and change what differs.
    Reload(Reply<ReloadReport>),
    /// End the program in order.
    Shutdown(Reason, Reply<()>),
}

/// A station to be added: by its address, or by the MAC address of a console that has announced
/// itself.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewStation {
    /// What to call it; by default the console's nickname or its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `host[:port]`, `raw:host:port`, `dolphin:host[:port]` or `nats://host[:port]/station`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The MAC address of a discovered console, instead of a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Seconds that its spectators are behind; absent: as for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<f64>,
    /// Whether to save its games; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<bool>,
}

/// What to change about a station; what is absent stays as it is.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StationChange {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another address: `host[:port]`, `raw:host:port` or `dolphin:host[:port]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Seconds that all its spectators are behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<f64>,
    /// Seconds that its spectators of the console protocol are behind, whatever `delay` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_delay: Option<f64>,
    /// Seconds that its raw spectators are behind, whatever `delay` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_delay: Option<f64>,
    /// Seconds that its spectators of Dolphin's protocol are behind, whatever `delay` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dolphin_delay: Option<f64>,
    /// Whether to save its games.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<bool>,
}

/// Which station the program output is to show, and from when on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProgramSwitch {
    /// The station's number; null or absent shows none.
    #[serde(default)]
    pub station: Option<u64>,
    /// When.
    #[serde(default)]
    pub at: SwitchAt,
}

/// Why the engine does not do what it was asked for; a sentence for people.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// There is no such station.
    #[error("there is no station {0}; `andross ctl stations` lists them")]
    NoStation(u64),
    /// There is no such spectator.
    #[error("there is no spectator {0}; it may have left")]
    NoClient(u64),
    /// A value makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Something else is in the way.
    #[error("{0}")]
    Conflict(String),
    /// The system refused something.
    #[error("{0}")]
    System(String),
    /// Too many requests wait.
    #[error("too many requests wait for the relay; try again in a moment")]
    Busy,
    /// The relay ends.
    #[error("the relay ends")]
    Ending,
}

impl Refusal {
    /// A word for programs, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStation(_) => "no-station",
            Self::NoClient(_) => "no-client",
            Self::Invalid(_) => "invalid",
            Self::Conflict(_) => "conflict",
            Self::System(_) => "system",
            Self::Busy => "busy",
            Self::Ending => "ending",
        }
    }
}

/// The way to the engine. Clones are the same way.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: SyncSender<super::Letter>,
    events: broadcast::Sender<Event>,
}

impl Handle {
    pub(super) fn new(
        requests: SyncSender<super::Letter>,
        events: broadcast::Sender<Event>,
    ) -> Self {
        Self { requests, events }
    }

    /// Hands a request over; waits for nobody. The answer comes through the receiver.
    ///
    /// # Errors
    /// [`Refusal::Busy`] or [`Refusal::Ending`].
    pub fn send<T>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> Result<oneshot::Receiver<Result<T, Refusal>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        match self.requests.try_send(super::Letter::Request(request(reply))) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(Refusal::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Refusal::Ending),
        }
    }

    /// Asks and waits for the answer without a thread.
    ///
    /// # Errors
    /// The engine's [`Refusal`].
    pub async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Refusal> {
        self.send(request)?.await.unwrap_or(Err(Refusal::Ending))
    }

    /// Asks and makes this thread wait for the answer. Not for a tokio thread.
    ///
    /// # Errors
    /// The engine's [`Refusal`].
    pub fn ask_blocking<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Refusal> {
        self.send(request)?.blocking_recv().unwrap_or(Err(Refusal::Ending))
    }

    /// The way to an engine that has ended.
    #[cfg(all(test, feature = "nats"))]
    pub(crate) fn to_nobody() -> Self {
        Self::new(std::sync::mpsc::sync_channel(1).0, broadcast::channel(1).0)
    }

    /// All changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}

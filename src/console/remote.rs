//! Stations that are fed by somebody else than the console thread: what comes for them is passed on.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::sync::mpsc::UnboundedSender;

use crate::config::Source;
use crate::session::{Station, StationId};

/// What whoever feeds stations from NATS is told. It appends to their logs itself and says so with
/// [`super::Operator::announce`].
#[derive(Debug)]
pub enum RemoteOrder {
    /// Feed a station from there.
    Connect(Source, Arc<Station>),
    /// A station's source is another one now.
    Redirect(StationId, Source),
    /// Feed it no more; the answer says that its log will not grow.
    Disconnect(StationId, Sender<()>),
}

/// The way there. Orders come from the engine, which waits for most of them: few are ever on the way.
pub type Remote = UnboundedSender<RemoteOrder>;

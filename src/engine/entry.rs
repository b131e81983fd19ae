//! A station as the engine knows it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::status::{Origin, StationKind, StationStatus};
use crate::config::{DelaySettings, Source};
use crate::session::Station;

/// A station, and what only the engine needs to know of it.
pub(super) struct Entry {
    pub(super) station: Arc<Station>,
    pub(super) kind: StationKind,
    /// Its console's address; `None` for the program output.
    pub(super) source: Option<Source>,
    pub(super) origin: Origin,
    /// What the configuration calls it, if it is from there: it may be called otherwise now.
    pub(super) configured_as: Option<String>,
    /// When it was added.
    pub(super) added: Instant,
    /// Since when its source is away; `None` while its stream is on.
    pub(super) away_since: Option<Instant>,
    /// When it was last sent to another address because its console announced itself there.
    pub(super) moved: Option<Instant>,
    /// As it was asked for; what holds is in the station.
    pub(super) delay: DelaySettings,
    /// Its ports are so many above the first station's; `None` for the program output.
    pub(super) slot: Option<usize>,
    pub(super) console_address: Option<SocketAddr>,
    pub(super) raw_address: Option<SocketAddr>,
    /// What everyone was told of it last.
    pub(super) told: Option<StationStatus>,
}

impl Entry {
    pub(super) fn id(&self) -> u64 {
        self.station.id.0
    }

    /// Whether its console ever answered.
    pub(super) fn was_reached(&self) -> bool {
        !self.station.identity().version().is_empty() || self.station.log.last().is_some()
    }

    pub(super) fn is_program(&self) -> bool {
        self.kind == StationKind::Program
    }
}

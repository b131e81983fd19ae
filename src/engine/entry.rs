//! A station as the engine knows it.

use std::net::SocketAddr;
use std::sync::Arc;

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
    /// As it was asked for; what holds is in the station.
    pub(super) delay: DelaySettings,
    /// Its ports are so many above the first station's; `None` for the program output.
    pub(super) slot: Option<usize>,
    pub(super) console_address: Option<SocketAddr>,
    pub(super) raw_address: Option<SocketAddr>,
    pub(super) dolphin_address: Option<SocketAddr>,
    /// What everyone was told of it last.
    pub(super) told: Option<StationStatus>,
}

impl Entry {
    pub(super) fn id(&self) -> u64 {
        self.station.id.0
    }

    pub(super) fn is_program(&self) -> bool {
        self.kind == StationKind::Program
    }
}

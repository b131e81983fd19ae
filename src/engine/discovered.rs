//! Consoles that announce themselves.

use super::Engine;
use super::request::Refusal;
use super::status::DiscoveredConsole;
use crate::config::Source;

impl Engine {
    pub(super) fn discovered(&self) -> Vec<DiscoveredConsole> {
        Vec::new()
    }

    pub(super) fn mac_of(&self, _station: u64) -> Option<String> {
        None
    }

    pub(super) fn source_of(&self, _mac: &str) -> Result<Source, Refusal> {
        Err(Refusal::Busy)
    }

    pub(super) fn bind_mac(&mut self, _mac: &str, _id: u64) {}

    pub(super) fn leave_out(&mut self, _id: u64) {}
}

//! Whoever asks the engine.

use std::net::SocketAddr;

use andross::config::{RelayConfig, Source};
use andross::engine::{NewStation, Refusal, Request, StationChange, StationStatus, Status};
use andross::relay::Relay;
use andross::shutdown::{Reason, Shutdown};

use crate::common::scripted::ScriptedConsole;
use crate::common::{
    PATIENCE, SYNTHETIC_FRAME, SYNTHETIC_HEAD, Venue, loopback, named_source, quick,
};

/// Longer than any test takes: what such a delay hides stays hidden.
pub const FOR_NOW: f64 = 900.0;

/// A relay of a scripted console, which is greeted and silent between its lines.
pub fn scripted(tweak: impl FnOnce(&mut RelayConfig)) -> (ScriptedConsole, Venue) {
    let mut console = ScriptedConsole::new();
    let venue = Venue::relay(console.address(), Shutdown::new(), |config| {
        config.timing.silence = PATIENCE;
        tweak(config);
    });
    console.accept();
    (console, venue)
}

/// Listening on free ports, nothing saved.
pub fn config(sources: Vec<Source>) -> RelayConfig {
    let mut config = RelayConfig::new(sources);
    config.listen = Some(loopback());
    config.raw_listen = Some(loopback());
    config.timing = quick();
    config.timing.silence = PATIENCE;
    config.consumers = 1;
    config
}

/// A console that is switched off.
pub fn nobody(name: &str) -> Source {
    named_source(name, ([127, 0, 0, 1], 9).into())
}

/// Prologue and `frames` frames of [`crate::common::synthetic`].
pub fn up_to_frame(frames: usize) -> usize {
    SYNTHETIC_HEAD + frames * SYNTHETIC_FRAME
}

pub fn status(relay: &Relay) -> Status {
    relay.engine().ask_blocking(Request::Status).unwrap()
}

/// A station as it is now.
#[track_caller]
pub fn station(relay: &Relay, id: u64) -> StationStatus {
    status(relay).stations.into_iter().find(|station| station.id == id).unwrap()
}

pub fn add(relay: &Relay, name: &str, source: &str) -> Result<StationStatus, Refusal> {
    let (name, source) = (Some(name.into()), Some(source.into()));
    let new = NewStation { name, source, ..NewStation::default() };
    relay.engine().ask_blocking(|reply| Request::Add(new, reply))
}

pub fn change(relay: &Relay, id: u64, change: StationChange) -> Result<StationStatus, Refusal> {
    relay.engine().ask_blocking(|reply| Request::Change(id, change, reply))
}

/// Sets how many seconds all spectators of a station are behind.
pub fn set_delay(relay: &Relay, id: u64, seconds: f64) {
    let delay = StationChange { delay: Some(seconds), ..StationChange::default() };
    change(relay, id, delay).unwrap();
}

pub fn remove(relay: &Relay, id: u64) {
    relay.engine().ask_blocking(|reply| Request::Remove(id, reply)).unwrap();
}

/// Where a station's spectators of the console protocol connect.
pub fn console_address(station: &StationStatus) -> SocketAddr {
    station.console_address.unwrap()
}

pub fn end(relay: Relay, shutdown: &Shutdown) {
    shutdown.request(Reason::Finished);
    relay.run_to_end().unwrap();
}

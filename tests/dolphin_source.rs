//! A Dolphin as a source: a pretend one that counts and answers as the real one does, and andross's
//! own port for spectators of Dolphin's protocol.

mod common;

#[path = "dolphin_source/hostile.rs"]
mod hostile;
#[path = "dolphin_source/returns.rs"]
mod returns;
#[path = "dolphin_source/stations.rs"]
mod stations;
#[path = "dolphin_source/streams.rs"]
mod streams;

use std::net::SocketAddr;
use std::thread;

use andross::config::{RelayConfig, SourceProtocol};
use andross::session::SourceState;
use andross::shutdown::Shutdown;
use common::dolphin::DolphinSpectator;
use common::{ConsoleSpectator, RawSpectator, Venue, assert_same_bytes, wait_until};

/// A relay of a Dolphin.
fn venue_of(address: SocketAddr, tweak: impl FnOnce(&mut RelayConfig)) -> Venue {
    Venue::relay(address, Shutdown::new(), |config| {
        config.stations[0].source.protocol = SourceProtocol::Dolphin;
        tweak(config);
    })
}

fn wait_for_state(venue: &Venue, state: SourceState) {
    wait_until("the source's state", || venue.station().source() == state);
}

fn gaps(venue: &Venue) -> u64 {
    venue.station().stats.gaps.get()
}

/// Spectators of all protocols at once, who must get the same.
struct Audience {
    console: ConsoleSpectator,
    raw: RawSpectator,
    dolphin: DolphinSpectator,
}

impl Audience {
    fn of(venue: &Venue) -> Self {
        Self {
            console: ConsoleSpectator::connect(venue.console_address()),
            raw: RawSpectator::connect(venue.raw_address()),
            dolphin: DolphinSpectator::connect(venue.dolphin_address()),
        }
    }

    /// `tail` bytes at the end are no whole batch: Dolphin's spectators wait for the rest.
    #[track_caller]
    fn expect(&mut self, what: &str, expected: &[u8], tail: usize) {
        let Self { console, raw, dolphin } = self;
        let whole = &expected[..expected.len() - tail];
        // One that waits for another takes nothing.
        thread::scope(|scope| {
            scope.spawn(|| dolphin.read_bytes(whole.len()));
            scope.spawn(|| raw.read_bytes(expected.len()));
            console.read_bytes(expected.len());
        });
        assert_same_bytes(what, &console.data, expected);
        assert_same_bytes(what, &raw.data, expected);
        assert_same_bytes(what, &dolphin.data, whole);
    }
}

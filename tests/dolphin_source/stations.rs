//! Stations of Dolphins, and the relay's own ports.

use andross::engine::{NewStation, Refusal, Request, StationChange};
use andross::protocol::Protocol;
use andross::session::{SourceState, StationId};

use super::common::pretend_dolphin::{PretendDolphin, Server};
use super::common::{assert_same_bytes, synthetic};
use super::{venue_of, wait_for_state};

/// Stations of Dolphins come, change and go like others.
#[test]
fn a_station_is_moved_to_another_dolphin_and_removed() {
    let (one, two) = (synthetic(1, 50, true), synthetic(2, 50, true));
    let (here, there) = (PretendDolphin::start(), PretendDolphin::start());
    let venue = venue_of(here.address, |_| {});
    wait_for_state(&venue, SourceState::Connected);
    here.with(|dolphin| dolphin.play(&one));
    venue.wait_for_bytes(one.events().len());
    let engine = venue.relay.engine();
    let new = |source: String| NewStation { source: Some(source), ..NewStation::default() };
    let twice =
        engine.ask_blocking(|reply| Request::Add(new(format!("dolphin:{}", here.address)), reply));
    assert!(matches!(twice, Err(Refusal::Conflict(_))), "{twice:?}");
    let source = Some(format!("dolphin:{}", there.address));
    let change = StationChange { source, ..StationChange::default() };
    let status = engine.ask_blocking(|reply| Request::Change(1, change, reply)).unwrap();
    assert_eq!(status.source, format!("dolphin:{}", there.address));
    here.wait_until("the farewell", |dolphin| dolphin.left == 1);
    there.wait_until("the relay", Server::is_watched);
    there.with(|dolphin| dolphin.play(&two));
    venue.wait_for_bytes(one.events().len() + two.events().len());
    engine.ask_blocking(|reply| Request::Remove(1, reply)).unwrap();
    there.wait_until("the farewell", |dolphin| dolphin.left == 1);
    let files = venue.end();
    assert_same_bytes("the first", &files[0], one.events());
    assert_same_bytes("the second", &files[1], two.events());
}

/// A relay is no source of itself; and a Dolphin on this computer has its port, also if it is started
/// after the relay.
#[test]
fn a_relays_own_port_is_no_source_and_yields_to_a_dolphin() {
    let venue = venue_of(([127, 0, 0, 1], 9).into(), |_| {});
    let own = format!("again=dolphin:{}", venue.dolphin_address());
    let (name, source) = own.split_once('=').unwrap();
    let new = NewStation {
        name: Some(name.into()),
        source: Some(source.into()),
        ..NewStation::default()
    };
    let engine = venue.relay.engine();
    let refused = engine.ask_blocking(|reply| Request::Add(new, reply)).unwrap_err();
    assert!(refused.to_string().contains("port of this relay itself"), "{refused}");

    let port = PretendDolphin::start().address;
    let venue = venue_of(port, |config| config.dolphin_listen = Some(port));
    assert_eq!(venue.relay.address(StationId(1), Protocol::Dolphin), None);
    let dolphin = PretendDolphin::start_at(port, 4);
    wait_for_state(&venue, SourceState::Connected);
    drop(dolphin);
}

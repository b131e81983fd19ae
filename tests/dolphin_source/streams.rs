//! What Dolphin says is what everyone gets, byte for byte.

use std::path::Path;

use andross::protocol::spectator::Message;
use andross::replay::survey;
use andross::session::SourceState;
use andross::shutdown::Reason;
use andross::simulator::{Options, Recording};
use andross::slp::Batcher;

use super::common::pretend_dolphin::{NICK, PretendDolphin, VERSION, batches};
use super::common::{
    Venue, assert_same_bytes, events_of, fixtures, shared_replays, slp_files, synthetic,
};
use super::{Audience, gaps, venue_of, wait_for_state};

/// What is behind the last whole batch.
fn tail(events: &[u8]) -> usize {
    let (mut batcher, mut ends) = (Batcher::new(), Vec::new());
    batcher.push(events, &mut ends);
    events.len() - ends.last().map_or(0, |end| *end as usize)
}

#[test]
fn every_fixture_is_recorded_and_relayed_unchanged() {
    for path in fixtures() {
        let game = Recording::load(&path).unwrap();
        let (name, events) = (game.name().clone(), game.events().clone());
        let dolphin = PretendDolphin::start();
        let venue = venue_of(dolphin.address, |_| {});
        let mut audience = Audience::of(&venue);
        wait_for_state(&venue, SourceState::Connected);
        dolphin.with(|dolphin| dolphin.play(&game));
        audience.expect(&name, &events, tail(&events));
        let identity = venue.station().identity();
        assert_eq!(identity.nick(), NICK.as_bytes());
        assert_eq!(identity.version(), VERSION.as_bytes());
        assert_eq!(gaps(&venue), 0, "{name}");
        venue.shutdown.request(Reason::Finished);
        venue.relay.run_to_end().unwrap();
        let files = slp_files(venue.folder.path());
        assert_eq!(files.len(), 1, "{name}");
        assert_same_bytes(&name, &events_of(&files[0]), &events);
        let metadata = survey(&files[0]).unwrap().metadata.unwrap();
        assert_eq!(metadata.played_on.as_deref(), Some("dolphin"));
        assert_eq!(metadata.console_nick.as_deref(), Some(NICK));
    }
}

/// A console, a relay, and a relay of that one's port for spectators of Dolphin's protocol.
fn pass_through_a_relay(path: &Path, fps: f64) {
    let game = Recording::load(path).unwrap();
    let (name, events) = (game.name().clone(), game.events().clone());
    let (mut near, listen) = Venue::without_console(|_| {});
    let far = venue_of(near.dolphin_address(), |_| {});
    wait_for_state(&far, SourceState::Connected);
    let mut audience = Audience::of(&far);
    near.switch_on(Options { listen, recordings: vec![game], fps, ..Options::default() });
    // A relay passes on whole batches; of a game that breaks off it has the rest at its own end.
    let whole = &events[..events.len() - tail(&events)];
    audience.expect(&name, whole, tail(whole));
    assert_eq!(gaps(&far), 0, "{name}");
    near.end();
    let Audience { console, .. } = &mut audience;
    console.read_bytes(events.len());
    let files = far.end();
    assert_eq!(files.len(), 1, "{name}");
    assert_same_bytes(&name, &files[0], &events);
}

#[test]
fn every_fixture_passes_through_a_relays_own_port() {
    for path in fixtures() {
        pass_through_a_relay(&path, 3_000.0);
    }
}

#[test]
fn real_recordings_pass_through_a_relays_own_port() {
    for path in shared_replays() {
        pass_through_a_relay(&path, 30_000.0);
    }
}

/// Dolphin leaves out what it had before it looked for whom to send it to; it has it still.
#[test]
fn what_was_left_out_is_asked_for() {
    let game = synthetic(1, 50, true);
    let dolphin = PretendDolphin::start();
    let venue = venue_of(dolphin.address, |_| {});
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| dolphin.play_part(&game, 0, 10));
    venue.wait_for_bytes(batches(game.events())[..10].concat().len());
    dolphin.with(|dolphin| {
        dolphin.play_part(&game, 10, 20);
        dolphin.skip();
        dolphin.play_part(&game, 20, 30);
    });
    venue.wait_for_bytes(batches(game.events())[..30].concat().len());
    dolphin.with(|dolphin| dolphin.play_part(&game, 30, usize::MAX));
    venue.wait_for_bytes(game.events().len());
    assert_eq!(dolphin.with(|dolphin| dolphin.requests.clone()), [0, 11]);
    assert_eq!(gaps(&venue), 0);
    assert_same_bytes("the file", &venue.end()[0], game.events());
}

#[test]
fn menus_and_empty_packets_mean_nothing() {
    let game = synthetic(1, 50, true);
    let dolphin = PretendDolphin::start();
    let venue = venue_of(dolphin.address, |_| {});
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| {
        dolphin.say(b"");
        dolphin.say(&Message::MenuEvent { payload: vec![0x3E; 500] }.encode());
        dolphin.say(b"{\"type\":\"something new\",\"cursor\":7}");
        dolphin.play(&game);
    });
    venue.wait_for_bytes(game.events().len());
    assert_eq!(dolphin.with(|dolphin| dolphin.requests.len()), 1);
    assert_same_bytes("the file", &venue.end()[0], game.events());
}

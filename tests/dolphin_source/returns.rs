//! Connections that are lost: what goes on, what is another game, and what is a gap.

use std::thread;
use std::time::Duration;

use andross::config::SourceProtocol;
use andross::session::SourceState;
use andross::simulator::Options;

use super::common::pretend_dolphin::{PretendDolphin, Server, batches};
use super::common::{ConsoleSpectator, Venue, assert_same_bytes, synthetic};
use super::{Audience, gaps, venue_of, wait_for_state};

/// The connection breaks in the middle of a game, between games, and in the next one.
#[test]
fn a_connection_that_breaks_is_resumed_without_a_gap() {
    let (one, two) = (synthetic(1, 300, true), synthetic(2, 200, true));
    let dolphin = PretendDolphin::start();
    let venue = venue_of(dolphin.address, |_| {});
    let mut audience = Audience::of(&venue);
    let both = [&one.events()[..], two.events()].concat();
    let break_off = |requests: usize| {
        dolphin.with(Server::lose_connections);
        dolphin.wait_until("the relay comes back", |dolphin| dolphin.requests.len() >= requests);
    };
    wait_for_state(&venue, SourceState::Connected);
    let part = batches(one.events())[..100].concat();
    dolphin.with(|dolphin| dolphin.play_part(&one, 0, 100));
    audience.expect("a part", &part, 0);
    break_off(2);
    dolphin.with(|dolphin| dolphin.play_part(&one, 100, usize::MAX));
    audience.expect("a game", one.events(), 0);
    break_off(3);
    dolphin.with(|dolphin| dolphin.play_part(&two, 0, 50));
    audience.expect(
        "a part",
        &both[..one.events().len() + batches(two.events())[..50].concat().len()],
        0,
    );
    // It goes on while nobody hears it.
    dolphin.with(|dolphin| {
        dolphin.lose_connections();
        dolphin.play_part(&two, 50, 150);
    });
    dolphin.wait_until("the relay comes back", |dolphin| dolphin.requests.len() >= 4);
    dolphin.with(|dolphin| dolphin.play_part(&two, 150, usize::MAX));
    audience.expect("two games", &both, 0);
    // Start, sizes, 98 frames: batch 100 has number 100, and so on: the newest is asked for again.
    assert_eq!(dolphin.with(|dolphin| dolphin.requests.clone()), [0, 100, 302, 304 + 50]);
    let stats = &venue.station().stats;
    assert_eq!((stats.gaps.get(), stats.reconnects.get()), (0, 3));
    let files = venue.end();
    assert_eq!(files.len(), 2);
    assert_same_bytes("the first file", &files[0], one.events());
    assert_same_bytes("the second file", &files[1], two.events());
}

/// Dolphin is ended and started again in the middle of a game: nothing is to be had of the rest, and
/// nothing of the new game is missing, wherever its numbers are.
#[test]
fn a_dolphin_that_was_restarted_is_a_gap() {
    // Side by side: each waits for the silence that shows it.
    thread::scope(|scope| {
        for frames_by_then in [0, 20, 97, 98, 99, 100, 101, 150] {
            scope.spawn(move || restarted_so_many_frames_ago(frames_by_then));
        }
    });
}

fn restarted_so_many_frames_ago(frames_by_then: usize) {
    let (one, two) = (synthetic(1, 300, true), synthetic(2, 200, true));
    let dolphin = PretendDolphin::start();
    let venue = venue_of(dolphin.address, |_| {});
    let mut audience = Audience::of(&venue);
    wait_for_state(&venue, SourceState::Connected);
    let part = batches(one.events())[..100].concat();
    dolphin.with(|dolphin| dolphin.play_part(&one, 0, 100));
    audience.expect("a part", &part, 0);
    dolphin.with(|dolphin| {
        dolphin.restart();
        if frames_by_then > 0 {
            dolphin.play_part(&two, 0, frames_by_then);
        }
    });
    dolphin.wait_until("the relay comes back", |dolphin| dolphin.requests.len() >= 2);
    // A game that is over is not to be had again.
    let last = batches(two.events()).len() - 1;
    dolphin.with(|dolphin| dolphin.play_part(&two, frames_by_then, last));
    venue.wait_for_bytes(part.len() + two.events().len() - 2);
    dolphin.with(|dolphin| dolphin.play_part(&two, last, usize::MAX));
    let what = format!("restarted {frames_by_then} batches ago");
    let expected = [&part[..], two.events()].concat();
    audience.expect(&what, &expected, 0);
    assert_eq!(gaps(&venue), 1, "{what}");
    let forced: Vec<_> = audience.console.replays.iter().filter(|(_, forced)| *forced).collect();
    assert_eq!(forced.len(), 1, "{what}");
    let files = venue.end();
    assert_eq!(files.len(), 2, "{what}");
    assert_same_bytes(&what, &files[0], &part);
    assert_same_bytes(&what, &files[1], two.events());
}

/// A game that breaks off is not counted by Dolphin: the next one has the same numbers.
#[test]
fn a_game_that_breaks_off_is_followed_by_one_with_the_same_numbers() {
    let (one, two) = (synthetic(1, 50, false), synthetic(2, 60, true));
    let dolphin = PretendDolphin::start();
    let venue = venue_of(dolphin.address, |_| {});
    let mut audience = Audience::of(&venue);
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| dolphin.play_part(&one, 0, usize::MAX));
    audience.expect("broken off", one.events(), 0);
    // It looks for whom to send something to once a millisecond.
    dolphin.with(|dolphin| dolphin.play_part(&two, 0, 1));
    venue.wait_for_bytes(one.events().len() + 1);
    dolphin.with(|dolphin| dolphin.play_part(&two, 1, usize::MAX));
    audience.expect("both", &[&one.events()[..], two.events()].concat(), 0);
    assert_eq!(gaps(&venue), 0);
    assert_eq!(venue.end().len(), 2);
}

#[test]
fn a_relay_in_between_that_is_restarted_loses_nothing() {
    let game = synthetic(1, 900, true);
    let options = Options { recordings: vec![game.clone()], fps: 300.0, ..Options::default() };
    let near = Venue::start(options, |_| {});
    let address = near.dolphin_address();
    let middle = venue_of(near.console_address(), |config| {
        config.stations[0].source.protocol = SourceProtocol::Console;
    });
    let port = middle.dolphin_address();
    let far = venue_of(port, |_| {});
    let mut spectator = ConsoleSpectator::connect(far.console_address());
    spectator.read_bytes(game.events().len() / 4);
    middle.end();
    // Another one at the same port, with other numbers.
    let _middle = venue_of(address, |config| config.dolphin_listen = Some(port));
    spectator.read_bytes(game.events().len());
    assert_same_bytes("the spectator", &spectator.data, game.events());
    assert_eq!(gaps(&far), 0);
    assert!(far.station().stats.reconnects.get() >= 1);
    assert_same_bytes("the file", &far.end()[0], game.events());
}

#[test]
fn a_dolphin_that_is_not_there_that_falls_silent_and_that_comes_back() {
    let game = synthetic(1, 50, true);
    let (address, part) = {
        let dolphin = PretendDolphin::start();
        (dolphin.address, batches(game.events())[..10].concat())
    };
    // Longer than ENet's pings are apart.
    let silence = Duration::from_millis(1500);
    let venue = venue_of(address, |config| config.timing.silence = silence);
    wait_for_state(&venue, SourceState::Connecting);
    let dolphin = PretendDolphin::start_at(address, 4);
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| dolphin.play_part(&game, 0, 10));
    venue.wait_for_bytes(part.len());
    dolphin.with(|dolphin| dolphin.is_asleep = true);
    wait_for_state(&venue, SourceState::Connecting);
    dolphin.with(|dolphin| dolphin.is_asleep = false);
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| dolphin.play_part(&game, 10, usize::MAX));
    venue.wait_for_bytes(game.events().len());
    drop(dolphin);
    wait_for_state(&venue, SourceState::Connecting);
    assert_eq!(gaps(&venue), 0);
    assert_same_bytes("the file", &venue.end()[0], game.events());
}

/// One that ends the emulation says so; it may go on counting, or be started again.
#[test]
fn a_dolphin_that_closes_is_asked_again() {
    let (one, two) = (synthetic(1, 50, true), synthetic(2, 50, true));
    let dolphin = PretendDolphin::start();
    let venue = venue_of(dolphin.address, |_| {});
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| {
        dolphin.play(&one);
        dolphin.end_game(true);
    });
    dolphin.wait_until("the relay comes back", |dolphin| dolphin.requests.len() == 2);
    assert_eq!(dolphin.with(|dolphin| dolphin.left), 1, "its place is free at once");
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| dolphin.play(&two));
    venue.wait_for_bytes(one.events().len() + two.events().len());
    assert_eq!(gaps(&venue), 0);
    assert_eq!(venue.end().len(), 2);
}

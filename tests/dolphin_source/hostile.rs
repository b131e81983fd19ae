//! Servers that are none, and those that do not answer.

use std::time::{Duration, Instant};

use andross::protocol::spectator::Message;
use andross::session::{Horizon, SourceState};
use proptest::prelude::*;

use super::common::dolphin::DolphinSpectator;
use super::common::pretend_dolphin::{PretendDolphin, Server, batches};
use super::common::{assert_same_bytes, loopback, synthetic, wait_until};
use super::{venue_of, wait_for_state};

/// What is none of the protocol's messages ends the connection; the next one is well.
#[test]
fn a_server_that_talks_nonsense_does_no_harm() {
    let game = synthetic(1, 50, true);
    let dolphin = PretendDolphin::start();
    let venue = venue_of(dolphin.address, |_| {});
    let long = "x".repeat(300_000);
    let nonsense = [
        "no json".to_owned(),
        "[]".to_owned(),
        "{\"type\":\"game_event\"}".to_owned(),
        "{\"type\":\"game_event\",\"cursor\":-1,\"next_cursor\":0,\"payload\":\"\"}".to_owned(),
        "{\"type\":\"game_event\",\"cursor\":0,\"next_cursor\":1,\"payload\":\"?\"}".to_owned(),
        format!("{{\"type\":\"game_event\",\"cursor\":\"{}\"}}", &long[..200_000]),
        format!("{{\"type\":\"game_event\",\"payload\":\"{long}\"}}"),
    ];
    for (n, words) in nonsense.iter().enumerate() {
        let greeted = |dolphin: &Server| dolphin.requests.len() > n && dolphin.is_watched();
        dolphin.wait_until("the relay", greeted);
        dolphin.with(|dolphin| dolphin.say(words.as_bytes()));
        dolphin.wait_until("the relay hangs up", |dolphin| dolphin.left > n);
    }
    wait_for_state(&venue, SourceState::Connected);
    dolphin.with(|dolphin| dolphin.play(&game));
    venue.wait_for_bytes(game.events().len());
    assert_same_bytes("the file", &venue.end()[0], game.events());
}

/// One that never answers, and one that has no place.
#[test]
fn one_that_does_not_answer_is_asked_again() {
    let dolphin = PretendDolphin::start();
    dolphin.with(|dolphin| dolphin.is_mute = true);
    let venue = venue_of(dolphin.address, |config| {
        config.timing.connect = Duration::from_millis(300);
    });
    dolphin.wait_until("the second request", |dolphin| dolphin.requests.len() >= 2);
    assert_eq!(venue.station().source(), SourceState::Connecting);
    dolphin.with(|dolphin| dolphin.is_mute = false);
    wait_for_state(&venue, SourceState::Connected);

    let small = PretendDolphin::start_at(loopback(), 1);
    let first = DolphinSpectator::connect(small.address);
    let venue = venue_of(small.address, |config| {
        config.timing.connect = Duration::from_millis(300);
    });
    assert_eq!(venue.station().source(), SourceState::Connecting);
    let mut first = first;
    first.leave();
    wait_for_state(&venue, SourceState::Connected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Any packets, at a relay that is just greeted: it lives, and takes a game after them.
    #[test]
    fn any_packets_are_survived(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..20),
        events in prop::collection::vec((any::<u64>(), any::<u64>(), prop::collection::vec(any::<u8>(), 0..90)), 0..20),
    ) {
        let game = synthetic(1, 5, true);
        let last = batches(game.events()).len() - 1;
        let dolphin = PretendDolphin::start();
        let venue = venue_of(dolphin.address, |config| config.replays = None);
        wait_for_state(&venue, SourceState::Connected);
        dolphin.with(|dolphin| {
            for (cursor, next_cursor, payload) in events {
                dolphin.say(&Message::GameEvent { cursor, next_cursor, payload }.encode());
            }
            for packet in packets {
                dolphin.say(&packet);
            }
            // Not to its end: a game that is over is not to be had again.
            dolphin.play_part(&game, 0, last);
        });
        let expected = batches(game.events())[..last].concat();
        wait_until("the game is there", || {
            let log = &venue.station().log;
            let now = Horizon::at(Instant::now(), Duration::ZERO);
            let mut chunks = Vec::new();
            log.read(log.newest_game(now), 100, &mut chunks);
            let data: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.data().to_vec()).collect();
            data == expected
        });
    }
}

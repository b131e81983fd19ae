//! A Dolphin as a source: a pretend one that counts and answers as the real one does, and andross's
//! own port for spectators of Dolphin's protocol.

mod common;

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use andross::config::{RelayConfig, SourceProtocol};
use andross::engine::{NewStation, Refusal, Request, StationChange};
use andross::protocol::Protocol;
use andross::protocol::spectator::Message;
use andross::replay::survey;
use andross::session::{Horizon, SourceState, StationId};
use andross::shutdown::{Reason, Shutdown};
use andross::simulator::{Options, Recording};
use andross::slp::Batcher;
use common::dolphin::DolphinSpectator;
use common::pretend_dolphin::{NICK, PretendDolphin, Server, VERSION, batches};
use common::{
    ConsoleSpectator, RawSpectator, Venue, assert_same_bytes, events_of, fixtures, loopback,
    shared_replays, slp_files, synthetic, wait_until,
};
use proptest::prelude::*;

/// Longer than ENet's pings are apart.
const SILENCE: Duration = Duration::from_millis(1500);

/// A relay of a Dolphin.
fn venue_of(address: SocketAddr, tweak: impl FnOnce(&mut RelayConfig)) -> Venue {
    Venue::relay(address, Shutdown::new(), |config| {
        config.stations[0].source.protocol = SourceProtocol::Dolphin;
        config.timing.silence = SILENCE;
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
    for frames_by_then in [0, 20, 97, 98, 99, 100, 101, 150] {
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
        let forced: Vec<_> =
            audience.console.replays.iter().filter(|(_, forced)| *forced).collect();
        assert_eq!(forced.len(), 1, "{what}");
        let files = venue.end();
        assert_eq!(files.len(), 2, "{what}");
        assert_same_bytes(&what, &files[0], &part);
        assert_same_bytes(&what, &files[1], two.events());
    }
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
    let venue = venue_of(address, |_| {});
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

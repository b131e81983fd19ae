//! Cut off and resumed: consoles, cables and spectators that go and come back.

mod common;

use std::time::Duration;

use andross::protocol::{ClientToken, Cursor};
use andross::replay::survey;
use andross::session::SourceState;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Repeat, Simulator};
use common::cable::Cable;
use common::{ConsoleSpectator, RawSpectator, Venue, assert_same_bytes, synthetic, wait_until};

fn options(recordings: Vec<andross::simulator::Recording>, fps: f64) -> Options {
    Options { recordings, fps, pause: Duration::ZERO, ..Options::default() }
}

/// A console behind a cable, and a relay at its other end.
fn behind_a_cable(options: Options) -> (Cable, Venue) {
    let shutdown = Shutdown::new();
    let simulator = Simulator::start(options, &shutdown).unwrap();
    let cable = Cable::to(simulator.local_addr());
    let mut venue = Venue::relay(cable.address(), shutdown, |config| {
        config.timing.silence = Duration::from_millis(1500);
    });
    venue.simulator = Some(simulator);
    (cable, venue)
}

#[test]
fn a_connection_cut_at_random_points_loses_nothing() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..6 {
        let game = synthetic(1, 900, true);
        let (cable, venue) = behind_a_cable(options(vec![game.clone()], 1500.0));
        let mut console = ConsoleSpectator::connect(venue.console_address());
        let mut raw = RawSpectator::connect(venue.raw_address());
        for _ in 0..4 {
            let before = cable.connections();
            cable.cut_after(random.usize(1..60_000));
            wait_until("the relay comes back", || {
                cable.connections() > before || venue.simulator().wait_until_played(Duration::ZERO)
            });
        }
        console.read_bytes(game.events().len());
        raw.read_bytes(game.events().len());
        assert_same_bytes("console", &console.data, game.events());
        assert_same_bytes("raw", &raw.data, game.events());
        assert_eq!(venue.station().stats.gaps.get(), 0);
        let files = venue.end();
        assert_eq!(files.len(), 1);
        assert_same_bytes("file", &files[0], game.events());
    }
}

#[test]
fn a_stream_in_single_bytes_is_the_same_stream() {
    let game = synthetic(2, 60, true);
    let (cable, venue) = behind_a_cable(options(vec![game.clone()], 500.0));
    cable.fragment(1);
    let mut console = ConsoleSpectator::connect(venue.console_address());
    console.read_bytes(game.events().len());
    assert_same_bytes("console", &console.data, game.events());
    assert_eq!(venue.end(), [game.events().to_vec()]);
}

#[test]
fn a_pulled_cable_loses_nothing_that_the_console_still_holds() {
    let game = synthetic(3, 1500, true);
    let (cable, venue) = behind_a_cable(options(vec![game.clone()], 300.0));
    let mut console = ConsoleSpectator::connect(venue.console_address());
    console.read_bytes(20_000);
    cable.pull();
    wait_until("the silence is noticed", || venue.station().source() != SourceState::Connected);
    let held = venue.station().stats.bytes.get() as usize;
    wait_until("the console has more", || venue.simulator().write_pos().0 as usize > held + 90_000);
    cable.put_back();
    console.read_bytes(game.events().len());
    assert_same_bytes("console", &console.data, game.events());
    assert!(console.replays.iter().all(|(_, forced)| !forced));
    assert_eq!(venue.station().stats.gaps.get(), 0);
    assert!(venue.station().stats.reconnects.get() > 0);
    assert_eq!(venue.end(), [game.events().to_vec()]);
}

#[test]
fn what_the_console_no_longer_holds_is_a_gap_that_everyone_is_told_of() {
    let game = synthetic(4, 9_000, true);
    let events = game.events().clone();
    let (cable, venue) = behind_a_cable(Options { fps: 3000.0, ..options(vec![game], 1.0) });
    let mut console = ConsoleSpectator::connect(venue.console_address());
    console.read_bytes(20_000);
    cable.pull();
    wait_until("the console's memory ran over", || venue.simulator().write_pos().0 > 4_500_000);
    cable.put_back();
    while !console.data.ends_with(&[0x39, 2]) {
        assert!(console.read_message());
    }
    let forced: Vec<_> = console.replays.iter().filter(|(_, forced)| *forced).collect();
    assert_eq!(forced.len(), 1);
    let resumed_at = forced[0].0.0 as usize;
    let received = console.data.len();
    let before = received - (events.len() - resumed_at);
    assert_same_bytes("before the gap", &console.data[..before], &events[..before]);
    assert_same_bytes("behind the gap", &console.data[before..], &events[resumed_at..]);

    let lost = (resumed_at - before) as u64;
    assert_eq!(venue.station().stats.lost_bytes.get(), lost);
    let path = venue.station().recording().unwrap();
    let data = console.data.clone();
    venue.shutdown.request(andross::shutdown::Reason::Finished);
    venue.relay.run_to_end().unwrap();
    assert_eq!(common::events_of(&path), data);
    let notes = survey(&path).unwrap().metadata.unwrap().recording.unwrap();
    assert_eq!((notes.gaps, notes.lost_bytes), (1, lost));
}

#[test]
fn a_restarted_console_forces_its_new_positions_on_everyone() {
    let (game, other) = (synthetic(5, 3000, true), synthetic(25, 400, true));
    let mut venue = Venue::start(options(vec![game.clone()], 400.0), |_| {});
    let mut console = ConsoleSpectator::connect(venue.console_address());
    console.read_bytes(50_000);
    let before = console.token;
    let listen = venue.simulator().local_addr();
    drop(venue.simulator.take());
    let restarted = Options { listen, ..options(vec![other.clone()], 2000.0) };
    venue.simulator = Some(Simulator::start(restarted, &venue.shutdown).unwrap());
    while !console.replays.iter().any(|(_, forced)| *forced) {
        assert!(console.read_message());
    }
    assert_eq!(console.replays.last().unwrap().0, Cursor(0), "the new game from its start");
    while !console.data.ends_with(&[0x39, 2]) {
        assert!(console.read_message());
    }
    let cut = console.data.len() - other.events().len();
    assert_same_bytes("the game cut off", &console.data[..cut], &game.events()[..cut]);
    assert_same_bytes("the new game", &console.data[cut..], other.events());

    // The old token names nothing any more: its cursor is not honoured.
    let old = ConsoleSpectator::resume(venue.console_address(), Cursor(40_000), before);
    assert_eq!(old.start.0 as usize, other.events().len(), "between games: what comes next");
    assert_ne!(old.token, before);
    let cut_off = game.events()[..cut].to_vec();
    assert_eq!(venue.end(), [cut_off, other.events().to_vec()]);
}

#[test]
fn spectators_that_drop_out_resume_by_cursor() {
    let game = synthetic(6, 1200, true);
    let venue = Venue::play(vec![game.clone()], 1500.0);
    let mut random = fastrand::Rng::with_seed(8);
    let mut all = Vec::new();
    let (mut cursor, mut token) = (Cursor(0), ClientToken::NONE);
    while all.len() < game.events().len() {
        let mut spectator = ConsoleSpectator::resume(venue.console_address(), cursor, token);
        assert_eq!(spectator.start, cursor, "resumed where it asked");
        let some = random.usize(1..90_000).min(game.events().len() - all.len());
        spectator.read_bytes(some);
        // It keeps less than it got: the rest comes again, also from inside a message.
        all.extend_from_slice(&spectator.data[..some]);
        cursor = spectator.start.plus(some);
        token = spectator.token;
    }
    assert_same_bytes("all parts together", &all, game.events());
}

#[test]
fn a_foreign_token_begins_the_current_game() {
    let game = synthetic(7, 400, false);
    let venue = Venue::play(vec![game.clone()], 3000.0);
    venue.wait_for_bytes(game.events().len());
    let first = ConsoleSpectator::connect(venue.console_address());
    let foreign = ClientToken(first.token.0 ^ 1);
    let spectator = ConsoleSpectator::resume(venue.console_address(), Cursor(5_000), foreign);
    assert_eq!(spectator.start, first.start);
    assert_eq!(spectator.token, first.token);
}

#[test]
fn between_games_there_is_no_history_but_a_cursor_is_honoured() {
    let game = synthetic(8, 100, true);
    let venue = Venue::play(vec![game.clone()], 3000.0);
    let mut first = ConsoleSpectator::connect(venue.console_address());
    first.read_bytes(game.events().len());
    let late = ConsoleSpectator::connect(venue.console_address());
    assert_eq!(late.start, first.cursor);
    let cursor = Cursor(first.start.0 + 1000);
    let mut back = ConsoleSpectator::resume(venue.console_address(), cursor, first.token);
    back.read_bytes(game.events().len() - 1000);
    assert_same_bytes("the rest", &back.data, &game.events()[1000..]);
}

#[test]
fn a_spectator_before_the_console_is_greeted_and_kept() {
    let (mut venue, address) = Venue::without_console(|_| {});
    let mut early = ConsoleSpectator::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    assert_eq!((early.start, early.nick.as_slice()), (Cursor(0), b"test".as_slice()));
    while early.keep_alives < 2 {
        assert!(early.read_message(), "kept alive while the console is away");
    }
    // The console comes in the middle of an evening: an earlier game moved its position.
    let (game, earlier) = (synthetic(9, 300, true), synthetic(10, 50, true));
    venue.switch_on(Options {
        listen: address,
        recordings: vec![earlier.clone(), game.clone()],
        fps: 1000.0,
        pause: Duration::from_millis(1200),
        wait_for_client: false,
        ..Options::default()
    });
    while !early.data.ends_with(game.events()) {
        assert!(early.read_message());
    }
    while !raw.data.ends_with(game.events()) {
        assert!(raw.read_some());
    }
    let first = early.replays[0];
    assert_eq!(first.1, first.0 != Cursor(0), "forced exactly if the position is another");

    let mut late =
        ConsoleSpectator::resume(venue.console_address(), Cursor(first.0.0), early.token);
    late.read_bytes(1);
    assert_eq!(late.start, first.0, "the token it got before the console came is good");
}

#[test]
fn a_busy_console_is_named_and_waited_for() {
    let shutdown = Shutdown::new();
    let game = synthetic(11, 400, true);
    let simulator = Simulator::start(options(vec![game.clone()], 1000.0), &shutdown).unwrap();
    let other = ConsoleSpectator::connect(simulator.local_addr());
    let venue = Venue::relay(simulator.local_addr(), shutdown, |config| {
        config.timing.busy_after = Duration::from_millis(50);
    });
    wait_until("the relay knows", || venue.station().source() == SourceState::Busy);
    drop(other);
    wait_until("the console is free", || venue.station().source() == SourceState::Connected);
    drop(venue);
}

#[test]
fn a_relay_of_a_relay_is_a_relay_of_the_console() {
    let game = synthetic(12, 800, true);
    let first = Venue::play(vec![game.clone()], 1000.0);
    // Before, the first relay hands out a token of its own, which is good but not the newest for long.
    wait_until("the console is there", || first.station().source() == SourceState::Connected);
    let second = Venue::relay(first.console_address(), Shutdown::new(), |_| {});
    let mut near = ConsoleSpectator::connect(first.console_address());
    let mut far = ConsoleSpectator::connect(second.console_address());
    near.read_bytes(game.events().len());
    far.read_bytes(game.events().len());
    assert_same_bytes("far", &far.data, game.events());
    assert_eq!(far.cursor, near.cursor, "the same positions");
    let there = ConsoleSpectator::resume(second.console_address(), Cursor(7_000), near.token);
    assert_eq!(there.start, Cursor(7_000), "a cursor from one relay is good at the other");
    assert_eq!(there.token, near.token);
    drop((near, far, there));
    assert_eq!(second.end(), [game.events().to_vec()]);
    assert_eq!(first.end(), [game.events().to_vec()]);
}

#[test]
fn a_raw_source_is_known_by_its_first_bytes_and_its_repetition_skipped() {
    let game = synthetic(13, 900, true);
    let (cable, venue) =
        behind_a_cable(Options { legacy: true, ..options(vec![game.clone()], 600.0) });
    let mut console = ConsoleSpectator::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    for _ in 0..2 {
        let before = cable.connections();
        cable.cut_after(120_000);
        wait_until("the relay comes back", || cable.connections() > before);
    }
    console.read_bytes(game.events().len());
    raw.read_bytes(game.events().len());
    assert_same_bytes("console", &console.data, game.events());
    assert_same_bytes("raw", &raw.data, game.events());
    assert_eq!(venue.station().stats.gaps.get(), 0);
    assert_eq!(venue.end(), [game.events().to_vec()]);
}

#[test]
fn a_game_whose_console_stays_away_is_saved_and_goes_on_when_it_returns() {
    let game = synthetic(14, 900, true);
    let shutdown = Shutdown::new();
    let simulator = Simulator::start(options(vec![game.clone()], 300.0), &shutdown).unwrap();
    let cable = Cable::to(simulator.local_addr());
    let mut venue = Venue::relay(cable.address(), shutdown, |config| {
        config.timing.silence = Duration::from_millis(600);
        config.away_limit = Duration::from_millis(100);
    });
    venue.simulator = Some(simulator);
    venue.wait_for_bytes(30_000);
    cable.pull();
    wait_until("the file is saved", || venue.station().stats.files.get() == 1);
    let path = venue.station().recording().unwrap();
    let saved = common::events_of(&path);
    assert_same_bytes("saved", &saved, &game.events()[..saved.len()]);
    cable.put_back();
    venue.wait_for_bytes(game.events().len());
    assert_eq!(venue.end(), [game.events().to_vec()], "one game, one file");
}

#[test]
fn a_game_without_end_is_saved_when_the_next_begins() {
    let games = [synthetic(15, 200, false), synthetic(16, 200, true)];
    let options = Options { repeat: Repeat::Times(2), ..options(games.to_vec(), 2000.0) };
    let venue = Venue::start(options, |_| {});
    let evening = [&games[0], &games[1], &games[0], &games[1]];
    let all = evening.map(|game| game.events().to_vec());
    let mut spectator = ConsoleSpectator::connect(venue.console_address());
    spectator.read_bytes(all.concat().len());
    assert_same_bytes("spectator", &spectator.data, &all.concat());
    assert_eq!(venue.end(), all);
}

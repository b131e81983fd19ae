//! Games over HTTP, watched with a WebSocket client of another make.

mod common;

#[path = "websocket/audience.rs"]
mod audience;
#[path = "websocket/live_file.rs"]
mod live_file;
#[path = "websocket/spectator.rs"]
mod spectator;
#[path = "websocket/state.rs"]
mod state;

use std::time::Duration;

use andross::engine::{ProgramSwitch, Request, StationChange, SwitchAt};
use andross::shutdown::Reason;
use andross::simulator::{Options, Recording};
use andross::slp::{EventCode, Scanner};
use common::{Venue, assert_same_bytes, fixtures, synthetic, wait_until};
use spectator::{Spectator, http, open, refused, with_http};

fn load(path: &std::path::Path) -> Recording {
    Recording::load(path).unwrap()
}

fn joined(games: &[Recording]) -> Vec<u8> {
    games.iter().flat_map(|game| game.events().to_vec()).collect()
}

/// A console that plays when somebody is there to watch.
fn later(games: Vec<Recording>, fps: f64) -> (Venue, Options) {
    let (venue, address) = Venue::without_console(with_http);
    let pause = Duration::from_millis(20);
    (venue, Options { listen: address, recordings: games, fps, pause, ..Options::default() })
}

#[test]
fn every_fixture_comes_unchanged_to_everyone_also_to_who_comes_late() {
    for path in fixtures() {
        let game = load(&path);
        let name = game.name().to_string();
        let (mut venue, options) = later(vec![game.clone()], 3_000.0);
        let mut early: Vec<_> = ["/ws/1", "/ws/test", "/ws/TEST?from=start", "/ws/1?from=live"]
            .map(|path| Spectator::open(&venue, path))
            .into();
        venue.switch_on(options);
        venue.wait_for_bytes(game.events().len() / 2);
        let mut late = Spectator::open(&venue, "/ws/1");
        for spectator in &mut early {
            spectator.read_bytes(game.events().len());
            assert_same_bytes(&name, &spectator.data, game.events());
        }
        // It may have come when the game was over; then it gets the next one only.
        if venue.station().log.last().unwrap().in_game() || !late.data.is_empty() {
            late.read_bytes(game.events().len());
            assert_same_bytes(&name, &late.data, game.events());
        }
        let web = venue.station().stats.web_clients.get();
        assert_eq!(web, 5, "{name}");
        drop((early, late));
        wait_until("all are gone", || venue.station().stats.web_clients.get() == 0);
    }
}

#[test]
fn who_comes_in_the_middle_gets_the_game_from_its_start_in_pieces() {
    let game = synthetic(1, 3_000, false);
    let venue = venue_of(vec![game.clone()], 100_000.0);
    venue.wait_for_bytes(game.events().len());
    let mut late = Spectator::open(&venue, "/ws/1");
    late.read_bytes(game.events().len());
    assert_same_bytes("late", &late.data, game.events());
    assert!(late.messages.len() > 10);
    assert!(late.messages.iter().all(|message| message.len() <= 96 * 1024), "in bounded pieces");
    for message in &late.messages {
        let mut rest = &message[..];
        let mut scanner = late.scanner.clone();
        while scanner.take(&mut rest).unwrap().is_some() {}
        assert!(rest.is_empty(), "whole events");
    }
}

fn venue_of(games: Vec<Recording>, fps: f64) -> Venue {
    let options = Options { recordings: games, fps, pause: Duration::ZERO, ..Options::default() };
    Venue::start(options, with_http)
}

#[test]
fn live_begins_with_what_is_needed_and_then_with_now() {
    let path = fixtures().into_iter().find(|path| path.ends_with("v3.18.0-four-players.slp"));
    let game = load(&path.unwrap());
    let venue = venue_of(vec![game.clone()], 600.0);
    venue.wait_for_bytes(game.events().len() / 4);
    let mut live = Spectator::open(&venue, "/ws/1?from=live");
    live.read_until_end();

    let prologue = prologue_len(game.events());
    assert_same_bytes("prologue", &live.messages[0], &game.events()[..prologue]);
    let rest = &live.data[prologue..];
    assert!(rest.len() < game.events().len() * 3 / 4 + 1, "not from the start");
    assert!(game.events().ends_with(rest), "to the end, without a hole");
    assert_eq!(EventCode(rest[0]), EventCode::FRAME_START, "from the start of a frame");

    // Between games it waits for the next.
    let (mut venue, options) = later(vec![game.clone(), game.clone()], 3_000.0);
    let mut live = Spectator::open(&venue, "/ws/1?from=live");
    venue.switch_on(options);
    live.read_bytes(2 * game.events().len());
    assert_same_bytes("both games", &live.data, &joined(&[game.clone(), game]));
}

/// Bytes before the first event of a frame.
fn prologue_len(events: &[u8]) -> usize {
    let (mut scanner, mut at) = (Scanner::new(), 0);
    while let Some(event) = scanner.next(&events[at..]).unwrap() {
        if event.code().belongs_to_frame() {
            break;
        }
        at += event.size();
    }
    at
}

#[test]
fn two_games_come_one_after_the_other_and_each_begins_a_message() {
    let games = [synthetic(1, 200, true), synthetic(2, 200, false), synthetic(3, 50, true)];
    let (mut venue, options) = later(games.to_vec(), 5_000.0);
    let mut spectator = Spectator::open(&venue, "/ws/1");
    venue.switch_on(options);
    let all = joined(&games);
    spectator.read_bytes(all.len());
    assert_same_bytes("all", &spectator.data, &all);
    let begins = |message: &&Vec<u8>| message[0] == 0x35;
    assert_eq!(spectator.messages.iter().filter(begins).count(), 3);
}

#[test]
fn a_delay_can_be_asked_for_and_the_stations_own_is_never_undercut() {
    const FOR_EVER: f64 = 900.0;
    let game = synthetic(4, 100, false);
    let all = game.events().len();
    let (mut venue, options) = later(vec![game.clone()], 1_000.0);
    let mut now = Spectator::open(&venue, "/ws/1");
    let mut later = Spectator::open(&venue, "/ws/1?delay=1.5");
    let mut never = Spectator::open(&venue, "/ws/1?delay=900");
    venue.switch_on(options);
    now.read_bytes(all);
    assert_same_bytes("now", &now.data, game.events());
    later.read_bytes(1);
    let first = venue.station().log.arrival(andross::session::Seq(0)).unwrap();
    assert!(first.elapsed() >= Duration::from_millis(1_500), "a second and a half later");
    later.read_bytes(all);
    assert_same_bytes("later", &later.data, game.events());
    let cursor = |of: &Spectator| audience::client(&venue, of).cursor;
    let (start, end) = (venue.station().identity().start().0, venue.station().end_pos().0);
    assert_eq!((cursor(&now), cursor(&never)), (end, start), "each as it asked");

    let set_delay = |seconds: f64| {
        let change = StationChange { delay: Some(seconds), ..StationChange::default() };
        venue.relay.engine().ask_blocking(|reply| Request::Change(1, change, reply)).unwrap();
    };
    set_delay(FOR_EVER);
    let mut hasty = Spectator::open(&venue, "/ws/1?delay=0");
    assert_eq!(cursor(&hasty), start, "the station's delay counts");
    set_delay(0.0);
    hasty.read_bytes(all);
    assert_same_bytes("hasty", &hasty.data, game.events());
    venue.shutdown.request(Reason::Finished);
    while never.try_read() {}
    assert_eq!(never.data.len(), 0, "what may not be seen yet is not sent at the end either");
}

#[test]
fn who_asks_for_a_delay_misses_nothing_of_many_short_games() {
    // By the time the first is shown, two others have come: it is kept all the same.
    let games: Vec<Recording> = (1..=5).map(|seed| synthetic(seed, 60, true)).collect();
    let (mut venue, options) = later(games.clone(), 1_000.0);
    let mut spectator = Spectator::open(&venue, "/ws/1?delay=3");
    venue.switch_on(options);
    let all = joined(&games);
    venue.wait_for_bytes(all.len());
    spectator.read_bytes(all.len());
    assert_same_bytes("all", &spectator.data, &all);
    assert_eq!(venue.station().stats.skipped.get(), 0);
}

#[test]
fn a_slow_spectator_is_skipped_to_the_newest_game_and_counted() {
    let games: Vec<Recording> = (1..=5).map(|seed| synthetic(seed, 4_000, true)).collect();
    let newest = games[4].events().clone();
    let total: usize = games.iter().map(|game| game.events().len()).sum();
    let (mut venue, options) = later(games, 20_000.0);
    let mut slow = Spectator::open(&venue, "/ws/1");
    let mut quick = Spectator::open(&venue, "/ws/1");
    venue.switch_on(options);
    slow.read_bytes(1);
    // It does not read while four games go by.
    quick.read_bytes(total);
    assert!(quick.data.ends_with(&newest));
    while !slow.data.ends_with(&newest) {
        slow.read_message();
    }
    assert!(slow.data.len() < total, "something was left out");
    assert_eq!(venue.station().stats.skipped.get(), 1);
}

#[test]
fn the_program_output_is_a_station_like_others() {
    let games = [synthetic(1, 150, true), synthetic(2, 150, true)];
    let (mut venue, address) = Venue::without_console(|config| {
        with_http(config);
        config.program = Some(andross::config::ProgramConfig::default());
    });
    let switch = ProgramSwitch { station: Some(1), at: SwitchAt::NextGame };
    venue.relay.engine().ask_blocking(|reply| Request::Switch(switch, reply)).unwrap();
    let mut program = Spectator::open(&venue, "/ws/program");
    venue.switch_on(Options {
        listen: address,
        recordings: games.to_vec(),
        fps: 3_000.0,
        pause: Duration::from_millis(20),
        ..Options::default()
    });
    let all = joined(&games);
    program.read_bytes(all.len());
    assert_same_bytes("program", &program.data, &all);
}

#[test]
fn what_makes_no_sense_is_refused_and_pages_elsewhere_are_unless_allowed() {
    let (venue, _) = Venue::without_console(with_http);
    let at = http(&venue);
    for (path, status) in [
        ("/ws/9", 404),
        ("/ws/nobody", 404),
        ("/ws/9/state", 404),
        ("/ws/1?delay=901", 400),
        ("/ws/1?delay=-1", 400),
        ("/ws/1?delay=NaN", 400),
        ("/ws/1?from=end", 400),
        ("/ws/1?form=live", 400),
        ("/ws/1/state?hz=0", 400),
        ("/ws/1/state?hz=61", 400),
    ] {
        assert_eq!(refused(at, path, &[]), status, "{path}");
    }
    let overlay = [("origin", "https://overlay.example")];
    assert_eq!(refused(at, "/ws/1", &overlay), 403);
    let own = format!("http://{at}");
    assert!(open(at, "/ws/1", &[("origin", own.as_str())]).is_ok());

    let (venue, _) = Venue::without_console(|config| {
        with_http(config);
        let origins = vec!["https://overlay.example".to_owned()];
        config.http.as_mut().unwrap().allow_origins = origins;
    });
    let at = http(&venue);
    assert!(open(at, "/ws/1", &overlay).is_ok() && open(at, "/ws/1/state", &overlay).is_ok());
    assert_eq!(refused(at, "/ws/1", &[("origin", "https://other.example")]), 403);
    assert_eq!(refused(at, "/api/events", &overlay), 403);
}

#[test]
fn places_are_few_and_free_again() {
    let (venue, _) = Venue::without_console(with_http);
    let at = http(&venue);
    // More than one address may have.
    let all: Vec<_> = std::iter::from_fn(|| open(at, "/ws/1", &[]).ok()).take(200).collect();
    assert!((50..200).contains(&all.len()), "{}", all.len());
    drop(all);
    wait_until("places are free", || venue.station().stats.web_clients.get() == 0);
    assert!(open(at, "/ws/1", &[]).is_ok());
}

#[test]
fn the_end_is_a_goodbye_behind_the_last_byte() {
    let game = synthetic(6, 500, false);
    let venue = venue_of(vec![game.clone()], 100_000.0);
    venue.wait_for_bytes(game.events().len());
    let mut spectator = Spectator::open(&venue, "/ws/1");
    spectator.read_bytes(1);
    venue.shutdown.request(Reason::Finished);
    while spectator.try_read() {}
    assert_same_bytes("all of it", &spectator.data, game.events());
    venue.relay.run_to_end().unwrap();
}

#[test]
fn spectators_of_a_station_that_is_removed_are_hung_up_on() {
    let game = synthetic(7, 10, false);
    let venue = venue_of(vec![game.clone()], 1_000.0);
    let mut spectator = Spectator::open(&venue, "/ws/1");
    spectator.read_bytes(game.events().len());
    venue.relay.engine().ask_blocking(|reply| Request::Remove(1, reply)).unwrap();
    assert!(!spectator.try_read());
}

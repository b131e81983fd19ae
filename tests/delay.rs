//! Spectators that are behind on purpose: they see everything, whole and in order, and nothing early.

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use andross::config::RelayConfig;
use andross::engine::{Request, StationChange};
use andross::protocol::{ClientToken, Cursor};
use andross::shutdown::Shutdown;
use common::scripted::ScriptedConsole;
use common::{
    ConsoleSpectator, PATIENCE, RawSpectator, SYNTHETIC_FRAME, SYNTHETIC_HEAD, Venue,
    assert_same_bytes, synthetic, wait_until,
};

const SHORT: Duration = Duration::from_millis(300);

/// As long as a delay can be: what it hides stays hidden for the whole test.
const FOR_NOW: Duration = Duration::from_secs(900);

/// A relay of a scripted console, whose spectators are `delay` behind.
fn venue(delay: Duration) -> (ScriptedConsole, Venue) {
    venue_with(|config| config.delay.all = Some(delay))
}

fn venue_with(tweak: impl FnOnce(&mut RelayConfig)) -> (ScriptedConsole, Venue) {
    let mut console = ScriptedConsole::new();
    let venue = Venue::relay(console.address(), Shutdown::new(), |config| {
        // A scripted console is silent between its lines.
        config.timing.silence = PATIENCE;
        tweak(config);
    });
    console.accept();
    (console, venue)
}

fn set_delay(venue: &Venue, delay: Duration) {
    let change = StationChange { delay: Some(delay.as_secs_f64()), ..StationChange::default() };
    venue.relay.engine().ask_blocking(|reply| Request::Change(1, change, reply)).unwrap();
}

/// Prologue and `frames` frames of [`synthetic`].
fn up_to_frame(frames: usize) -> usize {
    SYNTHETIC_HEAD + frames * SYNTHETIC_FRAME
}

/// A spectator that notes when things came.
struct Witness {
    spectator: ConsoleSpectator,
    /// The position behind each message, and when that had come.
    came: Vec<(usize, Instant)>,
}

impl Witness {
    fn connect(address: SocketAddr) -> Self {
        Self { spectator: ConsoleSpectator::connect(address), came: Vec::new() }
    }

    fn read_to(&mut self, pos: usize) {
        while self.spectator.cursor.0 < pos as u64 {
            assert!(self.spectator.read_message(), "the relay hung up");
            self.came.push((self.spectator.cursor.0 as usize, Instant::now()));
        }
    }

    /// Checks that what `console` said from `from` on came whole and `delay` later at the earliest.
    #[track_caller]
    fn check(&self, console: &ScriptedConsole, from: usize, delay: Duration) {
        let start = self.spectator.start.0 as usize;
        assert_same_bytes("delayed", &self.spectator.data, &console.said()[start..]);
        let mut checked = 0;
        for (end, came) in self.came.iter().filter(|(end, _)| *end > from) {
            let said = console.said_at(end - 1);
            let waited = came.duration_since(said);
            assert!(waited >= delay, "{end} came after {waited:?}");
            checked += 1;
        }
        assert!(checked > 0, "nothing to check");
    }
}

#[test]
fn a_late_joiner_gets_the_game_that_is_on_at_its_time() {
    let delay = Duration::from_secs(1);
    let (mut console, venue) = venue(delay);
    let (first, second) = (synthetic(1, 60, true), synthetic(2, 60, true));
    let early = &first.events()[..up_to_frame(30)];
    console.say(early);
    let mut there = Witness::connect(venue.console_address());
    there.read_to(early.len());
    // Seen with the delay the first game is on; in truth it is over and the next one is on.
    console.say(&first.events()[early.len()..]);
    let second_begins = console.said().len();
    console.say(&second.events()[..up_to_frame(30)]);
    let mut late = Witness::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    let is_certain = Instant::now() < console.said_at(second_begins) + delay;
    assert!(!is_certain || late.spectator.start == Cursor(0));
    console.say(&second.events()[up_to_frame(30)..]);
    let end = console.said().len();
    for witness in [&mut there, &mut late] {
        witness.read_to(end);
        witness.check(&console, 0, delay);
    }
    raw.read_bytes(end - second_begins);
    if is_certain && raw.data.starts_with(first.events()) {
        raw.read_bytes(end);
    }
    assert_same_bytes("raw", &raw.data, &console.said()[end - raw.data.len()..]);
    assert_eq!(venue.end(), [first.events().to_vec(), second.events().to_vec()]);
}

#[test]
fn who_joins_before_anything_is_visible_gets_it_from_the_start() {
    let (mut console, venue) = venue(SHORT);
    let game = synthetic(1, 100, true);
    let mut before = Witness::connect(venue.console_address());
    console.say(&game.events()[..up_to_frame(50)]);
    venue.wait_for_bytes(up_to_frame(50));
    let mut hidden = Witness::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    console.say(&game.events()[up_to_frame(50)..]);
    for witness in [&mut before, &mut hidden] {
        witness.read_to(game.events().len());
        assert_eq!(witness.spectator.start, Cursor(0));
        witness.check(&console, 0, SHORT);
    }
    raw.read_bytes(game.events().len());
    assert_same_bytes("raw", &raw.data, game.events());
}

#[test]
fn who_joins_between_two_games_gets_the_next_one() {
    let (mut console, venue) = venue(SHORT);
    let (first, second) = (synthetic(1, 20, true), synthetic(2, 20, true));
    console.say(first.events());
    let mut there = Witness::connect(venue.console_address());
    there.read_to(first.events().len());
    let mut between = Witness::connect(venue.console_address());
    assert_eq!(between.spectator.start, Cursor(first.events().len() as u64));
    let mut raw = RawSpectator::connect(venue.raw_address());
    // A raw spectator is not greeted; that it was taken in shows here.
    wait_until("all are there", || venue.relay.clients() == 3);
    wait_until("the raw one is served", || venue.station().stats.raw_clients.get() == 1);
    console.say(second.events());
    between.read_to(console.said().len());
    between.check(&console, 0, SHORT);
    raw.read_bytes(second.events().len());
    assert_same_bytes("raw", &raw.data, second.events());
}

#[test]
fn games_are_saved_at_once() {
    let (mut console, venue) = venue(FOR_NOW);
    let game = synthetic(1, 60, true);
    let mut waiting = Witness::connect(venue.console_address());
    console.say(game.events());
    wait_until("the game is saved", || venue.station().stats.files.get() == 1);
    let file = venue.station().recording().unwrap();
    assert_same_bytes("file", &common::events_of(&file), game.events());
    assert!(waiting.spectator.data.is_empty());
    set_delay(&venue, SHORT);
    waiting.read_to(game.events().len());
    waiting.check(&console, 0, SHORT);
}

#[test]
fn a_delay_that_grows_and_shrinks_costs_no_byte_and_shows_nothing_early() {
    let (mut console, venue) = venue(SHORT);
    let game = synthetic(1, 400, true);
    let part = |from, to| &game.events()[up_to_frame(from)..up_to_frame(to)];
    console.say(&game.events()[..up_to_frame(100)]);
    let mut witness = Witness::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    witness.read_to(up_to_frame(100));
    witness.check(&console, 0, SHORT);

    let long = Duration::from_secs(1);
    console.say(part(100, 150));
    set_delay(&venue, long);
    console.say(part(150, 200));
    witness.read_to(up_to_frame(200));
    witness.check(&console, up_to_frame(150), long);

    console.say(part(200, 300));
    set_delay(&venue, SHORT);
    witness.read_to(up_to_frame(300));
    witness.check(&console, up_to_frame(200), SHORT);

    console.say(part(300, 350));
    set_delay(&venue, Duration::ZERO);
    console.say(&game.events()[up_to_frame(350)..]);
    witness.read_to(game.events().len());
    witness.check(&console, 0, Duration::ZERO);
    raw.read_bytes(game.events().len());
    assert_same_bytes("raw", &raw.data, game.events());
    assert_eq!(venue.end(), [game.events().to_vec()]);
}

#[test]
fn each_listener_has_its_own_delay() {
    let delay = Duration::from_secs(1);
    let (mut console, venue) = venue_with(|config| {
        config.delay.console = Some(Duration::ZERO);
        config.delay.raw = Some(delay);
    });
    let game = synthetic(1, 60, true);
    let mut live = Witness::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    console.say(game.events());
    live.read_to(game.events().len());
    live.check(&console, 0, Duration::ZERO);
    while raw.data.is_empty() {
        assert!(raw.read_some());
    }
    assert!(console.said_at(0).elapsed() >= delay);
    raw.read_bytes(game.events().len());
    assert_same_bytes("raw", &raw.data, game.events());
}

#[test]
fn who_resumes_in_the_hidden_part_waits_and_goes_on_exactly_there() {
    let (mut console, venue) = venue(Duration::ZERO);
    let game = synthetic(1, 100, true);
    console.say(&game.events()[..up_to_frame(50)]);
    let mut first = ConsoleSpectator::connect(venue.console_address());
    first.read_bytes(up_to_frame(50));
    let token = first.token;
    drop(first);
    set_delay(&venue, FOR_NOW);
    console.say(&game.events()[up_to_frame(50)..]);
    venue.wait_for_bytes(game.events().len());
    // At a frame, inside one, and behind everything.
    let cursors = [up_to_frame(50), up_to_frame(60) + 7, game.events().len()];
    let mut resumed: Vec<_> = cursors
        .iter()
        .map(|&cursor| {
            let cursor = Cursor(cursor as u64);
            ConsoleSpectator::resume(venue.console_address(), cursor, token)
        })
        .collect();
    for (spectator, cursor) in resumed.iter_mut().zip(cursors) {
        assert_eq!(spectator.start, Cursor(cursor as u64));
        while spectator.keep_alives == 0 {
            assert!(spectator.read_message());
        }
        assert!(spectator.data.is_empty());
    }
    let mut stranger =
        ConsoleSpectator::resume(venue.console_address(), Cursor(600), ClientToken(1));
    assert_eq!(stranger.start, Cursor(0));
    set_delay(&venue, SHORT);
    let next = synthetic(2, 20, true);
    console.say(next.events());
    for (spectator, cursor) in resumed.iter_mut().zip(cursors) {
        spectator.read_bytes(console.said().len() - cursor);
        assert_same_bytes("resumed", &spectator.data, &console.said()[cursor..]);
    }
    stranger.read_bytes(console.said().len());
    assert_same_bytes("stranger", &stranger.data, console.said());
}

#[test]
fn several_games_within_the_delay_are_all_seen_whole_and_then_let_go() {
    let (mut console, venue) = venue(FOR_NOW);
    let mut witness = Witness::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    wait_until("the raw one is served", || venue.station().stats.raw_clients.get() == 1);
    for seed in 1..=3 {
        console.say(synthetic(seed, 20, true).events());
        // From then on the recorder does not need it any more.
        wait_until("it is saved", || venue.station().stats.files.get() == u64::from(seed));
    }
    let three_games = console.said().len();
    set_delay(&venue, SHORT);
    witness.read_to(three_games);
    witness.check(&console, 0, SHORT);
    raw.read_bytes(three_games);
    assert_same_bytes("raw", &raw.data, console.said());
    assert!(witness.spectator.replays.iter().all(|(_, forced)| !forced));
    assert_eq!(venue.station().stats.skipped.get(), 0);
    // They were kept for the spectators only: nobody needs the first one any more.
    console.say(synthetic(4, 20, true).events());
    venue.wait_for_bytes(console.said().len());
    assert!(venue.station().log.retained() <= three_games);
    witness.read_to(console.said().len());
    witness.check(&console, three_games, SHORT);
    assert_eq!(venue.end().len(), 4);
}

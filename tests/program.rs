//! The program output: one connection follows the tournament from console to console.

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use andross::config::{DelaySettings, ProgramConfig, RelayConfig};
use andross::engine::{ProgramStatus, ProgramSwitch, Refusal, Request, Status, SwitchAt};
use andross::protocol::{ClientToken, Cursor, Protocol};
use andross::relay::Relay;
use andross::session::StationId;
use andross::shutdown::{Reason, Shutdown};
use common::scripted::ScriptedConsole;
use common::{
    ConsoleSpectator, PATIENCE, RawSpectator, SYNTHETIC_FRAME, SYNTHETIC_HEAD, assert_same_bytes,
    fixture, loopback, named_source, quick, synthetic, wait_until,
};
use tempfile::TempDir;

const A: u64 = 1;
const B: u64 = 2;
const PROGRAM: u64 = 3;

/// Two scripted consoles, a relay of both and its program output.
struct Tournament {
    a: ScriptedConsole,
    b: ScriptedConsole,
    relay: Relay,
    shutdown: Shutdown,
    folder: TempDir,
}

impl Tournament {
    /// At first the program output shows A.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(tweak: impl FnOnce(&mut RelayConfig)) -> Self {
        let (mut a, mut b) = (ScriptedConsole::new(), ScriptedConsole::new());
        let folder = tempfile::tempdir().unwrap();
        let mut config =
            RelayConfig::new(vec![named_source("A", a.address()), named_source("B", b.address())]);
        config.listen = Some(loopback());
        config.raw_listen = Some(loopback());
        config.replays = Some(folder.path().to_owned());
        config.consumers = 2;
        config.timing = quick();
        // A scripted console is silent between its lines.
        config.timing.silence = PATIENCE;
        config.program =
            Some(ProgramConfig { station: Some("A".into()), ..ProgramConfig::default() });
        tweak(&mut config);
        let shutdown = Shutdown::new();
        let relay = Relay::start(config, &shutdown).unwrap();
        a.accept();
        b.accept();
        Self { a, b, relay, shutdown, folder }
    }

    fn address(&self, protocol: Protocol) -> SocketAddr {
        self.relay.address(StationId(PROGRAM), protocol).unwrap()
    }

    fn spectator(&self) -> ConsoleSpectator {
        ConsoleSpectator::connect(self.address(Protocol::Console))
    }

    fn status(&self) -> Status {
        self.relay.engine().ask_blocking(Request::Status).unwrap()
    }

    fn switch(&self, station: Option<u64>, at: SwitchAt) -> Result<ProgramStatus, Refusal> {
        let switch = ProgramSwitch { station, at };
        self.relay.engine().ask_blocking(|reply| Request::Switch(switch, reply))
    }

    /// Switches and checks what is shown, and what will be.
    #[track_caller]
    fn choose(&self, station: u64, at: SwitchAt, shown: Option<u64>, next: Option<u64>) {
        let expected = ProgramStatus { id: PROGRAM, station: shown, next };
        assert_eq!(self.switch(Some(station), at), Ok(expected));
    }

    /// Waits until a station has taken in `len` bytes.
    fn wait_for(&self, station: u64, len: usize) {
        let stations = self.relay.stations();
        let station = stations.iter().find(|one| one.id == StationId(station)).unwrap();
        wait_until("the station has it", || station.stats.bytes.get() >= len as u64);
    }
}

/// Prologue and `frames` frames of [`synthetic`].
fn up_to_frame(frames: usize) -> usize {
    SYNTHETIC_HEAD + frames * SYNTHETIC_FRAME
}

#[test]
fn a_single_connection_sees_the_whole_tournament() {
    let mut t = Tournament::new();
    let mut console = t.spectator();
    let mut raw = RawSpectator::connect(t.address(Protocol::Raw));
    let [a1, a2, a3, b0, b1] = [1, 2, 3, 11, 12].map(|seed| synthetic(seed, 40, true));
    let mut expected = Vec::new();

    // B's game is on already when B is chosen: A's goes on to be shown.
    t.a.say(&a1.events()[..up_to_frame(10)]);
    t.b.say(&b0.events()[..up_to_frame(10)]);
    t.wait_for(B, up_to_frame(10));
    t.choose(B, SwitchAt::NextGame, Some(A), Some(B));
    t.b.say(&b0.events()[up_to_frame(10)..]);
    t.wait_for(B, b0.events().len());
    t.a.say(&a1.events()[up_to_frame(10)..up_to_frame(20)]);
    expected.extend_from_slice(&a1.events()[..up_to_frame(20)]);
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());
    assert_eq!(t.status().program.unwrap().next, Some(B));

    // B's next game begins: A's is not shown to its end.
    t.b.say(&b1.events()[..up_to_frame(10)]);
    expected.extend_from_slice(&b1.events()[..up_to_frame(10)]);
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());
    let shown = ProgramStatus { id: PROGRAM, station: Some(B), next: None };
    assert_eq!(t.status().program, Some(shown));
    t.a.say(&a1.events()[up_to_frame(20)..]);
    t.wait_for(A, a1.events().len());
    t.b.say(&b1.events()[up_to_frame(10)..]);
    expected.extend_from_slice(&b1.events()[up_to_frame(10)..]);
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());

    // And back, between two games. What comes in a burst, as behind a broken cable, begins with the
    // first game that has begun since.
    t.choose(A, SwitchAt::NextGame, Some(B), Some(A));
    t.a.say(&[a2.events().as_ref(), a3.events()].concat());
    expected.extend_from_slice(a2.events());
    expected.extend_from_slice(a3.events());
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());
    assert_same_bytes("console", &console.data, &expected);
    assert_same_bytes("raw", &raw.data, &expected);
    assert!(console.replays.iter().all(|(_, forced)| !forced));
    assert_eq!(console.nick, b"program");

    // The program output itself is not recorded: the five games are, and nothing else.
    t.shutdown.request(Reason::Finished);
    t.relay.run_to_end().unwrap();
    let mut files = common::recorded(t.folder.path());
    let mut games: Vec<_> = [a1, a2, a3, b0, b1].map(|game| game.events().to_vec()).into();
    files.sort();
    games.sort();
    assert!(files == games);
}

#[test]
fn a_switch_at_once_shows_the_game_that_is_on_from_its_start() {
    let mut t = Tournament::new();
    let mut console = t.spectator();
    let mut raw = RawSpectator::connect(t.address(Protocol::Raw));
    // Of very different Slippi versions: payload sizes change with each switch.
    let (new, old) = (fixture("v3.7.0-ice-climbers.slp"), fixture("v0.1.0-plain.slp"));
    let head = |game: &andross::simulator::Recording, steps: usize| -> Vec<u8> {
        game.steps().take(steps).collect::<Vec<_>>().concat()
    };
    let (new_head, old_head) = (head(&new, 200), head(&old, 200));
    t.a.say(&new_head);
    t.b.say(&old_head);
    t.wait_for(B, old_head.len());
    let mut expected = new_head.clone();
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());
    for (station, game) in [(B, &old_head), (A, &new_head), (B, &old_head)] {
        t.choose(station, SwitchAt::Now, Some(station), None);
        expected.extend_from_slice(game);
        console.read_bytes(expected.len());
        raw.read_bytes(expected.len());
    }
    t.b.say(&old.events()[old_head.len()..]);
    expected.extend_from_slice(&old.events()[old_head.len()..]);
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());
    // Between two games there is nothing to show until the next.
    t.choose(A, SwitchAt::Now, Some(A), None);
    expected.extend_from_slice(&new_head);
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());
    t.choose(B, SwitchAt::Now, Some(B), None);
    let next = synthetic(9, 20, true);
    t.b.say(next.events());
    expected.extend_from_slice(next.events());
    console.read_bytes(expected.len());
    raw.read_bytes(expected.len());
    assert_same_bytes("console", &console.data, &expected);
    assert_same_bytes("raw", &raw.data, &expected);
}

#[test]
fn newcomers_and_those_who_resume_are_served_as_by_a_console() {
    let mut t = Tournament::new();
    let [a, b, b2] = [1, 2, 3].map(|seed| synthetic(seed, 40, true));
    t.a.say(&a.events()[..up_to_frame(20)]);
    let mut first = t.spectator();
    first.read_bytes(up_to_frame(20));
    t.choose(B, SwitchAt::NextGame, Some(A), Some(B));
    t.b.say(&b.events()[..up_to_frame(20)]);
    let shown = up_to_frame(20) + up_to_frame(20);
    first.read_bytes(shown);
    let token = first.token;
    drop(first);

    let mut newcomer = t.spectator();
    assert_eq!(newcomer.start, Cursor(up_to_frame(20) as u64));
    let mut raw = RawSpectator::connect(t.address(Protocol::Raw));
    raw.read_bytes(up_to_frame(20));
    // In the game that was shown before, in the middle of a frame; and at the end.
    let cursors = [up_to_frame(10) + 5, shown];
    let mut resumed = cursors.map(|cursor| {
        let cursor = Cursor(cursor as u64);
        ConsoleSpectator::resume(t.address(Protocol::Console), cursor, token)
    });
    let stranger = ConsoleSpectator::resume(
        t.address(Protocol::Console),
        Cursor(5),
        ClientToken(token.0.wrapping_add(1)),
    );
    assert_eq!(stranger.start, newcomer.start);
    t.b.say(&b.events()[up_to_frame(20)..]);
    t.b.say(b2.events());
    let expected = [&a.events()[..up_to_frame(20)], b.events(), b2.events()].concat();
    for (spectator, cursor) in resumed.iter_mut().zip(cursors) {
        assert_eq!(spectator.start, Cursor(cursor as u64));
        spectator.read_bytes(expected.len() - cursor);
        assert_same_bytes("resumed", &spectator.data, &expected[cursor..]);
    }
    newcomer.read_bytes(expected.len() - up_to_frame(20));
    assert_same_bytes("newcomer", &newcomer.data, &expected[up_to_frame(20)..]);
    raw.read_bytes(newcomer.data.len());
    assert_same_bytes("raw", &raw.data, &newcomer.data);
}

#[test]
fn a_chosen_station_may_be_removed() {
    let mut t = Tournament::new();
    let [a, b] = [1, 2].map(|seed| synthetic(seed, 40, true));
    let mut console = t.spectator();
    t.a.say(&a.events()[..up_to_frame(20)]);
    console.read_bytes(up_to_frame(20));
    t.b.say(&b.events()[..up_to_frame(10)]);
    t.wait_for(B, up_to_frame(10));
    t.relay.engine().ask_blocking(|reply| Request::Remove(A, reply)).unwrap();
    let nothing = ProgramStatus { id: PROGRAM, station: None, next: None };
    assert_eq!(t.status().program, Some(nothing));
    assert_eq!(t.switch(Some(A), SwitchAt::Now), Err(Refusal::NoStation(A)));
    // Its spectators stay, and see whatever is chosen next on the same connection.
    t.choose(B, SwitchAt::Now, Some(B), None);
    t.b.say(&b.events()[up_to_frame(10)..]);
    let expected = [&a.events()[..up_to_frame(20)], b.events()].concat();
    console.read_bytes(expected.len());
    assert_same_bytes("program", &console.data, &expected);
    t.shutdown.request(Reason::Finished);
    console.read_to_end();
    t.relay.run_to_end().unwrap();
    let files = common::recorded(t.folder.path());
    assert!(files.contains(&a.events()[..up_to_frame(20)].to_vec()), "A's file is complete");
}

#[test]
fn a_switch_that_is_due_can_be_taken_back_or_lose_its_station() {
    let mut t = Tournament::new();
    let [a, b] = [1, 2].map(|seed| synthetic(seed, 40, true));
    let mut console = t.spectator();
    t.a.say(&a.events()[..up_to_frame(20)]);
    t.choose(B, SwitchAt::NextGame, Some(A), Some(B));
    t.choose(A, SwitchAt::NextGame, Some(A), None);
    t.b.say(b.events());
    t.wait_for(B, b.events().len());
    t.choose(B, SwitchAt::NextGame, Some(A), Some(B));
    t.relay.engine().ask_blocking(|reply| Request::Remove(B, reply)).unwrap();
    let as_before = ProgramStatus { id: PROGRAM, station: Some(A), next: None };
    assert_eq!(t.status().program, Some(as_before));
    t.a.say(&a.events()[up_to_frame(20)..]);
    console.read_bytes(a.events().len());
    assert_same_bytes("program", &console.data, a.events());
    // None shows nothing, and the same station can come back.
    let none = t.switch(None, SwitchAt::Now).unwrap();
    assert_eq!((none.station, none.next), (None, None));
    let [a2, a3] = [3, 4].map(|seed| synthetic(seed, 20, true));
    t.a.say(a2.events());
    t.wait_for(A, t.a.said().len());
    t.choose(A, SwitchAt::NextGame, None, Some(A));
    t.a.say(a3.events());
    console.read_bytes(a.events().len() + a3.events().len());
    let expected = [a.events().as_ref(), a3.events()].concat();
    assert_same_bytes("program", &console.data, &expected);
}

#[test]
fn without_a_word_in_the_configuration_the_first_switch_makes_it() {
    let mut t = Tournament::with(|config| config.program = None);
    assert_eq!(t.status().program, None);
    assert_eq!(t.switch(Some(77), SwitchAt::Now), Err(Refusal::NoStation(77)));
    assert_eq!(t.status().program, None, "a switch that is refused makes nothing");
    let game = synthetic(1, 20, true);
    t.a.say(&game.events()[..up_to_frame(10)]);
    t.wait_for(A, up_to_frame(10));
    t.choose(A, SwitchAt::Now, Some(A), None);
    assert!(matches!(t.switch(Some(PROGRAM), SwitchAt::Now), Err(Refusal::Invalid(_))));
    let mut console = t.spectator();
    t.a.say(&game.events()[up_to_frame(10)..]);
    console.read_bytes(game.events().len());
    assert_same_bytes("program", &console.data, game.events());
}

#[test]
fn it_has_a_delay_of_its_own() {
    let delay = Duration::from_millis(500);
    let mut t = Tournament::with(|config| {
        let raw = DelaySettings { raw: Some(delay), ..DelaySettings::default() };
        config.program = Some(ProgramConfig { station: Some("A".into()), delay: raw });
    });
    let game = synthetic(1, 20, true);
    let mut console = t.spectator();
    let mut raw = RawSpectator::connect(t.address(Protocol::Raw));
    t.a.say(game.events());
    console.read_bytes(game.events().len());
    assert!(raw.read_some());
    assert!(Instant::now() >= t.a.said_at(0) + delay);
    raw.read_bytes(game.events().len());
    assert_same_bytes("console", &console.data, game.events());
    assert_same_bytes("raw", &raw.data, game.events());
}

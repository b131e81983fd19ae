//! The program output and what it shows.

use std::net::UdpSocket;

use andross::config::ProgramConfig;
use andross::engine::{Connection, ProgramSwitch, Refusal, Request, StationChange, SwitchAt};
use andross::protocol::discovery::{Announcement, Mac};
use andross::relay::Relay;

use crate::common::process::RelayProcess;
use crate::common::scripted::ScriptedConsole;
use crate::common::{
    ConsoleSpectator, assert_same_bytes, loopback, named_source, synthetic, wait_until,
};
use crate::desk::{
    FOR_NOW, add, change, console_address, scripted, set_delay, station, status, up_to_frame,
};

const CONSOLE: u64 = 1;
const PROGRAM: u64 = 2;

fn shows(name: &str) -> Option<ProgramConfig> {
    Some(ProgramConfig { station: Some(name.into()), ..ProgramConfig::default() })
}

fn show(relay: &Relay, station: u64) {
    let switch = ProgramSwitch { station: Some(station), at: SwitchAt::Now };
    relay.engine().ask_blocking(|reply| Request::Switch(switch, reply)).unwrap();
}

fn wait_for_bytes(relay: &Relay, id: u64, len: usize) {
    wait_until("the station has it", || station(relay, id).totals.bytes >= len as u64);
}

/// Was: the program output says nothing of where its stream comes from, so nobody notices the loop,
/// and each byte comes round for ever.
#[test]
fn a_station_that_is_fed_by_the_program_output_is_not_shown_by_it() {
    let (mut console, venue) = scripted(|config| config.program = shows("test"));
    let relay = &venue.relay;
    let game = synthetic(1, 40, true);
    let half = up_to_frame(20);
    console.say(&game.events()[..half]);
    let mut spectator = ConsoleSpectator::connect(console_address(&station(relay, PROGRAM)));
    spectator.read_bytes(half);
    let fed = add(relay, "Fed", &console_address(&station(relay, PROGRAM)).to_string()).unwrap();
    wait_for_bytes(relay, fed.id, half);
    show(relay, fed.id);
    wait_until("the loop is noticed", || {
        status(relay).program.unwrap().station.is_none()
            || station(relay, fed.id).connection == Connection::Loop
    });
    // Silence: what came round would be here before the second of two keep-alives.
    let heard = spectator.keep_alives;
    while spectator.keep_alives < heard + 2 {
        assert!(spectator.read_message());
        assert_eq!(spectator.data.len(), half, "its own bytes came round");
    }
    assert_eq!(station(relay, PROGRAM).totals.bytes, half as u64);
    // The console is shown again, from its game's start on, as if nothing had been.
    show(relay, CONSOLE);
    console.say(&game.events()[half..]);
    let expected = [&game.events()[..half], game.events()].concat();
    spectator.read_bytes(expected.len());
    assert_same_bytes("program", &spectator.data, &expected);
    wait_for_bytes(relay, fed.id, expected.len());
}

/// Was: a relay could be its own raw source, which says nothing of where it comes from.
#[test]
fn a_raw_port_of_this_relay_is_no_source() {
    let (_console, venue) = scripted(|config| config.program = shows("test"));
    let relay = &venue.relay;
    for id in [CONSOLE, PROGRAM] {
        let source = format!("raw:{}", station(relay, id).raw_address.unwrap());
        let added = add(relay, "Own", &source);
        assert!(matches!(added, Err(Refusal::Conflict(_))), "{added:?}");
        let moved = StationChange { source: Some(source), ..StationChange::default() };
        let moved = change(relay, CONSOLE, moved);
        assert!(matches!(moved, Err(Refusal::Conflict(_))), "{moved:?}");
    }
}

/// Was: `--program=NAME` of a console that is yet to be discovered is refused at the start.
#[test]
fn a_console_that_is_discovered_later_is_shown_if_it_was_asked_for() {
    let ears = UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
    let console = ScriptedConsole::new();
    let relay = RelayProcess::start([
        format!("--discover={ears}"),
        format!("--discover-port={}", console.address().port()),
        // As with stations' names, large and small letters are the same.
        "--program=stream wii".to_owned(),
        "--listen=127.0.0.1:0".to_owned(),
        "--raw-listen=127.0.0.1:0".to_owned(),
        "--http=127.0.0.1:0".to_owned(),
        "--replays=off".to_owned(),
    ]);
    relay.wait_for_log("control calls are answered");
    let shown = || relay.get("/api/status")["program"]["station"].as_u64();
    assert_eq!(shown(), None);
    let said = Announcement { mac: Mac([0, 9, 0xBF, 1, 2, 3]), nick: "Stream Wii".into() };
    UdpSocket::bind(loopback()).unwrap().send_to(&said.encode(), ears).unwrap();
    wait_until("it is shown", || shown().is_some());
    assert_eq!(shown(), Some(relay.station("Stream Wii").id()));
}

/// Was: what a station's delay hides can be seen at once in the program output.
#[test]
fn the_program_output_is_at_least_as_late_as_what_it_shows() {
    let mut late = ScriptedConsole::new();
    let (_console, venue) = scripted(|config| {
        config.program = shows("test");
        config
            .stations
            .push(andross::config::StationConfig::new(named_source("Late", late.address())));
    });
    const ON_TIME: u64 = 1;
    const LATE: u64 = 2;
    const PROGRAM: u64 = 3;
    late.accept();
    let relay = &venue.relay;
    set_delay(relay, LATE, FOR_NOW);
    let delays = || {
        let program = station(relay, PROGRAM);
        [program.console_delay, program.raw_delay]
    };
    assert_eq!(delays(), [0.0, 0.0]);
    let game = synthetic(1, 20, true);
    late.say(&game.events()[..up_to_frame(10)]);
    wait_for_bytes(relay, LATE, up_to_frame(10));
    let mut spectator = ConsoleSpectator::connect(console_address(&station(relay, PROGRAM)));
    show(relay, LATE);
    assert_eq!(delays(), [FOR_NOW, FOR_NOW], "before anything of it is shown");
    wait_for_bytes(relay, PROGRAM, up_to_frame(10));
    let heard = spectator.keep_alives;
    while spectator.keep_alives < heard + 2 {
        assert!(spectator.read_message());
        assert_eq!(spectator.data.len(), 0, "it was shown too early");
    }
    // It follows the station's delay while that is shown.
    set_delay(relay, LATE, 0.0);
    late.say(&game.events()[up_to_frame(10)..]);
    spectator.read_bytes(game.events().len());
    assert_same_bytes("program", &spectator.data, game.events());
    set_delay(relay, LATE, 5.0);
    wait_until("the program output is as late", || delays() == [5.0, 5.0]);
    // And when another is shown, for as long as the program output holds what was hidden.
    set_delay(relay, LATE, FOR_NOW);
    show(relay, ON_TIME);
    assert_eq!(delays(), [FOR_NOW, FOR_NOW]);
}

//! What is changed about one station in the middle of a game.

use serde_json::json;

use crate::common::{
    ConsoleSpectator, RawSpectator, assert_same_bytes, events_of, files_of, is_complete, synthetic,
    wait_until,
};
use crate::hall::{Hall, console, endless_console, named, stream_of};

#[test]
fn removing_a_station_completes_its_file_at_once_and_the_other_misses_nothing() {
    let (gone, stays) = (synthetic(1, 20_000, true), synthetic(2, 900, true));
    let consoles = [endless_console(gone.clone(), 200.0), console(vec![stays.clone()], 200.0)];
    let stations =
        [named("Gone", consoles[0].local_addr()), named("Stays", consoles[1].local_addr())];
    let mut hall = Hall::open(&stations, &[]);
    let [first, second] = ["Gone", "Stays"].map(|name| hall.relay.station(name));
    let mut leaving = ConsoleSpectator::connect(first.console_address());
    let mut staying = ConsoleSpectator::connect(second.console_address());
    let mut staying_raw = RawSpectator::connect(second.raw_address());
    leaving.read_bytes(50_000);
    hall.remove(&first);
    leaving.read_to_end();
    // Not at the end of its game: that is minutes away.
    wait_until("the file is complete", || {
        files_of(hall.path(), "Gone").first().is_some_and(|file| is_complete(file))
    });
    let files = files_of(hall.path(), "Gone");
    let events = events_of(&files[0]);
    assert_same_bytes("file", &events, &gone.events()[..events.len()]);
    assert_same_bytes("who left", &leaving.data, &events[..leaving.data.len()]);
    assert_eq!(hall.relay.stations().len(), 1);
    wait_until("its console is free", || consoles[0].client().is_none());

    staying.read_bytes(stays.events().len());
    staying_raw.read_bytes(stays.events().len());
    assert_same_bytes("who stays", &staying.data, stays.events());
    assert_same_bytes("who stays, raw", &staying_raw.data, stays.events());
    assert!(staying.replays.iter().all(|(_, forced)| !forced));
    assert_eq!(hall.relay.shut_down(), Some(0));
}

/// Nobody else uses the ports meanwhile, so a station that cannot listen there is a fault.
#[test]
fn the_ports_of_a_removed_station_are_free_when_the_call_is_answered() {
    let consoles = [1, 2].map(|seed| endless_console(synthetic(seed, 100, true), 60.0));
    let stays = named("Stays", consoles[0].local_addr());
    let mut hall = Hall::open(&[stays], &[]);
    let first = hall.add("Comes 0", consoles[1].local_addr());
    let mut last = first.clone();
    for n in 1..25 {
        hall.remove(&last);
        last = hall.add(&format!("Comes {n}"), consoles[1].local_addr());
        assert_eq!(last.addresses(), first.addresses());
    }
    assert_eq!(hall.relay.shut_down(), Some(0));
}

#[test]
fn recording_switched_off_completes_the_file_and_on_again_saves_the_game_whole() {
    let game = synthetic(3, 1_500, true);
    let simulator = console(vec![game.clone()], 250.0);
    let mut hall = Hall::open(&[named("Stream", simulator.local_addr())], &[]);
    let mut spectator = ConsoleSpectator::connect(hall.relay.station("Stream").console_address());
    spectator.read_bytes(100_000);
    hall.change("Stream", json!({"record": false}));
    wait_until("the file is complete", || {
        files_of(hall.path(), "Stream").first().is_some_and(|file| is_complete(file))
    });
    let part = events_of(&files_of(hall.path(), "Stream")[0]);
    assert_same_bytes("the part", &part, &game.events()[..part.len()]);
    spectator.read_bytes(part.len() + 100_000);
    assert_eq!(files_of(hall.path(), "Stream").len(), 1, "nothing is saved meanwhile");
    assert!(spectator.data.len() < game.events().len(), "the game is still on");
    hall.change("Stream", json!({"record": true}));
    spectator.read_bytes(game.events().len());
    wait_until("the game is saved", || hall.relay.station("Stream").0["totals"]["files"] == 2);
    assert_eq!(hall.relay.shut_down(), Some(0));
    let files = files_of(hall.path(), "Stream");
    assert_eq!(files.len(), 2, "{files:?}");
    assert_same_bytes("the part stays", &events_of(&files[0]), &part);
    assert_same_bytes("the whole game", &events_of(&files[1]), game.events());
    assert_same_bytes("spectator", &spectator.data, game.events());
}

#[test]
fn a_new_name_is_in_the_next_file_and_nobody_is_hung_up_on() {
    let games = [synthetic(4, 600, true), synthetic(5, 300, true)];
    let simulator = console(games.to_vec(), 300.0);
    let mut hall = Hall::open(&[named("Stream", simulator.local_addr())], &[]);
    let before = hall.relay.station("Stream");
    let mut spectator = ConsoleSpectator::connect(before.console_address());
    let mut raw = RawSpectator::connect(before.raw_address());
    spectator.read_bytes(50_000);
    hall.change("Stream", json!({"name": "Finals"}));
    assert!(spectator.data.len() < games[0].events().len(), "it was renamed in the first game");
    let all = stream_of(&games);
    spectator.read_bytes(all.len());
    raw.read_bytes(all.len());
    assert_same_bytes("spectator", &spectator.data, &all);
    assert_same_bytes("raw spectator", &raw.data, &all);
    let after = hall.relay.station("Finals");
    assert_eq!((after.id(), after.addresses()), (before.id(), before.addresses()));
    wait_until("both games are saved", || hall.relay.station("Finals").0["totals"]["files"] == 2);
    assert_eq!(hall.relay.shut_down(), Some(0));
    for (name, game) in ["Stream", "Finals"].into_iter().zip(&games) {
        let files = files_of(hall.path(), name);
        assert_eq!(files.len(), 1, "{files:?}");
        assert_same_bytes(name, &events_of(&files[0]), game.events());
    }
}

//! Stations that are added, changed and removed while the relay runs: what that does.

use andross::config::MAX_STATIONS;
use serde_json::json;

use super::desk::{Desk, first_game};
use crate::common::{
    ConsoleSpectator, RawSpectator, assert_same_bytes, events_of, synthetic, wait_until,
};

#[test]
fn a_station_that_is_added_is_connected_watched_and_saved() {
    let mut desk = Desk::new();
    let (first, second) = (synthetic(2, 100, true), synthetic(3, 100, true));
    let added = desk.add_console("Side", vec![first.clone(), second.clone()], 2000.0);
    assert_eq!((&added["id"], &added["name"]), (&json!(2), &json!("Side")));
    assert_eq!((&added["kind"], &added["origin"]), (&json!("console"), &json!("api")));
    let mut console = ConsoleSpectator::connect(desk.console_address(2));
    let mut raw = RawSpectator::connect(desk.raw_address(2));
    desk.wait_until_saved(2, 2);
    assert_eq!(desk.station(2)["connection"], "connected");
    // It came before the second game at the latest, or has it from its start.
    let end = first.events().len() + second.events().len();
    let games = [first.events().as_ref(), second.events()].concat();
    console.read_bytes(end.saturating_sub(console.start.0 as usize));
    assert_same_bytes("console", &console.data, &games[console.start.0 as usize..]);
    while !raw.data.ends_with(&games[games.len() - 100..]) && console.start.0 < end as u64 {
        assert!(raw.read_some());
    }
    assert!(games.ends_with(&raw.data));
    let saved = desk.end();
    assert!([&first, &second].iter().all(|game| saved.contains(&game.events().to_vec())));
}

#[test]
fn a_station_without_recording_is_not_saved_until_that_is_switched_on() {
    let desk = Desk::playing(synthetic(1, 3000, true), 600.0, |config, _| {
        config.stations[0].record = false;
    });
    desk.wait_for_bytes(1, 60_000);
    let recording = desk.station(1)["recording"].clone();
    assert_eq!(recording, json!({ "wanted": false, "isFailing": false, "file": null }));
    let on = desk.send("PATCH", "/api/stations/1", r#"{"record":true}"#).good();
    assert_eq!(on["recording"]["wanted"], true);
    // The game that is on is saved from its start.
    wait_until("a game is saved", || !desk.station(1)["recording"]["file"].is_null());
    let off = desk.send("PATCH", "/api/stations/1", r#"{"record":false}"#).good();
    assert_eq!(off["recording"]["wanted"], false);
    desk.wait_until_saved(1, 1);
    let file = desk.station(1)["recording"]["file"].as_str().unwrap().to_owned();
    let saved = events_of(file.as_ref());
    let game = synthetic(1, 3000, true);
    assert!(saved.len() >= 60_000);
    assert_same_bytes("the part", &saved, &game.events()[..saved.len()]);
    // Switched on again it is saved from its start again, in a file of its own.
    desk.send("PATCH", "/api/stations/1", r#"{"record":true}"#).good();
    desk.wait_until_saved(1, 2);
    assert!(desk.end().contains(&game.events().to_vec()));
}

#[test]
fn a_station_has_another_name_from_then_on() {
    let mut desk = Desk::new();
    let mut spectator = ConsoleSpectator::connect(desk.console_address(1));
    let renamed = desk.send("PATCH", "/api/stations/1", r#"{"name":"Best of 5"}"#).good();
    assert_eq!((&renamed["id"], &renamed["name"]), (&json!(1), &json!("Best of 5")));
    assert_eq!(desk.station(1)["name"], "Best of 5");
    assert!(desk.get("/metrics").text().contains("station=\"Best of 5\",id=\"1\""));
    // The name is free for another, and nobody was disturbed.
    let again = desk.add_console("Stream", vec![first_game()], 1000.0);
    assert_eq!(again["id"], 2);
    let file = || desk.station(2)["recording"]["file"].as_str().unwrap_or_default().to_owned();
    wait_until("its game is saved", || file().contains("Stream"));
    assert!(spectator.read_message());
    let itself = desk.send("PATCH", "/api/stations/1", r#"{"name":"BEST of 5"}"#).good();
    assert_eq!(itself["name"], "BEST of 5");
}

#[test]
fn what_another_station_has_is_refused() {
    let mut desk = Desk::new();
    let side = desk.add_console("Bühne", vec![first_game()], 1000.0);
    let source = side["source"].as_str().unwrap().to_owned();
    let taken = |method: &str, path: &str, body: String| {
        desk.send(method, path, &body).is_error(409, "conflict");
    };
    for name in ["Bühne", "bühne", "BÜHNE", "stream"] {
        taken("POST", "/api/stations", format!(r#"{{"source":"127.0.0.1:9","name":"{name}"}}"#));
    }
    taken("POST", "/api/stations", format!(r#"{{"source":"{source}","name":"Third"}}"#));
    taken("POST", "/api/stations", format!(r#"{{"source":"raw:{source}","name":"Third"}}"#));
    taken("PATCH", "/api/stations/1", r#"{"name":"BÜHNE"}"#.into());
    taken("PATCH", "/api/stations/1", format!(r#"{{"source":"{source}"}}"#));
    taken("PATCH", "/api/stations/1", format!(r#"{{"source":"{source}","name":"Other"}}"#));
    assert_eq!(desk.station(1)["name"], "Stream");
    assert_eq!(desk.get("/api/stations").json().as_array().unwrap().len(), 2);
}

#[test]
fn there_are_so_many_stations_and_no_more() {
    let desk = Desk::new();
    // Who adds so many so quickly is told to wait now and then.
    let add = |n: usize| {
        let body = format!(r#"{{"source":"127.0.0.1:{n}","name":"Station {n}"}}"#);
        let mut answer = desk.send("POST", "/api/stations", &body);
        wait_until("there is a turn", || {
            if answer.status == 429 {
                answer = desk.send("POST", "/api/stations", &body);
            }
            answer.status != 429
        });
        answer
    };
    for n in 2..=MAX_STATIONS {
        assert_eq!(add(n).status, 201);
    }
    let one_more = add(MAX_STATIONS + 1);
    one_more.is_error(409, "conflict");
    assert!(one_more.text().contains("no more are possible"));
    assert_eq!(desk.get("/api/stations").json().as_array().unwrap().len(), MAX_STATIONS);
}

#[test]
fn a_station_that_is_removed_takes_its_spectators_along_and_its_file_is_complete() {
    let mut desk = Desk::new();
    let game = synthetic(2, 3000, true);
    desk.add_console("Side", vec![game.clone()], 600.0);
    let mut others = ConsoleSpectator::connect(desk.console_address(1));
    let mut console = ConsoleSpectator::connect(desk.console_address(2));
    let mut raw = RawSpectator::connect(desk.raw_address(2));
    let address = desk.console_address(2);
    console.read_bytes(60_000);
    assert_eq!(desk.delete("/api/stations/2").status, 204);
    console.read_to_end();
    while raw.read_some() {}
    wait_until("nobody can connect", || std::net::TcpStream::connect(address).is_err());
    desk.delete("/api/stations/2").is_error(404, "no-station");
    desk.get("/api/stations/2").is_error(404, "no-station");
    assert!(others.read_message(), "spectators of other stations stay");
    wait_until("its file is complete", || recorded_len(&desk) == 2);
    // Its number is not given away again, but its console can be added anew.
    let again = desk.add_console("Side", vec![first_game()], 1000.0);
    assert_eq!(again["id"], 3);
    let files = desk.end();
    let part = files.iter().find(|events| events[50] == 2).unwrap();
    assert_same_bytes("file", part, &game.events()[..part.len()]);
    assert!(part.len() >= console.data.len(), "{} {}", part.len(), console.data.len());
    assert_same_bytes("console", &console.data, &part[..console.data.len()]);
}

/// How many complete games there are.
fn recorded_len(desk: &Desk) -> usize {
    let list = desk.get("/api/replays").json();
    let is_complete = |game: &&serde_json::Value| game["state"] == "complete";
    // Asked without a pause, which may be too often for the relay.
    list["replays"].as_array().map_or(0, |games| games.iter().filter(is_complete).count())
}

#[test]
fn a_station_that_gets_another_address_goes_on_from_there() {
    let desk = Desk::new();
    let mut spectator = ConsoleSpectator::connect(desk.console_address(1));
    let game = synthetic(7, 100, true);
    let other = super::desk::console(vec![game.clone()], 2000.0);
    let body = format!(r#"{{"source":"{}"}}"#, other.local_addr());
    let changed = desk.send("PATCH", "/api/stations/1", &body).good();
    assert_eq!(changed["source"], other.local_addr().to_string());
    spectator.read_bytes(game.events().len());
    assert_same_bytes("the other console's", &spectator.data, game.events());
    desk.wait_until_saved(1, 2);
}

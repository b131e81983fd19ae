//! Spectators that are listed, hung up on and delayed through control calls.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::desk::{Desk, first_game};
use crate::common::{
    ConsoleSpectator, RawSpectator, assert_same_bytes, narrow, synthetic, wait_until,
};

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// The spectator that connects from where `stream` does.
fn of(desk: &Desk, stream: &TcpStream) -> Option<Value> {
    let address = stream.local_addr().unwrap().to_string();
    let clients = desk.get("/api/clients").json();
    clients.as_array().unwrap().iter().find(|client| client["address"] == address).cloned()
}

#[test]
fn spectators_are_listed_with_all_that_is_known_of_them() {
    let mut desk = Desk::new();
    desk.add_console("Side", vec![first_game()], 5000.0);
    desk.wait_until_saved(2, 1);
    assert_eq!(desk.get("/api/clients").json(), json!([]));
    let before = now();
    let console = ConsoleSpectator::connect(desk.console_address(1));
    let raw = RawSpectator::connect(desk.raw_address(2));
    let silent = TcpStream::connect(desk.console_address(1)).unwrap();
    wait_until("all are taken in", || {
        desk.get("/api/clients").json().as_array().unwrap().len() == 3
    });
    let end = first_game().events().len();
    for (stream, station, protocol, is_greeted, cursor) in [
        (&console.stream, 1, "console", true, end),
        (&raw.stream, 2, "raw", true, end),
        (&silent, 1, "console", false, 0),
    ] {
        let client = of(&desk, stream).unwrap();
        assert_eq!((&client["station"], &client["protocol"]), (&json!(station), &json!(protocol)));
        assert_eq!((&client["isGreeted"], &client["isRelay"]), (&json!(is_greeted), &json!(false)));
        assert_eq!((&client["lagBytes"], &client["lagFrames"]), (&json!(0), &json!(0)));
        assert_eq!(client["cursor"], cursor);
        let since = client["since"].as_i64().unwrap();
        assert!((before..=now()).contains(&since), "{since}");
    }
    let ids = |path: &str| -> Vec<u64> {
        let clients = desk.get(path).json();
        clients.as_array().unwrap().iter().map(|client| client["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids("/api/clients"), [1, 2, 3]);
    assert_eq!(ids("/api/clients?station=2").len(), 1);
    assert_eq!(ids("/api/clients?station=1").len(), 2);
    assert_eq!(
        desk.station(1)["clients"],
        json!({ "console": 2, "dolphin": 0, "raw": 0, "web": 0 })
    );
    assert_eq!(desk.get("/api/status").json()["clients"], 3);
    desk.get("/api/clients?station=3").is_error(404, "no-station");
    desk.get("/api/clients?station=x").is_error(400, "invalid");
    desk.get("/api/clients?sation=1").is_error(400, "invalid");
}

#[test]
fn a_spectator_that_is_kicked_is_hung_up_on_and_nobody_else() {
    let desk = Desk::new();
    let mut console = ConsoleSpectator::connect(desk.console_address(1));
    let mut raw = RawSpectator::connect(desk.raw_address(1));
    let mut other = ConsoleSpectator::connect(desk.console_address(1));
    wait_until("all are taken in", || of(&desk, &raw.stream).is_some());
    for stream in [&console.stream, &raw.stream] {
        let id = of(&desk, stream).unwrap()["id"].as_u64().unwrap();
        assert_eq!(desk.delete(&format!("/api/clients/{id}")).status, 204);
        desk.delete(&format!("/api/clients/{id}")).is_error(404, "no-client");
        assert!(of(&desk, stream).is_none());
    }
    console.read_to_end();
    while raw.read_some() {}
    assert!(other.read_message());
    desk.delete("/api/clients/x").is_error(400, "invalid");
    assert_eq!(
        desk.station(1)["clients"],
        json!({ "console": 1, "dolphin": 0, "raw": 0, "web": 0 })
    );
    // Who was hung up on may come again, and is somebody new.
    let again = ConsoleSpectator::resume(desk.console_address(1), console.cursor, console.token);
    assert_eq!(of(&desk, &again.stream).unwrap()["id"], 4);
}

#[test]
fn who_stalls_lags_and_who_keeps_up_does_not() {
    let game = synthetic(1, 20_000, true);
    let desk = Desk::playing(game, 4000.0, |_, _| {});
    let mut stalled = narrow(desk.raw_address(1));
    let mut quick = ConsoleSpectator::connect(desk.console_address(1));
    wait_until("it is taken in", || of(&desk, &stalled).is_some());
    let lag = |stream: &TcpStream| of(&desk, stream).unwrap()["lagBytes"].as_u64().unwrap();
    let mut lags = vec![0];
    while lags.last() < Some(&3_000_000) {
        quick.read_bytes(quick.data.len() + 300_000);
        lags.push(lag(&stalled));
    }
    let grew = lags.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(grew >= 3, "{lags:?}");
    let client = of(&desk, &stalled).unwrap();
    assert!(client["lagFrames"].as_u64() > Some(1000), "{client}");
    quick.read_bytes(synthetic(1, 20_000, true).events().len());
    wait_until("it has everything", || lag(&quick.stream) == 0);
    assert_eq!(of(&desk, &quick.stream).unwrap()["lagFrames"], 0);
    // It takes everything after all.
    let mut data = vec![0; quick.data.len()];
    stalled.read_exact(&mut data).unwrap();
    wait_until("it has everything", || lag(&stalled) == 0);
}

#[test]
fn a_delay_that_is_set_holds_from_the_next_frame_on() {
    let game = synthetic(1, 900, true);
    let end = game.events().len();
    let desk = Desk::playing(game.clone(), 300.0, |_, _| {});
    let mut live = ConsoleSpectator::connect(desk.console_address(1));
    let mut raw = RawSpectator::connect(desk.raw_address(1));
    live.read_bytes(20_000);
    let changed = desk.send("PATCH", "/api/stations/1", r#"{"rawDelay":0.5}"#).good();
    assert_eq!((&changed["consoleDelay"], &changed["rawDelay"]), (&json!(0.0), &json!(0.5)));
    // What lies behind a position that the console had written was written later.
    let mut written = Vec::new();
    let mut came = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("the game is played", || {
                let moment = Instant::now();
                written.push((moment, desk.first_console().write_pos().0 as usize));
                written.last().unwrap().1 >= end
            });
        });
        while raw.data.len() < end {
            assert!(raw.read_some());
            came.push((Instant::now(), raw.data.len()));
        }
    });
    let mut checked = 0;
    for (moment, len) in came {
        let earlier = written.partition_point(|(_, position)| *position < len);
        if let Some((not_before, _)) = written[..earlier].last() {
            assert!(moment >= *not_before + Duration::from_millis(500), "{len} came early");
            checked += 1;
        }
    }
    assert!(checked > 0);
    live.read_bytes(end);
    assert_same_bytes("live", &live.data, game.events());
    assert_same_bytes("raw", &raw.data, game.events());
    let changed = desk.send("PATCH", "/api/stations/1", r#"{"delay":3}"#).good();
    assert_eq!((&changed["consoleDelay"], &changed["rawDelay"]), (&json!(3.0), &json!(0.5)));
    let changed = desk.send("PATCH", "/api/stations/1", r#"{"delay":0,"rawDelay":0}"#).good();
    assert_eq!((&changed["consoleDelay"], &changed["rawDelay"]), (&json!(0.0), &json!(0.0)));
}

#[test]
fn a_station_can_be_added_with_a_delay() {
    let desk = Desk::new();
    let game = synthetic(5, 60, true);
    let side = super::desk::console(vec![game.clone()], 5000.0);
    let body = format!(r#"{{"name":"Side","delay":900,"source":"{}"}}"#, side.local_addr());
    let added = desk.send("POST", "/api/stations", &body).good();
    assert_eq!((&added["consoleDelay"], &added["rawDelay"]), (&json!(900.0), &json!(900.0)));
    let mut spectator = ConsoleSpectator::connect(desk.console_address(2));
    desk.wait_until_saved(2, 1);
    while spectator.keep_alives == 0 {
        assert!(spectator.read_message());
    }
    assert!(spectator.data.is_empty(), "nothing is visible for a quarter of an hour");
    let client = of(&desk, &spectator.stream).unwrap();
    assert_eq!(client["lagBytes"], 0, "it is not behind what it may see: {client}");
    desk.send("PATCH", "/api/stations/2", r#"{"delay":0.1}"#).good();
    spectator.read_bytes(game.events().len());
    assert_same_bytes("delayed", &spectator.data, game.events());
}

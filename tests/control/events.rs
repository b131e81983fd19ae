//! Changes over the WebSocket: the state first, and then every change without a gap.

use andross::engine::{Request, StationChange};
use andross::shutdown::Reason;
use serde_json::{Value, json};
use tungstenite::Message;

use super::desk::{Desk, first_game};
use crate::common::http::Follower;
use crate::common::{ConsoleSpectator, synthetic};

/// The state without what time changes all the time, and what is told with the stations.
fn lasting(state: &Value) -> Value {
    let mut state = state.clone();
    state.as_object_mut().unwrap().remove("clients");
    for station in state["stations"].as_array_mut().unwrap() {
        station.as_object_mut().unwrap().remove("lastByteAge");
    }
    state
}

/// Checks that the changes made `follower`'s state what the relay says it is.
#[track_caller]
fn agrees(desk: &Desk, follower: &mut Follower) {
    let state = desk.get("/api/status").good();
    follower.read_to(state["seq"].as_u64().unwrap());
    assert_eq!(lasting(&follower.state), lasting(&state));
}

#[test]
fn the_state_comes_first_and_the_changes_make_the_next_state_of_it() {
    let mut desk = Desk::new();
    let mut follower = desk.follow();
    let first = follower.next().unwrap();
    assert_eq!(first["type"], "state");
    assert_eq!(first["status"]["stations"][0]["name"], "Stream");
    agrees(&desk, &mut follower);

    desk.add_console("Side", vec![synthetic(2, 900, true)], 900.0);
    follower.until("its console", |m| m["station"]["nick"] == "Stream Wii");
    follower.until("a game", |m| m["station"]["game"]["isOn"] == true);
    let saved = |m: &Value| m["station"]["totals"]["files"] == 1 && m["station"]["id"] == 2;
    assert_eq!(follower.until("its file", saved)["station"]["game"]["isOn"], false);
    agrees(&desk, &mut follower);

    let spectator = ConsoleSpectator::connect(desk.console_address(2));
    follower.until("a spectator", |m| m["station"]["clients"]["console"] == 1);
    drop(spectator);
    follower.until("it left", |m| m["station"]["clients"]["console"] == 0);
    agrees(&desk, &mut follower);

    desk.send("PATCH", "/api/stations/2", r#"{"name":"Best","delay":2,"record":false}"#).good();
    let changed = follower.until("the change", |m| m["station"]["name"] == "Best");
    assert_eq!(changed["station"]["recording"]["wanted"], false);
    desk.send("POST", "/api/program", r#"{"station":2,"at":"now"}"#).good();
    assert_eq!(follower.expect("program")["program"], json!({"id":3,"station":2,"next":null}));
    agrees(&desk, &mut follower);
    desk.delete("/api/stations/2");
    assert_eq!(follower.expect("stationRemoved")["id"], 2);
    assert_eq!(follower.expect("program")["program"]["station"], json!(null));
    agrees(&desk, &mut follower);

    let mut newcomer = desk.follow();
    newcomer.next();
    agrees(&desk, &mut newcomer);
    assert_eq!(lasting(&newcomer.state)["stations"], lasting(&follower.state)["stations"]);
}

#[test]
fn whoever_begins_to_follow_in_the_middle_of_changes_misses_none() {
    let desk = Desk::playing(synthetic(1, 3000, true), 600.0, |_, _| {});
    let engine = desk.relay.engine().clone();
    let busy = std::thread::spawn(move || {
        for n in 0..300 {
            let change =
                StationChange { name: Some(format!("Name {n}")), ..StationChange::default() };
            engine.ask_blocking(|reply| Request::Change(1, change, reply)).unwrap();
        }
    });
    let mut followers: Vec<_> = (0..20).map(|_| desk.follow()).collect();
    busy.join().unwrap();
    desk.wait_until_saved(1, 1);
    for follower in &mut followers {
        agrees(&desk, follower);
        assert_eq!(follower.state["stations"][0]["name"], "Name 299");
    }
}

#[test]
fn who_is_too_slow_gets_the_state_again() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    follower.expect("state");
    // Several MiB more than sockets hold, while nobody reads.
    let rename = |n: usize| {
        let change = StationChange { name: Some(format!("Name {n}")), ..StationChange::default() };
        desk.relay.engine().ask_blocking(|reply| Request::Change(1, change, reply)).unwrap();
    };
    (0..20_000).for_each(rename);
    follower.expect("state");
    agrees(&desk, &mut follower);
    assert_eq!(follower.state["stations"][0]["name"], "Name 19999");
}

#[test]
fn what_clients_say_is_ignored_unless_it_is_too_much() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    follower.expect("state");
    follower.socket.send(Message::text("hello")).unwrap();
    follower.socket.send(Message::binary(vec![0; 1000])).unwrap();
    desk.send("PATCH", "/api/stations/1", r#"{"name":"Side"}"#).good();
    follower.until("the change", |m| m["station"]["name"] == "Side");
    // The server may hang up before all of it is sent.
    let _ = follower.socket.send(Message::binary(vec![0; 1_000_000]));
    let hung_up = loop {
        match follower.socket.read() {
            Ok(Message::Close(_)) | Err(_) => break true,
            Ok(_) => {}
        }
    };
    assert!(hung_up);
    assert_eq!(desk.get("/healthz").status, 200);
}

#[test]
fn the_end_is_told_with_its_reason_and_then_the_server_says_goodbye() {
    let desk = Desk::new();
    let mut followers = [desk.follow(), desk.follow()];
    followers.iter_mut().for_each(|follower| drop(follower.expect("state")));
    let mut spectator = ConsoleSpectator::connect(desk.console_address(1));
    assert_eq!(desk.call("POST", "/api/shutdown", &[], None).status, 202);
    for follower in &mut followers {
        assert_eq!(follower.expect("shutdown")["reason"], "a control call");
        assert_eq!(follower.next(), None);
    }
    spectator.read_to_end();
    let (end, games) = desk.wait_for_end();
    assert_eq!(end, Ok(Reason::Control));
    assert_eq!(games, [first_game().events().to_vec()]);
}

#[test]
fn whatever_ends_the_relay_is_told() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    follower.expect("state");
    desk.shutdown.request(Reason::Signal);
    assert_eq!(follower.expect("shutdown")["reason"], "a signal");
    assert_eq!(follower.next(), None);
    assert_eq!(desk.wait_for_end().0, Ok(Reason::Signal));
}

#[test]
fn a_get_that_is_no_handshake_is_refused() {
    let desk = Desk::new();
    desk.get("/api/events").is_error(400, "invalid");
}

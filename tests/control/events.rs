//! Changes over the WebSocket.

use andross::engine::Change;
use andross::shutdown::Reason;
use tungstenite::Message;

use super::desk::Desk;

#[test]
fn the_state_comes_first_and_then_each_change() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    let state = follower.expect("state");
    assert_eq!(state["status"]["stations"][0]["name"], "Stream");
    assert_eq!(state["status"]["seq"], 0);
    desk.send("POST", "/api/stations", r#"{"source":"x","name":"Side"}"#);
    let change = follower.expect("station");
    assert_eq!((&change["seq"], &change["station"]["name"]), (&1.into(), &"Side".into()));
    desk.call("DELETE", "/api/stations/1", &[], None);
    assert_eq!(follower.expect("stationRemoved")["id"], 1);

    let state = desk.follow().expect("state");
    assert_eq!(state["status"]["seq"], 2, "a newcomer's state has all of it");
}

#[test]
fn changes_that_are_in_the_state_are_not_told_again() {
    let desk = Desk::new();
    desk.send("POST", "/api/stations", r#"{"source":"x","name":"Side"}"#);
    let mut follower = desk.follow();
    assert_eq!(follower.expect("state")["status"]["seq"], 1);
    desk.tell(1, Change::StationRemoved { id: 100 });
    desk.tell(2, Change::StationRemoved { id: 200 });
    assert_eq!(follower.expect("stationRemoved")["id"], 200);
}

#[test]
fn who_is_too_slow_gets_the_state_again() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    assert_eq!(follower.expect("state")["status"]["seq"], 0);
    // More than the channel keeps; the server cannot look in between.
    for seq in 1..=3000 {
        desk.tell(seq, Change::StationRemoved { id: seq });
    }
    desk.tell(3001, Change::Forgotten { mac: "end".into() });
    let mut states = 0;
    let mut last = 0;
    loop {
        let message = follower.next().unwrap();
        match message["type"].as_str().unwrap() {
            "state" => (states, last) = (states + 1, 0),
            "forgotten" => break,
            _ => {
                let seq = message["seq"].as_u64().unwrap();
                assert!(seq > last, "{message}");
                last = seq;
            }
        }
    }
    // Whether it was too slow is up to the system: either all changes came, or the state did.
    assert!(states > 0 || last == 3000);
}

#[test]
fn what_clients_say_is_ignored_unless_it_is_too_much() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    follower.expect("state");
    follower.socket.send(Message::text("hello")).unwrap();
    follower.socket.send(Message::binary(vec![0; 1000])).unwrap();
    desk.tell(1, Change::StationRemoved { id: 5 });
    assert_eq!(follower.expect("stationRemoved")["id"], 5);
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
fn the_end_is_told_and_then_the_server_says_goodbye() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    follower.expect("state");
    assert_eq!(desk.call("POST", "/api/shutdown", &[], None).status, 202);
    assert_eq!(follower.expect("shutdown")["reason"], "the work is done");
    assert_eq!(follower.next(), None);
    desk.wait_for_end();
}

#[test]
fn a_server_that_ends_without_a_word_of_the_engine_says_goodbye_too() {
    let desk = Desk::new();
    let mut follower = desk.follow();
    follower.expect("state");
    desk.shutdown.request(Reason::Signal);
    assert_eq!(follower.next(), None);
    desk.wait_for_end();
}

#[test]
fn a_get_that_is_no_handshake_is_refused() {
    let desk = Desk::new();
    desk.get("/api/events").is_error(400, "invalid");
}

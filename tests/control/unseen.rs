//! What nobody may know yet: games that spectators have still to see.

use serde_json::{Value, json};

use super::desk::{Desk, first_game};

/// A relay whose console has played a game that nobody may see within this test.
fn unseen() -> Desk {
    Desk::open(|config, _| config.delay.all = Some(std::time::Duration::from_secs(900)))
}

/// Checks that nothing of the game is told, and all of what the console sends.
#[track_caller]
fn says_nothing_of_the_game(station: &Value) {
    assert_eq!((&station["game"], &station["recording"]["file"]), (&json!(null), &json!(null)));
    assert_eq!(station.get("newest"), None);
    assert_eq!(station["totals"]["bytes"], first_game().events().len());
    assert_eq!(station["totals"]["frames"], 50);
    assert!(station["lastByteAge"].is_u64() && station["connection"] == "connected", "{station}");
}

/// Checks that everything is told.
#[track_caller]
fn tells_of_the_game(station: &Value) {
    assert_eq!(station["game"], json!({ "number": 1, "isOn": false, "frame": 50 - 1 - 123 }));
    assert!(station["recording"]["file"].is_string(), "{station}");
}

/// Was: number, frame and file of a game, and whether it was on, were told at once.
#[test]
fn nobody_learns_of_a_game_over_http_before_its_spectators_may_see_it() {
    let desk = unseen();
    let mut follower = desk.follow();
    let state = follower.expect("state");
    says_nothing_of_the_game(&state["status"]["stations"][0]);
    says_nothing_of_the_game(&desk.get("/api/status").good()["stations"][0]);
    says_nothing_of_the_game(&desk.get("/api/stations").good()[0]);
    says_nothing_of_the_game(&desk.station(1));
    let frame = "andross_station_game_frame{station=\"Stream\",id=\"1\"}";
    assert!(!desk.get("/metrics").text().contains(frame));
    let renamed = desk.send("PATCH", "/api/stations/1", r#"{"name":"Side"}"#).good();
    says_nothing_of_the_game(&renamed);
    let renamed = follower.until("the name", |m| m["station"]["name"] == "Side");
    says_nothing_of_the_game(&renamed["station"]);

    // Of one listener's delay the others' spectators know nothing: the longest counts.
    let some = r#"{"delay":0,"rawDelay":900}"#;
    says_nothing_of_the_game(&desk.send("PATCH", "/api/stations/1", some).good());

    tells_of_the_game(&desk.send("PATCH", "/api/stations/1", r#"{"rawDelay":0}"#).good());
    let told = follower.until("the game", |m| !m["station"]["game"].is_null());
    tells_of_the_game(&told["station"]);
    tells_of_the_game(&desk.get("/api/status").good()["stations"][0]);
    tells_of_the_game(&desk.station(1));
    let frame = "andross_station_game_frame{station=\"Side\",id=\"1\"} -74";
    assert!(desk.get("/metrics").text().lines().any(|line| line == frame));
}

//! The program output, switched through control calls between pretend consoles.

use serde_json::json;

use super::desk::Desk;
use crate::common::{ConsoleSpectator, RawSpectator, assert_same_bytes, synthetic, wait_until};

fn switch(desk: &Desk, body: &str) -> serde_json::Value {
    desk.send("POST", "/api/program", body).good()
}

/// Where `part` begins in `whole`, at `from` or behind.
fn find(whole: &[u8], part: &[u8], from: usize) -> usize {
    let found = whole[from..].windows(part.len()).position(|window| window == part);
    from + found.expect("it is not there")
}

#[test]
fn spectators_of_the_program_output_follow_the_switches_over_one_connection() {
    let (a, b) = (synthetic(1, 6000, true), [2, 3, 4].map(|seed| synthetic(seed, 300, true)));
    let mut desk = Desk::playing(a.clone(), 300.0, |_, _| {});
    desk.wait_for_bytes(1, 20_000);
    let shown = switch(&desk, r#"{"station":1,"at":"now"}"#);
    assert_eq!(shown, json!({ "id": 2, "station": 1, "next": null }));
    let mut console = ConsoleSpectator::connect(desk.console_address(2));
    let mut raw = RawSpectator::connect(desk.raw_address(2));
    console.read_bytes(20_000);
    assert_eq!(console.start.0, 0);

    desk.add_console("Side", b.to_vec(), 200.0);
    desk.wait_for_bytes(3, 20_000);
    let next = switch(&desk, r#"{"station":3}"#);
    assert_eq!(next, json!({ "id": 2, "station": 1, "next": 3 }));
    assert_eq!(desk.get("/api/status").json()["program"], next);
    wait_until("B's next game begins", || {
        desk.get("/api/status").json()["program"]["station"] == 3
    });
    assert_eq!(desk.station(2)["source"], "Side");
    // B's second game from its start, and in the middle of it back to A's from its start.
    let head = &b[1].events()[..500];
    while !console.data.windows(head.len()).any(|window| window == head) {
        assert!(console.read_message());
    }
    let b_at = find(&console.data, head, 0);
    console.read_bytes(b_at + 30_000);
    switch(&desk, r#"{"station":1,"at":"now"}"#);
    let a_head = &a.events()[..500];
    while console.data.len() < b_at + 1000
        || !console.data[b_at..].windows(a_head.len()).any(|window| window == a_head)
    {
        assert!(console.read_message());
    }
    let a_again_at = find(&console.data, a_head, b_at);
    console.read_bytes(a_again_at + 30_000);

    let data = &console.data;
    assert_same_bytes("A's", &data[..b_at], &a.events()[..b_at]);
    assert_same_bytes("B's", &data[b_at..a_again_at], &b[1].events()[..a_again_at - b_at]);
    let rest = data.len() - a_again_at;
    assert_same_bytes("A's again", &data[a_again_at..], &a.events()[..rest]);
    raw.read_bytes(data.len());
    let data = console.data.clone();
    assert_same_bytes("raw", &raw.data[..data.len()], &data);

    // Positions go on over switches: who comes back goes on in the game that was shown before.
    let cursor = andross::protocol::Cursor((b_at + 1234) as u64);
    let address = desk.console_address(2);
    let mut resumed = ConsoleSpectator::resume(address, cursor, console.token);
    assert_eq!(resumed.start, cursor);
    resumed.read_bytes(data.len() - b_at - 1234);
    assert_same_bytes("resumed", &resumed.data[..data.len() - b_at - 1234], &data[b_at + 1234..]);
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let mut desk = Desk::new();
    desk.send("POST", "/api/program", r#"{"station":9}"#).is_error(404, "no-station");
    desk.send("POST", "/api/program", r#"{"at":"soon"}"#).is_error(422, "invalid");
    desk.send("POST", "/api/program", r#"{"station":"Stream"}"#).is_error(422, "invalid");
    desk.send("POST", "/api/program", r#"{"stations":1}"#).is_error(422, "invalid");
    desk.send("POST", "/api/program", "").is_error(400, "invalid");
    assert_eq!(desk.get("/api/status").json()["program"], json!(null));
    assert_eq!(switch(&desk, "{}"), json!({ "id": 2, "station": null, "next": null }));
    desk.send("POST", "/api/program", r#"{"station":2}"#).is_error(422, "invalid");
    desk.delete("/api/stations/2").is_error(409, "conflict");
    for change in [r#"{"name":"x"}"#, r#"{"source":"x"}"#] {
        desk.send("PATCH", "/api/stations/2", change).is_error(422, "invalid");
    }
    desk.send("PATCH", "/api/stations/2", r#"{"record":true}"#).is_error(409, "conflict");
    let delayed = desk.send("PATCH", "/api/stations/2", r#"{"delay":2}"#).good();
    assert_eq!((&delayed["kind"], &delayed["rawDelay"]), (&json!("program"), &json!(2.0)));
    desk.send("POST", "/api/stations", r#"{"source":"x","name":"PROGRAM"}"#)
        .is_error(422, "invalid");

    let side = desk.add_console("Side", vec![synthetic(2, 20, true)], 1000.0);
    assert_eq!(side["id"], 3);
    // Its only game is over: no next one will begin.
    desk.wait_until_saved(3, 1);
    switch(&desk, r#"{"station":1,"at":"now"}"#);
    switch(&desk, r#"{"station":3,"at":"nextGame"}"#);
    assert_eq!(desk.delete("/api/stations/1").status, 204);
    let program = desk.get("/api/status").json()["program"].clone();
    assert_eq!((&program["id"], &program["station"]), (&json!(2), &json!(null)));
}

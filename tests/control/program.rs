//! The program output, switched through control calls between pretend consoles.

use serde_json::json;

use super::desk::Desk;
use crate::common::{ConsoleSpectator, RawSpectator, assert_same_bytes, synthetic, wait_until};

fn switch(desk: &Desk, body: &str) -> serde_json::Value {
    desk.send("POST", "/api/program", body).good()
}

/// How far both are the same.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Reads until something else than `expected` has come from `from` on; where that begins.
fn read_to_other(spectator: &mut ConsoleSpectator, from: usize, expected: &[u8]) -> usize {
    loop {
        let same = from + common(&spectator.data[from..], expected);
        if same + 20_000 < spectator.data.len() {
            return same;
        }
        spectator.read_bytes(spectator.data.len() + 20_000);
    }
}

#[test]
fn spectators_of_the_program_output_follow_the_switches_over_one_connection() {
    let a = synthetic(1, 12_000, true);
    let b: Vec<_> = (2..12).map(|seed| synthetic(seed, 300, true)).collect();
    let mut desk = Desk::playing(a.clone(), 300.0, |_, _| {});
    desk.wait_for_bytes(1, 20_000);
    let shown = switch(&desk, r#"{"station":1,"at":"now"}"#);
    assert_eq!(shown, json!({ "id": 2, "station": 1, "next": null }));
    let mut console = ConsoleSpectator::connect(desk.console_address(2));
    let mut raw = RawSpectator::connect(desk.raw_address(2));
    console.read_bytes(20_000);
    assert_eq!(console.start.0, 0);

    desk.add_console("Side", b.clone(), 200.0);
    desk.wait_for_bytes(3, 20_000);
    let next = switch(&desk, r#"{"station":3}"#);
    assert_eq!(next, json!({ "id": 2, "station": 1, "next": 3 }));
    assert_eq!(desk.get("/api/status").json()["program"], next);
    wait_until("B's next game begins", || {
        desk.get("/api/status").json()["program"]["station"] == 3
    });
    assert_eq!(desk.station(2)["source"], "Side");
    // One of B's games from its start, and in the middle of it back to A's from its start.
    let b_at = read_to_other(&mut console, 0, a.events());
    switch(&desk, r#"{"station":1,"at":"now"}"#);
    let seed = console.data[b_at + 50];
    let games: Vec<&[u8]> =
        b[usize::from(seed) - 2..].iter().map(|game| &game.events()[..]).collect();
    assert!(seed > 2, "the game that was on when B was chosen is not shown");
    let a_again_at = read_to_other(&mut console, b_at, &games.concat());
    let data = &console.data;
    assert!(a_again_at - b_at >= 20_000);
    assert_same_bytes("A's again", &data[a_again_at..], &a.events()[..data.len() - a_again_at]);
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

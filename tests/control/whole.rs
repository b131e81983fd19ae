//! One pass over every call of the real program: good, bad and unauthorised.

use std::path::PathBuf;

use super::command::Program;
use super::desk::{TOKEN, console, first_game};
use crate::common::http::Answer;
use crate::common::{ConsoleSpectator, events_of, wait_until};

/// A call of the program with the token, with another one, or with none.
fn call(program: &Program, token: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {}", token.unwrap_or_default());
    let mut headers = vec![("Content-Type", "application/json")];
    if token.is_some() {
        headers.push(("Authorization", &bearer));
    }
    program.http.call(method, path, &headers, (!body.is_empty()).then_some(body.as_bytes()))
}

#[test]
fn every_call_does_what_it_should_and_nothing_else() {
    let mut program = Program::with_token();
    let mut follower = program.http.follow();
    follower.expect("state");
    let mut spectator = ConsoleSpectator::connect(program.relay.spectators());
    let side = console(vec![first_game()], 5000.0);
    let add = format!(r#"{{"source":"{}","name":"Side"}}"#, side.local_addr());

    // Without the token nothing happens.
    let changes = [
        ("POST", "/api/stations", add.as_str()),
        ("PATCH", "/api/stations/1", r#"{"name":"x"}"#),
        ("DELETE", "/api/stations/1", ""),
        ("DELETE", "/api/clients/1", ""),
        ("POST", "/api/program", r#"{"station":1}"#),
        ("POST", "/api/reload", ""),
        ("POST", "/api/shutdown", ""),
    ];
    for (method, path, body) in changes {
        call(&program, None, method, path, body).is_error(401, "no-token");
        let wrong = Some("another-token-of-24-ch.s");
        call(&program, wrong, method, path, body).is_error(401, "wrong-token");
    }

    // Whoever may look sees that all is as it was.
    let get = |path: &str| program.http.get(path);
    let status = get("/api/status").good();
    assert_eq!(status["stations"].as_array().unwrap().len(), 1);
    assert_eq!((&status["program"], &status["clients"]), (&().into(), &1.into()));
    assert_eq!(get("/api/stations").good()[0]["name"], "Stream");
    assert_eq!(get("/api/stations/1").good()["connection"], "connected");
    get("/api/stations/2").is_error(404, "no-station");
    get("/api/stations/x").is_error(400, "invalid");
    assert_eq!(get("/api/clients").good()[0]["id"], 1);
    assert_eq!(get("/api/clients?station=1").good()[0]["protocol"], "console");
    get("/api/clients?station=2").is_error(404, "no-station");
    assert_eq!(get("/healthz").text(), "ok");
    assert!(get("/metrics").text().ends_with("# EOF\n"));
    assert!(get("/api").text().contains("/api/stations"));
    assert!(get("/api/openapi.json").good()["paths"].is_object());
    get("/api/events").is_error(400, "invalid");
    wait_until("the game is listed", || get("/api/replays?limit=5").good()["total"] == 1);
    let list = get("/api/replays?limit=5").good();
    let name = list["replays"][0]["path"].as_str().unwrap();
    let file = get(&format!("/replays/{name}"));
    let events = first_game().events().clone();
    assert_eq!(file.body[15..15 + events.len()], events);
    get("/api/replays?limit=x").is_error(400, "invalid");
    get("/replays/none.slp").is_error(404, "no-replay");
    get("/api/nothing").is_error(404, "not-found");

    // With the token: what makes no sense, and then what does.
    let change =
        |method: &str, path: &str, body: &str| call(&program, Some(TOKEN), method, path, body);
    change("POST", "/api/stations", r#"{"sauce":"x"}"#).is_error(422, "invalid");
    change("POST", "/api/stations", "{").is_error(400, "invalid");
    change("PATCH", "/api/stations/1", r#"{"delay":-1}"#).is_error(422, "invalid");
    change("DELETE", "/api/stations/7", "").is_error(404, "no-station");
    change("DELETE", "/api/clients/7", "").is_error(404, "no-client");
    change("POST", "/api/program", r#"{"station":7}"#).is_error(404, "no-station");
    change("POST", "/api/reload", "").is_error(409, "conflict");
    change("PUT", "/api/stations", "{}").is_error(405, "method");

    assert_eq!(change("POST", "/api/stations", &add).good()["id"], 2);
    change("POST", "/api/stations", &add).is_error(409, "conflict");
    wait_until("it is connected", || side.client().is_some());
    let saved =
        |m: &serde_json::Value| m["station"]["id"] == 2 && m["station"]["totals"]["files"] == 1;
    let file = follower.until("its game is saved", saved)["station"]["recording"]["file"].clone();
    assert_eq!(events_of(&PathBuf::from(file.as_str().unwrap())), *first_game().events());
    let best = change("PATCH", "/api/stations/2", r#"{"name":"Best","consoleDelay":1}"#).good();
    assert_eq!((&best["name"], &best["consoleDelay"]), (&"Best".into(), &1.0.into()));
    let shown = change("POST", "/api/program", r#"{"station":2,"at":"now"}"#).good();
    assert_eq!((&shown["id"], &shown["station"]), (&3.into(), &2.into()));
    assert_eq!(change("DELETE", "/api/stations/2", "").status, 204);
    wait_until("it is disconnected", || side.client().is_none());
    assert_eq!(change("DELETE", "/api/clients/1", "").status, 204);
    spectator.read_to_end();
    follower.expect("stationRemoved");

    assert_eq!(change("POST", "/api/shutdown", "").status, 202);
    assert_eq!(follower.expect("shutdown")["reason"], "a control call");
    assert_eq!(follower.next(), None);
    assert_eq!(program.relay.wait().code(), Some(0));
    program.relay.wait_for_log("ending because of a control call");
}

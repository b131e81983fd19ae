//! What each call answers.

use serde_json::json;

use super::desk::Desk;

#[test]
fn the_state_can_be_seen() {
    let desk = Desk::new();
    let status = desk.get("/api/status");
    assert_eq!(status.status, 200);
    assert_eq!(status.header("content-type"), Some("application/json"));
    assert_eq!(status.json()["maxClients"], 64);
    assert_eq!(desk.get("/api/stations").json()[0]["name"], "Stream");
    assert_eq!(desk.get("/api/stations/0").json()["source"], "192.168.1.20:51441");
    desk.get("/api/stations/5").is_error(404, "no-station");
    for bad in ["x", "-1", "0.5", "99999999999999999999999"] {
        desk.get(&format!("/api/stations/{bad}")).is_error(400, "invalid");
    }
    let head = desk.call("HEAD", "/api/status", &[], None);
    assert_eq!((head.status, head.body.len()), (200, 0));
    let health = desk.get("/healthz");
    assert_eq!((health.status, health.text().as_str()), (200, "ok"));
    let page = desk.get("/");
    assert!(page.text().contains("/api/stations"), "{page:?}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn stations_come_change_and_go() {
    let desk = Desk::new();
    let added = desk.send("POST", "/api/stations", r#"{"source":"10.0.0.5","name":"Side"}"#);
    assert_eq!((added.status, &added.json()["id"]), (201, &json!(1)));
    desk.send("POST", "/api/stations", r#"{"source":"10.0.0.6","name":"Side"}"#)
        .is_error(409, "conflict");
    desk.send("POST", "/api/stations", r#"{}"#).is_error(422, "invalid");
    for bad in [r#"{"sauce":"x"}"#, r#"{"source":5}"#, "[]", "5"] {
        desk.send("POST", "/api/stations", bad).is_error(422, "invalid");
    }
    for bad in ["", "{", "\u{0}", "{\"source\":\"x\"} x"] {
        desk.send("POST", "/api/stations", bad).is_error(400, "invalid");
    }

    let changed = desk.send("PATCH", "/api/stations/1", r#"{"name":"Best","record":false}"#);
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("Best")));
    assert_eq!(changed.json()["recording"]["wanted"], false);
    desk.send("PATCH", "/api/stations/1", r#"{"delay":-1}"#).is_error(422, "invalid");
    desk.send("PATCH", "/api/stations/8", r#"{}"#).is_error(404, "no-station");
    desk.send("PATCH", "/api/stations/x", r#"{}"#).is_error(400, "invalid");

    assert_eq!(desk.call("DELETE", "/api/stations/1", &[], None).status, 204);
    desk.call("DELETE", "/api/stations/1", &[], None).is_error(404, "no-station");
}

#[test]
fn spectators_can_be_seen_and_hung_up_on() {
    let desk = Desk::new();
    assert_eq!(desk.get("/api/clients").json()[0]["id"], 7);
    assert_eq!(desk.get("/api/clients?station=0").json()[0]["protocol"], "console");
    desk.get("/api/clients?station=3").is_error(404, "no-station");
    desk.get("/api/clients?station=x").is_error(400, "invalid");
    desk.get("/api/clients?sation=0").is_error(400, "invalid");
    assert_eq!(desk.call("DELETE", "/api/clients/7", &[], None).status, 204);
    desk.call("DELETE", "/api/clients/7", &[], None).is_error(404, "no-client");
}

#[test]
fn the_relay_itself_is_told_what_to_do() {
    let desk = Desk::new();
    let program = desk.send("POST", "/api/program", r#"{"station":0,"at":"now"}"#);
    assert_eq!((program.status, &program.json()["station"]), (200, &json!(0)));
    assert_eq!(desk.send("POST", "/api/program", r#"{"station":null}"#).status, 200);
    desk.send("POST", "/api/program", r#"{"station":9}"#).is_error(404, "no-station");
    desk.send("POST", "/api/program", r#"{"at":"soon"}"#).is_error(422, "invalid");
    let report = desk.call("POST", "/api/reload", &[], None);
    assert_eq!((report.status, &report.json()["changed"][0]), (200, &json!("nothing")));
    assert_eq!(desk.call("POST", "/api/shutdown", &[], None).status, 202);
    desk.wait_for_end();
}

#[test]
fn what_there_is_not_is_said_so_in_the_same_form() {
    let desk = Desk::new();
    for path in ["/api", "/api/", "/api/nothing", "/api/stations/", "/favicon.ico", "/%00"] {
        desk.get(path).is_error(404, "not-found");
    }
    let wrong = desk.send("PUT", "/api/stations", "{}");
    wrong.is_error(405, "method");
    assert!(wrong.header("allow").is_some_and(|allow| allow.contains("POST")), "{wrong:?}");
    desk.call("GET", "/api/reload", &[], None).is_error(405, "method");
}

#[test]
fn the_figures_are_open_metrics() {
    let desk = Desk::new();
    let added = desk.send("POST", "/api/stations", r#"{"source":"x","name":"a\"b\\c"}"#);
    assert_eq!(added.status, 201);
    let metrics = desk.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = metrics.text();
    for line in [
        "# TYPE andross_station_frames counter",
        "andross_station_frames_total{station=\"Stream\",id=\"0\"} 5000",
        "andross_station_received_bytes_total{station=\"Stream\",id=\"0\"} 3000000",
        "andross_station_clients{station=\"Stream\",id=\"0\",protocol=\"console\"} 1",
        "andross_station_connected{station=\"Stream\",id=\"0\"} 1",
        "andross_station_game_frame{station=\"Stream\",id=\"0\"} 1234",
        "andross_station_window_misses_total{station=\"Stream\",id=\"0\"} 1",
        "andross_delivery_latency_seconds_bucket{le=\"0.016683\",station=\"Stream\",id=\"0\"} 1",
        "andross_delivery_latency_seconds_bucket{le=\"+Inf\",station=\"Stream\",id=\"0\"} 2",
        "andross_delivery_latency_seconds_count{station=\"Stream\",id=\"0\"} 2",
        "andross_station_frames_total{station=\"a\\\"b\\\\c\",id=\"1\"} 5000",
        "andross_clients 1",
        "andross_max_clients 64",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn an_engine_that_is_gone_is_a_503() {
    let desk = Desk::new();
    let last = desk.send("POST", "/api/stations", r#"{"source":"x","name":"panic"}"#);
    last.is_error(503, "ending");
    for path in ["/healthz", "/api/status", "/metrics"] {
        desk.get(path).is_error(503, "ending");
    }
}

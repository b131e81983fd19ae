//! What each call answers, and what is refused.

use andross::audience::{Admission, Gallery};
use andross::control::{Games, HttpServer};
use andross::relay::Relay;
use andross::session::News;
use andross::shutdown::{Reason, Shutdown};
use serde_json::json;

use super::desk::{Desk, first_game};
use crate::common::http::Http;
use crate::common::{ConsoleSpectator, events_of, loopback, synthetic, wait_until};

#[test]
fn the_state_can_be_seen() {
    let desk = Desk::open(|config, _| config.limits.total = 64);
    let status = desk.get("/api/status");
    assert_eq!(status.status, 200);
    assert_eq!(status.header("content-type"), Some("application/json"));
    let status = status.json();
    assert_eq!((&status["maxClients"], &status["clients"]), (&json!(64), &json!(0)));
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["replays"], desk.replays().to_str().unwrap());
    assert_eq!(status["stuckThreads"], json!([]));
    assert_eq!(status["program"], json!(null));

    let station = desk.station(1);
    assert_eq!(desk.get("/api/stations").json()[0]["name"], "Stream");
    assert_eq!((&station["name"], &station["kind"]), (&json!("Stream"), &json!("console")));
    assert_eq!((&station["origin"], &station["hops"]), (&json!("config"), &json!(0)));
    assert_eq!(
        (&station["connection"], &station["nick"]),
        (&json!("connected"), &json!("Stream Wii"))
    );
    assert_eq!(station["nintendont"], "1.9.0");
    assert_eq!(station["game"], json!({ "number": 1, "isOn": false, "frame": 50 - 1 - 123 }));
    assert_eq!(station["totals"]["frames"], 50);
    assert_eq!(station["totals"]["bytes"], first_game().events().len());
    assert_eq!(station["totals"]["files"], 1);
    let file = station["recording"]["file"].as_str().unwrap();
    assert_eq!(events_of(file.as_ref()), *first_game().events());

    desk.get("/api/stations/5").is_error(404, "no-station");
    for bad in ["x", "-1", "0.5", "99999999999999999999999"] {
        desk.get(&format!("/api/stations/{bad}")).is_error(400, "invalid");
    }
    let head = desk.call("HEAD", "/api/status", &[], None);
    assert_eq!((head.status, head.body.len()), (200, 0));
    let health = desk.get("/healthz");
    assert_eq!((health.status, health.text().as_str()), (200, "ok"));
    let page = desk.get("/api");
    assert!(page.text().contains("/api/stations"), "{page:?}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn bodies_that_make_no_sense_are_refused_and_change_nothing() {
    let desk = Desk::new();
    let before = desk.get("/api/status").json();
    for bad in [
        r#"{}"#,
        r#"{"sauce":"x"}"#,
        r#"{"source":5}"#,
        "[]",
        "5",
        r#"{"source":""}"#,
        r#"{"source":"x:0"}"#,
        r#"{"source":"raw:x"}"#,
        r#"{"source":"x","mac":"00:09:bf:01:02:03"}"#,
        r#"{"mac":"00:09"}"#,
        r#"{"source":"x","name":"a/b"}"#,
        r#"{"source":"x","name":"Program"}"#,
        r#"{"source":"x","name":""}"#,
        r#"{"source":"x","delay":-1}"#,
        r#"{"source":"x","delay":1000000000}"#,
        r#"{"source":"x","port":1}"#,
    ] {
        desk.send("POST", "/api/stations", bad).is_error(422, "invalid");
    }
    for bad in ["", "{", "\u{0}", "{\"source\":\"x\"} x", r#"{"source":"x","delay":NaN}"#] {
        desk.send("POST", "/api/stations", bad).is_error(400, "invalid");
    }
    desk.send("POST", "/api/stations", r#"{"mac":"00:09:bf:01:02:03"}"#).is_error(409, "conflict");
    for bad in [
        r#"{"delay":-1}"#,
        r#"{"consoleDelay":-0.001}"#,
        r#"{"rawDelay":1e9}"#,
        r#"{"delay":901}"#,
        r#"{"delay":"1"}"#,
        r#"{"name":"..","record":false}"#,
        r#"{"record":false,"delay":-1}"#,
        r#"{"source":"raw:x","name":"Other"}"#,
        r#"{"nick":"x"}"#,
    ] {
        desk.send("PATCH", "/api/stations/1", bad).is_error(422, "invalid");
    }
    desk.send("PATCH", "/api/stations/1", r#"{"delay":1e999}"#).is_error(400, "invalid");
    desk.send("PATCH", "/api/stations/8", r#"{}"#).is_error(404, "no-station");
    desk.send("PATCH", "/api/stations/x", r#"{}"#).is_error(400, "invalid");
    desk.delete("/api/stations/8").is_error(404, "no-station");
    desk.delete("/api/stations/x").is_error(400, "invalid");
    let after = desk.get("/api/status").json();
    for what in ["name", "source", "recording", "consoleDelay", "rawDelay", "connection"] {
        assert_eq!(after["stations"][0][what], before["stations"][0][what]);
    }
    assert_eq!(after["stations"].as_array().unwrap().len(), 1);
}

#[test]
fn what_there_is_not_is_said_so_in_the_same_form() {
    let desk = Desk::new();
    for path in ["/api/", "/api/nothing", "/api/stations/", "/favicon.ico", "/%00"] {
        desk.get(path).is_error(404, "not-found");
    }
    let wrong = desk.send("PUT", "/api/stations", "{}");
    wrong.is_error(405, "method");
    assert!(wrong.header("allow").is_some_and(|allow| allow.contains("POST")), "{wrong:?}");
    desk.call("GET", "/api/reload", &[], None).is_error(405, "method");
    desk.call("POST", "/api/reload", &[], None).is_error(409, "conflict");
}

#[test]
fn the_figures_are_open_metrics() {
    let desk = Desk::open(|config, _| config.limits.total = 64);
    let mut spectator = ConsoleSpectator::connect(desk.console_address(1));
    assert!(spectator.read_message());
    // Latencies are handed in twice a second; who came between two games had no frame yet.
    let name = r#"{"source":"127.0.0.1:9","name":"a: b"}"#;
    desk.send("POST", "/api/stations", name).good();
    let metrics = desk.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = metrics.text();
    let bytes = first_game().events().len();
    for line in [
        "# TYPE andross_station_frames counter",
        "andross_station_frames_total{station=\"Stream\",id=\"1\"} 50",
        &format!("andross_station_received_bytes_total{{station=\"Stream\",id=\"1\"}} {bytes}"),
        "andross_station_clients{station=\"Stream\",id=\"1\",protocol=\"console\"} 1",
        "andross_station_clients{station=\"Stream\",id=\"1\",protocol=\"raw\"} 0",
        "andross_station_connected{station=\"Stream\",id=\"1\"} 1",
        "andross_station_game_frame{station=\"Stream\",id=\"1\"} -74",
        "andross_station_recorded_files_total{station=\"Stream\",id=\"1\"} 1",
        "andross_delivery_latency_seconds_bucket{le=\"0.016683\",station=\"Stream\",id=\"1\"} 0",
        "andross_delivery_latency_seconds_bucket{le=\"+Inf\",station=\"Stream\",id=\"1\"} 0",
        "andross_station_frames_total{station=\"a: b\",id=\"2\"} 0",
        "andross_station_connected{station=\"a: b\",id=\"2\"} 0",
        "andross_clients 1",
        "andross_max_clients 64",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn deliveries_are_counted() {
    let desk = Desk::playing(synthetic(3, 600, true), 300.0, |_, _| {});
    let mut spectator = ConsoleSpectator::connect(desk.console_address(1));
    spectator.read_bytes(100_000);
    let bucket =
        "andross_delivery_latency_seconds_bucket{le=\"+Inf\",station=\"Stream\",id=\"1\"} ";
    wait_until("deliveries are in the figures", || {
        let text = desk.get("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(bucket)).unwrap();
        line.parse::<u64>().unwrap() > 10
    });
    assert!(desk.station(1)["latency"]["deliveries"].as_u64() > Some(10));
}

#[test]
fn an_engine_that_is_gone_is_a_503() {
    let ended = Shutdown::new();
    let relay = Relay::start(andross::config::RelayConfig::new(Vec::new()), &ended).unwrap();
    let engine = relay.engine().clone();
    ended.request(Reason::Finished);
    relay.run_to_end().unwrap();

    let shutdown = Shutdown::new();
    let config = andross::config::HttpConfig { listen: loopback(), ..Default::default() };
    let gallery = Gallery::new(Admission::new(1, 1));
    let games = Games { news: News::none(), gallery, delay: std::time::Duration::ZERO };
    let server = HttpServer::bind(&config, engine, None, games, shutdown.clone()).unwrap();
    let http = Http { address: server.address() };
    let thread = std::thread::spawn(move || server.run());
    for path in ["/healthz", "/api/status", "/api/stations", "/api/clients", "/metrics"] {
        http.get(path).is_error(503, "ending");
    }
    http.send("POST", "/api/stations", r#"{"source":"x"}"#).is_error(503, "ending");
    shutdown.request(Reason::Finished);
    thread.join().unwrap();
}

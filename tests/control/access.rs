//! Who gets in.

use std::io::Write;
use std::net::TcpStream;

use andross::config::{HttpConfig, RelayConfig};
use andross::control::BindError;
use andross::relay::{Relay, StartError};
use andross::shutdown::{Reason, Shutdown};

use super::desk::{Desk, TOKEN, http_of};
use crate::common::{ConsoleSpectator, loopback};

/// All calls that change something.
const CHANGES: &[(&str, &str)] = &[
    ("POST", "/api/stations"),
    ("PATCH", "/api/stations/1"),
    ("DELETE", "/api/stations/1"),
    ("DELETE", "/api/clients/1"),
    ("POST", "/api/program"),
    ("POST", "/api/reload"),
    ("POST", "/api/shutdown"),
    ("POST", "/api/nothing"),
];

#[test]
fn nothing_changes_without_the_token() {
    let desk = Desk::with_token();
    let mut spectator = ConsoleSpectator::connect(desk.console_address(1));
    let before = desk.get("/api/stations").json();
    for (method, path) in CHANGES {
        let none = desk.call(method, path, &[], None);
        none.is_error(401, "no-token");
        assert_eq!(none.header("www-authenticate"), Some("Bearer"));
        let wrong = [("Authorization", "Bearer not-the-token-of-this")];
        desk.call(method, path, &wrong, None).is_error(401, "wrong-token");
    }
    let right = format!("Bearer {TOKEN}");
    let right = [("Authorization", right.as_str())];
    // There is no file to read again, but who asks may.
    desk.call("POST", "/api/reload", &right, None).is_error(409, "conflict");
    let after = desk.get("/api/stations").json();
    for what in ["id", "name", "source", "clients", "recording"] {
        assert_eq!(after[0][what], before[0][what]);
    }
    assert_eq!(desk.get("/api/clients").json()[0]["id"], 1, "nobody was kicked");
    assert_eq!(desk.call("DELETE", "/api/clients/1", &right, None).status, 204);
    spectator.read_to_end();
}

#[test]
fn a_server_that_others_reach_only_shows_without_a_token() {
    let desk = Desk::open(|config, _| http_of(config).listen = ([0, 0, 0, 0], 0).into());
    for (method, path) in CHANGES {
        let refused = desk.call(method, path, &[], None);
        refused.is_error(403, "read-only");
        assert!(refused.text().contains("--http-token-file"));
    }
    assert_eq!(desk.get("/api/status").status, 200);
}

#[test]
fn a_name_that_is_not_ours_is_misdirected() {
    let desk = Desk::open(|config, _| http_of(config).host_names = vec!["relay.lan".into()]);
    let port = desk.address.port();
    for path in ["/", "/api/status", "/api/events", "/metrics", "/healthz", "/replays/a.slp"] {
        desk.call("GET", path, &[("Host", "evil.example")], None).is_error(421, "wrong-host");
    }
    for host in ["localhost", "relay.lan", "[::1]", "10.1.2.3"] {
        let host = format!("{host}:{port}");
        assert_eq!(desk.call("GET", "/healthz", &[("Host", &host)], None).status, 200, "{host}");
    }
    desk.raw(b"GET /api/status HTTP/1.0\r\n\r\n").is_error(421, "wrong-host");
    let proxied = format!(
        "GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    desk.raw(proxied.as_bytes()).is_error(421, "wrong-host");
}

#[test]
fn pages_of_other_servers_are_refused() {
    let desk = Desk::new();
    let _spectator = ConsoleSpectator::connect(desk.console_address(1));
    for (method, path) in CHANGES {
        for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
            let answer = desk.call(method, path, &[("Origin", origin)], None);
            // The second time round there have been too many.
            assert!(matches!(answer.status, 403 | 429), "{answer:?}");
        }
    }
    assert_eq!(desk.get("/api/clients").json()[0]["id"], 1, "nobody was kicked");
    let own = format!("http://{}", desk.address);
    let kicked = desk.call("DELETE", "/api/clients/1", &[("Origin", &own)], None);
    assert_eq!(kicked.status, 204);
}

#[test]
fn the_changes_cannot_be_followed_from_another_page() {
    let desk = Desk::new();
    let refused = desk.try_follow(&[("origin", "http://evil.example")]).err().unwrap();
    let tungstenite::Error::Http(response) = refused else { panic!("{refused}") };
    assert_eq!(response.status(), 403);
    let own = format!("http://{}", desk.address);
    assert!(desk.try_follow(&[("origin", &own)]).is_ok());
}

#[test]
fn bodies_are_json_and_small() {
    let desk = Desk::new();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = br#"{"source":"x"}"#;
    desk.call("POST", "/api/stations", &form, Some(body)).is_error(415, "media-type");
    desk.call("POST", "/api/stations", &[("Content-Type", "text/plain")], Some(body))
        .is_error(415, "media-type");
    desk.call("POST", "/api/stations", &[], Some(body)).is_error(415, "media-type");

    let large = format!(r#"{{"source":"{}"}}"#, "x".repeat(70_000));
    desk.send("POST", "/api/stations", &large).is_error(413, "too-large");
    let mut chunked = format!(
        "POST /api/stations HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        desk.address,
        large.len()
    );
    chunked += &large;
    chunked += "\r\n0\r\n\r\n";
    desk.raw(chunked.as_bytes()).is_error(413, "too-large");
}

#[test]
fn endless_heads_are_cut_off() {
    let desk = Desk::new();
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(desk.raw(head.as_bytes()).status, 431);
    let many = "A: b\r\n".repeat(1000);
    assert_eq!(desk.raw(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).status, 431);
}

#[test]
fn who_hammers_is_told_to_wait() {
    let desk = Desk::with_token();
    let wrong = [("Authorization", "Bearer not-the-token-of-this")];
    let answers: Vec<u16> =
        (0..200).map(|_| desk.call("POST", "/api/reload", &wrong, None).status).collect();
    assert!(answers.contains(&401) && answers.contains(&429), "{answers:?}");
    assert_eq!(desk.get("/api/status").status, 200, "reads have a share of their own");
}

#[test]
fn idle_connections_do_not_keep_others_out_or_hold_up_the_end() {
    let desk = Desk::new();
    // Far more than one address may have: the server hangs up on some, and serves the rest.
    let idle: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(desk.address).unwrap();
            stream.write_all(b"GET /api/status HTTP/1.1\r\nHost:").unwrap();
            stream
        })
        .collect();
    assert_eq!(desk.get("/healthz").status, 200);
    desk.end();
    drop(idle);
}

#[test]
fn a_token_file_that_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let start = || {
        let mut config = RelayConfig::new(Vec::new());
        config.http = Some(HttpConfig {
            listen: loopback(),
            token_file: Some(path.clone()),
            ..HttpConfig::default()
        });
        let shutdown = Shutdown::new();
        let relay = Relay::start(config, &shutdown)?;
        shutdown.request(Reason::Finished);
        relay.run_to_end().unwrap();
        Ok(())
    };
    assert!(matches!(start(), Err(StartError::Http(BindError::TokenFile { .. }))));
    std::fs::write(&path, "short\n").unwrap();
    assert!(matches!(start(), Err(StartError::Http(BindError::Token { .. }))));
    std::fs::write(&path, TOKEN).unwrap();
    start().unwrap();
}

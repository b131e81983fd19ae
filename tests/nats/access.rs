//! Who may, and what is said to who may not: the server and the reason, and nothing that is secret.

use super::common::ConsoleSpectator;
use super::common::nats::{self, NatsServer};
use super::common::process::RelayProcess;
use super::stage::{
    assert_watched, edge, edge_with, evening, ingest, ready_edge, wait_until_published,
    watch_to_end,
};

fn assert_refused(process: &RelayProcess, server: &NatsServer, words: &str) {
    let line = process.wait_for_log(words);
    assert!(line.contains(&server.address.to_string()), "the server is named: {line}");
    assert!(line.contains("trying again until it works"), "{line}");
    assert!(process.logs("hunter2").is_empty(), "a password was logged");
}

#[test]
fn a_wrong_password_is_named_and_not_shown() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&["--user", "me", "--pass", "right"]);
    let url = format!("nats://me:hunter2@{}", server.address);
    let (process, _) = edge(&url, "Stream");
    assert_refused(&process, &server, "authorization violation");
    let nobody = ingest(([127, 0, 0, 1], 9).into(), &server.url(), &[]);
    assert_refused(&nobody, &server, "authorization violation");
}

#[test]
fn a_token_opens_the_door() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&["--auth", "t/k=n"]);
    let url = format!("nats://t%2Fk=n@{}", server.address);
    let evening = evening(480.0);
    let console = evening.console();
    let first = ingest(console.local_addr(), &url, &[]);
    wait_until_published(&first);
    let (_edge, address) = ready_edge(&url);
    let mut spectator = ConsoleSpectator::connect(address);
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
}

/// A whole evening through a server with these rules, by who knows the way in.
fn assert_open(rules: &str, scheme: &str, flag: &str) {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&["-c", rules]);
    let url = format!("{scheme}://{}", server.address);
    let evening = evening(480.0);
    let console = evening.console();
    let first = ingest(console.local_addr(), &url, &[flag]);
    first.wait_for_log(&format!("published to {scheme}://"));
    let (process, address) = edge_with(&url, "Stream", &[flag]);
    process.wait_for_log("nick=andross");
    let mut spectator = ConsoleSpectator::connect(address);
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
    // Others stay outside.
    let (stranger, _) = edge(&server.url(), "Stream");
    let line = stranger.wait_for_log("cannot be connected to");
    assert!(line.contains(&server.address.to_string()), "{line}");
}

#[test]
fn an_nkey_opens_the_door() {
    assert_open(
        "nkey.conf",
        "nats",
        &format!("--nats-nkey={}", nats::keys().join("user.nk").display()),
    );
}

#[test]
fn a_credentials_file_opens_the_door() {
    assert_open(
        "jwt.conf",
        "nats",
        &format!("--nats-creds={}", nats::keys().join("user.creds").display()),
    );
}

#[test]
fn a_certificate_is_known_by_the_file_that_says_so() {
    assert_open("tls.conf", "tls", &format!("--nats-ca={}", nats::keys().join("ca.pem").display()));
}

#[test]
fn files_that_are_not_there_are_named() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let nowhere: std::net::SocketAddr = ([127, 0, 0, 1], 9).into();
    for (flag, name) in
        [("--nats-creds", "no.creds"), ("--nats-nkey", "no.nk"), ("--nats-ca", "no.pem")]
    {
        let process = ingest(nowhere, &server.url(), &[&format!("{flag}={name}")]);
        let line = process.wait_for_log(flag);
        assert!(line.contains(name) && line.contains(&server.address.to_string()), "{line}");
    }
}

#[test]
fn a_server_without_jetstream_is_named() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&["-js=false"]);
    let process = ingest(([127, 0, 0, 1], 9).into(), &server.url(), &[]);
    assert_refused(&process, &server, "JetStream");
}

#[test]
fn nothing_that_listens_is_named() {
    if !nats::is_there() {
        return;
    }
    let mut server = NatsServer::start(&[]);
    server.kill();
    let (process, _) = edge(&server.url(), "Stream");
    assert_refused(&process, &server, "refused");
}

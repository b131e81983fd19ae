//! NATS is away for a while: the venue notices nothing, and nothing is lost.

use std::time::Duration;

use super::common::ConsoleSpectator;
use super::common::nats::{self, NatsServer};
use super::stage::{
    assert_watched, evening_of, ingest, ready_edge, wait_until_published, watch_to_end,
};

/// How long the server is away. Half a minute where the whole proof is wanted.
fn outage() -> Duration {
    let is_proof = std::env::var_os("ANDROSS_REQUIRE_NATS").is_some();
    Duration::from_secs(if is_proof { 30 } else { 4 })
}

#[test]
fn what_was_missed_while_nats_was_down_comes_when_it_is_back() {
    if !nats::is_there() {
        return;
    }
    let mut server = NatsServer::start(&[]);
    let seconds = outage().as_secs() as i32;
    // The long game goes on all the time.
    let evening = evening_of((seconds + 8) * 60, 59.94);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&ingest);
    let (_edge, address) = ready_edge(&server.url());
    let mut far = ConsoleSpectator::connect(address);
    let mut near = ConsoleSpectator::connect(ingest.spectators());
    far.read_bytes(evening.first_end + 50_000);
    server.kill();
    // Frames are the clock: the venue's spectators go on.
    let frames = seconds as usize * 60;
    near.read_bytes(far.data.len() + frames * super::common::SYNTHETIC_FRAME);
    server.restart();
    watch_to_end(&mut far, &evening.all);
    watch_to_end(&mut near, &evening.all);
    assert_watched("far", &far, &evening.all);
    assert_watched("near", &near, &evening.all);
}

#[test]
fn a_server_that_hangs_and_comes_back_costs_nobody_a_byte() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(2_400, 240.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&ingest);
    let (_edge, address) = ready_edge(&server.url());
    let mut far = ConsoleSpectator::connect(address);
    let mut near = ConsoleSpectator::connect(ingest.spectators());
    far.read_bytes(evening.first_end + 50_000);
    server.signal("-STOP");
    let seen = near.data.len();
    near.read_bytes(seen.max(far.data.len()) + 500_000);
    server.signal("-CONT");
    watch_to_end(&mut far, &evening.all);
    watch_to_end(&mut near, &evening.all);
    assert_watched("far", &far, &evening.all);
    assert_watched("near", &near, &evening.all);
}

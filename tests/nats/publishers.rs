//! Who publishes a station: one at a time, and the next one when that is gone.

use super::common::cable::Cable;
use super::common::nats::{self, NatsServer};
use super::common::{ConsoleSpectator, wait_until};
use super::stage::{
    assert_watched, at, evening, evening_of, ingest, ready_edge, wait_until_published, watch_to_end,
};

#[test]
fn a_second_publisher_of_a_station_refuses() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening(480.0);
    let console = evening.console();
    let first = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&first);
    let (_edge, address) = ready_edge(&server.url());
    let mut spectator = ConsoleSpectator::connect(address);
    let second = ingest(first.spectators(), &server.url(), &[]);
    let line = second.wait_for_log("ERROR");
    assert!(line.contains("another relay (seen from 127.0.0.1) publishes"), "{line}");
    assert!(line.contains("--standby") && line.contains(&server.address.to_string()), "{line}");
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
    assert!(second.logs("published to").is_empty());
}

#[test]
fn a_standby_at_the_same_console_takes_over_when_the_first_is_killed() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(2_400, 240.0);
    let console = evening.console();
    let mut first = ingest(console.local_addr(), &server.url(), &["--standby"]);
    wait_until_published(&first);
    // The console serves one client: this one waits in its line.
    let second = ingest(console.local_addr(), &server.url(), &["--standby"]);
    let (_edge, address) = ready_edge(&server.url());
    let mut spectator = ConsoleSpectator::connect(address);
    spectator.read_bytes(evening.first_end + 200_000);
    assert!(second.logs("published to").is_empty());
    first.signal("-KILL");
    first.wait();
    wait_until_published(&second);
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
    // Whoever was at the first one resumes at the second, though the console gave that another token.
    let here = ConsoleSpectator::resume(second.spectators(), spectator.cursor, spectator.token);
    assert_eq!(here.start, spectator.cursor);
}

#[test]
fn a_standby_behind_the_same_relay_takes_over_when_the_first_is_killed() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(2_400, 240.0);
    let console = evening.console();
    let venue = ingest(console.local_addr(), "off", &[]);
    let mut first = ingest(venue.spectators(), &server.url(), &["--standby"]);
    wait_until_published(&first);
    let second = ingest(venue.spectators(), &server.url(), &["--standby"]);
    let (_edge, address) = ready_edge(&server.url());
    let mut spectator = ConsoleSpectator::connect(address);
    spectator.read_bytes(evening.first_end + 200_000);
    first.signal("-KILL");
    first.wait();
    wait_until_published(&second);
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
}

#[test]
fn a_publisher_that_was_cut_off_and_replaced_says_nothing_more() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(3_600, 240.0);
    let console = evening.console();
    let venue = ingest(console.local_addr(), "off", &[]);
    let cable = Cable::to(server.address);
    let first = ingest(venue.spectators(), &format!("nats://{}", cable.address()), &["--standby"]);
    wait_until_published(&first);
    let second = ingest(venue.spectators(), &server.url(), &["--standby"]);
    let (_edge, address) = ready_edge(&server.url());
    let mut spectator = ConsoleSpectator::connect(address);
    spectator.read_bytes(evening.first_end + 100_000);
    // The partition: the first one goes on reading its console and believes that the station is its own.
    cable.pull();
    wait_until_published(&second);
    spectator.read_bytes(evening.first_end + 600_000);
    cable.put_back();
    first.wait_for_log("waiting until that one is gone");
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
    // Neither does it in the bucket: the facts are of whoever has the station.
    let [facts, lease] = at(&server.url(), |context| async move {
        let bucket = context.get_key_value("andross-stations").await.unwrap();
        let (facts, lease) = (bucket.get("stream").await, bucket.get("stream.lease").await);
        [facts, lease].map(|value| -> serde_json::Value {
            serde_json::from_slice(&value.unwrap().unwrap()).unwrap()
        })
    });
    let path = facts["path"].as_str().unwrap();
    assert!(path.starts_with(lease["publisher"].as_str().unwrap()), "{path}");
    assert!(second.logs("another relay has taken over").is_empty());
}

#[test]
fn a_publisher_that_is_started_again_goes_on_where_it_was_killed() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(2_400, 240.0);
    let console = evening.console();
    let mut first = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&first);
    let (_edge, address) = ready_edge(&server.url());
    let mut spectator = ConsoleSpectator::connect(address);
    spectator.read_bytes(evening.first_end + 200_000);
    first.signal("-KILL");
    first.wait();
    let again = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&again);
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
}

#[test]
fn a_publisher_that_ends_in_order_leaves_the_station_to_the_next_at_once() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening(240.0);
    let console = evening.console();
    let mut first = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&first);
    let (edge, address) = ready_edge(&server.url());
    let mut spectator = ConsoleSpectator::connect(address);
    spectator.read_bytes(evening.first_end);
    first.signal("-TERM");
    assert_eq!(first.wait().code(), Some(0));
    let second = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&second);
    watch_to_end(&mut spectator, &evening.all);
    assert_watched("a spectator", &spectator, &evening.all);
    wait_until("nothing went wrong", || edge.logs("a gap").is_empty());
}

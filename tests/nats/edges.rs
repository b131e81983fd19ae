//! Edges: everyone at any of them gets the console's bytes at the console's positions.

use std::thread;

use andross::protocol::Cursor;

use super::common::nats::{self, NatsServer};
use super::common::{ConsoleSpectator, assert_same_bytes};
use super::stage::{
    assert_same_greeting, assert_watched, edge, evening, ingest, ready_edge, wait_until_published,
    watch_to_end,
};

/// Spectators at all edges together.
const SPECTATORS: usize = 200;

#[test]
fn two_hundred_spectators_at_three_edges_of_which_one_is_killed_miss_nothing() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening(240.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&ingest);
    let mut edges =
        [ready_edge(&server.url()), ready_edge(&server.url()), ready_edge(&server.url())];
    let addresses = edges.each_ref().map(|(_, address)| *address);
    let (all, in_second) = (&evening.all, evening.first_end + 100_000);
    let mut residents = addresses.map(ConsoleSpectator::connect);
    let mut spectators: Vec<(usize, ConsoleSpectator)> =
        (0..SPECTATORS).map(|n| (n % 3, ConsoleSpectator::connect(addresses[n % 3]))).collect();
    thread::scope(|scope| {
        for resident in &mut residents {
            scope.spawn(move || resident.read_bytes(in_second));
        }
    });
    edges[0].0.signal("-KILL");
    edges[0].0.wait();
    // Everybody else has at least what the dead one had, when they have seen so much.
    thread::scope(|scope| {
        for (place, spectator) in &mut spectators {
            scope.spawn(move || {
                if *place != 0 {
                    watch_to_end(spectator, all);
                    return assert_watched("a spectator", spectator, all);
                }
                spectator.read_to_end();
                let mut got = std::mem::take(&mut spectator.data);
                assert!(got.len() >= 1_000, "it saw something");
                let (cursor, token) = (spectator.cursor, spectator.token);
                // The other edge may be a moment behind; it is not once it has what this one saw.
                let mut guide = ConsoleSpectator::connect(addresses[1]);
                guide.read_bytes(usize::try_from(cursor.0 - guide.start.0).unwrap());
                let mut back = ConsoleSpectator::resume(addresses[1], cursor, token);
                assert_eq!(back.start, cursor, "resumed where it was");
                back.read_bytes(all.len() - usize::try_from(cursor.0).unwrap());
                got.extend_from_slice(&back.data);
                let from = usize::try_from(spectator.start.0).unwrap();
                assert_same_bytes("resumed", &got, &all[from..]);
                assert!(back.replays.iter().all(|(_, forced)| !forced));
            });
        }
    });
}

#[test]
fn an_edge_that_comes_late_has_the_running_game_from_its_start() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening(240.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &server.url(), &[]);
    let (_early, early) = ready_edge(&server.url());
    let mut near = ConsoleSpectator::connect(ingest.spectators());
    // What another edge has is in the stream: the publisher may be behind the console.
    ConsoleSpectator::connect(early).read_bytes(evening.first_end + 100_000);
    near.read_bytes(evening.first_end + 100_000);
    let (_late, address) = ready_edge(&server.url());
    // Who is there before the first byte is greeted at 0 and told the position with that byte.
    ConsoleSpectator::connect(address).read_bytes(1000);
    let mut far = ConsoleSpectator::connect(address);
    assert_same_greeting(ingest.spectators(), address);
    far.read_bytes(evening.all.len() - evening.first_end);
    let from = usize::try_from(far.start.0).unwrap();
    assert_eq!(from, evening.first_end, "the start of the game that was on");
    assert_same_bytes("far", &far.data, &evening.all[from..]);
    assert_eq!(far.token, near.token, "the console's own");
    // And the cursor of a spectator who comes from the venue's relay is good here.
    watch_to_end(&mut near, &evening.all);
    let back = Cursor(near.cursor.0 - 40_000);
    let mut moved = ConsoleSpectator::resume(address, back, near.token);
    assert_eq!(moved.start, back);
    moved.read_bytes(40_000);
    assert_same_bytes("moved", &moved.data, &evening.all[evening.all.len() - 40_000..]);
}

#[test]
fn an_edge_waits_for_what_is_not_published_yet() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let (process, address) = edge(&server.url(), "Stream");
    process.wait_for_log("nothing is published there yet");
    let mut early = ConsoleSpectator::connect(address);
    let evening = evening(120.0);
    let console = evening.console();
    let _ingest = ingest(console.local_addr(), &server.url(), &[]);
    early.read_bytes(evening.all.len());
    assert_same_bytes("early", &early.data, &evening.all);
}

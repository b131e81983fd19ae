//! The three servers of packaging/nats, with its users: any of them may die.

use std::net::SocketAddr;

use andross::protocol::Cursor;

use super::common::nats::{self, EDGE_PASSWORD, NatsServer, PUBLISH_PASSWORD};
use super::common::process::RelayProcess;
use super::common::{ConsoleSpectator, wait_until};
use super::stage::{
    Evening, assert_watched, at, evening_of, ingest, ready_edge, wait_until_published, watch_to_end,
};

/// Which of the servers leads the stream, as the cluster itself says.
fn stream_leader(servers: &[NatsServer; 3]) -> usize {
    leader_as_seen_by(0, servers, |_| true)
}

/// The same as server `asked` says, once `is_right` of it.
fn leader_as_seen_by(
    asked: usize,
    servers: &[NatsServer; 3],
    is_right: impl Fn(usize) -> bool,
) -> usize {
    let mut leader = None;
    wait_until("the stream has a leader", || {
        at(&servers[asked].publisher(), |context| async move {
            let stream = context.get_stream("andross").await.ok()?;
            stream.cached_info().cluster.clone()?.leader
        })
        .is_some_and(|name| {
            leader = servers.iter().position(|server| server.name == name);
            leader.is_some_and(&is_right)
        })
    });
    leader.unwrap()
}

/// Reads until each has so many bytes. At the same time: who takes nothing for half a minute is hung up on.
fn all_have(spectators: &mut [ConsoleSpectator], len: usize) {
    std::thread::scope(|scope| {
        for spectator in spectators {
            scope.spawn(move || spectator.read_bytes(len));
        }
    });
}

/// The edges have everything, and nobody lacks a byte.
fn all_see_the_end(
    edges: &[(RelayProcess, SocketAddr)],
    spectators: &mut [ConsoleSpectator],
    evening: &Evening,
) {
    for (_, address) in edges {
        wait_until("the edge has everything", || {
            ConsoleSpectator::connect(*address).start == Cursor(evening.all.len() as u64)
        });
    }
    std::thread::scope(|scope| {
        for spectator in spectators {
            scope.spawn(move || {
                watch_to_end(spectator, &evening.all);
                assert_watched("a spectator", spectator, &evening.all);
            });
        }
    });
}

#[test]
fn the_death_of_the_streams_leader_costs_nobody_a_byte() {
    if !nats::is_there() {
        return;
    }
    let mut servers = NatsServer::cluster();
    let evening = evening_of(3_600, 120.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &servers[0].publisher(), &["--publish-replicas=3"]);
    wait_until_published(&ingest);
    let edges = [0, 1, 2].map(|n| ready_edge(&servers[n].edge()));
    let mut spectators = edges.each_ref().map(|(_, address)| ConsoleSpectator::connect(*address));
    all_have(&mut spectators, evening.first_end + 100_000);
    let mut near = ConsoleSpectator::connect(ingest.spectators());
    std::thread::scope(|scope| {
        // The venue's own spectators notice nothing.
        scope.spawn(|| watch_to_end(&mut near, &evening.all));
        let leader = stream_leader(&servers);
        servers[leader].kill();
        all_have(&mut spectators, evening.first_end + 1_000_000);
        servers[leader].restart();
    });
    all_see_the_end(&edges, &mut spectators, &evening);
    for (edge, _) in &edges {
        assert!(edge.logs("Hunter2").is_empty() && edge.logs(EDGE_PASSWORD).is_empty());
    }
    assert!(ingest.logs(PUBLISH_PASSWORD).is_empty());
}

#[test]
fn a_server_that_was_cut_off_from_the_others_comes_back() {
    if !nats::is_there() {
        return;
    }
    let servers = NatsServer::cluster();
    let evening = evening_of(3_600, 120.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &servers[1].publisher(), &["--publish-replicas=3"]);
    wait_until_published(&ingest);
    let edges = [0, 1, 2].map(|n| ready_edge(&servers[n].edge()));
    let mut spectators = edges.each_ref().map(|(_, address)| ConsoleSpectator::connect(*address));
    all_have(&mut spectators, evening.first_end + 100_000);
    let mut near = ConsoleSpectator::connect(ingest.spectators());
    std::thread::scope(|scope| {
        // The venue's own spectators notice nothing.
        scope.spawn(|| watch_to_end(&mut near, &evening.all));
        let leader = stream_leader(&servers);
        // Nothing reaches it and nothing comes from it, and its connections stay.
        servers[leader].signal("-STOP");
        all_have(&mut spectators, evening.first_end + 1_000_000);
        servers[leader].signal("-CONT");
    });
    all_see_the_end(&edges, &mut spectators, &evening);
}

#[test]
fn a_split_between_the_servers_heals_and_costs_nobody_a_byte() {
    if !nats::is_there() {
        return;
    }
    let (servers, network) = NatsServer::cluster_on_cables();
    let evening = evening_of(7_200, 120.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &servers[1].publisher(), &["--publish-replicas=3"]);
    wait_until_published(&ingest);
    let edges = [0, 1, 2].map(|n| ready_edge(&servers[n].edge()));
    let mut spectators = edges.each_ref().map(|(_, address)| ConsoleSpectator::connect(*address));
    all_have(&mut spectators, evening.first_end + 100_000);
    std::thread::scope(|scope| {
        for spectator in &mut spectators {
            scope.spawn(|| {
                watch_to_end(spectator, &evening.all);
                assert_watched("a spectator", spectator, &evening.all);
            });
        }
        // The leader still has its clients, but nobody to agree with: the others choose another.
        let leader = stream_leader(&servers);
        network.cut_off(leader);
        leader_as_seen_by((leader + 1) % 3, &servers, |now| now != leader);
        network.heal(leader);
        // Whoever comes has the game from its start and sees it go on.
        for (_, address) in &edges {
            ConsoleSpectator::connect(*address).read_bytes(1_500_000);
        }
        // Now the server of the publisher, whoever leads: nothing of what is sent can be kept.
        network.cut_off(1);
        let mut near = ConsoleSpectator::connect(ingest.spectators());
        near.read_bytes(2_000_000);
        network.heal(1);
        watch_to_end(&mut near, &evening.all);
    });
}

//! All stations of a server come and go as they are published.

use super::common::nats::{self, NatsServer};
use super::common::process::RelayProcess;
use super::common::{ConsoleSpectator, assert_same_bytes, wait_until};
use super::stage::{evening, wait_until_published};

#[test]
fn every_station_of_a_server_is_followed_as_long_as_it_is_published() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let edge = RelayProcess::start([
        &*format!("{}/*", server.url()),
        "--listen=127.0.0.1:0",
        "--raw-listen=off",
        "--http=127.0.0.1:0",
        "--replays=off",
    ]);
    let evening = evening(480.0);
    let (one, two) = (evening.console(), evening.console());
    let publish = format!("--publish={}", server.url());
    let venue = RelayProcess::start([
        &*format!("Main Stage={}", one.local_addr()),
        &*format!("side={}", two.local_addr()),
        &publish,
        "--listen=127.0.0.1:0",
        "--raw-listen=off",
        "--http=127.0.0.1:0",
        "--replays=off",
    ]);
    wait_until_published(&venue);
    for name in ["Main Stage", "side"] {
        edge.wait_until_connected(name);
        let mut spectator = ConsoleSpectator::connect(edge.station(name).console_address());
        spectator.read_bytes(evening.all.len() - usize::try_from(spectator.start.0).unwrap());
        let from = usize::try_from(spectator.start.0).unwrap();
        assert_same_bytes(name, &spectator.data, &evening.all[from..]);
    }
    // Removed at the venue, it goes at the edge.
    assert_eq!(venue.delete(&venue.station("side").path()).0, 204);
    wait_until("the edge's station goes, too", || edge.find_station("side").is_none());
    assert!(edge.find_station("Main Stage").is_some());
    // Called otherwise there, it is called so here.
    let renamed = serde_json::json!({ "name": "Finals" });
    assert_eq!(venue.patch(&venue.station("Main Stage").path(), renamed).0, 200);
    wait_until("the edge has the new name", || edge.find_station("Finals").is_some());
    wait_until("and not the old one", || edge.find_station("Main Stage").is_none());
}

//! Consoles come, go and are removed by hand.

use serde_json::json;

use crate::common::{ConsoleSpectator, assert_same_bytes, synthetic, wait_until};
use crate::network::{FIRST, Network, SECOND, mac};

#[test]
fn a_console_that_announces_itself_is_adopted_and_one_that_goes_keeps_its_place() {
    let network = Network::open(|_| Vec::new());
    assert_eq!(network.names(), Vec::<String>::new());
    let games = [synthetic(1, 3_000, true), synthetic(2, 3_000, true)];
    let stream = network.endless(FIRST, "Stream Wii", mac(1), &games[0]);
    let side = network.endless(SECOND, "Side Wii", mac(2), &games[1]);
    network.relay.wait_until_connected("Stream Wii");
    network.relay.wait_until_connected("Side Wii");
    for (name, mac, game) in [("Stream Wii", mac(1), 0), ("Side Wii", mac(2), 1)] {
        let station = network.relay.station(name);
        assert_eq!(station.0["origin"], "discovered");
        assert_eq!(station.0["mac"], mac.to_string());
        assert_eq!(network.discovered(mac).unwrap()["station"], station.id());
        let mut spectator = ConsoleSpectator::connect(station.console_address());
        spectator.read_bytes(50_000);
        let len = spectator.data.len();
        assert_same_bytes(name, &spectator.data, &games[game].events()[..len]);
    }
    let before = network.relay.station("Side Wii");
    drop(side);
    wait_until("the relay misses it", || {
        network.relay.station("Side Wii").0["connection"] == "connecting"
    });
    let again = network.endless(SECOND, "Side Wii", mac(2), &games[0]);
    network.relay.wait_until_connected("Side Wii");
    let after = network.relay.station("Side Wii");
    assert_eq!((after.id(), after.addresses()), (before.id(), before.addresses()));
    assert_eq!(network.names().len(), 2);
    drop((stream, again));
    network.end();
}

#[test]
fn one_that_was_removed_by_hand_stays_away_until_somebody_asks_for_it() {
    let network = Network::open(|_| Vec::new());
    let _console = network.endless(FIRST, "Stream Wii", mac(1), &synthetic(1, 5_000, true));
    network.relay.wait_until_connected("Stream Wii");
    let station = network.relay.station("Stream Wii");
    let mut spectator = ConsoleSpectator::connect(station.console_address());
    spectator.read_bytes(10_000);
    assert_eq!(network.relay.delete(&station.path()).0, 204);
    spectator.read_to_end();
    // Renamed, so that it is seen that the announcement was heard.
    for nick in ["Stream Wii 2", "Stream Wii 3"] {
        let heard = network.announce_and_wait(FIRST, nick, mac(1));
        assert_eq!((&heard["isRemoved"], &heard["station"]), (&json!(true), &json!(null)));
        assert_eq!(network.names(), Vec::<String>::new());
    }
    let unknown = json!({"mac": mac(9).to_string()});
    assert_eq!(network.relay.post("/api/stations", Some(unknown)).0, 409);
    let wanted = json!({"mac": mac(1).to_string(), "name": "Back"});
    let (status, body) = network.relay.post("/api/stations", Some(wanted));
    assert_eq!(status, 201, "{body}");
    network.relay.wait_until_connected("Back");
    let back = network.relay.station("Back");
    assert_eq!((&back.0["origin"], &back.0["mac"]), (&json!("api"), &json!(mac(1).to_string())));
    assert_ne!(back.id(), station.id(), "no number is given twice");
    ConsoleSpectator::connect(back.console_address()).read_bytes(10_000);
    assert_eq!(network.discovered(mac(1)).unwrap()["isRemoved"], false);
    network.end();
}

/// Such a console has never announced itself: it had a client from the beginning.
#[test]
fn a_configured_console_that_was_removed_by_hand_stays_away_too() {
    let network = Network::open(|port| vec![format!("Stream={FIRST}:{port}")]);
    let _console = network.endless(FIRST, "Wii", mac(1), &synthetic(1, 5_000, true));
    network.relay.wait_until_connected("Stream");
    let station = network.relay.station("Stream");
    assert_eq!(network.relay.delete(&station.path()).0, 204);
    let heard = network.announce_and_wait(FIRST, "Wii again", mac(1));
    assert_eq!(network.names(), Vec::<String>::new());
    assert_eq!(heard["isRemoved"], true);
    // It is this console that is not wanted, not whatever has its address tomorrow.
    let heard = network.announce_and_wait(SECOND, "Wii moved", mac(1));
    assert_eq!((network.names(), &heard["isRemoved"]), (Vec::new(), &json!(true)));
    let wanted = json!({"source": format!("{FIRST}:{}", network.port), "name": "Back"});
    let (status, body) = network.relay.post("/api/stations", Some(wanted));
    assert_eq!(status, 201, "{body}");
    let heard = network.announce_and_wait(FIRST, "Wii back", mac(1));
    assert_eq!((&heard["isRemoved"], &heard["station"]), (&json!(false), &body["id"]));
    network.end();
}

//! Announcements that need a second look.

use serde_json::json;

use crate::common::{ConsoleSpectator, synthetic, wait_until};
use crate::network::{FIRST, Network, SECOND, mac};

#[test]
fn a_console_that_is_configured_by_its_address_is_recognised() {
    let network = Network::open(|port| vec![format!("Stream={FIRST}:{port}")]);
    let heard = network.announce_and_wait(FIRST, "Wii", mac(1));
    let station = network.relay.station("Stream");
    assert_eq!(heard["station"], station.id());
    assert_eq!(station.0["mac"], mac(1).to_string());
    assert_eq!(network.names(), ["Stream"], "it is not there twice");
    // From now on it may move.
    let _console = network.console(SECOND, "Wii", mac(1), &[synthetic(1, 300, true)]);
    network.relay.wait_until_connected("Stream");
    assert_eq!(network.relay.station("Stream").0["source"], format!("{SECOND}:{}", network.port));
    assert_eq!(network.names(), ["Stream"]);
    network.end();
}

#[test]
fn what_is_no_announcement_adds_nothing() {
    let network = Network::open(|_| Vec::new());
    let good = crate::network::announcement("Wii", mac(1));
    let mut wrong_magic = good;
    wrong_magic[9] = b'!';
    for garbage in [&b"SLIP_READY"[..], &good[..47], &wrong_magic, &[0; 2_000], &[]] {
        network.say(FIRST, garbage);
    }
    network.announce_and_wait(FIRST, "Wii", mac(1));
    assert_eq!(network.names(), ["Wii"]);
    network.end();
}

#[test]
fn names_that_are_taken_or_no_names_are_made_good() {
    let network = Network::open(|_| Vec::new());
    network.announce_and_wait(FIRST, "Wii", mac(1));
    network.announce_and_wait(SECOND, "Wii", mac(2));
    assert_eq!(network.names(), ["Wii", "Wii 2"]);
    // A file cannot be called so, and the program output is.
    let unnamed = network.announce_and_wait([127, 0, 0, 4].into(), "../ ..", mac(3));
    network.announce_and_wait([127, 0, 0, 5].into(), "Program", mac(4));
    network.announce_and_wait([127, 0, 0, 6].into(), "a\u{1b}[2J/b", mac(5));
    assert_eq!(unnamed["nick"], "../ ..", "what it says is shown as it is");
    let names = network.names();
    assert_eq!(names[2..], [mac(3).to_string(), mac(4).to_string(), "a2Jb".to_owned()]);
    network.end();
}

#[test]
fn nobody_can_take_a_console_that_is_connected_away() {
    let network = Network::open(|_| Vec::new());
    let _console = network.endless(FIRST, "Stream Wii", mac(1), &synthetic(1, 5_000, true));
    network.relay.wait_until_connected("Stream Wii");
    let station = network.relay.station("Stream Wii");
    let mut spectator = ConsoleSpectator::connect(station.console_address());
    spectator.read_bytes(10_000);
    let heard = network.announce_and_wait(SECOND, "Impostor", mac(1));
    assert_eq!(heard["station"], json!(station.id()));
    let after = network.relay.station("Stream Wii");
    assert_eq!(after.0["source"], format!("{FIRST}:{}", network.port));
    spectator.read_bytes(50_000);
    assert_eq!(after.0["totals"]["reconnects"], 0);
    wait_until("it is still connected", || {
        network.relay.station("Stream Wii").0["connection"] == "connected"
    });
    network.end();
}

//! A console gets another address: it is the same station.

use std::net::SocketAddr;
use std::time::Duration;

use andross::protocol::Cursor;

use crate::common::cable::Cable;
use crate::common::{ConsoleSpectator, assert_same_bytes, synthetic, wait_until};
use crate::network::{FIRST, Network, SECOND, mac};

/// Shorter than a real console's 10 s.
const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_millis(100);

#[test]
fn a_console_that_is_switched_on_elsewhere_is_the_same_station() {
    let network = Network::open(|_| Vec::new());
    let games = [synthetic(1, 300, true), synthetic(2, 300, true)];
    let old = network.console(FIRST, "Stream Wii", mac(1), &games[..1]);
    network.relay.wait_until_connected("Stream Wii");
    let before = network.relay.station("Stream Wii");
    let mut spectator = ConsoleSpectator::connect(before.console_address());
    spectator.read_bytes(games[0].events().len());
    drop(old);
    wait_until("the relay misses it", || {
        network.relay.station("Stream Wii").0["connection"] == "connecting"
    });
    let _new = network.console(SECOND, "Stream Wii", mac(1), &games[1..]);
    let both = games[0].events().len() + games[1].events().len();
    spectator.read_bytes(both);
    let expected = [&games[0].events()[..], &games[1].events()[..]].concat();
    assert_same_bytes("spectator", &spectator.data, &expected);
    let forced: Vec<_> = spectator.replays.iter().filter(|(_, forced)| *forced).collect();
    assert_eq!(forced, [&(Cursor(0), true)], "its positions begin anew, which is said once");
    let after = network.relay.station("Stream Wii");
    assert_eq!((after.id(), after.addresses()), (before.id(), before.addresses()));
    assert_eq!(after.0["source"], format!("{SECOND}:{}", network.port));
    assert_eq!(network.names(), ["Stream Wii"]);
    network.end();
}

/// The console itself runs on: it is only reached by another way.
#[test]
fn a_console_that_moves_in_the_middle_of_a_game_goes_on_in_the_same_log() {
    let network = Network::open(|_| Vec::new());
    let game = synthetic(3, 900, true);
    let console = crate::network::hidden_console(&game);
    let at = |host| SocketAddr::from((host, network.port));
    let first = Cable::between(at(FIRST), console.local_addr());
    network.announce(FIRST, "Stream Wii", mac(1));
    network.relay.wait_until_connected("Stream Wii");
    let before = network.relay.station("Stream Wii");
    let mut spectator = ConsoleSpectator::connect(before.console_address());
    spectator.read_bytes(50_000);
    // It is still there as far as the relay can tell, but says nothing any more.
    first.pull();
    first.cut();
    wait_until("the relay misses it", || {
        network.relay.station("Stream Wii").0["connection"] != "connected"
    });
    let _second = Cable::between(at(SECOND), console.local_addr());
    // A console announces itself again and again; at first it could be somebody in its name.
    wait_until("the relay follows it", || {
        network.announce(SECOND, "Stream Wii", mac(1));
        std::thread::sleep(BETWEEN_ANNOUNCEMENTS);
        !network.relay.logs("the console is at 127.0.0.3 now").is_empty()
    });
    // A console notices that a client is gone when that one's packets are answered with a reset.
    first.cut();
    spectator.read_bytes(game.events().len());
    assert_same_bytes("spectator", &spectator.data, game.events());
    assert!(spectator.replays.iter().all(|(_, forced)| !forced), "its positions go on");
    let after = network.relay.station("Stream Wii");
    assert_eq!((after.id(), after.addresses()), (before.id(), before.addresses()));
    assert_eq!(after.0["totals"]["gaps"], 0);
    network.end();
}

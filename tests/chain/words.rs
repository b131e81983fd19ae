//! What relays say to each other, and what nobody else hears of it.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use andross::protocol::console::{KEEP_ALIVE, MAX_HOPS};
use andross::session::SourceState;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Simulator};

use super::common::upstream::{Upstream, notice, wait_for_path};
use super::common::{ConsoleSpectator, PATIENCE, Venue, synthetic, wait_until};

#[test]
fn each_relay_tells_the_way_to_the_console() {
    let game = synthetic(31, 300, true);
    let first = Venue::play(vec![game.clone()], 600.0);
    let second = Venue::relay(first.console_address(), Shutdown::new(), |_| {});
    let third = Venue::relay(second.console_address(), Shutdown::new(), |_| {});
    let path = wait_for_path(third.console_address(), 3);
    let ids = [&third, &second, &first].map(|venue| venue.station().relay_id);
    assert_eq!(path, ids);
    assert_eq!(third.station().upstream(), ids[1..]);
    assert!(first.station().upstream().is_empty());
}

/// Every byte that a spectator gets is the console's own, whatever relays tell each other at the
/// same time. [`ConsoleSpectator`] compares each message with the console's layout; here the very
/// bytes of a keep-alive are read off the wire.
#[test]
fn a_spectator_hears_nothing_of_it() {
    let (mut first, console) = Venue::without_console(|_| {});
    let second = Venue::relay(first.console_address(), Shutdown::new(), |_| {});
    let mut checked =
        [&first, &second].map(|venue| ConsoleSpectator::connect(venue.console_address()));
    for spectator in &mut checked {
        let mut bare = spectator.stream.try_clone().unwrap();
        let mut keep_alive = [0; KEEP_ALIVE.len()];
        bare.read_exact(&mut keep_alive).unwrap();
        assert_eq!(keep_alive, KEEP_ALIVE);
    }
    // A console with a name of its own, and then another token: there is much to tell.
    let game = synthetic(32, 1_000, true);
    first.switch_on(Options {
        listen: console,
        nick: "A name that relays pass on".to_owned(),
        ..playing(&game)
    });
    for spectator in &mut checked {
        spectator.read_bytes(100_000);
    }
    first.simulator().drop_client();
    for spectator in &mut checked {
        spectator.read_bytes(game.events().len());
        while spectator.keep_alives < 2 {
            assert!(spectator.read_message());
        }
    }
}

fn playing(game: &andross::simulator::Recording) -> Options {
    Options {
        recordings: vec![game.clone()],
        fps: 1_000.0,
        pause: Duration::ZERO,
        ..Options::default()
    }
}

#[test]
fn a_console_is_not_disturbed_by_a_relays_handshake() {
    let game = synthetic(33, 100, true);
    let simulator = Simulator::start(playing(&game), &Shutdown::new()).unwrap();
    let venue = Venue::relay(simulator.local_addr(), Shutdown::new(), |_| {});
    venue.wait_for_bytes(game.events().len());
    assert_eq!(venue.end(), [game.events().to_vec()]);
}

#[test]
fn the_longest_chain_is_followed_and_a_longer_one_refused() {
    let upstream = Upstream::new();
    let venue = Venue::relay(upstream.address(), Shutdown::new(), |_| {});
    let longest = MAX_HOPS as u64;
    let (stream, handshake) = upstream.greet(7, 0, &notice(&[7], longest));
    assert_eq!(handshake.relay, Some(venue.station().relay_id));
    wait_until("it is followed", || venue.station().upstream().len() == MAX_HOPS);
    assert_eq!(venue.station().source(), SourceState::Connected);
    // Whoever is fed by it hears of one relay more, which is one too many.
    let path = wait_for_path(venue.console_address(), MAX_HOPS + 1);
    assert_eq!(path[0], venue.station().relay_id);

    drop(stream);
    let (mut refused, _) = upstream.greet(7, 0, &notice(&[7], longest + 1));
    expect_end(&mut refused);
    wait_until("it is refused", || venue.station().source() == SourceState::Connecting);
    assert!(venue.station().upstream().is_empty());
}

#[test]
fn a_chain_that_is_too_long_is_called_so() {
    let upstream = Upstream::new();
    let source = upstream.address();
    let relay = super::common::process::RelayProcess::start([
        source.to_string().as_str(),
        "--listen=off",
        "--raw-listen=off",
        "--http=off",
        "--replays=off",
    ]);
    let (mut refused, _) = upstream.greet(7, 0, &notice(&[7], MAX_HOPS as u64 + 1));
    expect_end(&mut refused);
    relay.wait_for_log("its stream comes through more than 16 relays");
}

#[test]
fn a_loop_is_called_so() {
    let relay = super::common::process::RelayProcess::start([
        "127.0.0.1:9",
        "--listen=127.0.0.1:0",
        "--raw-listen=off",
        "--http=127.0.0.1:0",
        "--replays=off",
    ]);
    let own = relay.spectators().to_string();
    let path = relay.stations()[0].path();
    assert_eq!(relay.patch(&path, serde_json::json!({ "source": own })).0, 200);
    relay.wait_for_log("its stream comes from this station: the relays feed each other in a loop");
    wait_until("the state says so", || relay.stations()[0].0["connection"] == "loop");
    assert_eq!(relay.stations()[0].0["consoleAddress"], own.as_str(), "and the relay is there");
}

/// Waits until the relay hangs up.
fn expect_end(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}

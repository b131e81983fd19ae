//! Consoles and relays that come back.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use andross::config::SourceProtocol;
use andross::session::SourceState;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Simulator};

use crate::common::cable::Cable;
use crate::common::{ConsoleSpectator, Venue, assert_same_bytes, synthetic, wait_until};
use crate::{EndQuietly, FRAME, HEAD, Scripted, say};

/// Was: `forcePos` on bytes the log already has is taken for a restarted console. It comes from
/// another andross that was restarted and greeted this one before its own console answered.
#[test]
fn a_forced_repetition_is_still_a_repetition() {
    let game = synthetic(5, 60, true);
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |_| {});
    let base = 5_000;
    let mut stream = console.accept(7, base);
    let half = HEAD + 30 * FRAME;
    say(&mut stream, base, false, &game.events()[..half]);
    venue.wait_for_bytes(half);
    let mut spectator = ConsoleSpectator::connect(venue.console_address());
    spectator.read_bytes(half);
    drop(stream);
    // The upstream relay has been restarted: an own token, position 0; then its console's game.
    let mut stream = console.accept(99, 0);
    say(&mut stream, base, true, game.events());
    while !spectator.data.ends_with(&[0x39, 2]) {
        assert!(spectator.read_message());
    }
    assert_same_bytes("the spectator", &spectator.data, game.events());
    let epoch = venue.station().log.last().unwrap().epoch();
    assert_eq!(epoch, 0, "no console was restarted");
    assert_eq!(venue.end().len(), 1, "one game, one file");
}

/// The real thing: A is restarted between a console and B.
#[test]
fn restarting_a_relay_in_a_chain_does_not_restart_the_game() {
    let (earlier, game) = (synthetic(26, 50, true), synthetic(6, 4_000, true));
    let both = [earlier.events().as_ref(), game.events()].concat();
    let simulator = Simulator::start(
        Options {
            recordings: vec![earlier, game],
            fps: 600.0,
            pause: Duration::ZERO,
            ..Options::default()
        },
        &Shutdown::new(),
    )
    .unwrap();
    let first = Venue::relay(simulator.local_addr(), Shutdown::new(), |_| {});
    let listen = first.console_address();
    let second = Venue::relay(listen, Shutdown::new(), |_| {});
    let mut spectator = ConsoleSpectator::connect(second.console_address());
    spectator.read_bytes(200_000);
    first.end();
    // Its console is slower to answer than B is to come back, as a Wii behind Wi-Fi is.
    let proxy = Cable::to(simulator.local_addr());
    proxy.pull();
    let _first = Venue::relay(proxy.address(), Shutdown::new(), |config| {
        config.listen = Some(listen);
    });
    wait_until("B is back", || {
        second.station().source() == SourceState::Connected
            && second.station().stats.reconnects.get() > 0
    });
    proxy.put_back();
    while !spectator.data.ends_with(&both[both.len() - 10_000..]) {
        assert!(spectator.read_message());
    }
    assert_same_bytes("the spectator", &spectator.data, &both);
    assert_eq!(second.station().log.last().unwrap().epoch(), 0);
    assert_eq!(second.end().len(), 2, "two games, two files");
}

/// Was: a raw source that hangs up at once is never backed off from, and never counts as away.
#[test]
fn a_raw_source_that_hangs_up_is_backed_off_from() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = attempts.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            drop(stream);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let venue = Venue::relay(address, Shutdown::new(), |config| {
        config.stations[0].source.protocol = SourceProtocol::Raw;
        config.timing.back_off = (Duration::from_millis(20), Duration::from_secs(60));
    });
    wait_until("it was tried some times", || attempts.load(Ordering::Relaxed) >= 4);
    assert_eq!(venue.station().source(), SourceState::Connecting, "nothing ever came from it");
    assert_eq!(venue.station().stats.reconnects.get(), 0);
    venue.end_quietly();
}

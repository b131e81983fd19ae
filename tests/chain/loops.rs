//! Relays that feed each other: noticed, refused, and undone by a real console.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use andross::engine::{Request, StationChange};
use andross::session::SourceState;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Simulator};

use super::common::cable::Cable;
use super::common::{ConsoleSpectator, Venue, assert_same_bytes, loopback, synthetic, wait_until};

/// A relay in a circle, and the cable by which the one before it hears it.
struct Link {
    venue: Venue,
    cable: Cable,
}

impl Link {
    /// A relay whose source never answers, as that of a console that is busy. `longest` is how long
    /// it waits once it found itself in a loop.
    fn new(silent: SocketAddr, longest: Duration) -> Self {
        let venue = Venue::relay(silent, Shutdown::new(), |config| {
            config.timing.back_off = (Duration::from_millis(5), longest);
        });
        let cable = Cable::to(venue.console_address());
        Self { venue, cable }
    }

    fn point_at(&self, source: SocketAddr) {
        let change = StationChange { source: Some(source.to_string()), ..Default::default() };
        let engine = self.venue.relay.engine();
        engine.ask_blocking(|reply| Request::Change(1, change, reply)).unwrap();
    }

    fn source(&self) -> SourceState {
        self.venue.station().source()
    }
}

/// As many relays as `order` has numbers, each to be fed by the one after it, the last by the first.
/// They are told so in this order, or all at the same time.
fn circle(order: &[usize], at_once: bool, longest: Duration) -> Vec<Link> {
    let silent = TcpListener::bind(loopback()).unwrap();
    let silent_address = silent.local_addr().unwrap();
    let links: Vec<Link> = order.iter().map(|_| Link::new(silent_address, longest)).collect();
    let sources: Vec<SocketAddr> =
        (0..links.len()).map(|n| links[(n + 1) % links.len()].cable.address()).collect();
    if at_once {
        std::thread::scope(|scope| {
            for &n in order {
                let (link, source) = (&links[n], sources[n]);
                scope.spawn(move || link.point_at(source));
            }
        });
    } else {
        for &n in order {
            links[n].point_at(sources[n]);
        }
    }
    wait_until("one of them notices", || {
        links.iter().any(|link| link.source() == SourceState::Loop)
    });
    links
}

/// Several keep-alives later each of `links` is still there for a spectator, and nobody has knocked
/// more often than `knocks` times in all.
fn assert_calm(links: &[Link], knocks: usize) {
    for link in links {
        let mut spectator = ConsoleSpectator::connect(link.venue.console_address());
        while spectator.keep_alives < 3 {
            assert!(spectator.read_message());
        }
        assert!(spectator.data.is_empty());
    }
    let knocked: usize = links.iter().map(|link| link.cable.connections()).sum();
    assert!(knocked <= knocks, "{knocked} connections among {} relays", links.len());
}

/// No relay that found itself in a loop tries again within a test.
const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn a_relay_that_is_its_own_source_hangs_up_and_stays() {
    let links = circle(&[0], false, NEVER);
    assert_calm(&links, 1);
    assert_eq!(links[0].source(), SourceState::Loop);
    links.into_iter().for_each(|link| assert!(link.venue.end().is_empty()));
}

#[test]
fn relays_that_feed_each_other_notice_and_stay() {
    for (order, at_once) in [
        (&[0, 1][..], false),
        (&[1, 0], false),
        (&[0, 1], true),
        (&[0, 1, 2], false),
        (&[2, 1, 0], false),
        (&[0, 1, 2], true),
    ] {
        let links = circle(order, at_once, NEVER);
        assert_calm(&links, order.len());
        links.into_iter().for_each(|link| assert!(link.venue.end().is_empty()));
    }
}

#[test]
fn a_loop_that_is_tried_again_and_again_is_refused_each_time() {
    for relays in [1, 2, 3] {
        let order: Vec<usize> = (0..relays).collect();
        let links = circle(&order, true, Duration::from_millis(50));
        let knocks = || links.iter().map(|link| link.cable.connections()).sum::<usize>();
        let before = knocks();
        wait_until("they have tried again", || knocks() > before + 10);
        wait_until("and noticed again", || {
            links.iter().any(|link| link.source() == SourceState::Loop)
        });
        assert!(links.iter().all(|link| link.venue.station().stats.bytes.get() == 0));
    }
}

/// Any one of a circle is given a console: the others become relays of it, whoever of them it was
/// that had noticed.
#[test]
fn a_console_undoes_a_loop() {
    for relays in [2, 3] {
        for with_console in 0..relays {
            let order: Vec<usize> = (0..relays).collect();
            let links = circle(&order, false, Duration::from_millis(50));
            let game = synthetic(21, 500, true);
            let options = Options {
                recordings: vec![game.clone()],
                fps: 1_000.0,
                pause: Duration::ZERO,
                ..Options::default()
            };
            let console = Simulator::start(options, &Shutdown::new()).unwrap();
            let mut spectators: Vec<_> = links
                .iter()
                .map(|link| ConsoleSpectator::connect(link.venue.console_address()))
                .collect();
            links[with_console].point_at(console.local_addr());
            for spectator in &mut spectators {
                spectator.read_bytes(game.events().len());
                assert_same_bytes("spectator", &spectator.data, game.events());
            }
            for (n, link) in links.iter().enumerate() {
                assert_eq!(link.source(), SourceState::Connected);
                let hops = (with_console + relays - n) % relays;
                assert_eq!(link.venue.station().upstream().len(), hops);
            }
            let token = ConsoleSpectator::connect(links[0].venue.console_address()).token;
            for link in links {
                let newcomer = ConsoleSpectator::connect(link.venue.console_address());
                assert_eq!(newcomer.token, token);
                assert_eq!(link.venue.end(), [game.events().to_vec()]);
            }
        }
    }
}

//! Dolphin's spectator protocol where a whole game is sent at once: late joiners with a bad network, on
//! a busy computer, and many of them.

mod common;

use std::thread;
use std::time::Duration;

use andross::config::RelayConfig;
use andross::simulator::{Options, Recording};
use common::bad_link::BadLink;
use common::dolphin::DolphinSpectator;
use common::{Venue, assert_same_bytes, synthetic};

/// A game of 4 MB: two minutes, as long as most are.
const FRAMES: i32 = 7_000;

/// What ENet sends before it waits, in bytes.
const WINDOW: usize = 64 * 1024;

/// A relay that has all of a game which is still on.
fn venue() -> (Venue, Recording) {
    venue_with(|_| {})
}

fn venue_with(tweak: impl FnOnce(&mut RelayConfig)) -> (Venue, Recording) {
    let game = synthetic(1, FRAMES, false);
    let recordings = vec![game.clone()];
    let options = Options { recordings, fps: 50_000.0, ..Options::default() };
    let venue = Venue::start(options, tweak);
    venue.wait_for_bytes(game.events().len());
    (venue, game)
}

/// What the events of `game` are on the wire, in bytes: base64 in JSON, a message a frame.
fn on_the_wire(game: &Recording) -> usize {
    game.events().len() * 4 / 3 + FRAMES as usize * 100
}

#[test]
fn a_tenth_of_all_datagrams_may_be_lost() {
    let (venue, game) = venue();
    let link = BadLink::to(venue.dolphin_address(), 10);
    let mut late = DolphinSpectator::connect(link.address());
    late.read_bytes(game.events().len());
    assert_same_bytes("late", &late.data, game.events());
    let sent = link.sent();
    assert!(link.lost() > sent / 20, "{} of {sent} were lost", link.lost());
    // A datagram a frame, and another for those that were lost or acknowledged late.
    let most = 4 * FRAMES as usize;
    assert!(sent < most, "{sent} datagrams instead of {most}");
}

/// What comes in bursts, from a wireless network that saves power or to a client that looks seldom, is
/// acknowledged late. That is no reason to send less at once.
#[test]
fn one_that_hears_in_bursts_gets_a_window_each_time() {
    let (venue, game) = venue();
    let link = BadLink::to(venue.dolphin_address(), 0);
    link.hold(Duration::from_millis(5));
    let mut late = DolphinSpectator::connect(link.address());
    // Until now it was quicker.
    link.hold(Duration::from_millis(40));
    late.read_bytes(game.events().len());
    assert_same_bytes("late", &late.data, game.events());
    let most = 2 * on_the_wire(&game).div_ceil(WINDOW);
    assert!(link.bursts() < most, "{} bursts instead of {most}", link.bursts());
}

#[test]
fn several_come_late_at_once() {
    let (venue, game) = venue();
    let address = venue.dolphin_address();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut late = DolphinSpectator::connect(address);
                late.read_bytes(game.events().len());
                assert_same_bytes("one of several", &late.data, game.events());
            });
        }
    });
}

/// Who takes nothing is dropped, and costs nobody else anything.
#[test]
fn one_that_takes_nothing_is_dropped() {
    let (venue, game) = venue_with(|config| config.limits.silence = Duration::from_secs(1));
    let link = BadLink::to(venue.dolphin_address(), 0);
    let mut gone = DolphinSpectator::connect(link.address());
    gone.read_bytes(1);
    link.set_loss(100);
    let mut well = DolphinSpectator::connect(venue.dolphin_address());
    well.read_bytes(game.events().len());
    let station = venue.station();
    // `well` is heard all the time.
    well.wait("the silent one's end", |_| station.stats.dolphin_clients.get() == 1);
    assert!(!well.has_left);
}

/// A laptop that is busy, a network that one roams in, a program that is stopped: ENet itself would
/// give up after five seconds, and not say so.
#[test]
fn one_that_stands_still_for_seconds_goes_on() {
    let (venue, game) = venue();
    let mut late = DolphinSpectator::connect(venue.dolphin_address());
    late.read_bytes(1);
    thread::sleep(Duration::from_secs(8));
    late.wait("the game", |late| late.has_left || late.data.len() >= game.events().len());
    assert_same_bytes("late", &late.data, game.events());
}

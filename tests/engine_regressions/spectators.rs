//! Spectators that are behind on purpose, and consoles that begin anew meanwhile.

use std::time::{Duration, Instant};

use andross::config::RelayConfig;
use andross::protocol::{ClientToken, Cursor};
use andross::shutdown::Shutdown;

use crate::common::upstream::{Upstream, say};
use crate::common::{ConsoleSpectator, PATIENCE, Venue, assert_same_bytes, synthetic};
use crate::desk::{FOR_NOW, scripted, set_delay, station, up_to_frame};

/// Was: a spectator that was greeted behind a restart of the console which the delay still hid was
/// given the new positions' token, and went on in the middle of the new game when it resumed.
#[test]
fn who_resumes_in_front_of_a_restart_that_is_still_hidden_goes_on_with_the_old_game() {
    let console = Upstream::new();
    let venue = Venue::relay(console.address(), Shutdown::new(), |config: &mut RelayConfig| {
        config.timing.silence = PATIENCE;
        config.delay.all = Some(Duration::from_secs_f64(FOR_NOW));
    });
    let (one, two) = (synthetic(1, 100, false), synthetic(2, 200, true));
    let (mut stream, _) = console.greet(7, 0, &[]);
    say(&mut stream, 0, one.events());
    venue.wait_for_bytes(one.events().len());
    drop(stream);
    // Switched off and on: another token, positions from 0 again.
    let (mut stream, _) = console.greet(9, 0, &[]);
    say(&mut stream, 0, two.events());
    venue.wait_for_bytes(one.events().len() + two.events().len());

    let newcomer = ConsoleSpectator::connect(venue.console_address());
    assert_eq!((newcomer.token, newcomer.start), (ClientToken(7), Cursor(0)));
    let at = up_to_frame(50) + 5;
    let cursor = Cursor(at as u64);
    let resumed = ConsoleSpectator::resume(venue.console_address(), cursor, newcomer.token);
    assert_eq!((resumed.token, resumed.start), (ClientToken(7), cursor));
    // The new positions are not known yet.
    let early = ConsoleSpectator::resume(venue.console_address(), cursor, ClientToken(9));
    assert_eq!(early.start, Cursor(0));
    set_delay(&venue.relay, 1, 0.0);
    let all = [&one.events()[..], two.events()].concat();
    for (mut spectator, from) in [(newcomer, 0), (resumed, at), (early, 0)] {
        spectator.read_bytes(all.len() - from);
        assert_same_bytes("spectator", &spectator.data, &all[from..]);
        let forced: Vec<_> = spectator.replays.iter().filter(|(_, forced)| *forced).collect();
        assert_eq!(forced, [&(Cursor(0), true)], "the new positions are said once");
    }
    let now = ConsoleSpectator::connect(venue.console_address());
    assert_eq!(now.token, ClientToken(9));
}

/// Was: what had been seen before the delay was raised was not looked at again, so a newcomer got
/// none of it, and then all at once with the first frame that came after.
#[test]
fn a_newcomer_behind_a_raised_delay_gets_what_becomes_visible() {
    let delay = Duration::from_secs(2);
    // Both spectators have one thread, which has seen what the first has.
    let (mut console, venue) = scripted(|config| config.consumers = 1);
    let game = synthetic(1, 100, false);
    let mut first = ConsoleSpectator::connect(venue.console_address());
    let (early, late) = (up_to_frame(10), up_to_frame(100));
    console.say(&game.events()[..early]);
    first.read_bytes(early);
    // Its first keep-alives: there is time between these frames and those.
    while first.keep_alives < 2 {
        assert!(first.read_message());
    }
    for frame in game.events()[early..late].chunks(10_000) {
        console.say(frame);
    }
    first.read_bytes(late);
    set_delay(&venue.relay, 1, delay.as_secs_f64());
    let mut newcomer = ConsoleSpectator::connect(venue.console_address());
    assert_eq!(newcomer.start, Cursor(0));
    // Nothing more is said: each frame comes when it is visible, and no frame that helps it along.
    let until = Instant::now() + PATIENCE;
    while newcomer.data.len() < late {
        let before = newcomer.data.len();
        assert!(newcomer.read_message() && Instant::now() < until, "nothing comes at {before}");
        if newcomer.data.len() > before {
            let said = console.said_at(newcomer.data.len() - 1);
            assert!(said.elapsed() >= delay, "too early at {}", newcomer.data.len());
        }
    }
    assert_same_bytes("newcomer", &newcomer.data, &game.events()[..late]);
    assert_eq!(first.data.len(), late, "who has it is not sent it again");
    assert_eq!(station(&venue.relay, 1).totals.skipped_clients, 0);
}

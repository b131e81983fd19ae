//! A relay in the middle of a chain dies and comes back: nobody behind it misses a byte.

use std::time::Duration;

use andross::replay::survey;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Simulator};

use super::common::hop::Hop;
use super::common::{assert_same_bytes, events_of, synthetic};

#[test]
fn a_middle_that_is_killed_and_restarted_costs_nobody_a_byte() {
    // An earlier game, so that the positions of the one that counts do not begin at 0.
    let games = vec![synthetic(11, 300, true), synthetic(12, 4_000, true), synthetic(13, 60, true)];
    let events: Vec<Vec<u8>> = games.iter().map(|game| game.events().to_vec()).collect();
    let all = events.concat();
    let pause = Duration::from_millis(100);
    let options = Options { recordings: games, fps: 600.0, pause, ..Options::default() };
    let console = Simulator::start(options, &Shutdown::new()).unwrap();
    let [first, mut middle, third] = Hop::chain(console.local_addr());
    let mut near = first.spectator();
    let mut far = third.spectator();
    let mut raw = third.raw_spectator();
    let in_second_game = events[0].len() + 300_000;
    far.read_bytes(in_second_game);
    near.read_bytes(in_second_game);
    middle.kill();
    let broken: Vec<_> =
        middle.files().into_iter().filter(|path| !survey(path).unwrap().is_ok()).collect();
    assert_eq!(broken.len(), 1, "the running game's file");
    // The game goes on meanwhile.
    let seen = near.data.len();
    near.read_bytes(seen + 100_000);
    middle.restart();
    middle.process.wait_for_log("repaired");

    far.read_bytes(all.len());
    raw.read_bytes(all.len());
    near.read_bytes(all.len());
    assert_same_bytes("the far spectator", &far.data, &all);
    assert_same_bytes("the far raw spectator", &raw.data, &all);
    assert_same_bytes("the near spectator", &near.data, &all);
    // The positions are the console's: the middle has them again, and nobody need be moved.
    assert!(far.replays.iter().all(|(_, forced)| !forced));

    let repaired = events_of(&broken[0]);
    assert!(repaired.len() >= 250_000, "{}", repaired.len());
    assert_same_bytes("repaired", &repaired, &events[1][..repaired.len()]);
    assert_eq!(first.end().0, events);
    assert_eq!(third.end().0, events);
    let (files, _) = middle.end();
    let whole: Vec<_> = files.into_iter().filter(|file| *file != repaired).collect();
    assert_eq!(whole, events, "the middle has every game whole, too");
}

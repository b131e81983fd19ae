//! Three real relays in a row behind a pretend console: whoever watches any of them gets the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use andross::protocol::Cursor;
use andross::protocol::console::Handshake;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Simulator};

use super::common::cable::Cable;
use super::common::hop::Hop;
use super::common::upstream::wait_for_path;
use super::common::{
    ConsoleSpectator, RawSpectator, assert_same_bytes, loopback, synthetic, wait_until,
};

fn evening(fps: f64) -> (Vec<Vec<u8>>, Options) {
    // The first is long: whoever comes while it is on gets everything.
    let games = vec![synthetic(1, 4_000, true), synthetic(2, 60, false), synthetic(3, 300, true)];
    let events = games.iter().map(|game| game.events().to_vec()).collect();
    let pause = Duration::from_millis(100);
    let options = Options { recordings: games, fps, pause, ..Options::default() };
    (events, options)
}

/// Everybody watches to the end, at the same time, and got the same bytes at the same positions.
fn watch(chain: &[Hop; 3], spectators: &mut [ConsoleSpectator], events: &[Vec<u8>]) {
    let all = events.concat();
    thread::scope(|scope| {
        for hop in chain {
            scope.spawn(|| watch_raw(hop.raw_spectator(), &all));
        }
        for spectator in spectators {
            scope.spawn(|| {
                spectator.read_bytes(all.len());
                assert_same_bytes("console", &spectator.data, &all);
                assert_eq!(spectator.start, Cursor(0));
                assert_eq!(spectator.cursor, Cursor(all.len() as u64));
                assert!(spectator.replays.iter().all(|(_, forced)| !forced));
            });
        }
    });
}

fn watch_raw(mut spectator: RawSpectator, all: &[u8]) {
    spectator.read_bytes(all.len());
    assert_same_bytes("raw", &spectator.data, all);
}

/// Newcomers are given the same token everywhere; it and `earlier` ones are good everywhere.
fn assert_same_tokens(chain: &[Hop; 3], earlier: &[ConsoleSpectator]) {
    // In the newest games: earlier ones are not kept.
    let cursor = Cursor(earlier[0].cursor.0 - 70_000);
    let newest = chain[0].spectator().token;
    let mut tokens: Vec<_> = earlier.iter().map(|spectator| spectator.token).collect();
    tokens.push(newest);
    for hop in chain {
        assert_eq!(hop.spectator().token, newest);
        for &token in &tokens {
            let back = ConsoleSpectator::resume(hop.address, cursor, token);
            assert_eq!((back.start, back.token), (cursor, newest));
        }
    }
}

fn assert_same_files(chain: [Hop; 3], events: &[Vec<u8>]) {
    let recorded = chain.map(Hop::end);
    for (files, metadata) in &recorded {
        assert_eq!(files.len(), events.len());
        for (file, game) in files.iter().zip(events) {
            assert_same_bytes("file", file, game);
        }
        for (here, first) in metadata.iter().zip(&recorded[0].1) {
            assert_eq!(here.console_nick.as_deref(), Some("andross"));
            assert_eq!(here.played_on.as_deref(), Some("nintendont"));
            assert_eq!(here.last_frame, first.last_frame);
            assert_eq!(here.recording, first.recording);
        }
    }
}

#[test]
fn a_chain_that_waits_for_its_console_is_one_relay() {
    // A port where nothing listens yet.
    let listen = std::net::TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
    let chain = Hop::chain(listen);
    wait_for_path(chain[2].address, 3);
    let mut spectators = chain.each_ref().map(Hop::spectator);
    let early = spectators[0].token;
    assert!(spectators.iter().all(|spectator| spectator.token == early), "even before the console");
    let (events, options) = evening(1_500.0);
    let _console = Simulator::start(Options { listen, ..options }, &Shutdown::new()).unwrap();
    watch(&chain, &mut spectators, &events);
    assert_ne!(chain[2].spectator().token, early);
    assert_same_tokens(&chain, &spectators);
    assert_same_files(chain, &events);
}

#[test]
fn a_chain_that_comes_in_the_middle_of_a_game_is_one_relay() {
    let (events, options) = evening(600.0);
    let console = Simulator::start(options, &Shutdown::new()).unwrap();
    let first = Hop::start(console.local_addr(), &[]);
    first.spectator().read_bytes(30_000);
    let second = Hop::start(first.address, &[]);
    second.spectator().read_bytes(60_000);
    let third = Hop::start(second.address, &[]);
    third.spectator().read_bytes(90_000);
    let chain = [first, second, third];
    let mut spectators = chain.each_ref().map(Hop::spectator);
    assert!(spectators.iter().all(|spectator| spectator.token == spectators[0].token));
    watch(&chain, &mut spectators, &events);
    assert_same_tokens(&chain, &spectators);
    assert_same_files(chain, &events);
}

#[test]
fn another_token_of_the_console_reaches_the_whole_chain() {
    let (events, options) = evening(600.0);
    let console = Simulator::start(options, &Shutdown::new()).unwrap();
    let cable = Cable::to(console.local_addr());
    let chain = Hop::chain(cable.address());
    let mut spectators = chain.each_ref().map(|hop| {
        let mut spectator = hop.spectator();
        spectator.read_bytes(50_000);
        spectator
    });
    let before = spectators[0].token;
    // Somebody else stands in the console's line and is served when the relay is cut off.
    let mut other = TcpStream::connect(console.local_addr()).unwrap();
    other.write_all(&Handshake::default().encode()).unwrap();
    cable.cut();
    other.read_exact(&mut [0]).unwrap();
    drop(other);
    let seen = spectators[2].data.len();
    spectators[2].read_bytes(seen + 50_000);
    wait_until("newcomers of the third get the new token", || chain[2].spectator().token != before);
    // Those who were there before notice nothing.
    watch(&chain, &mut spectators, &events);
    assert_same_tokens(&chain, &spectators);
    assert_same_files(chain, &events);
}

#[test]
fn a_spectator_resumes_at_any_relay_of_the_chain() {
    let (events, options) = evening(600.0);
    let console = Simulator::start(options, &Shutdown::new()).unwrap();
    let chain = Hop::chain(console.local_addr());
    // Residents tell how far each relay is: a cursor that it does not have yet is none of its own.
    let mut residents = chain.each_ref().map(Hop::spectator);
    let all = events.concat();
    let mut random = fastrand::Rng::with_seed(3);
    let mut traveller = chain[0].spectator();
    let (mut token, mut got) = (traveller.token, Vec::new());
    for at in [2, 0, 1, 2, 1, 0, 2] {
        let some = random.usize(1..150_000).min(all.len() - got.len());
        traveller.read_bytes(some);
        // It keeps less than it got: the rest comes again, also from inside a message.
        got.extend_from_slice(&traveller.data[..some]);
        drop(traveller);
        residents[at].read_bytes(got.len());
        let cursor = Cursor(got.len() as u64);
        traveller = ConsoleSpectator::resume(chain[at].address, cursor, token);
        assert_eq!(traveller.start, cursor, "resumed where it asked");
        token = traveller.token;
    }
    traveller.read_bytes(all.len() - got.len());
    got.extend_from_slice(&traveller.data);
    assert_same_bytes("all parts together", &got, &all);
}

#[test]
fn a_delay_somewhere_in_a_chain_changes_no_byte() {
    for late in [[true, false], [false, true]] {
        let begin = std::time::Instant::now();
        let games = vec![synthetic(7, 1_200, true), synthetic(8, 60, true)];
        let all: Vec<u8> = games.iter().flat_map(|game| game.events().to_vec()).collect();
        let pause = Duration::from_millis(100);
        let options = Options { recordings: games, fps: 600.0, pause, ..Options::default() };
        let console = Simulator::start(options, &Shutdown::new()).unwrap();
        let delay: fn(bool) -> &'static [&'static str] =
            |late| if late { &["--delay=1"] } else { &[] };
        let first = Hop::start(console.local_addr(), delay(late[0]));
        let second = Hop::start(first.address, delay(late[1]));
        let mut spectator = second.spectator();
        let raw = second.raw_spectator();
        spectator.read_bytes(1);
        assert!(begin.elapsed() >= Duration::from_secs(1), "{late:?}");
        thread::scope(|scope| {
            scope.spawn(|| watch_raw(raw, &all));
            spectator.read_bytes(all.len());
        });
        assert_same_bytes("console", &spectator.data, &all);
        assert_eq!(spectator.cursor, Cursor(all.len() as u64));
        assert!(spectator.replays.iter().all(|(_, forced)| !forced));
        assert_eq!(first.end().0, second.end().0, "recorders know no delay");
    }
}

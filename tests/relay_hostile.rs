//! Spectators that stall, keep silent, send garbage or come in hundreds: nobody else notices.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use andross::config::RelayConfig;
use andross::protocol::console::Handshake;
use andross::simulator::{Options, Recording};
use common::{
    ConsoleSpectator, PATIENCE, RawSpectator, Venue, assert_same_bytes, synthetic, wait_until,
};

fn play(game: &Recording, fps: f64, tweak: impl FnOnce(&mut RelayConfig)) -> Venue {
    let options = Options {
        recordings: vec![game.clone()],
        fps,
        pause: Duration::ZERO,
        ..Options::default()
    };
    Venue::start(options, tweak)
}

/// Whether the relay hangs up, whatever it says before.
fn hangs_up(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut scratch = [0; 4096];
    loop {
        match stream.read(&mut scratch) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return true,
            Err(_) => return false,
        }
    }
}

fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn a_stalled_spectator_among_a_hundred_costs_the_others_nothing() {
    let game = synthetic(1, 3_000, true);
    let venue = play(&game, 1500.0, |_| {});
    let address = venue.console_address();
    // It says its handshake and never reads: its queue is full long before the game is over.
    let stalled = send(address, &Handshake::default().encode());
    thread::scope(|scope| {
        for n in 0..99 {
            let (game, raw) = (&game, venue.raw_address());
            scope.spawn(move || {
                if n % 3 == 0 {
                    let mut spectator = RawSpectator::connect(raw);
                    spectator.read_bytes(game.events().len());
                    assert_same_bytes("raw", &spectator.data, game.events());
                } else {
                    let mut spectator = ConsoleSpectator::connect(address);
                    spectator.read_bytes(game.events().len());
                    assert_same_bytes("console", &spectator.data, game.events());
                }
            });
        }
    });
    assert_eq!(venue.station().stats.skipped.get(), 0, "one game behind at most: not skipped");
    drop(stalled);
    venue.end();
}

#[test]
fn a_spectator_more_than_a_game_behind_is_skipped_to_the_newest_or_hung_up_on() {
    let games: Vec<Recording> = (1..=5).map(|seed| synthetic(seed, 4_000, true)).collect();
    let newest = games[4].events().clone();
    let total: usize = games.iter().map(|game| game.events().len()).sum();
    let options = Options {
        recordings: games,
        fps: 20_000.0,
        pause: Duration::from_millis(1),
        ..Options::default()
    };
    let venue = Venue::start(options, |_| {});
    let mut console = ConsoleSpectator::connect(venue.console_address());
    let mut raw = RawSpectator::connect(venue.raw_address());
    console.read_bytes(1);
    raw.read_bytes(1);
    // Neither reads while four games go by; their kernels take some hundred kilobytes.
    venue.wait_for_bytes(total);
    while !console.data.ends_with(&newest) {
        assert!(console.read_message());
    }
    let forced: Vec<_> = console.replays.iter().filter(|(_, forced)| *forced).collect();
    assert_eq!(forced.len(), 1);
    assert_eq!(forced[0].0.0 as usize, total - newest.len(), "the newest game's start");
    while raw.read_some() {}
    assert!(raw.data.len() < total);
    assert_eq!(venue.station().stats.skipped.get(), 2);
    drop((console, raw));
    assert_eq!(venue.end().len(), 5, "the recorder missed nothing");
}

#[test]
fn bad_handshakes_end_their_own_connection_only() {
    let game = synthetic(2, 600, true);
    let venue = play(&game, 600.0, |config| {
        config.limits.handshake_time = Duration::from_millis(300);
    });
    let address = venue.console_address();
    let mut good = ConsoleSpectator::connect(address);

    let mut silent = send(address, b"");
    let mut half = send(address, &Handshake::default().encode()[..40]);
    let mut garbage = send(address, b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n");
    let mut four_gib = send(address, &[0xFF, 0xFF, 0xFF, 0xFF, b'{']);
    let mut hostile = send(address, b"\0\0\0\x0d{i\x04type[$U#L\x7f\xff\xff\xff\xff\xff\xff\xff");
    let mut other_type = send(address, b"\0\0\0\x0a{i\x04typeU\x02}");
    for stream in
        [&mut silent, &mut half, &mut garbage, &mut four_gib, &mut hostile, &mut other_type]
    {
        assert!(hangs_up(stream));
    }
    // Slow, but in time and whole.
    let mut slow = TcpStream::connect(address).unwrap();
    slow.set_nodelay(true).unwrap();
    for byte in Handshake::default().encode() {
        slow.write_all(&[byte]).unwrap();
    }
    slow.read_exact(&mut [0; 20]).unwrap();

    good.read_bytes(game.events().len());
    assert_same_bytes("the good one", &good.data, game.events());
    venue.end();
}

#[test]
fn a_spectator_that_talks_without_end_is_hung_up_on() {
    let game = synthetic(3, 600, true);
    let venue = play(&game, 600.0, |_| {});
    for (address, first) in [
        (venue.console_address(), Handshake::default().encode().to_vec()),
        (venue.raw_address(), Vec::new()),
    ] {
        let mut stream = send(address, &first);
        let writer = stream.try_clone().unwrap();
        let talk = thread::spawn(move || {
            let mut writer = writer;
            while writer.write_all(&[b'x'; 4096]).is_ok() {}
        });
        assert!(hangs_up(&mut stream));
        talk.join().unwrap();
    }
    venue.end();
}

#[test]
fn a_raw_spectator_may_say_a_handshake_or_close_its_side() {
    let game = synthetic(4, 600, true);
    let venue = play(&game, 600.0, |_| {});
    let mut spectator = RawSpectator::connect(venue.raw_address());
    spectator.stream.write_all(&Handshake::default().encode()).unwrap();
    spectator.stream.shutdown(std::net::Shutdown::Write).unwrap();
    spectator.read_bytes(game.events().len());
    assert_same_bytes("raw", &spectator.data, game.events());
    venue.end();
}

#[test]
fn places_are_limited_in_all_and_per_address() {
    let game = synthetic(5, 100, false);
    let venue = play(&game, 1000.0, |config| {
        config.limits.total = 3;
        config.limits.per_address = 2;
    });
    let first = ConsoleSpectator::connect(venue.console_address());
    let _second = ConsoleSpectator::connect(venue.console_address());
    let mut third = TcpStream::connect(venue.console_address()).unwrap();
    assert!(hangs_up(&mut third));
    drop(first);
    wait_until("the place is free", || venue.relay.clients() == 1);
    let _again = ConsoleSpectator::connect(venue.console_address());
    venue.end();
}

#[test]
fn a_source_that_speaks_something_else_is_left_and_tried_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let shutdown = andross::shutdown::Shutdown::new();
    let venue = Venue::relay(listener.local_addr().unwrap(), shutdown, |_| {});
    // A reply, then a message of 4 GiB; then a message whose UBJSON is hostile; then a web server.
    let reply = andross::protocol::console::HandshakeReply {
        nick: b"bad".as_slice().into(),
        version: b"1".as_slice().into(),
        token: andross::protocol::ClientToken(1),
        pos: andross::protocol::Cursor(0),
    }
    .encode();
    let hostile = b"\0\0\0\x10{i\x04data[$U#l\x7f\xff\xff\xff";
    let attacks = [
        [reply.as_slice(), &[0xFF; 8]].concat(),
        [reply.as_slice(), hostile].concat(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ];
    for attack in attacks {
        let (mut relay, _) = listener.accept().unwrap();
        relay.write_all(&attack).unwrap();
        if !attack.starts_with(b"HTTP") {
            assert!(hangs_up(&mut relay), "the relay leaves");
        }
    }
    let (stream, _) = listener.accept().unwrap();
    drop(stream);
    venue.end();
}

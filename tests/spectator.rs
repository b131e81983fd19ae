//! Dolphin's spectator protocol, by a real ENet client against a whole relay.

mod common;

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use andross::engine::Request;
use andross::protocol::Protocol;
use andross::protocol::spectator::{ConnectRequest, MAX_REQUEST_LEN, Message};
use andross::session::StationId;
use andross::shutdown::Reason;
use andross::simulator::{Options, Recording};
use andross::spectator::MAX_PEERS;
use common::dolphin::DolphinSpectator;
use common::{Venue, assert_same_bytes, fixtures, loopback, synthetic, wait_until};
use proptest::prelude::*;
use rusty_enet::Packet;

const FAST: f64 = 3_000.0;

fn has_end(messages: &[Message]) -> bool {
    matches!(messages.last(), Some(Message::EndGame { .. }))
}

/// Every fixture, before 3.0 and broken off ones, too: what spectators get is what the console sent,
/// between a start and an end. What a game that breaks off has behind its last whole frame comes at
/// the end of all.
#[test]
fn every_fixture_passes_unchanged() {
    for path in fixtures() {
        let recording = Recording::load(&path).unwrap();
        let (name, expected) = (recording.name().clone(), recording.events().clone());
        let (mut venue, listen) = Venue::without_console(|_| {});
        let address = venue.dolphin_address();
        let spectators: Vec<_> = (0..2).map(|_| DolphinSpectator::connect(address)).collect();
        let recordings = vec![recording];
        venue.switch_on(Options { listen, recordings, fps: FAST, ..Options::default() });
        let shutdown = venue.shutdown.clone();
        let station = venue.station();
        thread::scope(|scope| {
            for mut spectator in spectators {
                let (name, expected) = (&name, &expected);
                scope.spawn(move || {
                    spectator.wait("the end", |spectator| spectator.has_left);
                    assert_same_bytes(name, &spectator.data, expected);
                    assert!(matches!(spectator.messages[0], Message::StartGame { .. }), "{name}");
                });
            }
            wait_until("all has come", || station.stats.bytes.get() >= expected.len() as u64);
            // What came is theirs also when the relay ends now.
            shutdown.request(Reason::Finished);
            venue.end();
        });
    }
}

#[test]
fn batches_end_where_dolphins_do() {
    let game = synthetic(1, 100, true);
    let (mut venue, listen) = Venue::without_console(|_| {});
    let mut spectator = DolphinSpectator::connect(venue.dolphin_address());
    assert_eq!(spectator.version, "0.0.0", "the console has not been heard of");
    venue.switch_on(Options { listen, recordings: vec![game], fps: FAST, ..Options::default() });
    spectator.wait("the game's end", |spectator| has_end(&spectator.messages));
    // Start, sizes with Game Start, the frames, Game End, end.
    assert_eq!(spectator.messages.len(), 1 + 1 + 100 + 1 + 1);
    for (n, message) in spectator.messages.iter().enumerate() {
        let Message::GameEvent { payload, .. } = message else { continue };
        let first = [0x35, 0x38, 0x39][usize::from(n > 1) + usize::from(n > 101)];
        assert_eq!(payload[0], first, "message {n}");
    }
}

#[test]
fn late_joiners_get_the_whole_game_so_far_and_then_the_rest() {
    let game = synthetic(1, 600, true);
    let nick = "Bühne 1".to_owned();
    let recordings = vec![game.clone()];
    let options = Options { recordings, fps: 300.0, nick, ..Options::default() };
    let venue = Venue::start(options, |_| {});
    let mut spectators = Vec::new();
    for quarter in 0..4 {
        venue.wait_for_bytes(1 + quarter * game.events().len() / 4);
        spectators.push(DolphinSpectator::connect(venue.dolphin_address()));
    }
    let expected = game.events();
    thread::scope(|scope| {
        for mut spectator in spectators {
            scope.spawn(move || {
                assert_eq!(spectator.nick, "Bühne 1");
                spectator.wait("the game's end", |spectator| has_end(&spectator.messages));
                assert_same_bytes("a late joiner", &spectator.data, expected);
            });
        }
    });
}

/// Two games: cursors grow; who comes back goes on where it was, also in the game before; who comes
/// between games gets nothing of the one that is over.
#[test]
fn cursors_go_on_from_game_to_game() {
    let (one, two) = (synthetic(1, 200, true), synthetic(2, 1_200, true));
    let (mut venue, listen) = Venue::without_console(|_| {});
    let address = venue.dolphin_address();
    let mut all = DolphinSpectator::connect(address);
    let mut some = DolphinSpectator::connect(address);
    let pause = Duration::from_secs(2);
    let recordings = vec![one.clone(), two.clone()];
    venue.switch_on(Options { listen, recordings, fps: 600.0, pause, ..Options::default() });
    some.read_bytes(one.events().len() / 2);
    some.leave();
    all.wait("the first game's end", |all| has_end(&all.messages));
    let mut between = DolphinSpectator::connect(address);
    assert_eq!(Some(between.start), all.cursor, "no history between games");
    let mut back = DolphinSpectator::resume(address, some.cursor.unwrap());
    assert_eq!(Some(back.start), some.cursor);
    back.read_bytes(one.events().len() - some.data.len());
    let had = [&some.data[..], &back.data[..one.events().len() - some.data.len()]].concat();
    assert_same_bytes("two halves", &had, one.events());

    all.read_bytes(one.events().len() + 1);
    // The game before is kept, and one may ask for this one's start like anybody.
    let mut before = DolphinSpectator::resume(address, some.cursor.unwrap());
    assert_eq!(Some(before.start), some.cursor);
    let mut late = DolphinSpectator::resume(address, u64::MAX);
    assert_eq!(late.start, between.start);
    let both = [&one.events()[..], two.events()].concat();
    let rest = &both[some.data.len()..];
    // All at the same time: one that waits for another acknowledges nothing.
    thread::scope(|scope| {
        for (what, spectator, expected) in [
            ("both", &mut all, &both[..]),
            ("the second", &mut between, two.events()),
            ("the second, late", &mut late, two.events()),
            ("the rest of both", &mut before, rest),
        ] {
            scope.spawn(move || {
                spectator.read_bytes(expected.len());
                assert_same_bytes(what, &spectator.data, expected);
            });
        }
    });
}

#[test]
fn the_places_are_counted_and_the_refused_are_told() {
    let options = Options { recordings: vec![synthetic(1, 60, false)], ..Options::default() };
    let venue = Venue::start(options, |_| {});
    let address = venue.dolphin_address();
    let mut spectators: Vec<_> =
        (0..MAX_PEERS).map(|_| DolphinSpectator::connect(address)).collect();
    let station = venue.station();
    assert_eq!(station.stats.dolphin_clients.get(), MAX_PEERS as i64);
    let mut refused = DolphinSpectator::knock(address, 3);
    refused.wait("the refusal", |refused| refused.has_left);
    assert_eq!(station.stats.dolphin_clients.get(), MAX_PEERS as i64);
    spectators.pop().unwrap().leave();
    wait_until("one has left", || station.stats.dolphin_clients.get() < MAX_PEERS as i64);
    DolphinSpectator::connect(address).read_bytes(1000);
}

#[test]
fn spectators_are_listed_and_kicked_and_a_removed_stations_port_is_free() {
    let recordings = vec![synthetic(1, 60, false)];
    let venue = Venue::start(Options { recordings, fps: FAST, ..Options::default() }, |_| {});
    let address = venue.dolphin_address();
    let mut spectator = DolphinSpectator::connect(address);
    spectator.read_bytes(1000);
    let engine = venue.relay.engine();
    let clients = engine.ask_blocking(|reply| Request::Clients(None, reply)).unwrap();
    let [client] = &clients[..] else { panic!("{clients:?}") };
    assert_eq!((client.protocol.as_str(), client.is_greeted), ("dolphin", true));
    let status = engine.ask_blocking(Request::Status).unwrap();
    assert_eq!(status.stations[0].dolphin_address, Some(address));
    assert_eq!(status.stations[0].clients["dolphin"], 1);
    assert!(status.stuck_threads.is_empty());
    engine.ask_blocking(|reply| Request::Kick(client.id, reply)).unwrap();
    spectator.wait("the kick", |spectator| spectator.has_left);
    assert!(engine.ask_blocking(|reply| Request::Kick(client.id, reply)).is_err());
    let mut other = DolphinSpectator::connect(address);
    engine.ask_blocking(|reply| Request::Remove(1, reply)).unwrap();
    UdpSocket::bind(address).expect("the port is free when the station is gone");
    other.wait("the farewell", |other| other.has_left);
    assert_eq!(venue.relay.address(StationId(1), Protocol::Dolphin), None);
}

/// slippi-js asks for three channels, Dolphin has two, libmelee asks for one and says its request
/// unreliably; an empty packet means nothing.
#[test]
fn clients_differ() {
    let options = Options { recordings: vec![synthetic(1, 60, false)], ..Options::default() };
    let venue = Venue::start(options, |_| {});
    for channels in 1..=3 {
        let mut spectator = DolphinSpectator::knock(venue.dolphin_address(), channels);
        spectator.wait("the connection", |spectator| spectator.is_connected);
        spectator.say(&Packet::reliable(Vec::new()));
        spectator.say(&Packet::reliable(&b"{\"type\":\"something\"}"[..]));
        spectator.say(&Packet::reliable(&b"no json"[..]));
        spectator.say(&Packet::unreliable(ConnectRequest { cursor: 0 }.encode()));
        spectator.read_bytes(1000);
    }
}

#[test]
fn who_says_nothing_or_too_much_is_hung_up_on() {
    let options = Options { recordings: vec![synthetic(1, 60, false)], ..Options::default() };
    let venue = Venue::start(options, |config| {
        config.limits.handshake_time = Duration::from_millis(200);
    });
    venue.wait_for_bytes(1000);
    let mut silent = DolphinSpectator::knock(venue.dolphin_address(), 3);
    silent.wait("the farewell", |silent| silent.has_left);
    assert!(silent.cursor.is_none(), "silence until the request");
    let mut loud = DolphinSpectator::connect(venue.dolphin_address());
    for _ in 0..64 {
        loud.say(&Packet::reliable(vec![b' '; MAX_REQUEST_LEN]));
    }
    loud.wait("the farewell", |loud| loud.has_left);
}

#[test]
fn the_delay_is_kept() {
    let game = synthetic(1, 60, true);
    let delay = Duration::from_secs(1);
    let (mut venue, listen) = Venue::without_console(|config| config.delay.dolphin = Some(delay));
    let mut spectator = DolphinSpectator::connect(venue.dolphin_address());
    let recordings = vec![game.clone()];
    venue.switch_on(Options { listen, recordings, fps: FAST, ..Options::default() });
    let station = venue.station();
    assert_eq!(station.delay(Protocol::Console), Duration::ZERO);
    spectator.wait("the game's start", |spectator| !spectator.messages.is_empty());
    let arrived = station.log.arrival(andross::session::Seq(0)).unwrap();
    let late = Instant::now() - arrived;
    assert!(late >= delay && late < 4 * delay, "{late:?}");
    spectator.wait("the game's end", |spectator| has_end(&spectator.messages));
    assert_same_bytes("delayed", &spectator.data, game.events());
}

/// One that acknowledges nothing keeps nobody else from anything, and goes on when it does again.
#[test]
fn one_that_stalls_costs_the_others_nothing() {
    let game = synthetic(1, 3_000, true);
    let (mut venue, listen) = Venue::without_console(|_| {});
    let address = venue.dolphin_address();
    let mut stalled = DolphinSpectator::connect(address);
    let mut well = DolphinSpectator::connect(address);
    let recordings = vec![game.clone()];
    venue.switch_on(Options { listen, recordings, fps: FAST, ..Options::default() });
    well.wait("the game's end", |well| has_end(&well.messages));
    assert_same_bytes("well", &well.data, game.events());
    let clients = venue.relay.engine();
    let clients = clients.ask_blocking(|reply| Request::Clients(None, reply)).unwrap();
    let lag = clients.iter().map(|client| client.lag_bytes).max().unwrap();
    assert!(lag > game.events().len() as u64 / 2, "the lag is in the cursor: {lag}");
    stalled.wait("the game's end", |stalled| has_end(&stalled.messages));
    assert_same_bytes("stalled", &stalled.data, game.events());
}

/// Datagrams that are hostile: noise, and what looks like ENet.
#[test]
fn no_datagram_does_harm() {
    let (mut venue, listen) = Venue::without_console(|_| {});
    let address = venue.dolphin_address();
    let mut spectator = DolphinSpectator::connect(address);
    let socket = UdpSocket::bind(loopback()).unwrap();
    let command = (0..14_u8, any::<bool>(), 0..4_u8, prop::collection::vec(any::<u8>(), 0..60));
    let datagram = (any::<bool>(), 0..50_u16, any::<u16>(), prop::collection::vec(command, 0..6));
    let alike = datagram.prop_map(|(connects, peer, time, commands)| {
        let mut bytes = Vec::new();
        bytes.extend((if connects { 0x8FFF } else { 0x8000 | peer }).to_be_bytes());
        bytes.extend(time.to_be_bytes());
        for (code, acknowledge, channel, body) in commands {
            bytes.push(if connects { 0x82 } else { code | if acknowledge { 0x80 } else { 0 } });
            bytes.push(channel);
            bytes.extend(body);
        }
        bytes
    });
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let long = (4000..9000_usize).prop_map(|len| vec![0x8F; len]);
    let datagrams = prop_oneof![4 => alike, 2 => noise, 1 => long];
    let config = ProptestConfig { cases: 3_000, ..ProptestConfig::default() };
    proptest!(config, |(datagram in datagrams)| {
        // What the kernel has no room for is lost on its way.
        let _ = socket.send_to(&datagram, address);
    });
    let game = synthetic(1, 100, true);
    let recordings = vec![game.clone()];
    venue.switch_on(Options { listen, recordings, fps: FAST, ..Options::default() });
    spectator.wait("the game's end", |spectator| has_end(&spectator.messages));
    assert_same_bytes("beside the noise", &spectator.data, game.events());
}

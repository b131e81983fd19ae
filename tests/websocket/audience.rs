//! Web spectators are clients like others: listed, limited, hung up on.

use std::io::{Read, Write};
use std::net::TcpStream;

use andross::engine::{ClientStatus, Request};
use andross::slp::file::EVENTS_AT;

use super::common::{PATIENCE, Venue, synthetic, wait_until};
use super::spectator::{Spectator, http, open, refused, with_http};
use super::{later, venue_of};

fn clients(venue: &Venue) -> Vec<ClientStatus> {
    venue.relay.engine().ask_blocking(|reply| Request::Clients(Some(1), reply)).unwrap()
}

fn kick(venue: &Venue, id: u64) -> bool {
    venue.relay.engine().ask_blocking(|reply| Request::Kick(id, reply)).is_ok()
}

/// A connection that has asked for the file that grows.
fn file(venue: &Venue) -> TcpStream {
    let mut stream = TcpStream::connect(http(venue)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let host = http(venue);
    write!(stream, "GET /stations/1/live.slp HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    stream
}

/// A spectator as the relay lists it.
pub fn client(venue: &Venue, spectator: &Spectator) -> ClientStatus {
    let address = spectator.address().unwrap();
    clients(venue).into_iter().find(|client| client.address == address).expect("it is listed")
}

#[test]
fn all_three_kinds_are_listed_and_can_be_hung_up_on() {
    let game = synthetic(3, 40, false);
    let venue = venue_of(vec![game.clone()], 5_000.0);
    let mut bytes = Spectator::open(&venue, "/ws/1");
    bytes.read_bytes(game.events().len());
    let mut state = open(http(&venue), "/ws/1/state", &[]).unwrap();
    let mut growing = file(&venue);
    let mut start = vec![0; EVENTS_AT];
    growing.read_exact(&mut start).unwrap();
    wait_until("all are listed", || clients(&venue).len() == 3);
    assert_eq!(venue.relay.clients(), 3);
    wait_until("nobody is behind", || clients(&venue).iter().all(|client| client.lag_bytes == 0));
    let addresses = [bytes.address(), state.get_ref().local_addr(), growing.local_addr()]
        .map(|address| address.unwrap());
    let listed = clients(&venue);
    assert!(listed.is_sorted_by_key(|client| client.id));
    for (client, address) in listed.iter().zip(addresses) {
        assert_eq!((&*client.protocol, client.station), ("web", 1));
        assert_eq!((client.address, client.lag_frames), (address, Some(0)));
        assert_eq!(client.cursor, venue.station().end_pos().0, "all of it was given");
        assert!(client.is_greeted && !client.is_relay && client.since > 0);
    }
    for client in &listed {
        assert!(kick(&venue, client.id) && !kick(&venue, client.id));
    }
    assert_eq!(clients(&venue), []);
    assert!(!bytes.try_read(), "a goodbye");
    while let Ok(message) = state.read() {
        if message.is_close() {
            break;
        }
    }
    let mut rest = Vec::new();
    // Whether the end is orderly or a reset is the system's choice.
    let _ = growing.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "what is cut off does not look whole");
    wait_until("their places are free", || venue.relay.clients() == 0);
}

#[test]
fn a_slow_one_lags_in_the_list() {
    let game = synthetic(4, 20_000, true);
    let (mut venue, options) = later(vec![game.clone()], 20_000.0);
    let mut slow = Spectator::open(&venue, "/ws/1");
    venue.switch_on(options);
    slow.read_bytes(1);
    wait_until("it is behind", || {
        let client = &clients(&venue)[0];
        client.lag_bytes > 500_000 && client.lag_frames > Some(100)
    });
    slow.read_bytes(game.events().len());
    wait_until("it has all", || clients(&venue)[0].lag_bytes == 0);
}

/// Waits until there are so many, and none of them takes anything any more.
fn wait_until_stalled(venue: &Venue, count: usize) {
    wait_until("nobody takes anything any more", || {
        let listed = clients(venue);
        let is_stalled = |client: &ClientStatus| client.lag_bytes > 0 && client.idle_ms > 200;
        listed.len() == count && listed.iter().all(is_stalled)
    });
}

/// Was: a WebSocket kept its place until the client took the goodbye, or was given up on.
#[test]
fn who_takes_nothing_and_is_kicked_gives_the_place_back_at_once() {
    // Larger than all buffers on the way.
    let game = synthetic(4, 25_000, false);
    let (mut venue, options) = later(vec![game.clone()], 20_000.0);
    // Who takes nothing is given up in the end. It happens to this one first: while it is here, it has
    // happened to nobody.
    let first = Spectator::open(&venue, "/ws/1");
    venue.switch_on(options);
    venue.wait_for_bytes(game.events().len());
    wait_until_stalled(&venue, 1);
    let _others = (Spectator::open(&venue, "/ws/1"), file(&venue));
    wait_until_stalled(&venue, 3);
    for other in &clients(&venue)[1..] {
        assert!(kick(&venue, other.id));
    }
    wait_until("their places are free", || venue.station().stats.web_clients.get() == 1);
    let here: Vec<_> = clients(&venue).iter().map(|client| client.address).collect();
    assert_eq!(here, [first.address().unwrap()], "they were only given up");
}

#[test]
fn they_take_places_like_others() {
    let (venue, _) = Venue::without_console(|config| {
        with_http(config);
        config.limits.per_address = 2;
    });
    let at = http(&venue);
    let first = open(at, "/ws/1", &[]).unwrap();
    let second = open(at, "/ws/1/state", &[]).unwrap();
    assert_eq!(refused(at, "/ws/1", &[]), 503);
    drop((first, second));
    wait_until("places are free", || venue.relay.clients() == 0);
    assert!(open(at, "/ws/1", &[]).is_ok());
}

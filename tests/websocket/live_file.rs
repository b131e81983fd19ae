//! The running game as a file that grows.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use andross::engine::Request;
use andross::shutdown::Reason;
use andross::simulator::{Options, Recording};
use andross::slp::file::{EVENTS_AT, LENGTH_AT};

use super::common::{PATIENCE, Venue, assert_same_bytes, fixtures, synthetic, wait_until};
use super::spectator::{get, http, with_http};
use super::{later, load};

/// The body of a chunked answer.
fn body((head, mut rest): (String, Vec<u8>)) -> Vec<u8> {
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("transfer-encoding: chunked"), "{head}");
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("the answer is cut off");
        let len = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        body.extend_from_slice(&rest[line + 2..][..len]);
        rest.drain(..line + 2 + len + 2);
        if len == 0 {
            return body;
        }
    }
}

/// Raw element and metadata are the recorder's; only the length in the header is that of a file that
/// grows.
#[test]
fn it_is_the_recorders_file_with_length_0() {
    for path in fixtures() {
        let game = load(&path);
        let name = game.name().to_string();
        if !ends(&game) {
            continue;
        }
        let (mut venue, options) = later(vec![game.clone()], 3_000.0);
        let at = http(&venue);
        let before = std::thread::spawn(move || body(get(at, "/stations/1/live.slp")));
        wait_until("it waits", || venue.station().stats.web_clients.get() == 1);
        venue.switch_on(options);
        let live = before.join().unwrap();
        venue.wait_for_bytes(game.events().len());
        wait_until("it is recorded", || venue.station().stats.files.get() == 1);
        let recorded = std::fs::read(venue.station().recording().unwrap()).unwrap();
        assert_eq!(live[LENGTH_AT..EVENTS_AT], [0; 4], "{name}");
        assert_same_bytes(&name, &live[..LENGTH_AT], &recorded[..LENGTH_AT]);
        assert_same_bytes(&name, &live[EVENTS_AT..], &recorded[EVENTS_AT..]);
        // A reader of files that grow reads it.
        let read = |bytes: &[u8]| peppi::io::slippi::read(Cursor::new(bytes.to_vec()), None);
        let (ours, theirs) = (read(&live).unwrap(), read(&recorded).unwrap());
        assert_eq!((ours.start, ours.end), (theirs.start, theirs.end), "{name}");
        assert_eq!(ours.frames.id, theirs.frames.id, "{name}");
    }
}

fn ends(game: &Recording) -> bool {
    let (mut scanner, mut rest) = (andross::slp::Scanner::new(), &game.events()[..]);
    let mut last = None;
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        last = Some(event.code());
    }
    last == Some(andross::slp::EventCode::GAME_END)
}

#[test]
fn who_comes_late_gets_all_of_the_game_and_none_of_the_next() {
    let games = [synthetic(1, 1_000, false), synthetic(2, 100, true)];
    let (mut venue, options) = later(games.to_vec(), 1_000.0);
    let at = http(&venue);
    venue.switch_on(options);
    venue.wait_for_bytes(games[0].events().len() / 3);
    let (head, rest) = get(at, "/stations/test/live.slp");
    let disposition = "content-disposition: attachment; filename=\"test_live.slp\"";
    assert!(head.to_lowercase().contains(disposition), "{head}");
    let live = body((head, rest));
    let events = games[0].events();
    assert_same_bytes("events", &live[EVENTS_AT..][..events.len()], events);
    assert!(live[EVENTS_AT + events.len()..].starts_with(b"U\x08metadata{"));
}

#[test]
fn the_end_completes_it() {
    let game = synthetic(3, 200, false);
    let (mut venue, options) = later(vec![game.clone()], 2_000.0);
    let at = http(&venue);
    venue.switch_on(options);
    venue.wait_for_bytes(game.events().len());
    let live = std::thread::spawn(move || body(get(at, "/stations/1/live.slp")));
    wait_until("it watches", || venue.station().stats.web_clients.get() == 1);
    venue.shutdown.request(Reason::Finished);
    venue.relay.run_to_end().unwrap();
    let live = live.join().unwrap();
    assert_same_bytes("events", &live[EVENTS_AT..][..game.events().len()], game.events());
    assert!(live.ends_with(b"}}"));
}

/// A client that takes nothing of a game which is larger than all buffers on the way.
fn stalled(frames: i32) -> (Venue, Recording, TcpStream) {
    let game = synthetic(4, frames, false);
    let (mut venue, options) = later(vec![game.clone()], 20_000.0);
    let mut slow = TcpStream::connect(http(&venue)).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    slow.write_all(
        b"GET /stations/1/live.slp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .unwrap();
    wait_until("it waits", || venue.station().stats.web_clients.get() == 1);
    venue.switch_on(options);
    venue.wait_for_bytes(game.events().len());
    (venue, game, slow)
}

#[test]
fn of_a_station_that_is_removed_all_is_sent_that_came() {
    let (venue, game, mut slow) = stalled(25_000);
    venue.relay.engine().ask_blocking(|reply| Request::Remove(1, reply)).unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let live = body((head, answer[end + 4..].to_vec()));
    assert_same_bytes("events", &live[EVENTS_AT..][..game.events().len()], game.events());
    assert!(live.ends_with(b"}}"));
}

#[test]
fn what_may_not_be_seen_yet_when_the_end_comes_is_missed_by_no_whole_file() {
    for remove in [true, false] {
        let game = synthetic(5, 100, false);
        let (mut venue, address) = Venue::without_console(|config| {
            with_http(config);
            config.delay.all = Some(Duration::from_secs(900));
        });
        let at = http(&venue);
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /stations/1/live.slp HTTP/1.1\r\nHost: {at}\r\n\r\n").unwrap();
        wait_until("it waits", || venue.station().stats.web_clients.get() == 1);
        venue.switch_on(Options {
            listen: address,
            recordings: vec![game.clone()],
            fps: 5_000.0,
            ..Options::default()
        });
        venue.wait_for_bytes(game.events().len());
        if remove {
            venue.relay.engine().ask_blocking(|reply| Request::Remove(1, reply)).unwrap();
        } else {
            venue.shutdown.request(Reason::Finished);
        }
        let mut answer = Vec::new();
        // Whether the end is orderly or a reset is the system's choice.
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.ends_with(b"0\r\n\r\n"), "it breaks off, and looks whole");
    }
}

#[test]
fn who_is_left_behind_gets_no_end() {
    let games: Vec<Recording> = (1..=5).map(|seed| synthetic(seed, 4_000, true)).collect();
    let total: usize = games.iter().map(|game| game.events().len()).sum();
    let (mut venue, options) = later(games, 20_000.0);
    let mut slow = TcpStream::connect(http(&venue)).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    slow.write_all(b"GET /stations/1/live.slp HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = vec![0; 1_000];
    wait_until("it waits", || venue.station().stats.web_clients.get() == 1);
    venue.switch_on(options);
    slow.read_exact(&mut answer[..500]).unwrap();
    venue.wait_for_bytes(total);
    // The connection may end in an error, too.
    let _ = slow.read_to_end(&mut answer);
    assert!(!answer.ends_with(b"0\r\n\r\n"), "a whole answer, but not of a whole game");
    assert_eq!(venue.station().stats.skipped.get(), 1);
}

#[test]
fn pages_elsewhere_may_read_it_if_the_owner_says_so() {
    for (allowed, is_allowed) in
        [(vec!["https://overlay.example".to_owned()], true), (vec![], false)]
    {
        let (venue, _) = Venue::without_console(|config| {
            with_http(config);
            config.http.as_mut().unwrap().allow_origins = allowed.clone();
        });
        let mut stream = TcpStream::connect(http(&venue)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = http(&venue);
        write!(
            stream,
            "GET /stations/1/live.slp HTTP/1.1\r\nHost: {host}\r\nOrigin: https://overlay.example\r\n\r\n"
        )
        .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let says = head.contains("access-control-allow-origin: https://overlay.example\r\n");
        assert_eq!(says, is_allowed, "{head}");
    }
}

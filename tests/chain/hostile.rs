//! An upstream that says notices that no relay would: nobody panics, nobody is disturbed.

use std::io::Write;

use andross::protocol::console::{LENGTH_PREFIX, MAX_MESSAGE_LEN, MAX_TEXT_LEN};
use andross::protocol::{ClientToken, RelayId};
use andross::session::SourceState;
use andross::shutdown::Shutdown;
use andross::slp::ubjson;

use super::common::upstream::{Upstream, notice, reply, say, wait_for_path};
use super::common::{ConsoleSpectator, Venue, assert_same_bytes, synthetic, wait_until};

/// A keep-alive whose payload is whatever `members` writes.
fn keep_alive(members: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = b"\0\0\0\0{i\x04typeU\x03i\x07payload{".to_vec();
    members(&mut out);
    out.extend(b"}}");
    let len = u32::try_from(out.len() - 4).unwrap();
    out[..4].copy_from_slice(&len.to_be_bytes());
    out
}

fn odd_notice(nick: &[u8], tokens: &[u8], path: &[u8]) -> Vec<u8> {
    keep_alive(|out| {
        ubjson::write_key(out, "nick");
        ubjson::write_text(out, nick);
        ubjson::write_key(out, "nintendontVersion");
        ubjson::write_text(out, b"\xff\0");
        ubjson::write_key(out, "tokens");
        ubjson::write_bytes(out, tokens);
        ubjson::write_key(out, "path");
        ubjson::write_bytes(out, path);
    })
}

#[test]
fn odd_notices_disturb_nobody() {
    let upstream = Upstream::new();
    let venue = Venue::relay(upstream.address(), Shutdown::new(), |_| {});
    let game = synthetic(41, 400, true);
    let (mut stream, _) = upstream.greet(7, 0, &[]);
    let mut spectator = ConsoleSpectator::connect(venue.console_address());
    let any_bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    let odd = [
        // A path that is no whole number of stations, and none at all.
        odd_notice(b"Wii", &[0, 0, 0, 7], &[1; 13]),
        odd_notice(b"Wii", &[0, 0, 0, 7], &[]),
        // No tokens, a piece of one, the token 0, more than anybody remembers.
        odd_notice(b"Wii", &[], &[1; 8]),
        odd_notice(b"Wii", &[0, 7], &[1; 8]),
        odd_notice(b"Wii", &[0; 4], &[1; 8]),
        odd_notice(b"Wii", &any_bytes, &[1; 8]),
        odd_notice(b"", &[0, 0, 0, 7], &[1; 8]),
        odd_notice(&any_bytes, &[0, 0, 0, 7], &[1; 8]),
        // Members of other kinds, some missing, others that nobody knows.
        keep_alive(|out| out.extend(b"i\x04nickTi\x06tokensFi\x04path{}")),
        keep_alive(|out| out.extend(b"i\x04nickSi\x01xi\x05other[$U#i\x02..")),
        keep_alive(|_| {}),
    ];
    let pieces = game.events().chunks(game.events().len() / odd.len() + 1);
    let mut pos = 0;
    for (notice, piece) in odd.iter().zip(pieces) {
        stream.write_all(notice).unwrap();
        say(&mut stream, pos, piece);
        pos += piece.len();
    }
    assert_eq!(pos, game.events().len());
    spectator.read_bytes(pos);
    assert_same_bytes("the spectator", &spectator.data, game.events());
    assert_eq!(venue.station().source(), SourceState::Connected);
    assert_eq!(venue.station().stats.reconnects.get(), 0);
    // A newcomer and a relay can read what the relay says by now.
    ConsoleSpectator::connect(venue.console_address());
    wait_for_path(venue.console_address(), 2);
    assert_eq!(venue.end(), [game.events().to_vec()]);
}

#[test]
fn ten_thousand_relays_are_too_many_and_nothing_worse() {
    let upstream = Upstream::new();
    let venue = Venue::relay(upstream.address(), Shutdown::new(), |_| {});
    let mut spectator = ConsoleSpectator::connect(venue.console_address());
    let game = synthetic(42, 200, true);
    let (mut stream, _) = upstream.greet(7, 0, &[]);
    let half = 100 * 610 + 430;
    say(&mut stream, 0, &game.events()[..half]);
    let ids: Vec<u8> = (0..10_000_u64).flat_map(|n| RelayId(n).0.to_be_bytes()).collect();
    stream.write_all(&odd_notice(b"Wii", &[0, 0, 0, 7], &ids)).unwrap();
    wait_until("it is refused", || venue.station().source() == SourceState::Connecting);
    // The same without: the stream goes on where it was.
    let (mut stream, handshake) = upstream.accept();
    let at = usize::try_from(handshake.cursor.0).unwrap();
    assert!(at <= half);
    stream.write_all(&reply(7, at)).unwrap();
    say(&mut stream, at, &game.events()[at..]);
    spectator.read_bytes(game.events().len());
    assert_same_bytes("the spectator", &spectator.data, game.events());
}

/// Was: a name went on to everybody as long as it was, and a little longer from relay to relay, until
/// a relay could not take the message any more and hung up, for ever.
#[test]
fn a_name_as_long_as_a_message_does_not_cut_off_who_is_fed() {
    let upstream = Upstream::new();
    let first = Venue::relay(upstream.address(), Shutdown::new(), |_| {});
    let second = Venue::relay(first.console_address(), Shutdown::new(), |_| {});
    let named = |name: &[u8]| odd_notice(name, &[0, 0, 0, 7], &[1; 8]);
    // Three bytes more to say a length that takes more than one.
    let room = MAX_MESSAGE_LEN + LENGTH_PREFIX - named(b"").len() - 3;
    let longest = named(&vec![b'x'; room]);
    assert_eq!(longest.len(), LENGTH_PREFIX + MAX_MESSAGE_LEN);
    let (mut stream, _) = upstream.greet(7, 0, &longest);
    wait_until("the second hears of it", || second.station().upstream().len() == 2);
    let game = synthetic(43, 200, true);
    let mut spectator = ConsoleSpectator::connect(second.console_address());
    say(&mut stream, 0, game.events());
    spectator.read_bytes(game.events().len());
    assert_same_bytes("the spectator", &spectator.data, game.events());
    let newcomer = ConsoleSpectator::connect(second.console_address());
    assert_eq!(newcomer.nick, vec![b'x'; MAX_TEXT_LEN]);
    assert_eq!(second.station().stats.reconnects.get(), 0);
    assert_eq!(second.end(), [game.events().to_vec()]);
}

/// Was: the token of a reply was shown with a cursor of the positions before, if the connection ended
/// between the reply and the first byte. An upstream that had begun anew, and was past that cursor
/// by then, went on in the middle of another game.
#[test]
fn a_token_is_not_shown_with_a_cursor_of_other_positions() {
    let upstream = Upstream::new();
    let venue = Venue::relay(upstream.address(), Shutdown::new(), |_| {});
    let (old, new) = (synthetic(44, 200, true), synthetic(45, 300, true));
    let (mut stream, _) = upstream.greet(7, 0, &[]);
    say(&mut stream, 0, &old.events()[..50_000]);
    venue.wait_for_bytes(49_000);
    drop(stream);
    // The upstream began anew: another token, and its game from the start. No byte of it comes.
    let (stream, asked) = upstream.greet(8, 0, &[]);
    assert_eq!(asked.token, ClientToken(7));
    wait_until("the reply is taken", || venue.station().stats.reconnects.get() == 1);
    assert!(!venue.station().identity().knows(ClientToken(8)), "no spectator is given it, either");
    drop(stream);
    let (mut stream, again) = upstream.greet(8, 0, &[]);
    assert_eq!((again.token, again.cursor), (asked.token, asked.cursor));
    // The new game goes on behind the cursor: now the token is that of these positions.
    say(&mut stream, 0, &new.events()[..90_000]);
    wait_until("the new game is there", || {
        venue.station().log.last().is_some_and(|last| last.epoch() == 1)
    });
    drop(stream);
    let (mut stream, last) = upstream.accept();
    assert_eq!(last.token, ClientToken(8));
    let at = usize::try_from(last.cursor.0).unwrap();
    stream.write_all(&reply(8, at)).unwrap();
    say(&mut stream, at, &new.events()[at..]);
    venue.wait_for_bytes(49_000 + new.events().len());
    let files = venue.end();
    assert_same_bytes("the old game", &files[0], &old.events()[..files[0].len()]);
    assert_same_bytes("the new game", &files[1], new.events());
}

/// Was: a notice's newest token was shown with a cursor of the positions before. A relay says
/// notices at once, and what they are about comes later if it has a delay.
#[test]
fn a_token_that_a_notice_brings_is_not_shown_with_a_cursor_of_other_positions() {
    let upstream = Upstream::new();
    let venue = Venue::relay(upstream.address(), Shutdown::new(), |_| {});
    let game = synthetic(46, 200, true);
    let (mut stream, _) = upstream.greet(7, 0, &notice(&[7], 1));
    say(&mut stream, 0, &game.events()[..50_000]);
    venue.wait_for_bytes(49_000);
    // The same positions have another name, too.
    stream.write_all(&notice(&[7, 8], 1)).unwrap();
    wait_until("8 is known", || venue.station().identity().knows(ClientToken(8)));
    drop(stream);
    let (mut stream, asked) = upstream.greet(8, 49_000, &notice(&[7, 8], 1));
    assert_eq!(asked.token, ClientToken(8));
    // The positions begin anew.
    stream.write_all(&notice(&[9], 1)).unwrap();
    wait_until("9 is known", || venue.station().identity().knows(ClientToken(9)));
    drop(stream);
    let (_, asked) = upstream.accept();
    assert_eq!(asked.token, ClientToken(8));
}

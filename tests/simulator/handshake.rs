//! From connection to first byte.

use std::net::Shutdown as Close;

use andross::protocol::console::{Handshake, MAX_HANDSHAKE_LEN};
use andross::protocol::{ClientToken, Cursor};
use andross::simulator::Options;

use super::console_client::{ConsoleClient, PATIENCE, Said};
use super::*;

#[test]
fn a_new_client_is_greeted_and_gets_the_game_to_its_last_byte() {
    let events = game(500, 60);
    let simulator =
        start(Options { nick: "Wii ü".into(), version: "1.8.0".into(), ..options(&[&events]) });
    let mut client = ConsoleClient::connect(simulator.local_addr());
    client.send(&Handshake::default().encode());
    let Said::Reply { nick, version, token, pos } = client.next() else { panic!("a reply") };
    assert_eq!((nick.as_str(), version.as_str()), ("Wii ü", "1.8.0"));
    assert_eq!(pos, Cursor(0), "it plays when the first client is there");
    assert_ne!(token, ClientToken::NONE);
    assert_same(&client.events(pos, end_of(&events)), &events);
    assert!(simulator.wait_until_played(PATIENCE));
    assert_eq!(simulator.write_pos(), end_of(&events));
    assert_eq!(simulator.clients_served(), 1);
    assert_eq!(client.next(), Said::KeepAlive, "and then it says it is alive");
    assert_eq!(client.next(), Said::KeepAlive);
    assert_eq!(simulator.stop(), Vec::<String>::new());
    while client.next() != Said::End {}
}

#[test]
fn a_handshake_may_come_in_pieces_behind_its_length() {
    let (simulator, events) = idle_console();
    let mut client = ConsoleClient::connect(simulator.local_addr());
    client.stream.set_nodelay(true).unwrap();
    let handshake = Handshake::default().encode();
    let (length, body) = handshake.split_at(4);
    client.send(length);
    for byte in body {
        client.send(&[*byte]);
    }
    assert_eq!(client.reply().1, end_of(&events));
}

#[test]
fn what_is_no_handshake_is_hung_up_on_and_the_next_client_is_served() {
    let (simulator, events) = idle_console();
    let mut wrong_type = Handshake::default().encode();
    wrong_type[12] = 2;
    let mut too_long = vec![0, 0, 4, 1];
    too_long.extend(&Handshake::default().encode()[4..]);
    let refused: [(&str, &[u8]); 7] = [
        ("half a length", &[0, 0]),
        ("no body", &[0, 0, 0, 0]),
        ("too short for a type", b"\0\0\0\x08{i\x04typei"),
        ("another type", &wrong_type),
        ("1025 bytes", &too_long),
        ("4 GiB", &[0xFF; 64]),
        ("a browser", b"GET / HTTP/1.1\r\n\r\n"),
    ];
    for (what, bytes) in refused {
        let mut client = ConsoleClient::connect(simulator.local_addr());
        client.send(bytes);
        assert_eq!(client.next(), Said::End, "{what}");
    }
    let mut quitter = ConsoleClient::connect(simulator.local_addr());
    quitter.send(&Handshake::default().encode()[..40]);
    quitter.stream.shutdown(Close::Write).unwrap();
    quitter.expect_end();
    assert_eq!(simulator.clients_served(), 0);
    let (_client, _, pos) = ConsoleClient::fresh(simulator.local_addr());
    assert_eq!(pos, end_of(&events));
}

#[test]
fn the_longest_handshake_and_one_of_another_layout_are_read_at_fixed_offsets() {
    let (simulator, events) = idle_console();
    let mut body = vec![b'?'; MAX_HANDSHAKE_LEN];
    body[8] = 1;
    let mut client = ConsoleClient::connect(simulator.local_addr());
    client.send(&[&[0, 0, 4, 0], body.as_slice()].concat());
    assert_eq!(client.reply().1, end_of(&events));
}

#[test]
fn a_short_handshake_is_filled_up_from_the_one_before() {
    let (simulator, _) = idle_console();
    let addr = simulator.local_addr();
    let (client, token, _) = ConsoleClient::fresh(addr);
    simulator.drop_client();
    drop(client);
    let (client, again, pos) = ConsoleClient::resume(addr, token, Cursor(77));
    assert_eq!((again, pos), (token, Cursor(77)));
    simulator.drop_client();
    drop(client);
    let mut short = ConsoleClient::connect(addr);
    short.send(b"\0\0\0\x09{i\x04typei\x01");
    assert_eq!(
        short.reply(),
        (token, Cursor(77)),
        "the last client's cursor and token are still in the buffer"
    );
}

#[test]
fn a_silent_client_holds_the_console_for_5_seconds() {
    let (simulator, events) = idle_console();
    let mut silent = ConsoleClient::connect(simulator.local_addr());
    let mut next = ConsoleClient::connect(simulator.local_addr());
    next.send(&Handshake::default().encode());
    silent.expect_end();
    assert_eq!(next.reply().1, end_of(&events));
    let mut half = ConsoleClient::connect(simulator.local_addr());
    half.send(&Handshake::default().encode()[..50]);
    drop(next);
    half.expect_end();
}

#[test]
fn a_second_client_gets_no_answer_until_the_first_is_gone() {
    let (simulator, events) = idle_console();
    let (mut first, ..) = ConsoleClient::fresh(simulator.local_addr());
    let mut second = ConsoleClient::connect(simulator.local_addr());
    second.send(&Handshake::default().encode());
    for _ in 0..3 {
        assert_eq!(first.next(), Said::KeepAlive);
    }
    assert!(second.heard_nothing());
    assert_eq!(simulator.clients_served(), 1);
    // Nobody tells the console; it sees it when a keep-alive cannot be sent.
    drop(first);
    assert_eq!(second.reply().1, end_of(&events));
    assert_eq!(simulator.clients_served(), 2);
}

//! The messages of `fixtures/wire/`, which others encoded, read and written by this library.

use std::path::Path;

use andross::protocol::console::{
    Handshake, HandshakeReply, KEEP_ALIVE, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, Replay,
    split_message,
};
use andross::protocol::{ClientToken, Cursor, Dialect, detect_dialect, raw};
use andross::slp::{EventCode, Scanner};

const TOKEN: ClientToken = ClientToken(0x5A17_C0DE);

fn read(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The body of a capture that is exactly one message.
fn body(message: &[u8]) -> &[u8] {
    let body = split_message(message, MAX_MESSAGE_LEN).unwrap().unwrap();
    assert_eq!(LENGTH_PREFIX + body.len(), message.len());
    body
}

#[test]
fn handshakes_are_slippi_js_to_the_byte() {
    let fresh = Handshake::default();
    let captures = [
        ("slippi-js-handshake.bin", fresh),
        ("slippi-js-handshake-realtime.bin", Handshake { realtime: true, ..fresh }),
        (
            "slippi-js-handshake-resume.bin",
            Handshake { cursor: Cursor(0x12_3607), token: TOKEN, realtime: true, relay: None },
        ),
    ];
    for (name, handshake) in captures {
        let capture = read(name);
        assert_eq!(handshake.encode().as_slice(), capture, "{name}");
        assert_eq!(Handshake::decode(body(&capture)), Ok(handshake), "{name}");
        let at_offsets = Handshake::read_at_fixed_offsets(body(&capture));
        assert_eq!(at_offsets, Some(handshake), "{name}");
    }
}

#[test]
fn the_reply_is_the_consoles_to_the_byte() {
    let capture = read("console-handshake-reply.bin");
    let reply = HandshakeReply {
        nick: "Bühne 1".as_bytes().into(),
        version: b"1.9.0".as_slice().into(),
        token: TOKEN,
        pos: Cursor(0x12_3456),
    };
    assert_eq!(reply.encode(), capture);
    assert_eq!(Message::decode(body(&capture)), Ok(Message::Reply(reply)));
    assert_eq!(detect_dialect(&capture), Some(Dialect::Console));
}

#[test]
fn replays_are_the_consoles_to_the_byte() {
    let captures = [
        ("console-replay.bin", 0x12_3456, false),
        ("console-replay-force-pos.bin", 0x1_0000_0007, true),
    ];
    for (name, pos, force_pos) in captures {
        let capture = read(name);
        let Ok(Message::Replay(replay)) = Message::decode(body(&capture)) else {
            panic!("{name} is a Replay");
        };
        assert_eq!(replay.pos, Cursor(pos), "{name}");
        assert_eq!(replay.force_pos, force_pos, "{name}");
        let (encoded, data_at) = replay.encode();
        assert_eq!(encoded, capture, "{name}");
        assert_eq!(encoded[data_at..][..replay.data.len()], *replay.data, "{name}");
    }
}

#[test]
fn the_captured_replay_begins_a_game() {
    let capture = read("console-replay.bin");
    let Ok(Message::Replay(Replay { data, .. })) = Message::decode(body(&capture)) else {
        panic!("a Replay");
    };
    let mut scanner = Scanner::new();
    let sizes = scanner.next(data).unwrap().unwrap();
    assert_eq!(sizes.code(), EventCode::EVENT_PAYLOADS);
    let start = scanner.next(&data[sizes.size()..]).unwrap().unwrap();
    assert_eq!(start.code(), EventCode::GAME_START);
    assert_eq!(sizes.size() + start.size(), data.len());
}

#[test]
fn keep_alives_are_the_consoles_to_the_byte() {
    let capture = read("console-keep-alive.bin");
    assert_eq!(capture, KEEP_ALIVE);
    assert_eq!(Message::decode(body(&capture)), Ok(Message::KeepAlive));
    let legacy = read("raw-keep-alive.bin");
    assert_eq!(legacy, raw::KEEP_ALIVE);
    assert_eq!(raw::boundary(&legacy), raw::Boundary::KeepAlive);
    assert_eq!(detect_dialect(&legacy), Some(Dialect::Raw));
}

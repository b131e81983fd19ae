use proptest::prelude::*;

use super::*;
use crate::protocol::{Protocol, RelayId, detect_protocol};

/// What slippi-js 9.1.2 sends, measured: cursor 0, token 0, realtime.
const SLIPPI_JS_HANDSHAKE: &str = "0000004f7b690474797065690169077061796c6f61647b6906637572736f72\
    5b24552369080000000000000000690b636c69656e74546f6b656e5b245523690400000000690a69735265616c\
    74696d65547d7d";

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn body(message: &[u8]) -> &[u8] {
    split_message(message, MAX_MESSAGE_LEN).unwrap().unwrap()
}

#[test]
fn the_handshake_is_slippi_js_to_the_byte() {
    let fresh = Handshake { realtime: true, ..Handshake::default() };
    assert_eq!(fresh.encode().as_slice(), unhex(SLIPPI_JS_HANDSHAKE));
    let mut expected = unhex(SLIPPI_JS_HANDSHAKE);
    expected[80] = 0x46;
    assert_eq!(Handshake::default().encode().as_slice(), expected);
}

#[test]
fn a_handshake_reads_the_same_by_its_ubjson_and_at_fixed_offsets() {
    let handshake = Handshake {
        cursor: Cursor(0x0102_0304_0506_0708),
        token: ClientToken(0xA1B2_C3D4),
        realtime: true,
        relay: None,
    };
    let message = handshake.encode();
    assert_eq!(Handshake::decode(body(&message)), Ok(handshake));
    assert_eq!(Handshake::read_at_fixed_offsets(body(&message)), Some(handshake));

    // A relay says more, where a console reads nothing.
    let relay = Handshake { relay: Some(RelayId(0x1122_3344_5566_7788)), ..handshake };
    let said = relay.encode();
    assert_eq!(said[4..81], message[4..81]);
    assert_eq!(Handshake::decode(body(&said)), Ok(relay));
    assert_eq!(Handshake::read_at_fixed_offsets(body(&said)), Some(handshake));
}

/// To the byte as docs/protocol.md has it.
#[test]
fn what_relays_say_to_each_other_has_a_layout() {
    let relay = Some(RelayId(0x1122_3344_5566_7788));
    let said = Handshake { realtime: true, relay, ..Handshake::default() }.encode();
    assert_eq!((said.len(), &said[..4]), (104, &b"\0\0\0\x64"[..]));
    assert_eq!(said[4..81], unhex(SLIPPI_JS_HANDSHAKE)[4..81]);
    assert_eq!(said[81..], *b"i\x05relay[$U#i\x08\x11\x22\x33\x44\x55\x66\x77\x88}}");

    let notice = RelayNotice {
        nick: b"Day 1".as_slice().into(),
        version: b"1.9.0".as_slice().into(),
        tokens: vec![ClientToken(7), ClientToken(0x0102_0304)],
        path: vec![RelayId(9)],
    };
    let expected = b"{i\x04typeU\x03i\x07payload{i\x04nickSi\x05Day 1\
        i\x11nintendontVersionSi\x051.9.0i\x06tokens[$U#i\x08\0\0\0\x07\x01\x02\x03\x04\
        i\x04path[$U#i\x08\0\0\0\0\0\0\0\x09}}";
    assert_eq!(body(&notice.encode()), expected);
}

#[test]
fn a_notice_reads_back_and_is_a_keep_alive_to_everyone_else() {
    let path: Vec<RelayId> = (1..=40).map(RelayId).collect();
    let notice = RelayNotice {
        nick: b"Day 1".as_slice().into(),
        version: b"1.9.0".as_slice().into(),
        tokens: vec![ClientToken(7), ClientToken(8)],
        path: path[..3].to_vec(),
    };
    let message = notice.encode();
    assert!(body(&message).starts_with(b"{i\x04typeU\x03"));
    assert_eq!(Message::decode(body(&message)), Ok(Message::Notice(notice.clone())));
    let long = RelayNotice { path: path.clone(), ..notice }.encode();
    let Ok(Message::Notice(read)) = Message::decode(body(&long)) else { panic!("a notice") };
    assert_eq!(read.path, path[..=MAX_HOPS], "bounded, and seen to be too long");
}

#[test]
fn the_console_takes_whatever_stands_at_its_offsets() {
    assert_eq!(Handshake::read_at_fixed_offsets(&[]), None);
    assert_eq!(Handshake::read_at_fixed_offsets(&[2; 79]), None, "another type");
    let short = Handshake::read_at_fixed_offsets(&[1; 9]).unwrap();
    assert_eq!(short, Handshake::default(), "what is missing reads as zero");
}

#[test]
fn a_reply_has_the_consoles_layout() {
    let reply = HandshakeReply {
        nick: b"Day 1".as_slice().into(),
        version: b"1.9.0".as_slice().into(),
        token: ClientToken(0x0102_0304),
        pos: Cursor(0x1122),
    };
    let message = reply.encode();
    let expected = b"{i\x04typeU\x01i\x07payload{i\x04nickSi\x05Day 1\
        i\x11nintendontVersionSi\x051.9.0i\x0bclientToken[$U#i\x04\x01\x02\x03\x04\
        i\x03pos[$U#i\x08\0\0\0\0\0\0\x11\x22}}";
    assert_eq!(body(&message), expected);
    assert_eq!(Message::decode(body(&message)), Ok(Message::Reply(reply)));
}

#[test]
fn a_replay_has_the_consoles_layout_for_every_width_of_its_length() {
    for len in [0, 1, 127, 128, 255, 256, 25_000, 32_767, 32_768, 65_536] {
        let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let replay = Replay { pos: Cursor(7), force_pos: false, data: &data };
        let (message, data_at) = replay.encode();
        assert_eq!(&message[data_at..data_at + len], data);
        assert_eq!(message[FORCE_POS_AT], b'F');
        assert!(message.len() <= len + 106, "the reserved room is enough for {len}");
        assert_eq!(Message::decode(body(&message)), Ok(Message::Replay(replay)));
    }
    let replay = Replay { pos: Cursor(1), force_pos: true, data: b"\x39\x02" };
    let expected = b"{i\x04typeU\x02i\x07payload{i\x03pos[$U#i\x08\0\0\0\0\0\0\0\x01\
        i\x07nextPos[$U#i\x08\0\0\0\0\0\0\0\x03i\x08forcePosTi\x04data[$U#i\x02\x39\x02}}";
    let (message, _) = replay.encode();
    assert_eq!(body(&message), expected);
    assert_eq!(message[FORCE_POS_AT], b'T');
}

#[test]
fn the_keep_alive_has_the_consoles_layout() {
    assert_eq!(Message::decode(body(&KEEP_ALIVE)), Ok(Message::KeepAlive));
}

#[test]
fn an_encoder_without_optimised_arrays_is_understood() {
    let message = b"{i\x04typei\x02i\x07payload{i\x03pos[i\0i\0i\0i\0i\0i\0i\0U\xff]\
        i\x07nextPos[$i#i\x08\0\0\0\0\0\0\x01\0i\x08forcePosFi\x04data[$U#i\x01\x39}}";
    let Message::Replay(replay) = Message::decode(message).unwrap() else { panic!("a Replay") };
    assert_eq!((replay.pos, replay.next_pos()), (Cursor(255), Cursor(256)));
}

#[test]
fn hostile_messages_are_errors() {
    assert_eq!(
        split_message(&[0xFF, 0xFF, 0xFF, 0xFF, b'{'], MAX_MESSAGE_LEN),
        Err(ConsoleError::TooLong { len: u32::MAX, limit: MAX_MESSAGE_LEN })
    );
    assert!(Message::decode(b"{i\x04data[$U#l\x7f\xff\xff\xff").is_err());
    assert_eq!(Message::decode(b"{}"), Err(ConsoleError::Field("type")));
    assert_eq!(Message::decode(b"{i\x04typeU\x02}"), Err(ConsoleError::Field("pos")));
    let (message, _) = Replay { pos: Cursor(5), force_pos: false, data: b"\x39\x02" }.encode();
    let mut message = message.to_vec();
    message[41] = 9;
    assert_eq!(Message::decode(body(&message)), Err(ConsoleError::Positions));
    assert_eq!(Message::decode(b"{i\x04typeU\x09}"), Ok(Message::Unknown(9)));
}

#[test]
fn the_dialect_is_told_by_the_first_bytes() {
    let reply = HandshakeReply {
        nick: b"".as_slice().into(),
        version: b"".as_slice().into(),
        token: ClientToken(1),
        pos: Cursor(0),
    }
    .encode();
    for cut in 0..13 {
        assert_eq!(detect_protocol(&reply[..cut]), None, "cut at {cut}");
    }
    assert_eq!(detect_protocol(&reply), Some(Protocol::Console));
    assert_eq!(detect_protocol(b"HELO\0"), Some(Protocol::Raw));
    assert_eq!(detect_protocol(&[0x35, 13, 0x36, 1, 0x40, 0x37]), Some(Protocol::Raw));
    assert_eq!(detect_protocol(&KEEP_ALIVE), Some(Protocol::Raw), "as slippi-js has it");
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_an_error(input in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::decode(&input);
        let _ = Handshake::decode(&input);
        let _ = Handshake::read_at_fixed_offsets(&input);
        let _ = split_message(&input, MAX_MESSAGE_LEN);
        let _ = detect_protocol(&input);
    }

    #[test]
    fn a_damaged_replay_never_panics(at in 0_usize..180, byte: u8) {
        let (message, _) = Replay { pos: Cursor(5), force_pos: false, data: &[0x38; 60] }.encode();
        let mut message = message.to_vec();
        let at = at % message.len();
        message[at] = byte;
        if let Ok(Some(body)) = split_message(&message, MAX_MESSAGE_LEN) {
            let _ = Message::decode(body);
        }
    }
}

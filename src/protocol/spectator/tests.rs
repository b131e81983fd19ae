use proptest::prelude::*;

use super::*;

#[test]
fn a_request_is_read_as_the_clients_write_it() {
    let read = |text: &str| ConnectRequest::decode(text.as_bytes());
    // slippi-js, and libmelee with Python's spaces.
    for text in [
        r#"{"type":"connect_request","cursor":7}"#,
        r#"{"type": "connect_request", "cursor": 7}"#,
        r#"{"cursor":7,"more":[1,{"a":null}],"type":"connect_request"}"#,
    ] {
        assert_eq!(read(text).unwrap(), Some(ConnectRequest { cursor: 7 }), "{text}");
    }
    assert_eq!(read(r#"{"type":"hello"}"#).unwrap(), None);
    for text in [
        "",
        "{}",
        "7",
        "null",
        r#"{"type":7}"#,
        r#"{"type":"connect_request"}"#,
        r#"{"type":"connect_request","cursor":-1}"#,
        r#"{"type":"connect_request","cursor":1.5}"#,
        r#"{"type":"connect_request","cursor":"1"}"#,
        r#"{"type":"connect_request","cursor":99999999999999999999}"#,
        &"[".repeat(MAX_REQUEST_LEN),
        &" ".repeat(MAX_REQUEST_LEN + 1),
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn messages_are_written_as_dolphin_writes_them() {
    let text = |message: Message| String::from_utf8(message.encode()).unwrap();
    assert_eq!(
        text(Message::GameEvent { cursor: 4, next_cursor: 5, payload: vec![0x35, 0, 0xFF, 0xFE] }),
        r#"{"type":"game_event","cursor":4,"next_cursor":5,"payload":"NQD//g=="}"#
    );
    assert_eq!(
        text(Message::StartGame { cursor: 3, next_cursor: 4 }),
        r#"{"type":"start_game","cursor":3,"next_cursor":4}"#
    );
    assert_eq!(
        text(Message::EndGame { cursor: 3, next_cursor: 4, dolphin_closed: false }),
        r#"{"type":"end_game","cursor":3,"next_cursor":4,"dolphin_closed":false}"#
    );
    let reply =
        Message::ConnectReply {
            nick: "Bühne \"1\" 🎮".into(), version: "3.4.0".into(), cursor: 9
        };
    let packet = text(reply.clone());
    assert!(packet.is_ascii(), "slippi-js reads ASCII: {packet}");
    assert_eq!(Message::decode(packet.as_bytes()).unwrap(), reply);
}

#[test]
fn what_older_dolphins_say_is_understood() {
    let read = |text: &str| Message::decode(text.as_bytes()).unwrap();
    assert_eq!(
        read(r#"{"type":"start_game","players":[{"connect_code":"A#1"}]}"#),
        Message::StartGame { cursor: 0, next_cursor: 0 }
    );
    assert_eq!(
        read(r#"{"type":"end_game"}"#),
        Message::EndGame { cursor: 0, next_cursor: 0, dolphin_closed: false }
    );
    assert_eq!(
        read(r#"{"payload":"","type":"menu_event"}"#),
        Message::MenuEvent { payload: Vec::new() }
    );
    assert_eq!(read(r#"{"type":"something_new","a":1}"#), Message::Unknown);
}

fn messages() -> impl Strategy<Value = Message> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        (".*", ".*", any::<u64>()).prop_map(|(nick, version, cursor)| Message::ConnectReply {
            nick,
            version,
            cursor
        }),
        any::<(u64, u64)>()
            .prop_map(|(cursor, next_cursor)| Message::StartGame { cursor, next_cursor }),
        (any::<(u64, u64)>(), bytes()).prop_map(|((cursor, next_cursor), payload)| {
            Message::GameEvent { cursor, next_cursor, payload }
        }),
        any::<(u64, u64, bool)>().prop_map(|(cursor, next_cursor, dolphin_closed)| {
            Message::EndGame { cursor, next_cursor, dolphin_closed }
        }),
        bytes().prop_map(|payload| Message::MenuEvent { payload }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(message in messages(), cursor in any::<u64>()) {
        let packet = message.encode();
        prop_assert!(packet.is_ascii());
        prop_assert_eq!(Message::decode(&packet).unwrap(), message);
        let request = ConnectRequest { cursor };
        prop_assert_eq!(ConnectRequest::decode(&request.encode()).unwrap(), Some(request));
    }

    #[test]
    fn nothing_that_comes_does_harm(
        packet in prop::collection::vec(any::<u8>(), 0..2000),
        message in messages(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let _ = ConnectRequest::decode(&packet);
        let _ = Message::decode(&packet);
        let mut damaged = message.encode();
        *at.get_mut(&mut damaged) = byte;
        let _ = Message::decode(&damaged);
        let _ = ConnectRequest::decode(&damaged);
    }
}

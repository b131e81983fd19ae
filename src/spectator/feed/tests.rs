use std::time::Duration;

use super::*;
use crate::protocol::console::Replay;
use crate::session::{Divergence, StationId, Writer};

const SIZES: [u8; 14] = [0x35, 13, 0x36, 0, 3, 0x38, 0, 6, 0x3C, 0, 4, 0x39, 0, 1];

/// A game of `frames` frames; with its end.
fn game(frames: i32, end: bool) -> Vec<u8> {
    let mut bytes = [&SIZES[..], &[0x36, 3, 18, 0]].concat();
    for frame in 0..frames {
        let frame = (frame - 123).to_be_bytes();
        bytes.push(0x38);
        bytes.extend(frame);
        bytes.extend([1, 2, 0x3C]);
        bytes.extend(frame);
    }
    if end {
        bytes.extend([0x39, 2]);
    }
    bytes
}

struct Stage {
    writer: Writer,
    feed: Feed,
    pos: Cursor,
}

use crate::protocol::Cursor;

impl Stage {
    fn new() -> Self {
        let station = Arc::new(Station::new(StationId(1), "test"));
        Self { writer: Writer::new(station.clone()), feed: Feed::new(station), pos: Cursor(0) }
    }

    fn play(&mut self, data: &[u8], piece: usize) {
        for data in data.chunks(piece) {
            let replay = Replay { pos: self.pos, force_pos: false, data };
            self.writer.write(replay, Divergence::NewPositions, Instant::now());
            self.pos = self.pos.plus(data.len());
        }
        self.feed.look(Instant::now());
    }

    /// All messages from `cursor` on.
    fn messages(&mut self, mut cursor: u64) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.feed.message(cursor) {
            assert!(message.cursor >= cursor);
            cursor = message.cursor + 1;
            messages.push(Message::decode(&message.packet).unwrap());
        }
        messages
    }

    fn first(&self) -> u64 {
        self.feed.messages.front().unwrap().cursor
    }
}

fn events(messages: &[Message]) -> Vec<u8> {
    let payload = |message: &Message| match message {
        Message::GameEvent { payload, .. } => payload.clone(),
        _ => Vec::new(),
    };
    messages.iter().flat_map(payload).collect()
}

#[test]
fn games_are_messages_with_growing_numbers_however_they_come() {
    for piece in [1, 7, 100_000] {
        let mut stage = Stage::new();
        let (one, two) = (game(5, true), game(3, false));
        stage.play(&[&one[..], &two].concat(), piece);
        let first = stage.first();
        assert_ne!(first, 0);
        let messages = stage.messages(0);
        // Start, sizes and Game Start, five frames, Game End, end; start, sizes, three frames.
        assert_eq!(messages.len(), 9 + 5, "pieces of {piece}");
        for (n, message) in messages.iter().enumerate() {
            let (Message::StartGame { cursor, next_cursor }
            | Message::GameEvent { cursor, next_cursor, .. }
            | Message::EndGame { cursor, next_cursor, .. }) = *message
            else {
                panic!("{message:?}");
            };
            assert_eq!((cursor, next_cursor), (first + n as u64, first + n as u64 + 1));
        }
        assert!(matches!(messages[8], Message::EndGame { dolphin_closed: false, .. }));
        assert!(matches!(messages[9], Message::StartGame { .. }));
        assert_eq!(events(&messages), [one, two].concat());
    }
}

#[test]
fn newcomers_begin_with_the_game_that_is_on_and_others_where_they_were() {
    let mut stage = Stage::new();
    assert_eq!(stage.feed.greet(0), stage.feed.end());
    stage.play(&game(5, true), 1000);
    let first = stage.first();
    assert_eq!(stage.feed.greet(0), stage.feed.end(), "between games no history");
    assert_eq!(stage.feed.greet(first + 3), first + 3, "but for one who had a part of it");
    stage.play(&game(4, false), 1000);
    let second = first + 9;
    assert_eq!(stage.feed.greet(0), second);
    assert_eq!(stage.feed.greet(u64::MAX), second);
    assert_eq!(stage.feed.greet(first + 2), first + 2);
    assert_eq!(stage.feed.greet(stage.feed.end()), stage.feed.end());
    assert_eq!(stage.feed.greet(stage.feed.end() + 1), second);
    assert_eq!(stage.feed.skip(first), None);
    stage.play(&game(4, false), 1000);
    let third = stage.feed.greet(0);
    assert_eq!(stage.feed.skip(first), Some(third), "more than a game behind");
    assert_eq!(stage.feed.skip(second), None);
    assert_eq!(stage.feed.lag(stage.feed.end()), (0, Some(0)));
    let (bytes, frames) = stage.feed.lag(third);
    assert_eq!((bytes, frames), (game(4, false).len() as u64, Some(4)));
}

#[test]
fn a_game_that_breaks_off_ends_when_the_next_begins() {
    let mut stage = Stage::new();
    let mut broken = game(3, false);
    broken.truncate(broken.len() - 5);
    stage.play(&broken, 100);
    stage.play(&game(2, true), 100);
    let messages = stage.messages(0);
    assert_eq!(events(&messages), [broken, game(2, true)].concat());
    let ends = messages.iter().filter(|message| matches!(message, Message::EndGame { .. }));
    assert_eq!(ends.count(), 2);
}

#[test]
fn what_is_delayed_is_not_there_yet() {
    let mut stage = Stage::new();
    let delay = Duration::from_secs(100);
    stage.feed.station.set_delays(Duration::ZERO, Duration::ZERO, delay);
    stage.play(&game(3, true), 100);
    assert!(stage.messages(0).is_empty());
    assert!(stage.feed.due().unwrap() > Instant::now() + delay / 2);
    stage.feed.look(Instant::now() + delay);
    assert_eq!(events(&stage.messages(0)), game(3, true));
    assert_eq!(stage.feed.due(), None);
}

#[test]
fn memory_is_bounded_and_a_game_keeps_its_beginning() {
    let mut stage = Stage::new();
    stage.play(&game(200, true), 1000);
    stage.play(&game(1000, false), 1000);
    let before = stage.feed.retained;
    stage.feed.trim_to(40_000);
    assert!(stage.feed.retained < before && stage.feed.retained > 0);
    let messages = stage.messages(0);
    assert!(matches!(messages[0], Message::StartGame { .. }));
    assert!(events(&messages).starts_with(&game(10, false)));
    assert!(events(&messages).ends_with(&game(1000, false)[game(900, false).len()..]));
    let counted: usize = stage.feed.messages.iter().map(|entry| entry.len() + MESSAGE_COST).sum();
    assert_eq!(stage.feed.retained, counted);
    let encoded = stage.feed.messages.iter().filter(|entry| entry.encoded.is_some());
    assert!(encoded.count() <= KEPT_ENCODED);
}

/// A recorder without bookends: only the next frame tells where the one before ended.
#[test]
fn a_frame_that_was_flushed_before_its_end_is_not_followed_by_an_empty_batch() {
    let mut stage = Stage::new();
    let sizes = [0x35, 10, 0x36, 0, 3, 0x38, 0, 6, 0x39, 0, 1];
    let frame = |n: i32| [&[0x38][..], &n.to_be_bytes(), &[1, 2]].concat();
    let begun = [&sizes[..], &[0x36, 2, 0, 0], &frame(-123)].concat();
    stage.play(&begun, 100);
    stage.feed.flush(Instant::now());
    assert_eq!(events(&stage.messages(0)), begun);
    stage.play(&[&frame(-122)[..], &[0x39, 2]].concat(), 100);
    let messages = stage.messages(0);
    assert_eq!(events(&messages), [&begun[..], &frame(-122), &[0x39, 2]].concat());
    let is_empty = |message: &Message| matches!(message, Message::GameEvent { payload, .. } if payload.is_empty());
    assert!(!messages.iter().any(is_empty), "{messages:?}");
}

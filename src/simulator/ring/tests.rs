use proptest::prelude::*;

use super::*;

/// A reader's view of the ring: the message at `at`, or the trouble.
fn read(reader: &mut Reader, ring: &Ring, at: Cursor) -> (Vec<u8>, Option<Trouble>) {
    let mut out = Vec::new();
    let trouble = reader.read(ring, at, &mut out);
    (out, trouble)
}

/// 0x36: 2 bytes, 0x38: 4, 0x39: 1, 0x48: 0, 0x49: 12,000, 0x4A: 25,000.
const TABLE: [u8; 20] =
    [0x35, 19, 0x36, 0, 2, 0x38, 0, 4, 0x39, 0, 1, 0x48, 0, 0, 0x49, 0x2E, 0xE0, 0x4A, 0x61, 0xA8];
const START: [u8; 3] = [0x36, 1, 2];
const FRAME: [u8; 5] = [0x38, 1, 2, 3, 4];
const END: [u8; 2] = [0x39, 2];

fn big(code: u8) -> Vec<u8> {
    let len = if code == 0x49 { 12_000 } else { 25_000 };
    let mut event = vec![7; 1 + len];
    event[0] = code;
    event
}

#[test]
fn a_message_is_all_whole_events_up_to_the_write_position() {
    let mut ring = Ring::new();
    let mut reader = Reader::default();
    for events in [TABLE.as_slice(), &START, &FRAME, &FRAME[..3]] {
        ring.write(events);
    }
    let whole = [TABLE.as_slice(), &START, &FRAME].concat();
    assert_eq!(read(&mut reader, &ring, Cursor(0)), (whole.clone(), None));
    let end = Cursor(whole.len() as u64);
    assert_eq!(read(&mut reader, &ring, end), (vec![], None));
    ring.write(&FRAME[3..]);
    assert_eq!(read(&mut reader, &ring, end), (FRAME.to_vec(), None));
    assert_eq!(read(&mut reader, &ring, ring.write_pos()), (vec![], None));
}

#[test]
fn a_message_holds_no_more_than_25_000_bytes() {
    let mut ring = Ring::new();
    let mut reader = Reader::default();
    ring.write(&TABLE);
    for _ in 0..3 {
        ring.write(&big(0x49));
    }
    let (first, trouble) = read(&mut reader, &ring, Cursor(0));
    assert_eq!((first.len(), trouble), (20 + 2 * 12_001, None));
    let (second, _) = read(&mut reader, &ring, Cursor(0).plus(first.len()));
    assert_eq!(second.len(), 12_001);
}

#[test]
fn an_event_that_fits_no_message_stops_the_reader_without_trouble() {
    let mut ring = Ring::new();
    ring.write(&TABLE);
    ring.write(&big(0x4A));
    let mut reader = Reader::default();
    assert_eq!(read(&mut reader, &ring, Cursor(0)), (TABLE.to_vec(), None));
    assert_eq!(read(&mut reader, &ring, Cursor(20)), (vec![], None));
}

#[test]
fn a_message_ends_behind_game_end() {
    let mut ring = Ring::new();
    for events in [TABLE.as_slice(), &START, &END, &TABLE, &START] {
        ring.write(events);
    }
    let mut reader = Reader::default();
    let (first, trouble) = read(&mut reader, &ring, Cursor(0));
    assert_eq!((first, trouble), ([TABLE.as_slice(), &START, &END].concat(), None));
    assert_eq!(read(&mut reader, &ring, Cursor(25)).0.len(), 23);
}

#[test]
fn a_game_behind_one_that_did_not_end_is_trouble_and_the_next_message() {
    let mut ring = Ring::new();
    for events in [TABLE.as_slice(), &START, &TABLE, &START] {
        ring.write(events);
    }
    let mut reader = Reader::default();
    let game = [TABLE.as_slice(), &START].concat();
    let (first, trouble) = read(&mut reader, &ring, Cursor(0));
    assert_eq!((first, trouble), (game.clone(), Some(Trouble::UnexpectedGame)));
    assert_eq!(read(&mut reader, &ring, Cursor(23)), (game, None));
}

#[test]
fn a_code_without_size_is_trouble_and_stays_it() {
    for code in [0x48, 0x55] {
        let mut ring = Ring::new();
        let mut reader = Reader::default();
        ring.write(&[TABLE.as_slice(), &START, &[code, 1, 2]].concat());
        let trouble = Some(Trouble::MissingSize(EventCode(code)));
        let (first, first_trouble) = read(&mut reader, &ring, Cursor(0));
        assert_eq!((first.len(), first_trouble), (23, trouble));
        assert_eq!(read(&mut reader, &ring, Cursor(23)), (vec![], trouble));
    }
}

#[test]
fn sizes_are_only_known_from_a_game_that_was_read() {
    let mut ring = Ring::new();
    ring.write(&TABLE);
    ring.write(&START);
    let mut reader = Reader::default();
    let missing = Trouble::MissingSize(EventCode::GAME_START);
    assert_eq!(read(&mut reader, &ring, Cursor(20)), (vec![], Some(missing)));
    read(&mut reader, &ring, Cursor(0));
    assert_eq!(read(&mut reader, &ring, Cursor(20)), (START.to_vec(), None));
    // A broken table takes away what was known.
    let broken = ring.write_pos();
    ring.write(&[0x35, 3, 0x36, 0]);
    let missing = Trouble::MissingSize(EventCode::EVENT_PAYLOADS);
    assert_eq!(read(&mut reader, &ring, broken), (vec![], Some(missing)));
}

#[test]
fn who_is_a_whole_ring_behind_has_lost_all_of_it() {
    let mut ring = Ring::new();
    let mut reader = Reader::default();
    ring.write(&TABLE);
    while ring.write_pos().0 + 5 < RING_LEN as u64 {
        ring.write(&FRAME);
    }
    assert_eq!(read(&mut reader, &ring, Cursor(0)).1, None);
    ring.write(&FRAME);
    assert!(ring.write_pos().0 >= RING_LEN as u64);
    let lost = Some(Trouble::Overflow(ring.write_pos()));
    assert_eq!(read(&mut reader, &ring, Cursor(0)), (vec![], lost));
    let ahead = ring.write_pos().plus(1);
    assert_eq!(read(&mut reader, &ring, ahead), (vec![], lost));
}

#[test]
fn where_clients_start() {
    let mut ring = Ring::new();
    ring.write(&TABLE);
    ring.write(&END);
    let second = ring.write_pos();
    assert_eq!(second, Cursor(22));
    assert_eq!(ring.fresh_start(), second, "between games: with what comes");
    assert_eq!(ring.resume(Cursor(5)), Cursor(5), "the last game, finished");
    assert_eq!(ring.resume(Cursor(23)), second, "ahead of the console");

    ring.write(&TABLE);
    ring.write(&START);
    assert_eq!(ring.fresh_start(), second, "in a game: with the game");
    for (wanted, start) in [(21, 22), (22, 22), (30, 30), (45, 45), (46, 22)] {
        assert_eq!(ring.resume(Cursor(wanted)), Cursor(start), "wanted {wanted}");
    }

    ring.write(&END);
    assert_eq!(ring.resume(Cursor(21)), ring.write_pos(), "the game before the last is gone");
}

#[test]
fn only_the_first_byte_of_a_write_begins_or_ends_a_game() {
    let mut ring = Ring::new();
    ring.write(&[TABLE.as_slice(), &END].concat());
    assert_eq!(ring.fresh_start(), Cursor(0), "the Game End went unseen");
    ring.write(&[START.as_slice(), &TABLE].concat());
    assert_eq!(ring.fresh_start(), Cursor(0), "and so did the second game");
}

#[derive(Clone, Debug)]
enum Step {
    /// Writes so many of the events that are left.
    Write(usize),
    /// Reads one message.
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![(1_usize..6).prop_map(Step::Write), Just(Step::Read)]
}

fn event() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => Just(TABLE.to_vec()),
        1 => Just(END.to_vec()),
        6 => any::<[u8; 2]>().prop_map(|payload| [[0x36].as_slice(), &payload].concat()),
        6 => any::<[u8; 4]>().prop_map(|payload| [[0x38].as_slice(), &payload].concat()),
    ]
}

proptest! {
    /// Whatever is written and read in whatever order, at whatever position since boot: messages
    /// are whole events of one game, byte for byte, and bytes are lost only to an overflow.
    #[test]
    fn what_is_read_is_what_was_written(
        len in 24_usize..200,
        boot in 0..u64::MAX / 2,
        events in proptest::collection::vec(event(), 1..120),
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let boot = Cursor(boot);
        let mut ring = Ring::with_len(len, boot);
        let mut reader = Reader::default();
        let mut stream = Vec::new();
        let mut starts = vec![0];
        let mut events = std::iter::once(TABLE.to_vec()).chain(events);
        let mut at = boot;
        for step in steps {
            match step {
                Step::Write(count) => for event in events.by_ref().take(count) {
                    ring.write(&event);
                    stream.extend(event);
                    starts.push(stream.len());
                },
                Step::Read => {
                    let offset = (at.0 - boot.0) as usize;
                    let (message, trouble) = read(&mut reader, &ring, at);
                    if stream.len() - offset >= len {
                        prop_assert!(message.is_empty());
                        prop_assert_eq!(trouble, Some(Trouble::Overflow(ring.write_pos())));
                        at = ring.write_pos();
                        continue;
                    }
                    let end = offset + message.len();
                    prop_assert_eq!(&message, &stream[offset..end]);
                    prop_assert!(starts.contains(&end), "ends between events");
                    let inner: Vec<u8> = starts
                        .iter()
                        .filter(|&&start| (offset..end).contains(&start))
                        .map(|&start| stream[start])
                        .collect();
                    prop_assert!(!inner.iter().skip(1).any(|&code| code == 0x35));
                    prop_assert!(!inner.iter().rev().skip(1).any(|&code| code == 0x39));
                    if !matches!(trouble, Some(Trouble::MissingSize(_))) {
                        prop_assert!(offset == stream.len() || !message.is_empty(), "goes on");
                    }
                    at = at.plus(message.len());
                }
            }
        }
    }

    /// No bytes can make the ring or its reader panic or give more than there is.
    #[test]
    fn any_bytes_are_read_or_trouble(
        writes in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..400), 0..20),
        at in 0_u64..3000,
    ) {
        let mut ring = Ring::with_len(500, Cursor(0));
        let mut reader = Reader::default();
        for bytes in writes {
            ring.write(&bytes);
            let (message, _) = read(&mut reader, &ring, Cursor(at));
            prop_assert!(message.len() < 500);
            ring.resume(Cursor(at));
        }
    }
}

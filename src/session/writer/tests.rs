use proptest::prelude::*;

use super::*;
use crate::protocol::ClientToken;
use crate::session::{Log, StationId};

const TABLE: [u8; 11] = [0x35, 10, 0x36, 0, 1, 0x37, 0, 5, 0x39, 0, 1];

fn game(frames: u8, seed: u8) -> Vec<u8> {
    let mut bytes = TABLE.to_vec();
    bytes.extend([0x36, seed]);
    for number in 0..frames {
        bytes.extend([0x37, 0, 0, 0, number, seed]);
    }
    bytes.extend([0x39, 2]);
    bytes
}

fn station() -> (Arc<Station>, Writer) {
    let station = Arc::new(Station::new(StationId(0), "test"));
    (station.clone(), Writer::new(station))
}

fn write(writer: &mut Writer, pos: u64, data: &[u8]) -> Written {
    let replay = Replay { pos: Cursor(pos), force_pos: false, data };
    writer.write(replay, Divergence::NewPositions, Instant::now())
}

fn chunks(log: &Log) -> Vec<Arc<Chunk>> {
    let mut chunks = Vec::new();
    log.read(Seq(0), usize::MAX, &mut chunks);
    chunks
}

fn bytes(log: &Log) -> Vec<u8> {
    chunks(log).iter().flat_map(|chunk| chunk.data().to_vec()).collect()
}

#[test]
fn chunks_begin_with_a_game_and_end_with_it() {
    let (station, mut writer) = station();
    let both = [game(2, 1), game(1, 2)].concat();
    let written = write(&mut writer, 50, &both);
    assert_eq!((written.chunks, written.game_started, written.game_ended), (2, true, true));
    let chunks = chunks(&station.log);
    assert_eq!(chunks[0].data()[..], game(2, 1));
    assert_eq!(chunks[1].data()[..], game(1, 2));
    assert!(chunks.iter().all(|chunk| chunk.starts_game() && !chunk.in_game()));
    assert_eq!((chunks[0].game(), chunks[1].game()), (1, 2));
    assert_eq!(chunks[1].pos(), chunks[0].next_pos());
    assert_eq!(chunks[0].frame(), Some(FrameIndex(1)));
}

#[test]
fn no_chunk_is_larger_than_a_console_would_send() {
    let (station, mut writer) = station();
    let mut bytes = TABLE.to_vec();
    bytes.extend([0x37, 0, 0, 0, 1, 7].repeat(20_000));
    write(&mut writer, 0, &bytes);
    let chunks = chunks(&station.log);
    assert!(chunks.iter().all(|chunk| chunk.data().len() <= MAX_REPLAY_DATA));
    assert_eq!(chunks.len(), 5);
}

#[test]
fn a_jump_ahead_is_a_gap() {
    let (station, mut writer) = station();
    write(&mut writer, 0, &game(2, 1)[..13]);
    let written = write(&mut writer, 113, &[0x37, 0, 0, 0, 9, 1]);
    assert!(written.gap);
    let chunks = chunks(&station.log);
    assert_eq!(chunks[1].lost(), Some(100));
    assert_eq!(chunks[1].message(Cursor(113))[crate::protocol::console::FORCE_POS_AT], b'T');
    assert_eq!((station.stats.gaps.get(), station.stats.lost_bytes.get()), (1, 100));
}

#[test]
fn a_repetition_is_over_when_it_has_come_to_the_end() {
    let (station, mut writer) = station();
    let (first, second) = (game(3, 1), game(3, 2));
    write(&mut writer, 0, &first);
    write(&mut writer, 0, &first);
    assert!(writer.is_repeating());
    write(&mut writer, first.len() as u64, &second);
    assert!(!writer.is_repeating(), "these bytes are new");
    // Positions that begin anew have nothing to do with what was repeated long ago.
    let restarted = station.log.end();
    write(&mut writer, 13, &game(3, 4));
    let mut chunks = Vec::new();
    station.log.read(restarted, 1, &mut chunks);
    assert_eq!((chunks[0].pos(), &chunks[0].data()[..]), (Cursor(13), &game(3, 4)[..]));
}

#[test]
fn a_repetition_is_skipped_and_what_is_new_in_it_appended() {
    let (station, mut writer) = station();
    let game = game(3, 1);
    write(&mut writer, 10, &game[..25]);
    assert_eq!(write(&mut writer, 10, &game[..13]).chunks, 0);
    assert_eq!(write(&mut writer, 23, &game[13..]).chunks, 1);
    assert_eq!(bytes(&station.log), game);
    assert_eq!(station.stats.gaps.get(), 0);
}

#[test]
fn a_restarted_console_begins_new_positions_with_all_of_its_game() {
    let (station, mut writer) = station();
    station.update_identity(|identity| identity.introduce(b"Wii", b"1", ClientToken(1)));
    write(&mut writer, 0, &game(3, 1));
    station.update_identity(|identity| identity.introduce(b"Wii", b"1", ClientToken(2)));
    let other = game(3, 2);
    // The first message is the same in every game: only the second shows that this is another.
    assert_eq!(write(&mut writer, 0, &other[..11]).chunks, 0);
    assert!(write(&mut writer, 11, &other[11..]).gap);
    assert_eq!(bytes(&station.log), [game(3, 1), other].concat());
    let chunks = chunks(&station.log);
    assert_eq!((chunks[1].epoch(), chunks[1].pos()), (1, Cursor(0)));
    assert!(chunks[1].starts_game());
    assert!(!station.identity().knows(ClientToken(1)) && station.identity().knows(ClientToken(2)));
}

#[test]
fn a_raw_source_that_begins_another_game_goes_on_behind_the_last() {
    let (station, mut writer) = station();
    write(&mut writer, 0, &game(3, 1));
    let other = game(2, 2);
    let replay = Replay { pos: Cursor(0), force_pos: false, data: &other };
    writer.write(replay, Divergence::NewGame, Instant::now());
    let chunks = chunks(&station.log);
    assert_eq!((chunks[1].epoch(), chunks[1].pos()), (0, chunks[0].next_pos()));
    assert_eq!(station.stats.gaps.get(), 0);
}

#[test]
fn forced_positions_behind_the_end_are_new_ones() {
    let (station, mut writer) = station();
    write(&mut writer, 500, &game(3, 1));
    let replay = Replay { pos: Cursor(0), force_pos: true, data: &game(3, 1) };
    assert!(writer.write(replay, Divergence::NewPositions, Instant::now()).gap);
    assert_eq!(chunks(&station.log)[1].epoch(), 1);
}

#[test]
fn bytes_that_nobody_can_read_are_passed_on_and_counted() {
    let (station, mut writer) = station();
    write(&mut writer, 0, &[0x38, 1, 2, 3]);
    assert_eq!(bytes(&station.log), [0x38, 1, 2, 3]);
    assert_eq!((chunks(&station.log)[0].game(), station.stats.unreadable.get()), (0, 4));
    write(&mut writer, 4, &game(1, 1));
    assert_eq!(chunks(&station.log)[1].game(), 1);
}

#[test]
fn an_event_cut_by_the_connections_end_comes_again() {
    let (station, mut writer) = station();
    let game = game(3, 1);
    write(&mut writer, 0, &game[..15]);
    assert_eq!(writer.resume_at(), Some(Cursor(13)));
    writer.reconnected();
    write(&mut writer, 13, &game[13..]);
    assert_eq!(bytes(&station.log), game);
}

proptest! {
    /// However the stream is cut, and wherever the connection breaks and the source repeats or
    /// resumes, the log has every byte once.
    #[test]
    fn any_split_and_any_repetition_gives_the_same_bytes(
        cuts in proptest::collection::vec((1_usize..60, 0_usize..4, 0_usize..90), 1..60)
    ) {
        let stream = [game(9, 1), game(14, 2), game(5, 3)].concat();
        let (station, mut writer) = station();
        let mut at = 0;
        let mut resumed = None;
        let mut cuts = cuts.into_iter().cycle();
        while at < stream.len() {
            let (len, action, back) = cuts.next().unwrap();
            // A connection that breaks before a whole event has come would never get on.
            if action == 0 && writer.resume_at() > resumed {
                resumed = writer.resume_at();
                at = writer.resume_at().map_or(0, |pos| pos.0 as usize);
                writer.reconnected();
                // Back to what a console would offer: not before the oldest game kept.
                at = at.saturating_sub(back % 20).max(at.min(12));
            }
            let end = (at + len).min(stream.len());
            write(&mut writer, at as u64, &stream[at..end]);
            at = end;
        }
        let mut all = Vec::new();
        for chunk in chunks(&station.log) {
            prop_assert!(chunk.lost().is_none());
            all.extend_from_slice(chunk.data());
        }
        prop_assert!(stream.ends_with(&all));
        prop_assert_eq!(station.stats.bytes.get() as usize, stream.len());
        prop_assert_eq!(station.stats.gaps.get(), 0);
    }
}

//! What arrives: every byte, in whole events, or a gap that is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use andross::protocol::Cursor;
use andross::simulator::{Options, Recording, Repeat};
use andross::slp::{EventCode, Scanner, file};
use proptest::prelude::*;

use super::console_client::{ConsoleClient, PATIENCE, Said};
use super::*;

#[test]
fn who_falls_3_mib_behind_loses_bytes_and_is_told() {
    // Some 24 MB in a second, more than ring and sockets hold; then 20 s that fit well.
    let mut stream = prologue(60);
    for frame in 0..1_000 {
        add_frame(&mut stream, frame, 60, true);
    }
    let flood_end = end_of(&stream);
    for frame in 1_000..21_000 {
        add_frame(&mut stream, frame, 60, false);
    }
    let simulator = start(Options { fps: 1_000.0, ..options(&[&stream]) });
    let (mut client, _, mut pos) = ConsoleClient::fresh(simulator.local_addr());
    wait_until("the flood is written", || simulator.write_pos() >= flood_end);
    let (mut jumps, mut calm_messages) = (0, 0);
    while calm_messages < 20 {
        let (at, force_pos, data) = client.next_replay();
        assert_eq!(force_pos, at > pos, "a gap is told, and only a gap");
        assert!(at >= pos);
        assert_same(&data, &stream[at.0 as usize..][..data.len()]);
        jumps += u32::from(force_pos);
        calm_messages += u32::from(at >= flood_end);
        pos = at.plus(data.len());
    }
    assert!(jumps >= 1, "24 MB had no room anywhere");
}

#[test]
fn a_game_without_game_end_ends_a_message_where_the_next_begins() {
    let first = unended_game(20, 60);
    let second = game(10, 90);
    let simulator = start(Options { wait_for_client: false, ..options(&[&first]) });
    assert!(simulator.wait_until_played(PATIENCE));
    drop(simulator);

    let stream = [first.as_slice(), &second, &second].concat();
    let simulator = start(options(&[&first, &second, &second]));
    let (mut client, _, mut pos) = ConsoleClient::fresh(simulator.local_addr());
    let mut games = Vec::new();
    while pos < end_of(&stream) {
        let (at, force_pos, data) = client.next_replay();
        assert_eq!((at, force_pos), (pos, false));
        pos = pos.plus(data.len());
        if data[0] == EventCode::EVENT_PAYLOADS.0 {
            games.push(Vec::new());
        }
        games.last_mut().unwrap().extend(data);
    }
    assert_eq!(games.len(), 3);
    for (received, played) in games.iter().zip([&first, &second, &second]) {
        assert_same(received, played);
    }
}

#[test]
fn games_are_repeated_with_a_pause_that_keep_alives_fill() {
    let events = game(5, 60);
    let simulator = start(Options {
        repeat: Repeat::Times(3),
        pause: Duration::from_millis(1_200),
        ..options(&[&events])
    });
    let (mut client, _, mut pos) = ConsoleClient::fresh(simulator.local_addr());
    for _ in 0..3 {
        let end = pos.plus(events.len());
        assert_same(&client.events(pos, end), &events);
        assert_eq!(client.next(), Said::KeepAlive);
        pos = end;
    }
    assert!(simulator.wait_until_played(PATIENCE));
    assert_eq!(simulator.write_pos(), pos);
}

/// Up to three games, all together shorter than the ring: no client can be too slow for them.
fn random_games() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let one = (0..400_i32, 4..2_000_u16).prop_map(|(frames, len)| game(frames, len));
    proptest::collection::vec(one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_games_arrive_to_the_byte_in_whole_events_of_one_game(
        games in random_games(),
        cut_at in any::<proptest::sample::Index>(),
    ) {
        let stream = games.concat();
        let last_game = stream.len() - games.last().unwrap().len();
        let games: Vec<&[u8]> = games.iter().map(Vec::as_slice).collect();
        let simulator = start(options(&games));
        let addr = simulator.local_addr();
        let (mut client, token, mut pos) = ConsoleClient::fresh(addr);
        // Cut off in an earlier game, it would have to begin with the current one.
        let cut = Cursor((last_game + cut_at.index(stream.len() - last_game)) as u64);
        let mut scanner = Scanner::new();
        let mut cut_off = false;
        while pos < end_of(&stream) {
            if !cut_off && pos >= cut {
                cut_off = true;
                simulator.drop_client();
                let (again, same_token, same_pos) = ConsoleClient::resume(addr, token, pos);
                prop_assert_eq!((same_token, same_pos), (token, pos));
                client = again;
            }
            let (at, force_pos, data) = client.next_replay();
            prop_assert_eq!((at, force_pos), (pos, false));
            let from = pos.0 as usize;
            assert_same(&data, &stream[from..from + data.len()]);
            pos = pos.plus(data.len());

            let (mut rest, mut codes) = (data.as_slice(), Vec::new());
            while let Some(event) = scanner.take(&mut rest).unwrap() {
                codes.push(event.code());
            }
            prop_assert!(rest.is_empty(), "whole events only");
            prop_assert!(!codes[1..].contains(&EventCode::EVENT_PAYLOADS));
            prop_assert!(!codes[..codes.len() - 1].contains(&EventCode::GAME_END));
        }
        prop_assert!(simulator.wait_until_played(PATIENCE));
    }
}

/// The real recordings, or `None` (said on stderr) where they are not.
fn real_replays() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/replays");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        let required = std::env::var_os("ANDROSS_REQUIRE_REPLAYS").is_some_and(|v| v == "1");
        assert!(!required, "no recordings in {}", folder.display());
        eprintln!("SKIPPED: there are no recordings in {}", folder.display());
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ext| ext == "slp"));
    files.sort();
    assert!(!files.is_empty());
    Some(files)
}

#[test]
fn every_real_recording_arrives_to_the_byte() {
    let Some(files) = real_replays() else { return };
    let mut stream = Vec::new();
    let mut recordings = Vec::new();
    for path in files {
        let slp = std::fs::read(&path).unwrap();
        let len = file::events_len(&slp).unwrap() as usize;
        let recording = Recording::load(&path).unwrap();
        if len == 0 {
            assert!(slp[file::EVENTS_AT..].starts_with(recording.events()));
            assert!(recording.left_out() < 1_000, "at most one event is cut");
        } else {
            let events = &slp[file::EVENTS_AT..][..len];
            eprintln!("{}", path.display());
            assert_same(recording.events(), events);
        }
        stream.extend_from_slice(recording.events());
        recordings.push(recording);
    }
    let simulator =
        start(Options { recordings, fps: 3_000.0, pause: Duration::ZERO, ..Options::default() });
    let (mut client, _, pos) = ConsoleClient::fresh(simulator.local_addr());
    assert_same(&client.events(pos, end_of(&stream)), &stream);
    assert!(simulator.wait_until_played(PATIENCE));
}

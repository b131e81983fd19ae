//! The replay tools, on files that were cut anywhere and on garbage; in the modules on real
//! recordings and through the real binary.

#[path = "replay/command_line.rs"]
mod command_line;
#[path = "replay/recordings.rs"]
mod recordings;
#[path = "replay/synthetic.rs"]
mod synthetic;

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use andross::replay::{Problem, RepairError, Repaired, Survey, SurveyError, plan, repair, survey};
use andross::slp::EventCode;
use andross::slp::file::{EVENTS_AT, LENGTH_AT, METADATA_KEY};
use andross::slp::metadata::{Facts, RecordingNotes};
use proptest::prelude::*;
use synthetic::{TABLE_LEN, complete_file, events, file, peppi, recordings, save};
use tempfile::tempdir;

fn problems(path: &Path) -> Vec<Problem> {
    survey(path).unwrap().problems
}

/// What must hold after every repair.
fn assert_repaired(path: &Path, before: &[u8]) {
    let after = fs::read(path).unwrap();
    let survey = survey(path).unwrap();
    assert!(survey.is_ok(), "{:?}", survey.problems);
    let end = EVENTS_AT + survey.events_len as usize;
    assert_eq!(after[EVENTS_AT..end], before[EVENTS_AT..end], "the events are unchanged");
    if survey.summary.last_frame.is_some() {
        let game = peppi(path);
        assert!(!game.frames.id.values().is_empty());
        let last_frame = game.metadata.as_ref().and_then(|all| all["lastFrame"].as_i64());
        assert_eq!(last_frame, survey.summary.last_frame.map(|frame| frame.0.into()));
    }
    let again = repair(path, &Facts::default()).unwrap();
    assert_eq!(again, Repaired::AlreadyComplete);
    assert_eq!(fs::read(path).unwrap(), after, "a second repair writes nothing");
}

/// Cuts `whole` at `cut`, as a crash does it or as a copy that broke off, and repairs the rest.
fn cut_and_repair(whole: &[u8], table_len: usize, cut: usize, unfinished: bool) {
    let folder = tempdir().unwrap();
    let mut bytes = whole[..cut].to_vec();
    if unfinished && let Some(length) = bytes.get_mut(LENGTH_AT..EVENTS_AT) {
        length.fill(0);
    }
    let path = save(folder.path(), "Game_20240504T201500.slp", &bytes);
    let repaired = repair(&path, &Facts::default());
    if cut < EVENTS_AT + table_len {
        assert!(matches!(repaired, Err(RepairError::NoEvents)), "{repaired:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "it is left as it was");
        return;
    }
    let changed = unfinished || cut < whole.len();
    assert_eq!(repaired.unwrap() != Repaired::AlreadyComplete, changed);
    assert_repaired(&path, &bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_synthetic_game_may_be_cut_anywhere(cut in 0.0..=1.0, frames in 0..6, ended: bool, unfinished: bool) {
        let (whole, _) = complete_file(&events(frames, ended));
        let cut = (whole.len() as f64 * cut) as usize;
        cut_and_repair(&whole, TABLE_LEN, cut, unfinished);
    }

    #[test]
    fn any_bytes_behind_a_header_are_surveyed(announced: u32, bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempdir().unwrap();
        for (name, events) in [("garbage.slp", bytes.clone()), ("tail.slp", [events(1, false), bytes].concat())] {
            let path = save(folder.path(), name, &file(announced, &events, b""));
            let survey = survey(&path).unwrap();
            prop_assert!(!survey.is_ok() || plan(&survey).unwrap() == Repaired::AlreadyComplete);
            prop_assert!(survey.events_end() <= survey.file_len);
            if repair(&path, &Facts::default()).is_ok() {
                let again = repair(&path, &Facts::default()).unwrap();
 prop_assert_eq!(again, Repaired::AlreadyComplete);
            }
        }
    }

    #[test]
    fn a_damaged_file_never_panics(at in 0.0..1.0, byte: u8) {
        let folder = tempdir().unwrap();
        let (mut whole, _) = complete_file(&events(2, true));
        let at = (whole.len() as f64 * at) as usize;
        whole[at] = byte;
        let path = save(folder.path(), "damaged.slp", &whole);
        if survey(&path).is_ok() {
            let _ = repair(&path, &Facts::default());
            let _ = andross::replay::Report::new(&survey(&path).unwrap(), true).to_string();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_real_game_may_be_cut_anywhere(cut in 0.0..=1.0, which in 0..4_usize, unfinished: bool) {
        let Some(recordings) = recordings() else { return Ok(()) };
        let name = ["pal.slp", "unranked_game2.slp", "geckoCodes.slp", "itemExport.slp"][which];
        let path = recordings.iter().find(|path| path.ends_with(name)).unwrap();
        let whole = fs::read(path).unwrap();
        let table_len = 1 + usize::from(whole[EVENTS_AT + 1]);
        cut_and_repair(&whole, table_len, (whole.len() as f64 * cut) as usize, unfinished);
    }
}

#[test]
fn a_crash_between_any_two_steps_of_recorder_or_repair_is_mended() {
    let folder = tempdir().unwrap();
    let events = events(3, true);
    let (whole, metadata) = complete_file(&events);
    let events_end = EVENTS_AT + events.len();
    for cut in events_end..=whole.len() {
        for announced in [0, events.len() as u32, 77, u32::MAX] {
            let mut bytes = whole[..cut].to_vec();
            bytes[LENGTH_AT..EVENTS_AT].copy_from_slice(&announced.to_be_bytes());
            let path = save(folder.path(), "cut.slp", &bytes);
            repair(&path, &Facts::default()).unwrap();
            assert_repaired(&path, &bytes);
            // With the object's own closing brace, the metadata was whole and stays.
            let kept = cut >= whole.len() - 1;
            let after = fs::read(&path).unwrap();
            assert_eq!(after == whole, kept, "cut at {cut}, length {announced}");
            let notes = survey(&path).unwrap().metadata.unwrap().recording;
            assert_eq!(notes.is_some_and(|notes| notes.repaired), !kept);
        }
    }
    assert_eq!(metadata.recording, None);
}

#[test]
fn what_is_known_of_a_recording_goes_into_its_metadata() {
    let folder = tempdir().unwrap();
    let bytes = file(0, &events(2, false), b"\x38\xFF\xFF");
    let path = save(folder.path(), "Game_20240504T201500.slp", &bytes);
    let facts = Facts {
        start_at: Some("2024-05-04T18:15:00Z".into()),
        played_on: Some("nintendont".into()),
        console_nick: Some("Stream Wii".into()),
        notes: RecordingNotes { gaps: 1, lost_bytes: 5000, repaired: false },
    };
    let expected = Repaired::Completed {
        events_len: events(2, false).len() as u32,
        cut: 3,
        kept_metadata: false,
    };
    assert_eq!(plan(&survey(&path).unwrap()).unwrap(), expected);
    assert_eq!(repair(&path, &facts).unwrap(), expected);
    let metadata = survey(&path).unwrap().metadata.unwrap();
    assert_eq!(metadata.start_at, facts.start_at);
    assert_eq!(metadata.played_on, facts.played_on);
    assert_eq!(metadata.console_nick, facts.console_nick);
    assert_eq!(metadata.last_frame, Some(-122));
    assert_eq!(metadata.players[&1].characters, [(22, 2)].into());
    let notes = metadata.recording.unwrap();
    assert_eq!((notes.gaps, notes.lost_bytes, notes.repaired), (1, 5000, true));
}

#[test]
fn an_unknown_start_is_the_time_of_modification_less_the_game() {
    let folder = tempdir().unwrap();
    let path = save(folder.path(), "game.slp", &file(0, &events(120, false), b""));
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    repair(&path, &Facts::default()).unwrap();
    let start: jiff::Timestamp =
        survey(&path).unwrap().metadata.unwrap().start_at.unwrap().parse().unwrap();
    let modified = jiff::Timestamp::try_from(modified).unwrap().as_second();
    assert_eq!(modified - start.as_second(), 2, "120 frames take two seconds");
}

#[test]
fn what_is_left_of_unreadable_metadata_is_used() {
    let folder = tempdir().unwrap();
    let events = events(2, true);
    let (whole, _) = complete_file(&events);
    // slippi-js counts the characters of `Bühne 1`, which has a byte more.
    let nick = whole.windows(3).position(|bytes| bytes == b"S\x55\x08").unwrap();
    let mut bytes = whole;
    bytes[nick + 2] = 7;
    let path = save(folder.path(), "nick.slp", &bytes);
    assert!(matches!(problems(&path)[..], [Problem::Metadata { .. }]));
    repair(&path, &Facts::default()).unwrap();
    assert_repaired(&path, &bytes);
    let metadata = survey(&path).unwrap().metadata.unwrap();
    assert_eq!(metadata.start_at.as_deref(), Some("2024-05-04T20:15:00Z"));
}

#[test]
fn a_wrong_length_is_told_and_set_right() {
    let folder = tempdir().unwrap();
    let events = events(2, true);
    let (whole, metadata) = complete_file(&events);
    for announced in [1, events.len() as u32 - 3, events.len() as u32 + 1, u32::MAX] {
        let bytes = file(announced, &events, &metadata.encode());
        let path = save(folder.path(), "length.slp", &bytes);
        let found = events.len() as u64;
        assert_eq!(problems(&path), [Problem::Length { announced, found }]);
        let repaired = repair(&path, &Facts::default()).unwrap();
        assert!(matches!(repaired, Repaired::Completed { cut: 0, kept_metadata: true, .. }));
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn stray_bytes_and_a_missing_brace_are_told_and_mended() {
    let folder = tempdir().unwrap();
    let (whole, _) = complete_file(&events(2, true));
    let stray = save(folder.path(), "stray.slp", &[&whole[..], b"12345"].concat());
    let at = whole.len() as u64;
    assert_eq!(problems(&stray), [Problem::TrailingBytes { at, len: 5 }]);
    repair(&stray, &Facts::default()).unwrap();
    assert_eq!(fs::read(&stray).unwrap(), whole);

    let open = save(folder.path(), "open.slp", &whole[..whole.len() - 1]);
    assert_eq!(problems(&open), [Problem::NotClosed { at: at - 1 }]);
    repair(&open, &Facts::default()).unwrap();
    assert_eq!(fs::read(&open).unwrap(), whole);
}

#[test]
fn a_complete_file_without_metadata_is_left_alone() {
    let folder = tempdir().unwrap();
    let events = events(2, true);
    let bytes = file(events.len() as u32, &events, b"}");
    let path = save(folder.path(), "anonymous.slp", &bytes);
    let at = bytes.len() as u64 - 1;
    assert_eq!(problems(&path), [Problem::Anonymous { at }]);
    assert!(survey(&path).unwrap().is_ok());
    assert_eq!(repair(&path, &Facts::default()).unwrap(), Repaired::AlreadyComplete);
    assert_eq!(fs::read(&path).unwrap(), bytes);

    let unfinished = save(folder.path(), "closed.slp", &file(0, &events, b"}"));
    let expected = [Problem::Unfinished, Problem::Anonymous { at }];
    assert_eq!(problems(&unfinished), expected);
    repair(&unfinished, &Facts::default()).unwrap();
    assert_eq!(fs::read(&unfinished).unwrap(), bytes);
}

#[test]
fn damage_inside_a_complete_file_is_told_and_nothing_is_thrown_away() {
    let folder = tempdir().unwrap();
    let events = events(2, true);
    let (whole, _) = complete_file(&events);
    let unknown_at = EVENTS_AT + TABLE_LEN + 421;
    let unknown = Problem::UnknownEvent { at: unknown_at as u64, code: EventCode(0x48) };
    // The table's size of Game End: one more, and it reaches into the metadata.
    let size_at = EVENTS_AT + 2 + 3 * 3 + 2;
    let cut = Problem::CutEvent {
        at: (EVENTS_AT + events.len() - 3) as u64,
        code: EventCode::GAME_END,
        have: 3,
    };
    for (at, byte, problem) in [(unknown_at, 0x48, unknown), (size_at, 3, cut)] {
        let mut damaged = whole.clone();
        damaged[at] = byte;
        let path = save(folder.path(), "damaged.slp", &damaged);
        assert!(problems(&path).contains(&problem), "{:?}", problems(&path));
        let error = repair(&path, &Facts::default()).unwrap_err();
        assert!(matches!(error, RepairError::Damaged(found) if found == problem));
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
}

#[test]
fn a_file_that_begins_with_other_events_is_told() {
    let folder = tempdir().unwrap();
    let first = save(folder.path(), "first.slp", &file(0, b"\x36\x01", b""));
    let code = EventCode::GAME_START;
    let at = EVENTS_AT as u64;
    assert!(problems(&first).contains(&Problem::FirstEvent { at, code }));
    assert!(matches!(repair(&first, &Facts::default()), Err(RepairError::NoEvents)));

    let mut events = events(1, true);
    events.drain(TABLE_LEN..TABLE_LEN + 421);
    let second = save(folder.path(), "second.slp", &complete_file(&events).0);
    let (at, code) = (at + TABLE_LEN as u64, EventCode::FRAME_START);
    assert_eq!(problems(&second), [Problem::SecondEvent { at, code }]);

    let mut whole = complete_file(&synthetic::events(1, true)).0;
    let last_frame =
        METADATA_KEY.len() + b"{U\x07startAtSU\x142024-05-04T20:15:00ZU\x09lastFramel".len();
    let at = EVENTS_AT + synthetic::events(1, true).len() + last_frame;
    whole[at..at + 4].copy_from_slice(&5_i32.to_be_bytes());
    let frame = save(folder.path(), "frame.slp", &whole);
    let (metadata, events) = (5, -123);
    assert_eq!(problems(&frame), [Problem::LastFrame { metadata, events }]);
}

#[test]
fn garbage_is_named_and_left_alone() {
    let folder = tempdir().unwrap();
    let zip = save(folder.path(), "zip.slp", b"PK\x03\x04 some zip file, renamed");
    assert!(matches!(survey(&zip), Err(SurveyError::NotSlp(_))));
    assert!(matches!(survey(folder.path()), Err(SurveyError::NotAFile)));
    let missing = folder.path().join("missing.slp");
    assert!(matches!(survey(&missing), Err(SurveyError::Io(_))));

    for (name, bytes) in [
        ("empty.slp", &b""[..]),
        ("header.slp", b"{U\x03raw[$U#l\0\0\0\0"),
        ("start.slp", b"{U\x03raw"),
    ] {
        let path = save(folder.path(), name, bytes);
        let at = EVENTS_AT as u64;
        let expected = [Problem::Unfinished, Problem::NoEvents { at }, Problem::NoMetadata { at }];
        assert_eq!(problems(&path), expected, "{name}");
        assert!(matches!(repair(&path, &Facts::default()), Err(RepairError::NoEvents)));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn hostile_lengths_are_only_numbers() {
    let folder = tempdir().unwrap();
    let path = save(folder.path(), "4gib.slp", &file(u32::MAX, &events(2, true), b""));
    repair(&path, &Facts::default()).unwrap();
    assert!(survey(&path).unwrap().is_ok());

    // Game Start announces 65,535 bytes and never gets them.
    let huge = [0x35, 4, 0x36, 0xFF, 0xFF, 0x36, 1, 2, 3];
    let path = save(folder.path(), "huge.slp", &file(0, &huge, b""));
    let at = EVENTS_AT as u64 + 5;
    let cut = Problem::CutEvent { at, code: EventCode::GAME_START, have: 4 };
    assert!(problems(&path).contains(&cut));
    repair(&path, &Facts::default()).unwrap();
    assert!(survey(&path).unwrap().is_ok());
}

/// More than 4 GiB of events, without a disk that holds them.
struct Endless {
    start: Vec<u8>,
    len: u64,
    at: u64,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = out.len().min((self.len - self.at) as usize);
        out[..len].fill(0);
        let start = self.start.get(self.at as usize..).unwrap_or_default();
        let known = start.len().min(len);
        out[..known].copy_from_slice(&start[..known]);
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(0) => self.len,
            other => panic!("{other:?}"),
        };
        Ok(self.at)
    }
}

#[test]
fn more_events_than_a_file_can_state_are_surveyed_and_not_repaired() {
    // Events of code 0 and 65,535 bytes, so that zeros are events.
    let start = file(0, &[0x35, 4, 0, 0xFF, 0xFF], b"");
    let events = 65_537_u64;
    let len = start.len() as u64 + (events << 16);
    let mut endless = Endless { start, len, at: 0 };
    let survey = Survey::read(&mut endless).unwrap();
    assert_eq!(survey.event_counts[&EventCode(0)], events);
    assert_eq!(survey.events_end(), len);
    assert!(matches!(plan(&survey), Err(RepairError::TooLong(_))));
}

#[test]
fn a_locked_file_is_in_use() {
    let folder = tempdir().unwrap();
    let bytes = file(0, &events(2, false), b"");
    let path = save(folder.path(), "live.slp", &bytes);
    let recorder = fs::File::options().append(true).open(&path).unwrap();
    recorder.lock().unwrap();
    assert!(matches!(repair(&path, &Facts::default()), Err(RepairError::InUse)));
    recorder.unlock().unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    repair(&path, &Facts::default()).unwrap();
}

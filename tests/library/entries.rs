//! What an entry says of a game is what peppi, slippi-js and the games' makers say.

use std::fs;
use std::path::Path;

use andross::library::{Entry, EntryState, read};
use andross::replay::survey;
use andross::slp::Metadata;

use super::short_game::file_of;
use super::{Shelf, fixture};
use crate::common::{fixtures, shared_replays};

/// Every game that there is, as one entry each. The real ones are copied: nothing is written beside
/// them.
fn all() -> Vec<(std::path::PathBuf, Entry)> {
    let shelf = Shelf::empty();
    let entry = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        shelf.put(name, &fs::read(&path).unwrap());
        let entry = read(shelf.folder.path(), name, false);
        (path, entry)
    };
    fixtures().into_iter().chain(shared_replays()).map(entry).collect()
}

#[test]
fn a_quick_look_says_what_a_survey_says() {
    let mut whole = 0;
    for (path, entry) in all() {
        let survey = survey(&path).unwrap();
        let name = path.display();
        assert_eq!(entry.frames, survey.summary.frames(), "{name}");
        assert_eq!(entry.end.as_ref().map(|end| end.id as u8), survey.summary.end_method, "{name}");
        let start = survey.summary.start.unwrap();
        assert_eq!(entry.recorder.as_deref(), Some(&*start.version.to_string()), "{name}");
        assert_eq!(entry.players.len(), start.players.len(), "{name}");
        let is_whole = !path.ends_with("incomplete.slp") && !path.ends_with("unfinished.slp");
        let expected = if is_whole { EntryState::Complete } else { EntryState::Unfinished };
        assert_eq!(entry.state, expected, "{name}");
        whole += usize::from(is_whole);
    }
    assert!(whole >= 7, "{whole}");
}

#[test]
fn entries_agree_with_peppi() {
    let mut compared = 0;
    for (path, entry) in all() {
        // peppi 2.1 refuses the way in which a game of Break the Targets ends.
        if entry.state != EntryState::Complete || path.ends_with("BTTDK.slp") {
            continue;
        }
        let game = peppi(&path);
        let name = path.display();
        assert_eq!(entry.stage.as_ref().unwrap().id, game.start.stage, "{name}");
        assert_eq!(entry.is_teams, game.start.is_teams, "{name}");
        for (told, player) in entry.players.iter().zip(&game.start.players) {
            assert_eq!(told.port, player.port as u8 + 1, "{name}");
            assert_eq!(told.character.id, u16::from(player.character), "{name}");
            assert_eq!(told.costume, player.costume, "{name}");
            let team = player.team.as_ref().map(|team| u16::from(team.color));
            assert_eq!(told.team.as_ref().map(|team| team.id), team, "{name}");
            let code = player.netplay.as_ref().map(|names| names.code.0.clone());
            let code = code.filter(|code| !code.is_empty()).map(|code| code.replace('＃', "#"));
            assert_eq!(told.connect_code, code, "{name}");
        }
        let ids = game.frames.id.values();
        assert_eq!(i64::from(entry.frames), i64::from(ids[ids.len() - 1]) + 124, "{name}");
        let end = game.end.as_ref();
        let places = end.and_then(|end| end.players.as_ref()).into_iter().flatten();
        for place in places {
            let told = entry.players.iter().find(|player| player.port == place.port as u8 + 1);
            assert_eq!(told.unwrap().placement, Some(place.placement + 1), "{name}");
        }
        // Stocks of the last frame that peppi has of a port; who left the stream is out.
        for (told, port) in entry.players.iter().zip(&game.frames.ports) {
            let post = &port.leader.post;
            let last = (0..ids.len()).rev().find(|&at| {
                port.leader.validity.as_ref().is_none_or(|validity| validity.get_bit(at))
            });
            let stocks = last.map(|at| post.stocks.values()[at]);
            assert_eq!(told.stocks, stocks, "{name}: {told:?}");
        }
        compared += 1;
    }
    assert!(compared >= 7, "{compared}");
}

fn peppi(path: &Path) -> peppi::game::immutable::Game {
    let file = fs::File::open(path).unwrap();
    peppi::io::slippi::read(std::io::BufReader::new(file), None).unwrap()
}

#[test]
fn winners_are_those_that_are_known() {
    // As slippi-js 9.1.2 says (`getWinners`). It knows no winner where the recorder told no places:
    // there it is who has stocks left, which fixtures/README.md and the recordings' last frames say.
    let slippi_js: &[(&str, &[u8])] = &[
        ("unfinished.slp", &[]),
        ("v3.18.0-four-players.slp", &[4]),
        ("v3.18.0-no-game-end.slp", &[]),
        ("v3.18.0-rollback-names.slp", &[2]),
        ("v3.7.0-ice-climbers.slp", &[2]),
        ("BTTDK.slp", &[]),
        ("controllerFixes.slp", &[]),
        ("geckoCodes.slp", &[]),
        ("incomplete.slp", &[]),
        ("itemExport.slp", &[1]),
        ("libmelee_test_game_1.slp", &[]),
        ("libmelee_test_game_2.slp", &[3]),
        ("nametags2.slp", &[]),
        ("pal.slp", &[]),
        ("placementsTest_ffa_1p2p3p_winner_3p.slp", &[3]),
        ("realtimeTest.slp", &[3]),
        ("unranked_game1.slp", &[2]),
        ("unranked_game2.slp", &[2]),
    ];
    let by_stocks: &[(&str, &[u8])] = &[
        ("v0.1.0-plain.slp", &[3]),
        ("v2.0.1-console.slp", &[2]),
        ("v3.7.0-items.slp", &[2]),
        ("rollbackFrameTest.slp", &[1]),
        ("sheik_vs_ics_yoshis.slp", &[1]),
        ("test.slp", &[1]),
    ];
    for (path, entry) in &all() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut known = slippi_js.iter().chain(by_stocks);
        let (_, expected) = known.find(|(known, _)| *known == name).unwrap();
        assert_eq!(entry.winners().collect::<Vec<_>>(), *expected, "{name}");
    }
}

#[test]
fn names_times_and_stations_are_told() {
    let shelf = Shelf::empty();
    let entry = |path: &str, name: &str| {
        shelf.put(path, &fixture(name));
        read(shelf.folder.path(), path, false)
    };
    let netplay = entry("online/Game_20200101T000000.slp", "v3.18.0-rollback-names.slp");
    assert!(netplay.players.iter().all(|player| player.display_name.is_some()));
    let codes: Vec<_> = netplay.players.iter().filter_map(|one| one.connect_code.clone()).collect();
    assert!(codes.len() == 2 && codes.iter().all(|code| code.contains('#')), "{codes:?}");
    assert_eq!(netplay.stage.unwrap().name, "Fountain of Dreams");

    let console = entry("Game_0009BF123456_20200101T000000.slp", "v2.0.1-console.slp");
    assert_eq!(console.console_nick.as_deref(), Some("Bühne 1"));
    assert_eq!(console.station.as_deref(), Some("Bühne 1"), "a MAC address is no station");
    assert_eq!(console.players[0].name, "マルス");
    // A console's has 31 bytes. What somebody else writes there is not repeated in every list.
    let whole = fixture("v2.0.1-console.slp");
    let events_end = 15 + u32::from_be_bytes(whole[11..15].try_into().unwrap()) as usize;
    let nick = format!("x{}", "ü".repeat(5000));
    let metadata = Metadata { console_nick: Some(nick.clone()), ..Metadata::default() }.encode();
    shelf.put("long.slp", &[&whole[..events_end], &metadata].concat());
    let long = read(shelf.folder.path(), "long.slp", false);
    assert_eq!(long.console_nick.as_deref(), Some(&nick[..127]));
    assert_eq!(long.station, long.console_nick);
    let andross = entry("x/Game_Stream_20200101T000000.slp", "v2.0.1-console.slp");
    assert_eq!(andross.station.as_deref(), Some("Stream"));
    let folder = entry("Side/a.slp", "unfinished.slp");
    assert_eq!(folder.station.as_deref(), Some("Side"));
    assert_eq!(entry("a.slp", "unfinished.slp").station, None);

    // A metadata time with a zone; and none at all, for which the name's is taken.
    let setup = entry("c.slp", "v3.7.0-items.slp");
    let said = survey(&shelf.folder.path().join("c.slp")).unwrap().metadata.unwrap().start_at;
    let said: jiff::Timestamp = said.unwrap().parse().unwrap();
    assert_eq!(setup.started_at, said.as_millisecond());
    let cut = entry("Game_20240504T201500.slp", "unfinished.slp");
    let local: jiff::civil::DateTime = "2024-05-04T20:15:00".parse().unwrap();
    let local = local.to_zoned(jiff::tz::TimeZone::system()).unwrap();
    assert_eq!(cut.started_at, local.timestamp().as_millisecond());
    let unnamed = entry("b.slp", "unfinished.slp");
    let end = unnamed.started_at + (unnamed.seconds * 1000.0) as i64;
    assert!((end - unnamed.modified).abs() < 2000, "{unnamed:?}");
}

#[test]
fn the_state_of_a_file_is_told() {
    use andross::slp::metadata::RecordingNotes;
    let whole = fixture("v3.7.0-items.slp");
    let shelf = Shelf::empty();
    let state = |bytes: &[u8], is_open: bool| {
        shelf.put("a.slp", bytes);
        let entry = read(shelf.folder.path(), "a.slp", is_open);
        (entry.state, entry.error)
    };
    assert_eq!(state(&whole, false), (EntryState::Complete, None));
    let events_end = 15 + u32::from_be_bytes(whole[11..15].try_into().unwrap()) as usize;
    let noted = |gaps, repaired| {
        let recording = Some(RecordingNotes { gaps, lost_bytes: 9, repaired });
        let metadata = Metadata { recording, ..Metadata::default() }.encode();
        [&whole[..events_end], &metadata].concat()
    };
    assert_eq!(state(&noted(0, true), false), (EntryState::Repaired, None));
    assert_eq!(state(&noted(2, true), false), (EntryState::Gap, None));
    assert_eq!(state(&noted(1, false), false), (EntryState::Gap, None));

    let mut growing = whole[..events_end - 1000].to_vec();
    growing[11..15].fill(0);
    assert_eq!(state(&growing, true), (EntryState::Recording, None));
    let (unfinished, why) = state(&growing, false);
    assert_eq!(unfinished, EntryState::Unfinished);
    assert!(why.is_some_and(|why| why.contains("cut") || why.contains("no metadata")));
    let (damaged, why) = state(&whole[..whole.len() - 1], false);
    assert_eq!(damaged, EntryState::Damaged);
    assert!(why.unwrap().contains("closing brace"));
    // Bytes in the middle are not looked at; the end is.
    let mut hole = whole.clone();
    hole[events_end - 20_000..events_end - 10].fill(0xEE);
    assert_eq!(state(&hole, false).0, EntryState::Damaged);
    for garbage in [&b"PK\x03\x04 some zip file"[..], b"{}"] {
        let (state, why) = state(garbage, false);
        assert_eq!(state, EntryState::Unreadable);
        assert!(why.unwrap().contains("not a .slp file"));
    }
    assert_eq!(state(b"", false).0, EntryState::Unfinished);
}

#[test]
fn hostile_files_cost_no_more_than_their_bytes() {
    let shelf = Shelf::empty();
    let whole = fixture("v3.18.0-rollback-names.slp");
    // Lengths of everything, cuts everywhere, and every byte of the start turned.
    for at in (0..2000).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xFF;
        shelf.put("a.slp", &bytes);
        let _ = read(shelf.folder.path(), "a.slp", at % 2 == 0);
    }
    for cut in (0..whole.len()).step_by(whole.len() / 50) {
        shelf.put("a.slp", &whole[..cut]);
        let _ = read(shelf.folder.path(), "a.slp", false);
    }
    // A tail of one-byte events that could each be the first of many.
    let mut events = vec![0x35, 10, 0x36, 1, 0x40, 0x37, 0, 0, 0x39, 0, 1];
    events.push(0x36);
    events.extend([0; 0x140]);
    events.extend(vec![0x37; 3_000_000]);
    events.push(0x39);
    shelf.put("b.slp", &file_of(&events));
    let entry = read(shelf.folder.path(), "b.slp", false);
    assert_ne!(entry.state, EntryState::Complete, "{entry:?}");
    #[cfg(unix)]
    {
        let fifo = shelf.folder.path().join("fifo.slp");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        if made.is_ok_and(|status| status.success()) {
            assert_eq!(read(shelf.folder.path(), "fifo.slp", false).state, EntryState::Unreadable);
        }
    }
}

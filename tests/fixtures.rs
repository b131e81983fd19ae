//! The files of `fixtures/` are what the generator makes, and what their table says.

#[path = "../examples/generate_fixtures/generator/mod.rs"]
mod generator;
#[path = "fixtures/plausible.rs"]
mod plausible;

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::PathBuf;
use std::{fs, iter};

use andross::slp::file::{EVENTS_AT, METADATA_KEY, events_len};
use andross::slp::ubjson::{Reader, Value};
use andross::slp::{Event, EventCode, FrameIndex, Scanner, Summary};

const UNFINISHED: &str = "unfinished.slp";
const ROLLBACKS: &str = "v3.18.0-rollback-names.slp";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("fixtures/{name}: {error}"))
}

/// The names of the files that hold a whole recording.
fn complete() -> Vec<&'static str> {
    let names = generator::all().into_iter().map(|fixture| fixture.name);
    names.filter(|name| *name != UNFINISHED).collect()
}

/// A whole file in its parts.
struct Recording {
    name: &'static str,
    bytes: Vec<u8>,
    events_end: usize,
}

impl Recording {
    fn open(name: &'static str) -> Self {
        let bytes = read(name);
        let len = events_len(&bytes).unwrap() as usize;
        assert_ne!(len, 0, "{name} has its length");
        Self { name, bytes, events_end: EVENTS_AT + len }
    }

    fn events(&self) -> Vec<Event<'_>> {
        let (events, rest) = scan(&self.bytes[EVENTS_AT..self.events_end]);
        assert_eq!(rest, 0, "{} ends with a whole event", self.name);
        events
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::new();
        for event in self.events() {
            summary.observe(event);
        }
        summary
    }

    fn metadata(&self) -> Value<'_> {
        let object = self.bytes[self.events_end..].strip_prefix(&METADATA_KEY);
        let mut reader = Reader::new(object.unwrap());
        let metadata = reader.value().unwrap();
        assert_eq!(&object.unwrap()[reader.position()..], b"}");
        metadata
    }

    fn count(&self, code: EventCode) -> usize {
        let events = self.events();
        events.iter().filter(|event| event.code() == code).count()
    }
}

/// All whole events, and how many bytes are left behind them.
fn scan(bytes: &[u8]) -> (Vec<Event<'_>>, usize) {
    let mut scanner = Scanner::new();
    let mut rest = bytes;
    let events = iter::from_fn(|| {
        let event = scanner.take(&mut rest).unwrap()?;
        Some(event)
    })
    .collect();
    (events, rest.len())
}

#[test]
fn the_generator_writes_the_committed_files() {
    let made = generator::all();
    for fixture in &made {
        let is_same = read(fixture.name) == fixture.bytes;
        assert!(is_same, "run `cargo run --example generate_fixtures` for {}", fixture.name);
    }
    let made: BTreeSet<_> = made.iter().map(|fixture| fixture.name.to_owned()).collect();
    let committed: BTreeSet<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".slp"))
        .collect();
    assert_eq!(committed, made);
}

#[test]
fn the_table_names_every_file() {
    let table = fs::read_to_string(folder().join("README.md")).unwrap();
    let files = [folder(), folder().join("wire")];
    for entry in files.iter().flat_map(|path| fs::read_dir(path).unwrap()) {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_data = name.ends_with(".slp") || name.ends_with(".bin");
        assert!(!is_data || table.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn peppi_reads_every_complete_file_and_agrees() {
    use peppi::game::Game as _;

    for recording in complete().into_iter().map(Recording::open) {
        let name = recording.name;
        let ours = recording.summary();
        let start = ours.start.as_ref().unwrap();
        let theirs = peppi::io::slippi::read(Cursor::new(&recording.bytes), None).unwrap();
        let version = theirs.start.slippi.version;
        assert_eq!(start.version.to_string(), version.to_string(), "{name}");
        assert!(name.starts_with(&format!("v{version}-")), "{name}");
        assert_eq!(start.stage, theirs.start.stage, "{name}");
        let ports = start.players.iter().map(|p| (p.index, p.character, p.stocks));
        let peppis = theirs.start.players.iter();
        let peppis = peppis.map(|p| (p.port as u8, p.character, p.stocks));
        assert!(ports.eq(peppis), "{name}");
        let last = theirs.frame(theirs.len() - 1);
        assert_eq!(ours.last_frame, Some(FrameIndex(last.id)), "{name}");
        let end = theirs.end.as_ref().map(|end| end.method as u8);
        assert_eq!(ours.end_method, end, "{name}");
        for (mine, peppis) in start.players.iter().zip(&theirs.start.players) {
            let tag = peppis.name_tag.as_ref().map(|tag| tag.to_normalized());
            assert_eq!(mine.name_tag, tag.unwrap_or_default(), "{name}");
            let online = peppis.netplay.as_ref();
            assert_eq!(mine.display_name, online.map(|o| o.name.to_normalized()), "{name}");
            assert_eq!(mine.connect_code, online.map(|o| o.code.to_normalized()), "{name}");
        }
    }
}

#[test]
fn each_file_proves_what_its_name_says() {
    let open = Recording::open;
    assert_eq!(open("v0.1.0-plain.slp").count(EventCode::FRAME_BOOKEND), 0);
    assert_eq!(open("v0.1.0-plain.slp").count(EventCode::MESSAGE_SPLITTER), 0);
    assert!(open("v3.7.0-items.slp").count(EventCode::ITEM_UPDATE) > 300);
    assert!(open("v3.7.0-items.slp").count(EventCode::MESSAGE_SPLITTER) > 3);
    assert!(open(ROLLBACKS).count(EventCode::FOD_PLATFORM) > 100);
    assert_eq!(open("v3.18.0-no-game-end.slp").count(EventCode::WHISPY), 2);
    assert_eq!(open("v3.18.0-four-players.slp").count(EventCode::STADIUM_TRANSFORMATION), 2);

    let climbers = open("v3.7.0-ice-climbers.slp");
    let events = climbers.events();
    let mut followers = events.iter().filter(|event| event.code() == EventCode::POST_FRAME);
    assert!(followers.any(|event| event.u8(6) == Some(1) && event.u8(7) == Some(11)), "Nana");

    let players = open("v3.18.0-four-players.slp").summary().start.unwrap().players;
    let kinds: Vec<u8> = players.iter().map(|player| player.kind).collect();
    assert_eq!(kinds, [0, 0, 0, 1]);
}

#[test]
fn a_gecko_list_may_be_longer_than_its_announced_size() {
    for recording in complete().into_iter().map(Recording::open) {
        let events = recording.events();
        let parts: Vec<_> =
            events.iter().filter(|event| event.code() == EventCode::MESSAGE_SPLITTER).collect();
        let Some((last, others)) = parts.split_last() else {
            continue;
        };
        assert!(
            others.iter().all(|part| part.u16(0x201) == Some(512) && part.u8(0x204) == Some(0))
        );
        assert_eq!(last.u8(0x204), Some(1));
        let len = 512 * others.len() + usize::from(last.u16(0x201).unwrap());
        let table = events[0].bytes()[2..].chunks_exact(3);
        let announced = table.clone().find(|entry| entry[0] == EventCode::GECKO_LIST.0).unwrap();
        let announced = usize::from(u16::from_be_bytes([announced[1], announced[2]]));
        let overflows = recording.name == "v3.18.0-no-game-end.slp";
        assert_eq!(len, announced + if overflows { 0x1_0000 } else { 0 }, "{}", recording.name);
    }
}

#[test]
fn names_are_what_their_bytes_say() {
    let rollbacks = Recording::open(ROLLBACKS);
    let players = rollbacks.summary().start.unwrap().players;
    assert_eq!(players[0].name(), "フォックス");
    assert_eq!(players[1].connect_code.as_deref(), Some("MARU#123"));
    let code = b"MARU\x81\x94123\0";
    assert!(rollbacks.bytes.windows(code.len()).any(|bytes| bytes == code), "a full-width #");
    let metadata = rollbacks.metadata();
    let names = metadata.get("players").unwrap().get("1").unwrap().get("names").unwrap();
    assert_eq!(names.get("netplay").unwrap().as_text().as_deref(), Some("マルス・Lowell"));

    let console = Recording::open("v2.0.1-console.slp");
    let players = console.summary().start.unwrap().players;
    assert_eq!([&players[0].name_tag[..], &players[1].name_tag[..]], ["マルス", "K7!"]);
    let nick = "SU\x08Bühne 1".as_bytes();
    assert!(console.bytes.windows(nick.len()).any(|bytes| bytes == nick), "8 bytes, 7 letters");
}

#[test]
fn the_unfinished_file_breaks_off_inside_an_event() {
    let bytes = read(UNFINISHED);
    assert_eq!(events_len(&bytes), Ok(0));
    let (events, rest) = scan(&bytes[EVENTS_AT..]);
    assert_eq!(events.last().unwrap().code(), EventCode::POST_FRAME);
    assert_eq!((rest, bytes[bytes.len() - rest]), (37, EventCode::POST_FRAME.0));
    let whole = read("v3.7.0-items.slp");
    assert_eq!(bytes[EVENTS_AT..], whole[EVENTS_AT..bytes.len()], "the same game");
}

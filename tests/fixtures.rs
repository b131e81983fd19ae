//! The files of `fixtures/` are what the generator makes, and what their table says.

#[path = "../examples/generate_fixtures/generator/mod.rs"]
mod generator;

use std::collections::{BTreeMap, BTreeSet};
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
        Self {
            name,
            bytes,
            events_end: EVENTS_AT + len,
        }
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
        let event = scanner.next(rest).unwrap()?;
        rest = &rest[event.len()..];
        Some(event)
    })
    .collect();
    (events, rest.len())
}

fn float(event: &Event<'_>, offset: usize) -> f32 {
    f32::from_be_bytes(event.array(offset).unwrap())
}

#[test]
fn the_generator_writes_the_committed_files() {
    let made = generator::all();
    for fixture in &made {
        let is_same = read(fixture.name) == fixture.bytes;
        assert!(
            is_same,
            "run `cargo run --example generate_fixtures` for {}",
            fixture.name
        );
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
        let ports = start
            .players
            .iter()
            .map(|p| (p.index, p.character, p.stocks));
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
            assert_eq!(
                mine.display_name,
                online.map(|o| o.name.to_normalized()),
                "{name}"
            );
            assert_eq!(
                mine.connect_code,
                online.map(|o| o.code.to_normalized()),
                "{name}"
            );
        }
    }
}

/// Who a Pre-Frame or Post-Frame is about: port and whether it is the follower.
type Who = (u8, u8);

/// What Pre-Frame and Post-Frame both tell, in bits so that it can be compared exactly.
fn state(event: &Event<'_>) -> (u16, [u32; 3]) {
    let at = if event.code() == EventCode::PRE_FRAME {
        0xB
    } else {
        0x8
    };
    let bits = [2, 6, 10].map(|offset| float(event, at + offset).to_bits());
    (event.u16(at).unwrap(), bits)
}

#[test]
fn every_frame_goes_on_where_the_one_before_it_ended() {
    for recording in complete().into_iter().map(Recording::open) {
        let name = recording.name;
        let events = recording.events();
        let mut frames: BTreeMap<i32, BTreeMap<Who, Event<'_>>> = BTreeMap::new();
        let mut finalized = FrameIndex::FIRST.0 - 1;
        let mut sent_again = 0;
        for event in &events {
            let Some(FrameIndex(frame)) = event.frame() else {
                continue;
            };
            let newest = frames.keys().next_back().copied();
            let expected = newest.map_or(FrameIndex::FIRST.0, |newest| newest + 1);
            let who = (event.u8(5).unwrap(), event.u8(6).unwrap());
            match event.code() {
                EventCode::FRAME_START if frame != expected => {
                    assert!(
                        frame < expected && frame > finalized,
                        "{name}: frame {frame}"
                    );
                    frames.split_off(&frame);
                    sent_again += 1;
                }
                EventCode::PRE_FRAME => {
                    assert!(
                        frame == expected || Some(frame) == newest,
                        "{name}: {frame}"
                    );
                    let before = frames.get(&(frame - 1)).and_then(|all| all.get(&who));
                    if let Some(before) = before {
                        assert_eq!(state(event), state(before), "{name}: {frame} {who:?}");
                    }
                }
                EventCode::POST_FRAME => {
                    frames.entry(frame).or_default().insert(who, *event);
                }
                EventCode::FRAME_BOOKEND => {
                    assert_eq!(newest, Some(frame), "{name}");
                    let latest = event.i32(5).unwrap();
                    assert!((finalized..=frame).contains(&latest), "{name}: {frame}");
                    assert!(latest == frame || name == ROLLBACKS, "{name}: {frame}");
                    finalized = latest;
                }
                _ => {}
            }
        }
        assert_eq!(sent_again > 50, name == ROLLBACKS, "{name}: {sent_again}");
        let last = recording.summary().last_frame.unwrap().0;
        assert!(
            frames.keys().copied().eq(FrameIndex::FIRST.0..=last),
            "{name}"
        );
        for pair in frames.values().zip(frames.values().skip(1)) {
            check_step(name, pair.0, pair.1);
        }
        check_end(&recording, frames.values().next_back().unwrap());
    }
}

/// What may happen to a character from one frame to the next.
fn check_step(name: &str, before: &BTreeMap<Who, Event<'_>>, after: &BTreeMap<Who, Event<'_>>) {
    const DASH: u16 = 0x14;
    const REBIRTH: u16 = 0x0C;
    for (who, now) in after {
        let frame = now.frame().unwrap();
        let Some(then) = before.get(who) else {
            assert_eq!(
                (state(now).0, who.1),
                (REBIRTH, 1),
                "{name}: {frame} only Nana is back"
            );
            continue;
        };
        let percent = float(now, 0x16);
        let came_in = state(now).0 == REBIRTH && state(then).0 < REBIRTH;
        assert!(
            now.u8(0x21) <= then.u8(0x21),
            "{name}: {frame} a stock more"
        );
        assert!(percent >= 0.0 && percent < 200.0, "{name}: {frame}");
        assert!(
            percent >= float(then, 0x16) || state(now).0 == REBIRTH,
            "{name}: {frame}"
        );
        assert!(
            (0.0..=60.0).contains(&float(now, 0x1A)),
            "{name}: {frame} shield"
        );
        assert_eq!(float(now, 0x12).abs(), 1.0, "{name}: {frame} facing");
        let (dx, dy) = (
            float(now, 0xA) - float(then, 0xA),
            float(now, 0xE) - float(then, 0xE),
        );
        let is_near = dx.abs() < 12.0 && dy.abs() < 12.0;
        assert!(
            is_near || state(now).0 == REBIRTH || came_in,
            "{name}: {frame} {dx} {dy}"
        );
        if state(now).0 == DASH {
            assert!(
                dx * float(now, 0x12) > 0.0 || dx == 0.0,
                "{name}: {frame} dashes back"
            );
        }
    }
}

/// Whether stocks, method and placements tell the same winner.
fn check_end(recording: &Recording, last: &BTreeMap<Who, Event<'_>>) {
    let name = recording.name;
    let events = recording.events();
    let Some(end) = events
        .last()
        .filter(|event| event.code() == EventCode::GAME_END)
    else {
        assert_eq!(name, "v3.18.0-no-game-end.slp");
        return;
    };
    let standing: Vec<u8> = last
        .iter()
        .filter(|((_, follower), post)| *follower == 0 && post.u8(0x21) > Some(0))
        .map(|((port, _), _)| *port)
        .collect();
    match end.u8(1) {
        Some(2 | 3) => assert_eq!(standing.len(), 1, "{name}"),
        Some(7) => assert!(standing.contains(&end.u8(2).unwrap()), "{name}: who quit"),
        method => panic!("{name}: {method:?}"),
    }
    if let Some(places) = end.array::<4>(3) {
        assert_eq!(places[usize::from(standing[0])], 0, "{name}");
        let players = recording.summary().start.unwrap().players;
        let mut taken: Vec<u8> = places.into_iter().filter(|place| *place != 0xFF).collect();
        taken.sort_unstable();
        assert!((0..players.len() as u8).eq(taken), "{name}");
    }
}

#[test]
fn fighters_stay_between_the_blast_zones_until_they_are_lost() {
    /// Stage id; left, right, top, bottom. A frame may go a little beyond.
    const STAGES: [(u16, [f32; 4]); 6] = [
        (2, [-198.75, 198.75, 202.5, -146.25]),
        (3, [-230.0, 230.0, 180.0, -111.0]),
        (8, [-175.7, 173.6, 168.0, -91.0]),
        (28, [-255.0, 255.0, 250.0, -123.0]),
        (31, [-224.0, 224.0, 200.0, -108.8]),
        (32, [-246.0, 246.0, 188.0, -140.0]),
    ];
    for recording in complete().into_iter().map(Recording::open) {
        let stage = recording.summary().start.unwrap().stage;
        let (_, [left, right, top, bottom]) = STAGES.iter().find(|(id, _)| *id == stage).unwrap();
        for event in recording.events() {
            if event.code() == EventCode::POST_FRAME && state(&event).0 > 0xA {
                let (x, y) = (float(&event, 0xA), float(&event, 0xE));
                let is_inside = (*left..=*right).contains(&x) && (*bottom..=*top).contains(&y);
                assert!(is_inside, "{} {event:?}: {x} {y}", recording.name);
            }
        }
    }
}

#[test]
fn pads_and_actions_fit_together() {
    for recording in complete().into_iter().map(Recording::open) {
        let mut pads = BTreeMap::new();
        let mut before = BTreeMap::new();
        let mut jumps = 0;
        for event in recording.events() {
            let who = (event.u8(5), event.u8(6));
            if event.code() == EventCode::PRE_FRAME {
                let buttons = u32::from_be_bytes(event.array(0x2D).unwrap());
                pads.insert(who, (float(&event, 0x19), buttons));
            }
            if event.code() == EventCode::POST_FRAME {
                let now = state(&event).0;
                let then = before.insert(who, now);
                let (stick, buttons) = pads[&who];
                match now {
                    0x14 if then != Some(now) => {
                        assert!(stick * float(&event, 0x12) >= 0.8, "a dash needs the stick");
                    }
                    0x18 if then != Some(now) => {
                        jumps += 1;
                        assert_ne!(buttons & 0x400, 0, "a jump needs X");
                    }
                    0xB2 if then != Some(now) => assert_ne!(buttons & 0x40, 0, "L"),
                    _ => {}
                }
            }
        }
        assert!(jumps > 5, "{}", recording.name);
    }
}

#[test]
fn each_file_proves_what_its_name_says() {
    let open = Recording::open;
    assert_eq!(open("v0.1.0-plain.slp").count(EventCode::FRAME_BOOKEND), 0);
    assert_eq!(
        open("v0.1.0-plain.slp").count(EventCode::MESSAGE_SPLITTER),
        0
    );
    assert!(open("v3.7.0-items.slp").count(EventCode::ITEM_UPDATE) > 300);
    assert!(open("v3.7.0-items.slp").count(EventCode::MESSAGE_SPLITTER) > 3);
    assert!(open(ROLLBACKS).count(EventCode::FOD_PLATFORM) > 100);
    assert_eq!(open("v3.18.0-no-game-end.slp").count(EventCode::WHISPY), 2);
    assert_eq!(
        open("v3.18.0-four-players.slp").count(EventCode::STADIUM_TRANSFORMATION),
        2
    );

    let climbers = open("v3.7.0-ice-climbers.slp");
    let events = climbers.events();
    let mut followers = events
        .iter()
        .filter(|event| event.code() == EventCode::POST_FRAME);
    assert!(
        followers.any(|event| event.u8(6) == Some(1) && event.u8(7) == Some(11)),
        "Nana"
    );

    let players = open("v3.18.0-four-players.slp")
        .summary()
        .start
        .unwrap()
        .players;
    let kinds: Vec<u8> = players.iter().map(|player| player.kind).collect();
    assert_eq!(kinds, [0, 0, 0, 1]);
}

#[test]
fn a_gecko_list_may_be_longer_than_its_announced_size() {
    for recording in complete().into_iter().map(Recording::open) {
        let events = recording.events();
        let parts: Vec<_> = events
            .iter()
            .filter(|event| event.code() == EventCode::MESSAGE_SPLITTER)
            .collect();
        let Some((last, others)) = parts.split_last() else {
            continue;
        };
        assert!(
            others
                .iter()
                .all(|part| part.u16(0x201) == Some(512) && part.u8(0x204) == Some(0))
        );
        assert_eq!(last.u8(0x204), Some(1));
        let len = 512 * others.len() + usize::from(last.u16(0x201).unwrap());
        let table = events[0].bytes()[2..].chunks_exact(3);
        let announced = table
            .clone()
            .find(|entry| entry[0] == EventCode::GECKO_LIST.0)
            .unwrap();
        let announced = usize::from(u16::from_be_bytes([announced[1], announced[2]]));
        let overflows = recording.name == "v3.18.0-no-game-end.slp";
        assert_eq!(
            len,
            announced + if overflows { 0x1_0000 } else { 0 },
            "{}",
            recording.name
        );
    }
}

#[test]
fn names_are_what_their_bytes_say() {
    let rollbacks = Recording::open(ROLLBACKS);
    let players = rollbacks.summary().start.unwrap().players;
    assert_eq!(players[0].name(), "フォックス");
    assert_eq!(players[1].connect_code.as_deref(), Some("MARU#123"));
    let code = b"MARU\x81\x94123\0";
    assert!(
        rollbacks
            .bytes
            .windows(code.len())
            .any(|bytes| bytes == code),
        "a full-width #"
    );
    let metadata = rollbacks.metadata();
    let names = metadata
        .get("players")
        .unwrap()
        .get("1")
        .unwrap()
        .get("names")
        .unwrap();
    assert_eq!(
        names.get("netplay").unwrap().as_text().as_deref(),
        Some("マルス・Lowell")
    );

    let console = Recording::open("v2.0.1-console.slp");
    let players = console.summary().start.unwrap().players;
    assert_eq!(
        [&players[0].name_tag[..], &players[1].name_tag[..]],
        ["マルス", "K7!"]
    );
    let nick = "SU\x08Bühne 1".as_bytes();
    assert!(
        console.bytes.windows(nick.len()).any(|bytes| bytes == nick),
        "8 bytes, 7 letters"
    );
}

#[test]
fn the_unfinished_file_breaks_off_inside_an_event() {
    let bytes = read(UNFINISHED);
    assert_eq!(events_len(&bytes), Ok(0));
    let (events, rest) = scan(&bytes[EVENTS_AT..]);
    assert_eq!(events.last().unwrap().code(), EventCode::POST_FRAME);
    assert_eq!(
        (rest, bytes[bytes.len() - rest]),
        (37, EventCode::POST_FRAME.0)
    );
    let whole = read("v3.7.0-items.slp");
    assert_eq!(
        bytes[EVENTS_AT..],
        whole[EVENTS_AT..bytes.len()],
        "the same game"
    );
}

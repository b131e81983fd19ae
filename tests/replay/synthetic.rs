//! Small games made of plausible events, and what else several tests need.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use andross::slp::Metadata;
use andross::slp::file::{EVENTS_AT, HEADER, LENGTH_AT};

/// Bytes of the Event Payloads event of every synthetic game.
pub const TABLE_LEN: usize = 2 + 6 * 3;

/// The events of a game of recorder 3.7.0: Fox and Falco on Battlefield stand still for `frames`
/// frames. With Game End if `ended`.
pub fn events(frames: i32, ended: bool) -> Vec<u8> {
    let mut out = vec![0x35, (TABLE_LEN - 1) as u8];
    for (code, size) in [(0x36, 420_u16), (0x37, 63), (0x38, 72), (0x39, 2), (0x3A, 8), (0x3C, 8)] {
        out.push(code);
        out.extend(size.to_be_bytes());
    }

    let mut start = event(0x36, 420);
    start[1..4].copy_from_slice(&[3, 7, 0]);
    start[0x5 + 0xF] = 31;
    for (port, character) in [2, 20, 0, 0].into_iter().enumerate() {
        let player = &mut start[0x5 + 0x60 + 0x24 * port..];
        let kind = if port < 2 { 0 } else { 3 };
        player[..4].copy_from_slice(&[character, kind, 4, 1]);
    }
    out.extend(start);

    for frame in -123..-123 + frames {
        out.extend(of_frame(event(0x3A, 8), frame));
        for (code, size) in [(0x37, 63), (0x38, 72)] {
            for (port, internal) in [(0, 1), (1, 22)] {
                let mut update = of_frame(event(code, size), frame);
                update[5] = port;
                if code == 0x38 {
                    update[7] = internal;
                    update[0x21] = 4;
                }
                out.extend(update);
            }
        }
        let mut bookend = of_frame(event(0x3C, 8), frame);
        bookend[5..].copy_from_slice(&frame.to_be_bytes());
        out.extend(bookend);
    }
    if ended {
        out.extend([0x39, 2, 0xFF]);
    }
    out
}

fn event(code: u8, size: usize) -> Vec<u8> {
    let mut event = vec![0; 1 + size];
    event[0] = code;
    event
}

fn of_frame(mut event: Vec<u8>, frame: i32) -> Vec<u8> {
    event[1..5].copy_from_slice(&frame.to_be_bytes());
    event
}

/// A file around `events` that says they have `announced` bytes, with `behind` behind them.
pub fn file(announced: u32, events: &[u8], behind: &[u8]) -> Vec<u8> {
    let mut file = [&HEADER, events, behind].concat();
    file[LENGTH_AT..EVENTS_AT].copy_from_slice(&announced.to_be_bytes());
    file
}

/// A complete file around `events`, and its metadata.
pub fn complete_file(events: &[u8]) -> (Vec<u8>, Metadata) {
    let mut summary = andross::slp::Summary::new();
    let mut scanner = andross::slp::Scanner::new();
    let mut rest = events;
    while let Some(event) = scanner.take(&mut rest).unwrap() {
        summary.observe(event);
    }
    let metadata = Metadata {
        start_at: Some("2024-05-04T20:15:00Z".into()),
        played_on: Some("nintendont".into()),
        console_nick: Some("Bühne 1".into()),
        ..summary.metadata()
    };
    let file = file(events.len() as u32, events, &metadata.encode());
    (file, metadata)
}

/// Writes `bytes` into a file called `name` that was last written to an hour ago.
pub fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(an_hour_ago).unwrap();
    path
}

/// The recordings that nobody here made, or `None`, said aloud, where they are absent. They are
/// shared: to be read only. Whatever writes gets a copy ([`save`]).
pub fn recordings() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/replays");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        let required =
            std::env::var_os("ANDROSS_REQUIRE_REPLAYS").is_some_and(|value| value == "1");
        assert!(!required, "ANDROSS_REQUIRE_REPLAYS=1, and there is no ../shared/replays");
        eprintln!("SKIPPED: there are no recordings in ../shared/replays");
        return None;
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "slp"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "../shared/replays holds no .slp file");
    Some(files)
}

/// Reads a file with peppi, which shares no code with this project.
pub fn peppi(path: &Path) -> peppi::game::immutable::Game {
    let file = std::fs::File::open(path).unwrap();
    peppi::io::slippi::read(std::io::BufReader::new(file), None).unwrap()
}

/// Runs the real binary.
pub fn andross(args: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_andross"))
        .arg("replay")
        .args(args)
        .args(files)
        .output()
        .unwrap()
}

/// What a run wrote, line by line.
pub fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).unwrap().lines().collect()
}

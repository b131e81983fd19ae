//! Every recorded file, read by slippi-js, py-slippi and peppi: each finds in it what it finds in the
//! original, and they agree with each other.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::common::{Venue, slp_files};
use super::original::Original;
use super::{Script, load, node, playable, python};

/// A game twice: as it was, and as the recorder saved it. Both are copies.
struct Pair {
    name: String,
    original: PathBuf,
    recorded: PathBuf,
    /// Not cut off: only then does the original have metadata.
    is_whole: bool,
}

fn record(path: &Path, folder: &Path) -> Pair {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let copy = |from: &Path, to: &str| {
        let to = folder.join(format!("{to}-{name}"));
        std::fs::copy(from, &to).unwrap();
        to
    };
    let game = load(path);
    let venue = Venue::play(vec![game.clone()], 20_000.0);
    venue.wait_for_bytes(game.events().len());
    venue.shutdown.request(andross::shutdown::Reason::Finished);
    venue.relay.run_to_end().unwrap();
    let saved = slp_files(venue.folder.path()).remove(0);
    let is_whole = andross::replay::survey(path).unwrap().is_ok();
    let (original, recorded) = (copy(path, "original"), copy(&saved, "recorded"));
    Pair { name, original, recorded, is_whole }
}

/// What a script makes of each pair: the original, then what was recorded.
fn read_pairs(command: std::process::Command, pairs: &[Pair]) -> Vec<(Value, Value)> {
    let files = pairs.iter().flat_map(|pair| [&pair.original, &pair.recorded]);
    let mut script = Script::start(command, files.map(OsString::from));
    let facts = pairs.iter().map(|_| (script.next(), script.next())).collect();
    script.end();
    facts
}

#[test]
fn recorded_files_say_the_same_as_their_originals() {
    let folder = tempfile::tempdir().unwrap();
    let pairs: Vec<_> = playable().iter().map(|path| record(path, folder.path())).collect();
    let mut known = 0;
    let originals: Vec<_> = pairs.iter().map(|pair| Original::read(&pair.original)).collect();
    for (pair, theirs) in pairs.iter().zip(&originals) {
        known += usize::from(theirs.is_some());
        compare_with_peppi(pair, theirs.as_ref());
    }
    assert!(known > pairs.len() / 2, "peppi reads {known} of {}", pairs.len());
    if let Some(node) = node("read.cjs") {
        let facts = read_pairs(node, &pairs);
        for ((pair, original), (theirs, ours)) in pairs.iter().zip(&originals).zip(&facts) {
            for version in ["6", "7", "8", "9"] {
                let reader = format!("slippi-js {version}");
                compare_with_slippi_js(pair, &reader, &theirs[version], &ours[version]);
                agree(&pair.name, &reader, &ours[version], original.as_ref());
            }
        }
    }
    if let Some(python) = python("py_slippi.py", "slippi") {
        let facts = read_pairs(python, &pairs);
        for ((pair, original), (theirs, ours)) in pairs.iter().zip(&originals).zip(&facts) {
            compare_with_py_slippi(pair, theirs, ours);
            agree(&pair.name, "py-slippi", ours, original.as_ref());
        }
        let read = facts.iter().filter(|(_, ours)| ours["error"].is_null()).count();
        assert!(read > pairs.len() / 2, "py-slippi reads {read} of {}", pairs.len());
    }
}

fn compare_with_peppi(pair: &Pair, theirs: Option<&Original>) {
    let (name, ours) = (&pair.name, Original::read(&pair.recorded));
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => {
            assert_eq!(ours.0.start, theirs.0.start, "{name}: Game Start");
            assert_eq!(ours.0.end, theirs.0.end, "{name}: Game End");
            assert_eq!(ours.states(), theirs.states(), "{name}: frames");
        }
        (None, Some(_)) => panic!("{name}: peppi reads only the original"),
        // What was cut off is whole now; else what it cannot read in one, it cannot in the other.
        (ours, None) => assert!(ours.is_none() || !pair.is_whole, "{name}: peppi"),
    }
}

fn compare_with_slippi_js(pair: &Pair, reader: &str, theirs: &Value, ours: &Value) {
    let name = &pair.name;
    assert_eq!(ours["error"], Value::Null, "{name}, {reader}");
    for fact in ["stage", "players", "frames", "last", "names", "end"] {
        assert_eq!(ours[fact], theirs[fact], "{name}, {reader}: {fact}");
    }
    assert_eq!(ours["metadata"]["playedOn"], "nintendont", "{name}, {reader}");
    assert_eq!(ours["metadata"]["consoleNick"], "andross", "{name}, {reader}");
    // Early recorders wrote less metadata; what they wrote must agree.
    for fact in ["lastFrame", "characters"] {
        let (ours, theirs) = (&ours["metadata"][fact], &theirs["metadata"][fact]);
        if !theirs.is_null() && *theirs != json!({}) {
            assert_eq!(ours, theirs, "{name}, {reader}: {fact} in the metadata");
        }
    }
}

/// py-slippi is older than some of the recordings: where it cannot read one, it fails at the same
/// byte of both.
fn compare_with_py_slippi(pair: &Pair, theirs: &Value, ours: &Value) {
    if pair.is_whole {
        let said = |facts: &Value| facts.to_string().replace("original-", "recorded-");
        assert_eq!(said(ours), said(theirs), "{}, py-slippi", pair.name);
    }
}

/// Whether a reader sees what peppi reads in the original, as far as both can read it.
fn agree(name: &str, reader: &str, facts: &Value, original: Option<&Original>) {
    let Some(original) = original.filter(|_| facts["error"].is_null()) else { return };
    assert_eq!(facts["stage"], original.0.start.stage, "{name}, {reader}: stage");
    assert_eq!(facts["frames"], original.frames(), "{name}, {reader}: frames");
    // Zelda may begin as Sheik: slippi-js looks at the first frame for that.
    let as_zelda = |players: &Value| players.to_string().replace(",19]", ",18]");
    let (seen, expected) = (as_zelda(&facts["players"]), as_zelda(&original.players()));
    assert_eq!(seen, expected, "{name}, {reader}: players");
    // slippi-js' last frame is the last one that is known to be complete.
    let frame = facts["last"]["frame"].as_i64().unwrap();
    assert_eq!(facts["last"]["players"], original.stands(frame), "{name}, {reader}: {frame}");
}

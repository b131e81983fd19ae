//! The replay tools as they are typed: what they print and how they exit.

use std::fs;
use std::path::{Path, PathBuf};

use andross::replay::repair;
use andross::slp::Metadata;
use andross::slp::file::EVENTS_AT;
use andross::slp::metadata::Facts;
use serde_json::Value;
use tempfile::tempdir;

use super::synthetic::{andross, complete_file, events, file, lines, save};

/// A folder with one file of each kind, and what else lies about.
fn mixed_folder(folder: &Path) -> [PathBuf; 3] {
    let (whole, _) = complete_file(&events(125, true));
    save(folder, "notes.txt", b"not for us");
    fs::create_dir(folder.join("old.slp")).unwrap();
    [
        save(folder, "a.slp", &whole),
        save(folder, "b.slp", &file(0, &events(2, false), b"\x38\0")),
        save(folder, "c.slp", b"garbage"),
    ]
}

#[test]
fn the_command_line_goes_on_after_a_file_that_fails() {
    let folder = tempdir().unwrap();
    let [whole, cut, garbage] = mixed_folder(folder.path());

    let output = andross(&["check"], &[folder.path()]);
    assert_eq!(output.status.code(), Some(1));
    let at = EVENTS_AT + events(2, false).len();
    assert_eq!(
        lines(&output.stdout),
        [
            format!("{}: ok", whole.display()),
            format!(
                "{}: unfinished: the length at byte 11 is still 0; cut inside event 0x38 at byte \
                 {at}, of which 2 bytes are there; no Game End; no metadata at byte {at}",
                cut.display()
            ),
        ]
    );
    let error = lines(&output.stderr);
    assert_eq!(error.len(), 1);
    assert!(error[0].starts_with(&format!("andross: {}: not a .slp file", garbage.display())));

    let before = fs::read(&cut).unwrap();
    let dry = andross(&["repair", "--dry-run"], &[folder.path()]);
    assert_eq!(dry.status.code(), Some(1), "c.slp cannot be repaired");
    assert_eq!(fs::read(&cut).unwrap(), before, "nothing was written");
    let would = format!(
        "{}: would be completed: {} bytes of events, 2 cut off, metadata written",
        cut.display(),
        at - EVENTS_AT
    );
    assert_eq!(
        lines(&dry.stdout),
        [format!("{}: complete, left as it is", whole.display()), would.clone()]
    );

    let repaired = andross(&["repair"], &[&whole, &cut]);
    assert_eq!(repaired.status.code(), Some(0), "{repaired:?}");
    assert_eq!(lines(&repaired.stdout)[1], would.replace("would be ", ""));
    let checked = andross(&["check"], &[&whole, &cut]);
    assert_eq!(checked.status.code(), Some(0));
    assert!(lines(&checked.stdout)[1].ends_with("b.slp: ok (no Game End)"));
}

#[test]
fn the_command_line_tells_a_game_in_80_columns() {
    let folder = tempdir().unwrap();
    let [whole, ..] = mixed_folder(folder.path());
    let output = andross(&["info", "--events"], &[&whole]);
    assert_eq!(output.status.code(), Some(0));
    let lines = lines(&output.stdout);
    assert!(lines[1..].iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    for expected in [
        "  date        2024-05-04 20:15:00 UTC",
        "  played on   Bühne 1, nintendont",
        "  recorder    3.7.0",
        "  stage       Battlefield",
        "  port 1      Fox, costume 1, 4 stocks",
        "  port 2      Falco, costume 1, 4 stocks",
        "  length      0:02, 125 frames",
        "  end         GAME!",
        "  event 0x38       250  Post-Frame Update",
        "  state       complete",
    ] {
        assert!(lines.contains(&expected), "{expected:?} is not in {lines:#?}");
    }
}

#[test]
fn json_is_one_object_a_file() {
    let folder = tempdir().unwrap();
    mixed_folder(folder.path());
    for (args, key) in [
        (&["info", "--json"][..], "players"),
        (&["check", "--json"], "ok"),
        (&["repair", "--json", "--dry-run"], "action"),
        (&["repair", "--json"], "action"),
    ] {
        let output = andross(args, &[folder.path()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stderr.is_empty(), "errors are objects too");
        let objects: Vec<Value> =
            lines(&output.stdout).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [whole, cut, garbage] = &objects[..] else { panic!("{objects:?}") };
        assert!(whole["file"].as_str().unwrap().ends_with("a.slp"));
        assert!(!whole[key].is_null() && !cut[key].is_null(), "{objects:?}");
        assert!(garbage["error"].as_str().unwrap().starts_with("not a .slp file"));
    }
}

#[test]
fn usage_is_exit_code_2_and_a_missing_file_1() {
    for args in [&[][..], &["info"], &["check", "--nonsense", "x.slp"], &["mend", "x.slp"]] {
        assert_eq!(andross(args, &[]).status.code(), Some(2), "{args:?}");
    }
    let folder = tempdir().unwrap();
    let missing = folder.path().join("missing.slp");
    for tool in ["info", "check", "repair"] {
        let output = andross(&[tool], &[&missing]);
        assert_eq!(output.status.code(), Some(1));
        let error = format!("andross: {}: no such file: check its name", missing.display());
        assert_eq!(lines(&output.stderr), [error]);
        let output = andross(&[tool], &[folder.path()]);
        assert_eq!(output.status.code(), Some(1), "an empty folder");
    }
}

#[test]
fn a_file_that_may_still_be_recorded_is_not_touched() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("live.slp");
    let bytes = file(0, &events(2, false), b"\x38");
    fs::write(&path, &bytes).unwrap();
    let output = andross(&["repair"], &[&path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(lines(&output.stderr)[0].contains("may still be recorded"));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// The system itself stops the writing, in the middle of the metadata.
#[cfg(unix)]
#[test]
fn a_repair_that_is_killed_has_not_set_the_length() {
    const BLOCK: usize = 512; // of `ulimit -f`, as POSIX has it
    let folder = tempdir().unwrap();
    let fits = |frames: &i32| (EVENTS_AT + events(*frames, false).len()) % BLOCK > BLOCK - 100;
    let events = events((1..).find(fits).unwrap(), false);
    let path = save(folder.path(), "killed.slp", &file(0, &events, b""));
    let end = EVENTS_AT + events.len();

    let killed = std::process::Command::new("sh")
        .args(["-c", "ulimit -f $0 && exec \"$1\" replay repair \"$2\""])
        .arg((end / BLOCK + 1).to_string())
        .args([Path::new(env!("CARGO_BIN_EXE_andross")), &path])
        .output()
        .unwrap();
    assert!(!killed.status.success(), "{killed:?}");
    let left = fs::read(&path).unwrap();
    assert!(left.len() > end, "the metadata was begun");
    assert_eq!(left[..end], file(0, &events, b""), "the length is still 0");

    repair(&path, &Facts::default()).unwrap();
    super::assert_repaired(&path, &left);
}

#[test]
fn a_file_cannot_write_to_the_terminal_as_it_likes() {
    let folder = tempdir().unwrap();
    let events = events(1, true);
    let metadata =
        Metadata { console_nick: Some("\x1b[2J\u{9b}31mred".into()), ..Metadata::default() };
    let path =
        save(folder.path(), "nick.slp", &file(events.len() as u32, &events, &metadata.encode()));
    let output = andross(&["info"], &[&path]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\u{FFFD}[2J\u{FFFD}31mred"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
}

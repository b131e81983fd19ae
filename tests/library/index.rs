//! The index follows the folder, and never keeps anyone from the games.

use std::fs;
use std::ops::ControlFlow;

use andross::library::{EntryState, Library, Query, SortBy};
use rusqlite::Connection;

use super::{Shelf, fixture, set_age};

/// What somebody does to the index.
type Spoiler<'a> = &'a dyn Fn(&std::path::Path);

fn paths(shelf: &Shelf) -> Vec<String> {
    shelf.entries().into_iter().map(|entry| entry.path).collect()
}

/// Two games and one in a folder, indexed.
fn three() -> Shelf {
    let shelf = Shelf::empty();
    shelf.put("a.slp", &fixture("v3.7.0-items.slp"));
    shelf.put("b.slp", &fixture("v2.0.1-console.slp"));
    shelf.put("Side/c.slp", &fixture("v3.18.0-four-players.slp"));
    let report = shelf.scan();
    assert_eq!((report.games, report.read, report.removed), (3, 3, 0));
    shelf
}

#[test]
fn only_what_is_new_or_has_changed_is_read() {
    let shelf = three();
    assert_eq!(paths(&shelf), ["Side/c.slp", "a.slp", "b.slp"]);
    assert_eq!(shelf.scan().read, 0);
    let shelf = shelf.again();
    assert_eq!(shelf.scan().read, 0, "the index was kept");

    shelf.put("d.slp", &fixture("v0.1.0-plain.slp"));
    let changed = shelf.put("a.slp", &fixture("v3.18.0-no-game-end.slp"));
    fs::remove_file(shelf.folder.path().join("b.slp")).unwrap();
    let report = shelf.scan();
    assert_eq!((report.games, report.read, report.removed), (3, 2, 1));
    assert_eq!(paths(&shelf), ["Side/c.slp", "a.slp", "d.slp"]);
    assert_eq!(shelf.entries()[1].recorder.as_deref(), Some("3.18.0"));
    // Another time is enough, and so is a note that comes or goes.
    set_age(&changed, 1800);
    assert_eq!(shelf.scan().read, 1);
    fs::remove_dir_all(shelf.folder.path().join("Side")).unwrap();
    assert_eq!((shelf.scan().removed, paths(&shelf).len()), (1, 2));
}

#[test]
fn a_file_that_was_just_written_is_looked_at_again() {
    let shelf = Shelf::empty();
    let bytes = fixture("v3.7.0-items.slp");
    let path = shelf.put("a.slp", &bytes);
    let modified = std::time::SystemTime::now();
    let stamp = |at| fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    stamp(modified);
    assert_eq!(shelf.scan().read, 1);
    // Written again within the same tick: neither length nor time tell.
    fs::write(&path, vec![0; bytes.len()]).unwrap();
    stamp(modified);
    assert_eq!(shelf.scan().read, 1);
    assert_eq!(shelf.entries()[0].state, EntryState::Unreadable);
}

#[test]
fn a_recording_is_listed_while_it_grows() {
    let shelf = Shelf::empty();
    let whole = fixture("v3.7.0-items.slp");
    let mut growing = whole[..5000].to_vec();
    growing[11..15].fill(0);
    shelf.put("a.slp", &growing);
    let note = shelf.put("a.slp.open", b"{}");
    // A crash leaves a note that nobody holds.
    shelf.scan();
    assert_eq!(shelf.entries()[0].state, EntryState::Unfinished);
    assert_eq!(shelf.scan().read, 0);
    let writer = fs::File::open(&note).unwrap();
    writer.lock().unwrap();
    shelf.scan();
    let [entry] = &shelf.entries()[..] else { panic!() };
    assert_eq!((entry.state, entry.players.len(), entry.frames), (EntryState::Recording, 2, 0));
    shelf.put("a.slp", &whole);
    shelf.scan();
    assert_eq!(shelf.entries()[0].state, EntryState::Complete);
    drop(writer);
    fs::remove_file(note).unwrap();
    shelf.scan();
    assert_eq!(shelf.scan().read, 0);
}

/// A file that announces one-byte events and has `len` bytes of them, which take no room on the disk.
fn put_endless(shelf: &Shelf, len: u64) {
    let start = [&b"{U\x03raw[$U#l\0\0\0\0"[..], &[0x35, 4, 0, 0, 0]].concat();
    let file = shelf.put("endless.slp", &start);
    fs::File::options().write(true).open(&file).unwrap().set_len(len).unwrap();
    set_age(&file, 3600);
}

#[test]
fn a_hostile_file_costs_a_bounded_time_and_the_end_of_a_scan_is_not_waited_for() {
    use andross::replay::{MAX_EVENTS, MAX_SURVEYED};
    let shelf = Shelf::empty();
    put_endless(&shelf, MAX_SURVEYED);
    let mut asked = 0;
    let report = shelf.library.scan(|_| {
        asked += 1;
        if asked == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let report = report.unwrap();
    assert_eq!((asked, report.is_partial, report.read), (3, true, 0));
    assert_eq!(shelf.find(&Query::default()).total, 0, "what was not read to its end is not kept");

    shelf
        .library
        .scan(|_| {
            asked += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(asked < 3 + 10 + MAX_EVENTS / (64 * 1024) + 10, "{asked}");
    let [entry] = &shelf.entries()[..] else { panic!() };
    assert_eq!(entry.state, EntryState::Unreadable);
    assert!(entry.error.as_ref().unwrap().contains("more than 10000000 events"), "{entry:?}");
    assert_eq!(shelf.scan().read, 0, "it is not tried again");
}

#[test]
fn a_file_that_somebody_else_still_writes_is_not_read_from_end_to_end() {
    let shelf = Shelf::empty();
    let mut growing = fixture("v3.7.0-items.slp");
    growing.truncate(20_000);
    growing[11..15].fill(0);
    let path = shelf.put("a.slp", &growing);
    let frames = || {
        shelf.scan();
        shelf.entries()[0].frames
    };
    set_age(&path, 0);
    assert_eq!(frames(), 0);
    assert_eq!(shelf.entries()[0].state, EntryState::Unfinished);
    set_age(&path, 10);
    assert_eq!((frames(), shelf.scan().read), (0, 1), "it is looked at again until it is at rest");
    set_age(&path, 3600);
    assert!(frames() > 0);
    assert_eq!(shelf.scan().read, 0);
}

#[test]
fn an_index_that_cannot_be_opened_is_not_put_aside() {
    let shelf = three().again();
    // SQLite cannot open its journal then, whoever runs this.
    let journal = shelf.folder.path().join(format!("{}-journal", andross::library::INDEX));
    fs::create_dir(&journal).unwrap();
    assert_eq!(shelf.scan().read, 3, "in memory");
    let search = Query { search: Some("bühne".to_owned()), ..Query::default() };
    assert_eq!(shelf.find(&search).total, 2, "where everything is found, too");
    let aside = shelf.folder.path().join(format!("{}.broken", andross::library::INDEX));
    assert!(!aside.exists());
    fs::remove_dir(&journal).unwrap();
    assert_eq!(shelf.again().scan().read, 0, "the index is as it was");
}

#[test]
fn an_index_that_is_none_is_put_aside_and_made_anew() {
    let foreign = |path: &std::path::Path| {
        fs::remove_file(path).unwrap();
        let other = Connection::open(path).unwrap();
        other
            .execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')")
            .unwrap();
    };
    let garbage = |path: &std::path::Path| {
        fs::write(path, "this is no database, but long enough for one".repeat(200)).unwrap()
    };
    let damaged = |path: &std::path::Path| {
        let mut bytes = fs::read(path).unwrap();
        let from = bytes.len().min(8192);
        bytes[from..].fill(0xA5);
        fs::write(path, bytes).unwrap();
    };
    let cut = |path: &std::path::Path| {
        let len = fs::metadata(path).unwrap().len();
        fs::File::options().write(true).open(path).unwrap().set_len(len / 2).unwrap();
    };
    let folder = |path: &std::path::Path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    };
    let spoilers: [(&str, Spoiler<'_>); 5] = [
        ("foreign", &foreign),
        ("garbage", &garbage),
        ("damaged", &damaged),
        ("cut", &cut),
        ("folder", &folder),
    ];
    for (name, spoil) in spoilers {
        let shelf = three();
        let index = shelf.index();
        let shelf = {
            let Shelf { folder, library } = shelf;
            drop(library);
            spoil(&index);
            let library = Library::new(folder.path().to_owned());
            Shelf { folder, library }
        };
        let report = shelf.scan();
        assert_eq!((report.games, report.read), (3, 3), "{name}");
        assert_eq!(paths(&shelf).len(), 3, "{name}");
        let aside = shelf.folder.path().join(format!("{}.broken", andross::library::INDEX));
        assert!(aside.exists(), "{name}");
        if name == "foreign" {
            let other = Connection::open(aside).unwrap();
            let text: String =
                other.query_row("SELECT text FROM notes", [], |row| row.get(0)).unwrap();
            assert_eq!(text, "mine");
        }
        assert_eq!(shelf.again().scan().read, 0, "{name}: the new one is good");
    }
}

#[test]
fn an_index_of_another_version_is_made_anew() {
    let shelf = three();
    let index = shelf.index();
    let shelf = {
        let Shelf { folder, library } = shelf;
        drop(library);
        Connection::open(&index).unwrap().pragma_update(None, "user_version", 0).unwrap();
        let library = Library::new(folder.path().to_owned());
        Shelf { folder, library }
    };
    assert_eq!((shelf.scan().read, paths(&shelf).len()), (3, 3));
    let files = fs::read_dir(shelf.folder.path()).unwrap().count();
    assert_eq!(files, 4, "two games, a folder and the index: nothing is put aside");
}

#[test]
fn an_index_that_breaks_while_it_is_used_is_made_anew_by_the_next_scan() {
    let shelf = three();
    let other = Connection::open(shelf.index()).unwrap();
    other.execute_batch("DROP TABLE entry").unwrap();
    drop(other);
    assert!(shelf.library.find(&Query::default()).is_err());
    assert_eq!(shelf.scan().read, 3);
    assert_eq!(paths(&shelf).len(), 3);
    // Somebody tidies up.
    fs::remove_file(shelf.index()).unwrap();
    let shelf = shelf.again();
    assert_eq!(shelf.scan().read, 3);
}

/// Somebody deletes the index while a relay has it open, and `andross replay index` makes another. On
/// Windows the file cannot be deleted then.
#[cfg(unix)]
#[test]
fn an_index_that_another_program_made_anew_is_taken_up() {
    let shelf = three();
    fs::remove_file(shelf.index()).unwrap();
    let other = Library::new(shelf.folder.path().to_owned());
    assert_eq!(other.scan(|_| ControlFlow::Continue(())).unwrap().read, 3);
    shelf.put("d.slp", &fixture("v0.1.0-plain.slp"));
    let error = shelf.library.scan(|_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("the index of the games fails"), "{error}");
    assert_eq!(shelf.scan().read, 1, "the others are in the new index");
    assert_eq!(paths(&shelf), ["Side/c.slp", "a.slp", "b.slp", "d.slp"]);
    let aside = shelf.folder.path().join(format!("{}.broken", andross::library::INDEX));
    assert!(!aside.exists(), "it is good");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_index_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("precious");
    fs::write(&target, "").unwrap();
    let shelf = Shelf::empty();
    shelf.put("a.slp", &fixture("v3.7.0-items.slp"));
    std::os::unix::fs::symlink(&target, shelf.index()).unwrap();
    assert_eq!(shelf.scan().read, 1);
    assert_eq!(paths(&shelf), ["a.slp"]);
    assert_eq!(fs::read(&target).unwrap(), b"");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_to_is_indexed_in_memory() {
    use std::os::unix::fs::PermissionsExt;
    let shelf = Shelf::empty();
    shelf.put("a.slp", &fixture("v3.7.0-items.slp"));
    let mode =
        |bits| fs::set_permissions(shelf.folder.path(), fs::Permissions::from_mode(bits)).unwrap();
    mode(0o555);
    let is_root = fs::write(shelf.folder.path().join("probe"), "").is_ok();
    let _ = fs::remove_file(shelf.folder.path().join("probe"));
    if is_root {
        mode(0o755);
        // Nobody keeps root out; a name that cannot be put aside or removed does: a folder with
        // something in it where the old index would be put.
        fs::create_dir_all(shelf.index()).unwrap();
        fs::create_dir_all(
            shelf.folder.path().join(format!("{}.broken/x", andross::library::INDEX)),
        )
        .unwrap();
    }
    let report = shelf.scan();
    assert_eq!(report.read, 1);
    assert_eq!(paths(&shelf), ["a.slp"]);
    assert_eq!(shelf.scan().read, 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(shelf.find(&Query::default()).total, 1));
        }
    });
    mode(0o755);
}

#[test]
fn a_scan_that_is_ended_early_goes_on_later() {
    let shelf = Shelf::empty();
    for n in 0..10 {
        shelf.put(&format!("{n}.slp"), &fixture("v3.18.0-rollback-names.slp"));
    }
    let report = shelf.library.scan(|progress| {
        assert_eq!(progress.of, 10);
        if progress.read == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let report = report.unwrap();
    assert!(report.is_partial && report.read == 4);
    assert_eq!(shelf.find(&Query::default()).total, 4);
    assert_eq!(shelf.scan().read, 6);
}

#[test]
fn readers_and_a_scan_do_not_disturb_each_other() {
    let shelf = Shelf::empty();
    let game = fixture("v3.18.0-rollback-names.slp");
    for n in 0..200 {
        shelf.put(&format!("{n}.slp"), &game);
    }
    shelf.library.scan(|_| ControlFlow::Break(())).unwrap();
    std::thread::scope(|scope| {
        let scan = scope.spawn(|| shelf.scan());
        for _ in 0..2 {
            scope.spawn(|| {
                let query = Query { sort: SortBy::Path, limit: 200, ..Query::default() };
                while shelf.find(&query).total < 200 {
                    let page = shelf.find(&query);
                    assert_eq!(page.total as usize, page.games.len(), "of one moment");
                }
            });
        }
        assert_eq!(scan.join().unwrap().read, 199);
    });
}

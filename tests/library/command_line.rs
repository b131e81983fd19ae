//! `andross replay index` and `list`, the program itself.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{Shelf, fixture};

fn andross(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
    command.arg("replay").args(args).arg(folder).env_remove("RUST_LOG").output().unwrap()
}

#[track_caller]
fn good(output: Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn shelf() -> Shelf {
    let shelf = Shelf::empty();
    shelf.put("Side/Game_Stream_20260314T201502.slp", &fixture("v3.7.0-ice-climbers.slp"));
    shelf.put("four.slp", &fixture("v3.18.0-four-players.slp"));
    shelf.put("bad\u{202e}.slp", b"garbage");
    shelf
}

#[test]
fn an_index_is_made_and_said_in_a_line() {
    let shelf = shelf();
    let folder = shelf.folder.path();
    let name = folder.display();
    assert_eq!(
        good(andross(&["index"], folder)),
        format!("{name}: 3 games, 3 read, 1 unreadable\n")
    );
    std::fs::remove_file(folder.join("four.slp")).unwrap();
    assert_eq!(good(andross(&["index"], folder)), format!("{name}: 2 games, 0 read, 1 gone\n"));
    let none = andross(&["index"], &folder.join("none"));
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8(none.stderr).unwrap().contains("no such folder"));
}

#[test]
fn games_are_listed_as_a_table_and_as_json() {
    let shelf = shelf();
    let folder = shelf.folder.path();
    let table = good(andross(&["list", "--sort", "path"], folder));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("DATE"), "{table}");
    for word in
        ["Ice Climbers", "Peach", "Stream", "Battlefield", "complete", "four.slp", "unreadable"]
    {
        assert!(table.contains(word), "{word}: {table}");
    }
    assert!(!table.contains('\u{202e}') && !table.contains('\u{1b}'), "{table}");

    let json = good(andross(&["list", "--json", "--character", "climbers"], folder));
    let game: Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(game["path"], "Side/Game_Stream_20260314T201502.slp");
    assert_eq!(game["players"][0]["isWinner"], true);
    let first =
        good(andross(&["list", "--limit", "1", "--sort", "size", "--order", "asc"], folder));
    assert!(first.contains("1 of 3 games; --limit NUMBER shows more"), "{first}");
    assert_eq!(good(andross(&["list", "--since", "2030-01-01"], folder)), "no games\n");

    for wrong in [&["list", "--since", "soon"][..], &["list", "--sort", "colour"]] {
        assert_eq!(andross(wrong, folder).status.code(), Some(2), "{wrong:?}");
    }
    let long = "x".repeat(300);
    assert_eq!(andross(&["list", "--search", &long], folder).status.code(), Some(1));
}

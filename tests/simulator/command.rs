//! `andross console`, as it is typed.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use andross::slp::file;

use super::console_client::{ConsoleClient, Said};
use super::*;

/// A `.slp` file as it looks while it grows.
fn unfinished_slp(folder: &Path, name: &str, events: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, [file::HEADER.as_slice(), events].concat()).unwrap();
    path
}

fn andross() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
    command.env_remove("RUST_LOG").stderr(Stdio::piped());
    command
}

#[test]
fn the_command_plays_a_folder_in_order_and_ends_when_all_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (game(20, 60), game(30, 70));
    unfinished_slp(folder.path(), "b.slp", &b);
    unfinished_slp(folder.path(), "a.SLP", &a);
    std::fs::write(folder.path().join("c.slp"), "no recording").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no recording").unwrap();
    let mut console = andross()
        .args(["console", "--listen", "127.0.0.1:0", "--fps", "100000"])
        .args(["--pause", "0.1", "--repeat", "2", "--nick", "Booth 7"])
        .arg(folder.path())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(console.stderr.take().unwrap());
    let mut told = String::new();
    let addr: SocketAddr = loop {
        assert_ne!(log.read_line(&mut told).unwrap(), 0, "{told}");
        let line = told.lines().last().unwrap();
        if let Some((_, rest)) = line.split_once("waits for its client on ") {
            break rest.split(';').next().unwrap().parse().unwrap();
        }
    };
    let stream = [a.as_slice(), &b, &a, &b].concat();
    let (mut client, _, pos) = ConsoleClient::fresh(addr);
    assert_same(&client.events(pos, end_of(&stream)), &stream);
    assert_eq!(client.next(), Said::KeepAlive);
    while client.next() != Said::End {}
    log.read_to_string(&mut told).unwrap();
    assert!(console.wait().unwrap().success());
    for line in ["c.slp", "game 1 of 4: a.SLP", "game 4 of 4: b.slp", "done"] {
        assert!(told.contains(line), "`{line}` in\n{told}");
    }
}

#[test]
fn the_command_says_in_one_line_what_is_wrong_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.slp");
    std::fs::write(&notes, "no recording").unwrap();
    let missing = folder.path().join("missing.slp");
    for (path, code) in [(notes, 1), (missing, 1), (folder.path().join("empty"), 1)] {
        let output = andross().arg("console").arg(&path).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains(&*path.to_string_lossy()), "{told}");
    }
    let output = andross().args(["console", "--fps", "0", "x"]).output();
    assert_eq!(output.unwrap().status.code(), Some(2));
}

//! `andross watch`: the real binary follows a source and a stand-in for Dolphin follows its files.
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use andross::replay::survey;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Recording, Simulator};
use andross::slp::file::{EVENTS_AT, HEADER};
use common::ports::free_row;
use common::process::RelayProcess;
use common::{assert_same_bytes, events_of, files_of, is_complete, synthetic, wait_until};
use tempfile::TempDir;

/// Writes down what it was started with and, for each command in the communication file, the whole
/// command; and takes a copy of the file that it is to play whenever that has grown. Ends with what
/// is in the file `end`, once there is one.
const DOLPHIN: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 9
echo "$$" >> starts
for arg in "$@"; do echo "$arg" >> arguments; done
trap 'echo ended >> ends; exit 0' TERM
last=; game=0; copies=0; size=
while :; do
    if [ -e end ]; then exit "$(cat end)"; fi
    command=$(cat "$2") || exit 8
    if [ "$command" != "$last" ]; then
        last=$command; game=$((game + 1)); copies=0; size=
        printf '%s\n' "$command" >> commands
        replay=$(printf '%s' "$command" | sed 's/.*"replay":"\([^"]*\)".*/\1/')
    fi
    now=$(wc -c < "$replay")
    if [ "$now" != "$size" ]; then
        copies=$((copies + 1)); size=$now
        cp "$replay" "copy.$game.$copies"
    fi
    sleep 0.05
done
"#;

/// A stand-in for Dolphin in a folder of its own.
struct StandIn {
    folder: TempDir,
}

impl StandIn {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("dolphin");
        std::fs::write(&program, DOLPHIN).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn program(&self) -> PathBuf {
        self.path("dolphin")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lines of one of its files; none as long as it is not there.
    fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn commands(&self) -> Vec<serde_json::Value> {
        let lines = self.lines("commands");
        lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Ends by itself with this exit code, each time it is started.
    fn end_with(&self, code: &str) {
        std::fs::write(self.path("end.new"), code).unwrap();
        std::fs::rename(self.path("end.new"), self.path("end")).unwrap();
    }

    /// The copies that it took of game number `game`, in order.
    fn copies(&self, game: usize) -> Vec<Vec<u8>> {
        let path = |n: usize| self.path(&format!("copy.{game}.{n}"));
        (1..).map(path).map_while(|path| std::fs::read(path).ok()).collect()
    }

    /// Whether the process that was started last is gone.
    fn is_gone(&self) -> bool {
        let pid = self.lines("starts").last().unwrap().clone();
        !Command::new("kill").args(["-0", &pid]).output().unwrap().status.success()
    }
}

fn watch(source: SocketAddr, replays: &Path, more: &[&OsStr]) -> RelayProcess {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
    command.arg("watch").arg(format!("Wii={source}")).arg("--replays").arg(replays).args(more);
    RelayProcess::spawn(command)
}

fn console(recordings: Vec<Recording>, fps: f64) -> Simulator {
    let options = Options { recordings, fps, pause: Duration::from_secs(1), ..Options::default() };
    Simulator::start(options, &Shutdown::new()).unwrap()
}

/// Checks that everything Dolphin read of a growing file was the game's beginning.
#[track_caller]
fn assert_grew(copies: &[Vec<u8>], truth: &[u8]) {
    let mut partial = 0;
    for copy in copies {
        assert_same_bytes("header", &copy[..11], &HEADER[..11]);
        let events = &copy[EVENTS_AT..];
        let len = events.len().min(truth.len());
        // Behind the last event there is metadata.
        assert_same_bytes("events", &events[..len], &truth[..len]);
        partial += usize::from(len < truth.len());
    }
    assert!(partial >= 2, "the file was seen growing: {partial} of {} copies", copies.len());
}

#[test]
fn dolphin_is_led_from_game_to_game_also_when_the_relay_dies_in_between() {
    let games: Vec<Recording> = (1..=3).map(|seed| synthetic(seed, 900, true)).collect();
    let simulator = console(games.clone(), 300.0);
    let relay_files = tempfile::tempdir().unwrap();
    let listen = free_row(1);
    let start_relay = || {
        let args = [simulator.local_addr().to_string(), format!("--listen={listen}")];
        let folder = format!("--replays={}", relay_files.path().display());
        let off = ["--raw-listen=off", "--http=off"].map(str::to_owned);
        RelayProcess::start(args.into_iter().chain(off).chain([folder]))
    };
    let mut relay = start_relay();
    relay.spectators();

    let (dolphin, folder) = (StandIn::new(), tempfile::tempdir().unwrap());
    let program = dolphin.program();
    let iso = dolphin.path("Melee, \"1.02\".iso");
    std::fs::write(&iso, "").unwrap();
    let more: [&OsStr; 5] = [
        "--dolphin".as_ref(),
        program.as_ref(),
        "--iso".as_ref(),
        iso.as_ref(),
        "--realtime".as_ref(),
    ];
    let mut watching = watch(listen, folder.path(), &more);

    // In the middle of the second game the relay is gone without a word, and comes back.
    wait_until("the second game is on", || !dolphin.copies(2).is_empty());
    relay.signal("-KILL");
    relay.wait();
    let relay = start_relay();

    let complete = || {
        let files = files_of(folder.path(), "Wii");
        (files.len() == 3 && files.iter().all(|path| is_complete(path))).then_some(files)
    };
    wait_until("three games are complete", || complete().is_some());
    let files = complete().unwrap();
    let last = games[2].events();
    wait_until("Dolphin has read the last one", || {
        dolphin.copies(3).last().is_some_and(|copy| copy.len() > EVENTS_AT + last.len())
    });

    let commands = dolphin.commands();
    assert_eq!(commands.len(), 3, "{commands:#?}");
    for (n, (command, file)) in commands.iter().zip(&files).enumerate() {
        assert_eq!(command["mode"], "mirror");
        assert_eq!(command["replay"], file.to_str().unwrap());
        assert_eq!(command["isRealTimeMode"], true);
        assert_eq!(command["gameStation"], "andross");
        assert!(commands[..n].iter().all(|other| other["commandId"] != command["commandId"]));
        assert_same_bytes("file", &events_of(file), games[n].events());
        assert!(survey(file).unwrap().is_ok());
        assert_grew(&dolphin.copies(n + 1), games[n].events());
    }
    assert_eq!(watching.logs("bytes were lost"), [""; 0]);

    watching.signal("-INT");
    assert_eq!(watching.wait().code(), Some(0));
    assert!(dolphin.is_gone());
    assert_eq!(dolphin.lines("starts").len(), 1, "it is one Dolphin all the time");
    assert_eq!(dolphin.lines("ends"), ["ended"], "it was asked to end");
    let arguments = dolphin.lines("arguments");
    assert_eq!((&*arguments[0], &*arguments[2], Path::new(&arguments[3])), ("-i", "-e", &*iso));
    assert!(!Path::new(&arguments[1]).parent().unwrap().exists(), "the comm file is gone");
    drop(relay);
}

#[test]
fn ctrl_c_in_the_middle_of_a_game_completes_the_file_and_ends_dolphin() {
    let game = synthetic(4, 6000, true);
    let simulator = console(vec![game.clone()], 300.0);
    let (dolphin, folder) = (StandIn::new(), tempfile::tempdir().unwrap());
    let program = dolphin.program();
    let more: [&OsStr; 2] = ["--dolphin".as_ref(), program.as_ref()];
    let mut watching = watch(simulator.local_addr(), folder.path(), &more);
    wait_until("Dolphin sees it grow", || dolphin.copies(1).len() > 2);
    assert_eq!(dolphin.commands()[0]["isRealTimeMode"], false);
    watching.signal("-INT");
    assert_eq!(watching.wait().code(), Some(0));
    assert!(dolphin.is_gone());
    let files = files_of(folder.path(), "Wii");
    assert_eq!(files.len(), 1);
    let events = events_of(&files[0]);
    assert_same_bytes("file", &events, &game.events()[..events.len()]);
    assert!(survey(&files[0]).unwrap().is_ok());
    assert_eq!(dolphin.lines("arguments").len(), 2, "no -e without --iso");
}

#[test]
fn who_closes_dolphin_has_seen_enough() {
    let simulator = console(vec![synthetic(5, 6000, true)], 300.0);
    let (dolphin, folder) = (StandIn::new(), tempfile::tempdir().unwrap());
    let program = dolphin.program();
    let more: [&OsStr; 2] = ["--dolphin".as_ref(), program.as_ref()];
    let mut watching = watch(simulator.local_addr(), folder.path(), &more);
    wait_until("Dolphin runs", || !dolphin.commands().is_empty());
    dolphin.end_with("0");
    assert_eq!(watching.wait().code(), Some(0));
    watching.wait_for_log("Dolphin was closed");
    assert!(is_complete(&files_of(folder.path(), "Wii")[0]));
}

#[test]
fn a_dolphin_that_dies_is_started_again_a_few_times_and_then_named() {
    let simulator = console(vec![synthetic(6, 6000, true)], 300.0);
    let (dolphin, folder) = (StandIn::new(), tempfile::tempdir().unwrap());
    let program = dolphin.program();
    dolphin.end_with("3");
    let more: [&OsStr; 2] = ["--dolphin".as_ref(), program.as_ref()];
    let mut watching = watch(simulator.local_addr(), folder.path(), &more);
    assert_eq!(watching.wait().code(), Some(1));
    watching.wait_for_log("andross: Dolphin died 4 times in a row (exit status: 3)");
    watching.wait_for_logs("is started again", 3);
    assert_eq!(dolphin.lines("starts").len(), 4);
    assert!(is_complete(&files_of(folder.path(), "Wii")[0]));
}

#[test]
fn what_cannot_be_is_one_clear_line() {
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
        let output = command.arg("watch").args(args).env_remove("RUST_LOG").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let nowhere = "/nowhere/Dolphin.AppImage";
    let (code, text) = run(&["127.0.0.1:9", "--dolphin", nowhere]);
    assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
    assert!(text.contains(nowhere), "{text}");
    for (args, named) in [
        (&["127.0.0.1:9", "--iso", "melee.iso"][..], "--dolphin"),
        (&["127.0.0.1:9", "--realtime"], "--dolphin"),
        (&["127.0.0.1:port"], "`port` is not a port"),
        (&[], "SOURCE"),
    ] {
        let (code, text) = run(args);
        assert_eq!(code, Some(2), "{args:?}: {text}");
        assert!(text.contains(named), "{args:?}: {text}");
    }
}

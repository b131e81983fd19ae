//! The real binary: signals, crashes, disks that fail, command lines that are wrong.
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use andross::relay::EndError;
use andross::replay::survey;
use andross::shutdown::{Shutdown, Worker};
use andross::simulator::{Options, Recording, Simulator};
use common::process::RelayProcess;
use common::{ConsoleSpectator, assert_same_bytes, slp_files, synthetic, wait_until};

/// A relay of one console, for spectators of the console protocol.
fn relay_of(console: SocketAddr, replays: &Path) -> RelayProcess {
    let console = console.to_string();
    let args = [&*console, "--listen=127.0.0.1:0", "--raw-listen=off", "--http=off", "--replays"];
    RelayProcess::start(args.map(OsStr::new).into_iter().chain([replays.as_os_str()]))
}

fn console(game: &Recording, fps: f64) -> Simulator {
    let options = Options { recordings: vec![game.clone()], fps, ..Options::default() };
    Simulator::start(options, &Shutdown::new()).unwrap()
}

#[test]
fn a_signal_ends_it_in_order() {
    for signal in ["-TERM", "-INT"] {
        let game = synthetic(1, 2_000, true);
        let simulator = console(&game, 300.0);
        let folder = tempfile::tempdir().unwrap();
        let mut relay = relay_of(simulator.local_addr(), folder.path());
        let mut spectator = ConsoleSpectator::connect(relay.spectators());
        spectator.read_bytes(60_000);
        relay.signal(signal);
        spectator.read_to_end();
        assert_eq!(relay.wait().code(), Some(0), "{signal}");
        // In the middle of a game: the file is complete as far as it went, and the spectator has
        // every byte that the file has.
        let files = slp_files(folder.path());
        assert_eq!(files.len(), 1);
        let events = common::events_of(&files[0]);
        assert_same_bytes("file", &events, &game.events()[..events.len()]);
        assert_same_bytes("spectator", &spectator.data, &events);
        assert!(survey(&files[0]).unwrap().is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no note is left");
    }
}

#[test]
fn a_panic_in_any_thread_ends_it_in_order_and_is_named() {
    let game = synthetic(5, 2_000, true);
    let options = Options { recordings: vec![game.clone()], fps: 600.0, ..Options::default() };
    let venue = common::Venue::start(options, |_| {});
    let mut spectator = ConsoleSpectator::connect(venue.console_address());
    spectator.read_bytes(50_000);
    let victim = Worker::spawn("victim", &venue.shutdown, || panic!("on purpose")).unwrap();
    let end = venue.relay.run_to_end();
    assert_eq!(end, Err(EndError::Panic("victim".into())));
    drop(victim);
    spectator.read_to_end();
    let files = common::recorded(venue.folder.path());
    assert_same_bytes("file", &files[0], &spectator.data);
}

/// The real program, with a thread that panics in the middle of a game.
#[test]
fn whichever_thread_panics_the_program_ends_in_order_and_names_it() {
    for thread in ["consumer-0", "listener", "console", "recorder"] {
        let game = synthetic(6, 2_000, true);
        let simulator = console(&game, 600.0);
        let folder = tempfile::tempdir().unwrap();
        let trigger = folder.path().join("panic");
        let replays = folder.path().join("replays");
        let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
        command
            .args(["relay", &simulator.local_addr().to_string(), "--listen=127.0.0.1:0"])
            .args(["--raw-listen=off", "--dolphin-listen=off", "--http=off", "--replays"])
            .arg(&replays)
            .env("ANDROSS_PANIC", format!("{thread}={}", trigger.display()));
        let mut relay = RelayProcess::spawn(command);
        let mut spectator = ConsoleSpectator::connect(relay.spectators());
        spectator.read_bytes(50_000);
        // The recorder is no slower to write than a spectator to read, but for its turns.
        wait_until("it is on the disk", || {
            slp_files(&replays).iter().any(|path| path.metadata().unwrap().len() > 51_000)
        });
        std::fs::write(&trigger, "").unwrap();
        spectator.read_to_end();
        assert_eq!(relay.wait().code(), Some(1), "{thread}");
        relay.wait_for_log(&format!("the thread `{thread}` panicked"));
        assert_same_bytes(thread, &spectator.data, &game.events()[..spectator.data.len()]);
        if thread == "recorder" {
            // Nobody is left to complete the file: the next start repairs it.
            let again = relay_of("127.0.0.1:9".parse().unwrap(), &replays);
            again.wait_for_log("repaired");
        }
        let files = slp_files(&replays);
        let events = common::events_of(&files[0]);
        assert!(events.len() >= 50_000, "{thread}: {}", events.len());
        assert_same_bytes(thread, &events, &game.events()[..events.len()]);
    }
}

#[test]
fn after_kill_9_the_next_start_repairs_the_file_and_gets_the_whole_game_again() {
    let game = synthetic(2, 1_500, true);
    let simulator = console(&game, 500.0);
    let folder = tempfile::tempdir().unwrap();
    // Some other program's unfinished file: not ours to touch.
    let foreign = folder.path().join("Game_20200101T000000.slp");
    std::fs::write(&foreign, andross::slp::file::HEADER).unwrap();
    let mut relay = relay_of(simulator.local_addr(), folder.path());
    ConsoleSpectator::connect(relay.spectators()).read_bytes(100_000);
    relay.signal("-KILL");
    relay.wait();
    let broken = slp_files(folder.path()).into_iter().find(|path| *path != foreign).unwrap();
    assert!(!survey(&broken).unwrap().is_ok());

    let mut relay = relay_of(simulator.local_addr(), folder.path());
    relay.wait_for_log("repaired");
    relay.wait_for_log("a game was saved");
    relay.signal("-TERM");
    assert_eq!(relay.wait().code(), Some(0));
    let repaired = survey(&broken).unwrap();
    assert!(repaired.is_ok());
    let metadata = repaired.metadata.unwrap();
    assert!(metadata.recording.unwrap().repaired);
    assert_eq!(metadata.played_on.as_deref(), Some("nintendont"));
    assert_eq!(metadata.console_nick.as_deref(), Some("andross"));
    let events = common::events_of(&broken);
    assert!(events.len() >= 90_000, "{}", events.len());
    assert_same_bytes("repaired", &events, &game.events()[..events.len()]);
    let whole =
        slp_files(folder.path()).into_iter().find(|path| *path != broken && *path != foreign);
    assert_same_bytes("whole", &common::events_of(&whole.unwrap()), game.events());
    assert_eq!(std::fs::read(&foreign).unwrap(), andross::slp::file::HEADER);
}

#[test]
fn a_folder_that_cannot_be_written_stops_nobody_and_shows_in_the_exit_code() {
    let game = synthetic(3, 300, true);
    let simulator = console(&game, 600.0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder");
    std::fs::write(&file, "").unwrap();
    let mut relay = relay_of(simulator.local_addr(), &file);
    let mut spectator = ConsoleSpectator::connect(relay.spectators());
    spectator.read_bytes(game.events().len());
    assert_same_bytes("spectator", &spectator.data, game.events());
    relay.wait_for_log("relayed but not recorded");
    relay.signal("-TERM");
    assert_eq!(relay.wait().code(), Some(1));
    relay.wait_for_log("not everything could be recorded");
}

/// A real full disk: a small file system in memory, which takes the right to mount one.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_stops_nobody_and_what_is_missing_is_written_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=400k", "tmpfs"])
        .arg(disk)
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no right to mount a small file system");
        return;
    }
    let unmount = Unmount(disk);
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![0; 300 * 1024]).unwrap();
    let game = synthetic(4, 500, true);
    let simulator = console(&game, 600.0);
    let mut relay = relay_of(simulator.local_addr(), disk);
    let mut spectator = ConsoleSpectator::connect(relay.spectators());
    spectator.read_bytes(game.events().len());
    assert_same_bytes("spectator", &spectator.data, game.events());
    relay.wait_for_log("relayed but not recorded");
    std::fs::remove_file(&ballast).unwrap();
    relay.wait_for_log("a game was saved");
    relay.signal("-TERM");
    assert_eq!(relay.wait().code(), Some(0), "nothing was lost in the end");
    let files = slp_files(disk);
    assert_same_bytes("file", &common::events_of(&files[0]), game.events());
    assert!(survey(&files[0]).unwrap().is_ok());
    drop(unmount);
}

#[cfg(target_os = "linux")]
struct Unmount<'a>(&'a Path);

#[cfg(target_os = "linux")]
impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn andross(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_andross")).args(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_wrong_command_line_is_named_and_exits_with_2() {
    for (args, named) in [
        (vec!["relay"], "SOURCE"),
        (vec!["relay", "wii:port"], "`port` is not a port"),
        (vec!["relay", "raw:wii"], "needs a port"),
        (vec!["relay", "wii", "--listen", "here"], "write address:port"),
        (vec!["relay", "wii", "--away-limit=-1"], "--away-limit"),
        (vec!["relay", "wii", "--consumers", "0"], "--consumers"),
        (vec!["relais"], "relais"),
    ] {
        let (code, text) = andross(&args);
        assert_eq!(code, Some(2), "{args:?}: {text}");
        assert!(text.contains(named), "{args:?}: {text}");
    }
}

/// Its usual port is that of every Dolphin on the same computer.
#[test]
fn a_dolphin_that_has_the_udp_port_is_named_and_stops_nothing_else() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let game = synthetic(7, 300, true);
    let simulator = console(&game, 600.0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
    command.args(["relay", &simulator.local_addr().to_string(), "--listen=127.0.0.1:0"]).args([
        "--raw-listen=off",
        "--http=off",
        "--replays=off",
        "--dolphin-listen",
        &address,
    ]);
    let mut relay = RelayProcess::spawn(command);
    let line = relay.wait_for_log("is a Dolphin running here?");
    assert!(line.contains(&address) && line.contains("--dolphin-listen"), "{line}");
    let mut spectator = ConsoleSpectator::connect(relay.spectators());
    spectator.read_bytes(game.events().len());
    relay.signal("-TERM");
    assert_eq!(relay.wait().code(), Some(0));
}

#[test]
fn a_port_in_use_is_named_and_exits_with_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) =
        andross(&["relay", "127.0.0.1:9", "--listen", &address, "--http=off", "--replays=off"]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&address) && text.contains("--listen"), "{text}");
}

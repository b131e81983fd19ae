//! The real binary as a service of systemd: what it tells the service manager, and its unit.
#![cfg(unix)]

mod common;

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use common::process::RelayProcess;
use common::{PATIENCE, wait_until};

/// The socket at which a service manager listens.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket }
    }

    /// The next thing it is told, without a line's end.
    fn next(&self) -> String {
        let mut told = [0; 4096];
        let len = self.socket.recv(&mut told).expect("it is told something");
        String::from_utf8(told[..len].to_vec()).unwrap().trim_end().to_owned()
    }
}

#[test]
fn the_service_manager_is_told_that_it_is_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = Manager::listen(&path);
    let mut command = Command::new("sh");
    // The watchdog is for one process, whose number only the shell knows that becomes it.
    command
        .args(["-c", "WATCHDOG_PID=$$ exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_andross")])
        .args(["relay", "127.0.0.1:9", "--listen=127.0.0.1:0", "--raw-listen=off"])
        .args(["--http=off", "--replays=off"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "20000000");
    let mut relay = RelayProcess::spawn(command);
    // The engine may be alive a moment before the relay is ready.
    let mut told: Vec<String> = Vec::new();
    wait_until("it is ready and twice alive", || {
        told.push(manager.next());
        let alive = told.iter().filter(|told| *told == "WATCHDOG=1").count();
        told.iter().any(|told| told == "READY=1") && alive >= 2
    });
    relay.signal("-TERM");
    wait_until("it is stopping", || {
        told.push(manager.next());
        told.last().unwrap() == "STOPPING=1"
    });
    assert_eq!(relay.wait().code(), Some(0));
    assert_eq!(told.iter().filter(|told| *told == "READY=1").count(), 1, "{told:?}");
}

#[test]
fn without_a_watchdog_it_only_says_when_it_is_ready_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = Manager::listen(&path);
    let mut command = Command::new(env!("CARGO_BIN_EXE_andross"));
    command
        .args(["relay", "127.0.0.1:9", "--listen=127.0.0.1:0", "--raw-listen=off"])
        .args(["--http=off", "--replays=off"])
        .env("NOTIFY_SOCKET", &path)
        .env_remove("WATCHDOG_USEC");
    let mut relay = RelayProcess::spawn(command);
    assert_eq!(manager.next(), "READY=1");
    relay.signal("-TERM");
    assert_eq!(manager.next(), "STOPPING=1");
    assert_eq!(relay.wait().code(), Some(0));
}

/// Where there is systemd, it finds nothing wrong with the unit.
#[test]
fn systemd_finds_the_unit_good() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/andross.service");
    let text = std::fs::read_to_string(&unit).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // Verified with a program that is there.
    let text = text.replace("/usr/local/bin/andross", env!("CARGO_BIN_EXE_andross"));
    let copy = folder.path().join("andross.service");
    std::fs::write(&copy, text).unwrap();
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&copy).output() else {
        eprintln!("skipped: there is no systemd");
        return;
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("andross.service"), "{told}");
}

//! A log that cannot be written is nobody's trouble.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use andross::protocol::console::Handshake;

use crate::common::{PATIENCE, wait_until};

/// A relay whose log goes to `log`, and where it listens.
fn relay(log: Stdio) -> (Child, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_andross"))
        .args(["relay", "127.0.0.1:1", "--listen", &address.to_string()])
        .args([
            "--raw-listen",
            "off",
            "--dolphin-listen",
            "off",
            "--http",
            "off",
            "--replays",
            "off",
        ])
        .env("RUST_LOG", "debug")
        .stderr(log)
        .spawn()
        .unwrap();
    wait_until("it listens", || TcpStream::connect(address).is_ok());
    (child, address)
}

/// Many spectators come and go, each of them a few lines of log, and all are greeted.
fn come_and_go(address: SocketAddr) {
    for _ in 0..1500 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&Handshake::default().encode()).unwrap();
        stream.read_exact(&mut [0; 60]).unwrap();
    }
}

fn ends_at_a_signal(mut child: Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let mut status = None;
    wait_until("it ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(0));
}

/// Was: a log that cannot be written (full disk, closed pipe) panics whoever logs.
#[test]
#[cfg(target_os = "linux")]
fn a_log_on_a_full_disk_does_not_end_the_relay() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (child, address) = relay(Stdio::from(full));
    come_and_go(address);
    ends_at_a_signal(child);
}

/// Was: a terminal that takes no output (text selected in a Windows console, Ctrl-S, a stuck
/// pipe) stops every thread that logs, and the end.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let (child, address) = relay(Stdio::piped());
    come_and_go(address);
    ends_at_a_signal(child);
}

//! Consoles are heard: real UDP sockets, pretend consoles and the real `andross discover`.

mod common;

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use andross::discovery::{DiscoveryThread, Heard};
use andross::protocol::discovery::{ANNOUNCEMENT_LEN, Announcement, Mac};
use andross::shutdown::{Reason, Shutdown, Worker, join_all};
use andross::simulator::{Options, Simulator};
use common::{PATIENCE, loopback, synthetic, wait_until};
use serde_json::Value;

fn announcement(last: u8, nick: &str) -> Announcement {
    Announcement { mac: Mac([0, 9, 0xBF, 1, 2, last]), nick: nick.to_owned() }
}

/// A discovery thread that runs, and what it hears.
struct Ears {
    address: SocketAddr,
    heard: Receiver<Heard>,
    shutdown: Shutdown,
    worker: Worker,
}

impl Ears {
    fn open(address: SocketAddr) -> Self {
        let shutdown = Shutdown::new();
        let (tell, heard) = channel();
        let on_heard = move |heard| drop(tell.send(heard));
        let thread = DiscoveryThread::new(address, on_heard, shutdown.clone()).unwrap();
        let address = thread.local_addr();
        let worker = Worker::spawn("discovery", &shutdown, || thread.run()).unwrap();
        Self { address, heard, shutdown, worker }
    }

    fn next(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("a console is heard")
    }

    /// Ends the thread; what it heard and nobody has taken.
    fn close(self) -> usize {
        self.shutdown.request(Reason::Finished);
        let late = join_all(vec![self.worker], Instant::now() + PATIENCE);
        assert_eq!(late, Vec::<String>::new());
        self.heard.iter().count()
    }
}

#[test]
fn a_pretend_console_is_heard_and_the_thread_ends_when_asked_to() {
    let ears = Ears::open(loopback());
    let options = Options {
        recordings: vec![synthetic(1, 10, true)],
        nick: "Stream Wii".to_owned(),
        announce: Some(ears.address),
        ..Options::default()
    };
    let _console = Simulator::start(options, &Shutdown::new()).unwrap();
    let heard = ears.next();
    assert_eq!(heard.announcement.nick, "Stream Wii");
    assert_eq!(heard.ip, IpAddr::from(Ipv4Addr::LOCALHOST));
    assert_eq!(ears.close(), 0);
}

#[test]
fn what_is_no_announcement_is_not_heard() {
    let ears = Ears::open(loopback());
    let sender = UdpSocket::bind(loopback()).unwrap();
    let valid = announcement(1, "Stream Wii");
    let mut wrong_magic = valid.encode();
    wrong_magic[9] = b'!';
    let long = [b"SLIP_STEADY".as_slice(), &[0; 60_000]].concat();
    let short = &valid.encode()[..ANNOUNCEMENT_LEN - 1];
    for garbage in [&[], b"SLIP_READY".as_slice(), short, &wrong_magic, &long] {
        sender.send_to(garbage, ears.address).unwrap();
    }
    // More than is read in one turn: the announcement behind it is heard all the same.
    for _ in 0..100 {
        sender.send_to(b"garbage", ears.address).unwrap();
    }
    sender.send_to(&valid.encode(), ears.address).unwrap();
    assert_eq!(ears.next().announcement, valid);
    assert_eq!(ears.close(), 0);
}

#[test]
fn a_flood_costs_no_more_than_a_bounded_number_of_calls() {
    const ENOUGH: usize = 128;
    let start = Instant::now();
    let ears = Ears::open(loopback());
    let sender = UdpSocket::bind(loopback()).unwrap();
    let mut sent = 0_usize;
    let mut calls = 0_usize;
    while calls < ENOUGH || sent < 5_000 {
        // The system may drop some: nothing waits for a certain one.
        sender.send_to(&announcement(sent as u8, "flood").encode(), ears.address).unwrap();
        sent += 1;
        calls += ears.heard.try_iter().count();
        assert!(start.elapsed() < PATIENCE, "{calls} of {sent} were passed on");
    }
    calls += ears.close();
    let allowed = 128 + (start.elapsed().as_secs_f64() * 64.0) as usize + 1;
    assert!(calls <= allowed, "{calls} calls, {allowed} allowed");
    assert!(calls < sent / 2, "{calls} of {sent}");
}

/// Loopback has a broadcast address of its own on Linux.
#[test]
#[cfg(target_os = "linux")]
fn two_on_one_computer_hear_the_same_broadcast() {
    let any = (Ipv4Addr::UNSPECIFIED, 0).into();
    let first = Ears::open(any);
    let second = Ears::open(first.address);
    assert_eq!(first.address, second.address);
    let sender = UdpSocket::bind(loopback()).unwrap();
    sender.set_broadcast(true).unwrap();
    let everyone = (Ipv4Addr::new(127, 255, 255, 255), first.address.port());
    let console = announcement(1, "Stream Wii");
    sender.send_to(&console.encode(), everyone).unwrap();
    assert_eq!(first.next().announcement, console);
    assert_eq!(second.next().announcement, console);
}

/// A running `andross discover`.
struct Discover {
    child: Child,
    address: SocketAddr,
    out: Receiver<String>,
    log: Receiver<String>,
}

impl Discover {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_andross"))
            .args(["discover", "--listen", "127.0.0.1:0"])
            .args(args)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = lines(child.stdout.take().unwrap());
        let log = lines(child.stderr.take().unwrap());
        let mut discover = Self { child, address: loopback(), out, log };
        let told = discover.log.recv_timeout(PATIENCE).unwrap();
        let (_, rest) = told.split_once("listening for consoles on ").expect(&told);
        discover.address = rest.split(';').next().unwrap().parse().unwrap();
        discover
    }

    fn line(&self) -> String {
        self.out.recv_timeout(PATIENCE).expect("a line of output")
    }

    fn event(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    fn exit_code(&mut self) -> Option<i32> {
        let mut status = None;
        wait_until("andross discover ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code()
    }
}

impl Drop for Discover {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (tell, told) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let _ = tell.send(line.unwrap());
        }
    });
    told
}

#[test]
fn the_command_tells_programs_who_is_new_has_moved_or_was_renamed() {
    let discover = Discover::start(&["--json"]);
    let mut consoles = Vec::new();
    for (at, nick) in ["Stream Wii", "Side Wii"].into_iter().enumerate() {
        let options = Options {
            recordings: vec![synthetic(at as u8, 10, true)],
            nick: nick.to_owned(),
            announce: Some(discover.address),
            ..Options::default()
        };
        consoles.push(Simulator::start(options, &Shutdown::new()).unwrap());
        let event = discover.event();
        assert_eq!((&event["type"], &event["nick"]), (&"new".into(), &nick.into()));
        assert_eq!(event["ip"], "127.0.0.1");
        let [high, low] = consoles[at].local_addr().port().to_be_bytes();
        assert_eq!(event["mac"], Mac([2, b'a', b'n', b'd', high, low]).to_string());
        assert!(event["at"].as_i64().unwrap() > 1_700_000_000_000, "Unix milliseconds");
        assert_eq!(event.get("from"), None);
    }

    let sender = UdpSocket::bind(loopback()).unwrap();
    let say = |console: &Announcement| sender.send_to(&console.encode(), discover.address);
    say(&announcement(1, "Booth \x1b[2J")).unwrap();
    assert_eq!(discover.event()["nick"], "Booth \x1b[2J");
    // The same again is no news, garbage is none.
    say(&announcement(1, "Booth \x1b[2J")).unwrap();
    sender.send_to(b"SLIP_READY or not", discover.address).unwrap();
    say(&announcement(1, "Booth 7")).unwrap();
    let event = discover.event();
    assert_eq!((&event["type"], &event["nick"]), (&"renamed".into(), &"Booth 7".into()));
    assert_eq!(event["mac"], "00:09:bf:01:02:01");
}

/// Linux takes every address 127.x.x.x as this computer's.
#[test]
#[cfg(target_os = "linux")]
fn a_console_with_another_address_has_moved() {
    let discover = Discover::start(&["--json"]);
    let console = announcement(1, "Stream Wii").encode();
    for host in ["127.0.0.1:0", "127.0.0.2:0"] {
        UdpSocket::bind(host).unwrap().send_to(&console, discover.address).unwrap();
    }
    assert_eq!(discover.event()["type"], "new");
    let event = discover.event();
    assert_eq!(event["type"], "moved");
    assert_eq!((&event["from"], &event["ip"]), (&"127.0.0.1".into(), &"127.0.0.2".into()));
}

#[test]
#[cfg(unix)]
fn people_get_a_line_without_control_characters_and_ctrl_c_ends_it_well() {
    let mut discover = Discover::start(&[]);
    let sender = UdpSocket::bind(loopback()).unwrap();
    let console = announcement(1, "a\x1b]0;b\x07\u{9b}2J");
    sender.send_to(&console.encode(), discover.address).unwrap();
    let line = discover.line();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.contains("00:09:bf:01:02:01") && line.ends_with("127.0.0.1"), "{line:?}");
    let pid = discover.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(discover.exit_code(), Some(0));
}

#[test]
fn the_command_ends_by_itself_when_its_time_is_over() {
    let start = Instant::now();
    let mut discover = Discover::start(&["--seconds", "0.3"]);
    assert_eq!(discover.exit_code(), Some(0));
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(discover.out.iter().next(), None, "nobody was there");
}

#[test]
fn a_port_that_cannot_be_had_is_one_clear_line() {
    // This one does not share its port.
    let taken = UdpSocket::bind(loopback()).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_andross"))
        .args(["discover", "--listen", &address])
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains(&address) && told.contains("another program"), "{told}");
}

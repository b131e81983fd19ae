//! Start, end, and what goes on around the console protocol.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use andross::protocol::console::Handshake;
use andross::protocol::discovery::{Announcement, Mac};
use andross::protocol::{Cursor, raw};
use andross::shutdown::{Reason, Shutdown};
use andross::simulator::{Options, Simulator, SimulatorError};

use super::console_client::{ConsoleClient, PATIENCE, Said};
use super::*;

#[test]
fn wait_until_played_means_sent_too() {
    let (simulator, events) = idle_console();
    let addr = simulator.local_addr();
    let (_client, token, pos) = ConsoleClient::fresh(addr);
    assert_eq!(pos, end_of(&events));
    assert!(simulator.wait_until_played(PATIENCE));
    // Nobody has read the game, so the console's reader has never seen its payload sizes: behind
    // its beginning there is no way on.
    simulator.drop_client();
    let (mut stuck, _, pos) = ConsoleClient::resume(addr, token, Cursor(20));
    assert_eq!(pos, Cursor(20));
    assert_eq!(stuck.next(), Said::KeepAlive);
    assert!(!simulator.wait_until_played(Duration::from_millis(1)));
    simulator.drop_client();
    assert!(simulator.wait_until_played(PATIENCE), "nobody is left");
}

#[test]
fn a_blocked_send_does_not_hold_up_the_end() {
    let mut events = prologue(60);
    for frame in 0..1_000 {
        add_frame(&mut events, frame, 60, true);
    }
    let shutdown = Shutdown::new();
    let slow = Options { fps: 150.0, ..options(&[&events]) };
    let simulator = Simulator::start(slow, &shutdown).unwrap();
    let (_stalled, ..) = ConsoleClient::fresh(simulator.local_addr());
    wait_until("the client lags", || {
        let sent = simulator.client().unwrap().cursor;
        simulator.write_pos() > sent.plus(1_000_000)
    });
    shutdown.request(Reason::Signal);
    assert!(!simulator.wait_until_played(PATIENCE));
    assert_eq!(simulator.stop(), Vec::<String>::new());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refused = |options| Simulator::start(options, &Shutdown::new()).err().unwrap();
    let events = game(1, 60);
    assert!(matches!(refused(Options::default()), SimulatorError::NoRecordings));
    for fps in [0.0, -1.0, 1e6, f64::NAN, f64::INFINITY] {
        let error = refused(Options { fps, ..options(&[&events]) });
        assert!(matches!(error, SimulatorError::Fps(_)));
    }
    let error = refused(Options { nick: "x".repeat(32), ..options(&[&events]) });
    assert!(matches!(error, SimulatorError::Nick(_)));
    let (taken, _) = idle_console();
    let error = refused(Options { listen: taken.local_addr(), ..options(&[&events]) });
    assert!(matches!(error, SimulatorError::Listen { addr, .. } if addr == taken.local_addr()));
}

#[test]
fn a_console_without_client_announces_itself() {
    let listener = UdpSocket::bind("127.0.0.1:0").unwrap();
    listener.set_read_timeout(Some(PATIENCE)).unwrap();
    let simulator = start(Options {
        nick: "Stream Wii".into(),
        announce: Some(listener.local_addr().unwrap()),
        ..options(&[&game(1, 60)])
    });
    let mut datagram = [0; 100];
    let (len, from) = listener.recv_from(&mut datagram).unwrap();
    assert_eq!(len, 48);
    assert_eq!(from.ip(), simulator.local_addr().ip());
    let ready = Announcement::decode(&datagram[..len]).unwrap();
    assert_eq!(ready.nick, "Stream Wii");
    let [high, low] = simulator.local_addr().port().to_be_bytes();
    assert_eq!(ready.mac, Mac([2, b'a', b'n', b'd', high, low]));
    // While it has a client it is silent; when that is gone it speaks again.
    let (_client, ..) = ConsoleClient::fresh(simulator.local_addr());
    simulator.drop_client();
    let (len, _) = listener.recv_from(&mut datagram).unwrap();
    assert_eq!(Announcement::decode(&datagram[..len]), Some(ready));
}

/// Reads exactly `len` bytes of a raw stream.
fn read_raw(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn connect_raw(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn an_old_console_sends_bare_events_and_says_helo_between_them() {
    let events = unended_game(2_000, 60);
    let simulator = start(Options { legacy: true, fps: 2_000.0, ..options(&[&events]) });
    let mut first = connect_raw(simulator.local_addr());
    first.write_all(&Handshake::default().encode()).unwrap();
    assert_same(&read_raw(&mut first, 1_000), &events[..1_000]);
    simulator.drop_client();

    let mut late = connect_raw(simulator.local_addr());
    // A late joiner gets the whole game.
    assert_same(&read_raw(&mut late, events.len()), &events);
    assert!(simulator.wait_until_played(PATIENCE));
    for _ in 0..2 {
        assert_eq!(read_raw(&mut late, 5), raw::KEEP_ALIVE);
    }
    assert_eq!(simulator.clients_served(), 2);
    assert_eq!(simulator.stop(), Vec::<String>::new());
    assert_eq!(late.read(&mut [0]).unwrap(), 0, "an orderly end");
}

//! Stations that go, and stations that come in their place.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use andross::config::StationConfig;
use andross::engine::{Hooks, ReloadReport, Request};
use andross::protocol::console::HandshakeReply;
use andross::protocol::{ClientToken, Cursor};
use andross::relay::Relay;
use andross::shutdown::Shutdown;

use crate::common::ports::{free_row, nth};
use crate::common::upstream::Upstream;
use crate::common::{Venue, wait_until};
use crate::desk::{add, config, console_address, end, nobody, remove, station, status};

/// How often something is done that went wrong now and then.
const TIMES: usize = 50;

fn reload(relay: &Relay) -> ReloadReport {
    relay.engine().ask_blocking(Request::Reload).unwrap()
}

/// Was: who was let in while the station was being removed reached its thread after the order to
/// hang up, and stayed, a spectator of nothing.
#[test]
fn who_comes_while_a_station_is_removed_does_not_stay() {
    let shutdown = Shutdown::new();
    let mut config = config(vec![nobody("Stays")]);
    config.limits.total = 100_000;
    config.limits.per_address = 100_000;
    let relay = Relay::start(config, &shutdown).unwrap();
    for n in 0..TIMES {
        let gone = add(&relay, &format!("Goes {n}"), &format!("127.1.0.{}:9", n + 1)).unwrap();
        let address = console_address(&gone);
        let is_removed = Arc::new(AtomicBool::new(false));
        let came = Arc::new(AtomicUsize::new(0));
        let newcomers: Vec<_> = (0..3)
            .map(|_| {
                let (is_removed, came) = (is_removed.clone(), came.clone());
                thread::spawn(move || {
                    let mut here = Vec::new();
                    while !is_removed.load(Ordering::Relaxed)
                        && here.len() < 500
                        && let Ok(stream) = TcpStream::connect(address)
                    {
                        here.push(stream);
                        came.fetch_add(1, Ordering::Relaxed);
                    }
                    here
                })
            })
            .collect();
        wait_until("some have come", || came.load(Ordering::Relaxed) >= 20);
        remove(&relay, gone.id);
        is_removed.store(true, Ordering::Relaxed);
        let here: Vec<_> = newcomers.into_iter().map(|them| them.join().unwrap()).collect();
        wait_until("everyone has left", || {
            let clients =
                relay.engine().ask_blocking(|reply| Request::Clients(None, reply)).unwrap();
            clients.is_empty()
        });
        assert_eq!(status(&relay).clients, 0, "their places are free");
        drop(here);
    }
    end(relay, &shutdown);
}

/// Was: the ports of a removed station were closed some time later, and the station that a reload
/// adds in its place could not listen there.
#[test]
fn a_station_that_is_renamed_in_the_file_keeps_its_port() {
    let (listen, raw) = (free_row(1), free_row(1));
    let named = move |n: usize| {
        let mut config = config(vec![nobody(&format!("Stream {n}"))]);
        (config.listen, config.raw_listen) = (Some(listen), Some(raw));
        config
    };
    let reads = AtomicUsize::new(0);
    let read = move || Ok(named(reads.fetch_add(1, Ordering::Relaxed) + 1));
    let hooks = Hooks { read_config: Some(Box::new(read)), on_alive: None };
    let shutdown = Shutdown::new();
    let relay = Relay::start_with(named(0), hooks, &shutdown).unwrap();
    for n in 1..=TIMES {
        let report = reload(&relay);
        let stations = status(&relay).stations;
        let names: Vec<_> = stations.iter().map(|station| station.name.clone()).collect();
        assert_eq!(names, [format!("Stream {n}")], "{report:?}");
        assert_eq!(stations[0].console_address, Some(listen));
        assert_eq!(stations[0].raw_address, Some(raw));
    }
    end(relay, &shutdown);
}

/// Was: a station that could not be added counted as added, and no reload tried it again.
#[test]
fn what_a_reload_could_not_add_is_added_by_the_next() {
    let listen = free_row(2);
    let with = move |names: &[&str]| {
        let mut config = config(vec![nobody("First")]);
        for (k, name) in names.iter().enumerate() {
            let mut source = nobody(name);
            source.port += k as u16 + 1;
            config.stations.push(StationConfig::new(source));
        }
        (config.listen, config.raw_listen) = (Some(listen), None);
        config
    };
    let read = move || Ok(with(&["Second"]));
    let hooks = Hooks { read_config: Some(Box::new(read)), on_alive: None };
    let shutdown = Shutdown::new();
    let relay = Relay::start_with(with(&[]), hooks, &shutdown).unwrap();
    let taken = TcpListener::bind(nth(listen, 1)).unwrap();
    for _ in 0..2 {
        let report = reload(&relay);
        assert!(report.changed[0].contains("cannot listen"), "each time it is told: {report:?}");
        assert_eq!(status(&relay).stations.len(), 1);
    }
    drop(taken);
    let report = reload(&relay);
    assert_eq!(report.changed, ["the station `Second` is new"]);
    assert_eq!(
        station(&relay, status(&relay).stations[1].id).console_address,
        Some(nth(listen, 1))
    );
    assert_eq!(reload(&relay), ReloadReport::default(), "then there is nothing to do");
    end(relay, &shutdown);
}

/// Was: a console's nickname was kept, greeted with and told whole, however long.
#[test]
fn a_long_nickname_is_cut() {
    let console = Upstream::new();
    let venue = Venue::relay(console.address(), Shutdown::new(), |_| {});
    let (mut stream, _) = console.accept();
    let long = "x".repeat(50_000);
    let (nick, version) = (long.as_bytes().into(), long.as_bytes().into());
    let said = HandshakeReply { nick, version, token: ClientToken(7), pos: Cursor(0) };
    stream.write_all(&said.encode()).unwrap();
    wait_until("the console is known", || station(&venue.relay, 1).nick.starts_with('x'));
    let known = station(&venue.relay, 1);
    assert!(known.nick.len() <= 128, "{}", known.nick.len());
    assert!(known.nintendont.len() <= 128, "{}", known.nintendont.len());
}

//! Consoles that announce themselves, and whoever pretends to be one.

use std::net::{SocketAddr, UdpSocket};

use andross::config::{DiscoveryConfig, Source, SourceProtocol};
use andross::engine::{Change, DiscoveredConsole, StationChange};
use andross::protocol::discovery::{Announcement, Mac};
use andross::relay::Relay;
use andross::shutdown::Shutdown;

use crate::common::scripted::ScriptedConsole;
use crate::common::{loopback, synthetic, wait_until};
use crate::desk::{change, config, remove, station, status};

fn mac(last: u8) -> Mac {
    Mac([0, 9, 0xBF, 1, 2, last])
}

/// A relay that hears consoles, which are asked on one port.
struct Ears {
    relay: Relay,
    ears: SocketAddr,
    _shutdown: Shutdown,
}

impl Ears {
    fn open(sources: Vec<Source>, console_port: u16) -> Self {
        let ears = UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
        let mut config = config(sources);
        config.discovery = Some(DiscoveryConfig { listen: ears, console_port });
        let shutdown = Shutdown::new();
        let relay = Relay::start(config, &shutdown).unwrap();
        Self { relay, ears, _shutdown: shutdown }
    }

    /// Announces a console, with a nickname that it did not have before, and waits until the relay
    /// has done what it does about that.
    fn announce(&self, mac: Mac, nick: &str) -> DiscoveredConsole {
        let socket = UdpSocket::bind(loopback()).unwrap();
        let said = Announcement { mac, nick: nick.to_owned() };
        let mut heard = None;
        wait_until("the announcement is heard", || {
            // A datagram may get lost, and a flood is let through slowly.
            socket.send_to(&said.encode(), self.ears).unwrap();
            heard = self.known(mac).filter(|console| console.nick == nick);
            heard.is_some()
        });
        heard.unwrap()
    }

    fn known(&self, mac: Mac) -> Option<DiscoveredConsole> {
        let discovered = status(&self.relay).discovered;
        discovered.into_iter().find(|console| console.mac == mac.to_string())
    }

    fn sources(&self) -> Vec<String> {
        status(&self.relay).stations.into_iter().map(|station| station.source).collect()
    }
}

/// Was: whoever announced himself with ever new MAC addresses bound all of them to one station.
#[test]
fn a_station_is_one_console_at_a_time() {
    let console = ScriptedConsole::new();
    let ears = Ears::open(Vec::new(), console.address().port());
    for last in 1..=20 {
        let heard = ears.announce(mac(last), "Wii");
        assert_eq!(heard.station, Some(1));
        let bound: Vec<_> = status(&ears.relay)
            .discovered
            .into_iter()
            .filter(|console| console.station.is_some())
            .map(|console| console.mac)
            .collect();
        assert_eq!(bound, [mac(last).to_string()]);
        assert_eq!(station(&ears.relay, 1).mac, Some(mac(last).to_string()));
    }
    assert_eq!(status(&ears.relay).stations.len(), 1);
}

/// Was: a console that is configured by its host name was adopted once more by its address.
#[test]
fn a_console_that_is_configured_by_a_host_name_is_not_there_twice() {
    let mut console = ScriptedConsole::new();
    let port = console.address().port();
    let source = Source {
        name: "Stream".into(),
        host: "localhost".into(),
        port,
        protocol: SourceProtocol::Console,
        nats: None,
    };
    let ears = Ears::open(vec![source], port);
    console.accept();
    console.say(&synthetic(1, 10, false).events()[..1_000]);
    wait_until("the console is there", || station(&ears.relay, 1).totals.bytes > 0);
    let heard = ears.announce(mac(1), "Wii");
    assert_eq!(heard.station, Some(1));
    assert_eq!(ears.sources(), [format!("localhost:{port}")]);
    assert_eq!(station(&ears.relay, 1).mac, Some(mac(1).to_string()));
}

/// Was: the next announcement of the console that the station had been led the station back to it.
#[test]
fn a_source_that_was_changed_by_hand_stays_as_it_is() {
    let console = ScriptedConsole::new();
    let port = console.address().port();
    let ears = Ears::open(Vec::new(), port);
    assert_eq!(ears.announce(mac(1), "Wii").station, Some(1));
    let elsewhere = StationChange { source: Some("127.0.0.1:9".into()), ..Default::default() };
    change(&ears.relay, 1, elsewhere).unwrap();
    let heard = ears.announce(mac(1), "Wii 2");
    assert_ne!(heard.station, Some(1), "it is another station's console now");
    assert_eq!(ears.sources(), ["127.0.0.1:9".to_owned(), format!("127.0.0.1:{port}")]);
}

/// Was: control clients did not hear that a console is no station any more.
#[test]
fn control_clients_hear_that_a_consoles_station_is_gone() {
    let console = ScriptedConsole::new();
    let ears = Ears::open(Vec::new(), console.address().port());
    assert_eq!(ears.announce(mac(1), "Wii").station, Some(1));
    let mut events = ears.relay.engine().subscribe();
    remove(&ears.relay, 1);
    // What a change is about is done before it is told, and told before it is answered.
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push(event.change);
    }
    let last = told.iter().rev().find_map(|change| match change {
        Change::Discovered { console } => Some(console),
        _ => None,
    });
    let last = last.unwrap_or_else(|| panic!("nothing is told of the console: {told:?}"));
    assert_eq!(last.mac, mac(1).to_string());
    assert_eq!((last.station, last.is_removed), (None, true));
}

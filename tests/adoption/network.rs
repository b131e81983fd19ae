//! A relay that hears consoles, and consoles at addresses of their own.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use andross::protocol::discovery::{Announcement, Mac};
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Recording, Repeat, Simulator};
use serde_json::Value;

use crate::common::ports::free_row_at;
use crate::common::process::RelayProcess;
use crate::common::{loopback, wait_until};

/// Where consoles are; the relay is at 127.0.0.1.
pub const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
pub const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

pub fn mac(last: u8) -> Mac {
    Mac([0, 9, 0xBF, 1, 2, last])
}

/// A relay that hears consoles, and the port that it asks them on.
pub struct Network {
    pub relay: RelayProcess,
    pub ears: SocketAddr,
    pub port: u16,
    _replays: tempfile::TempDir,
}

impl Network {
    /// A relay of `sources`, which are told the port, and of every console that it hears.
    pub fn open(sources: impl Fn(u16) -> Vec<String>) -> Self {
        // The port must be free wherever a console may be.
        let port = free_row_at(&[FIRST, SECOND], 1).port();
        let ears = UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
        let replays = tempfile::tempdir().unwrap();
        let args = [
            format!("--discover={ears}"),
            format!("--discover-port={port}"),
            "--listen=127.0.0.1:0".to_owned(),
            "--raw-listen=127.0.0.1:0".to_owned(),
            "--http=127.0.0.1:0".to_owned(),
            format!("--replays={}", replays.path().display()),
        ];
        let relay = RelayProcess::start(sources(port).into_iter().chain(args));
        relay.wait_for_log("control calls are answered");
        Self { relay, ears, port, _replays: replays }
    }

    /// A console there that announces itself and plays `games`.
    pub fn console(&self, host: Ipv4Addr, nick: &str, mac: Mac, games: &[Recording]) -> Simulator {
        self.switch_on(host, nick, mac, games, Repeat::Times(1))
    }

    /// The same, playing one game for ever.
    pub fn endless(&self, host: Ipv4Addr, nick: &str, mac: Mac, game: &Recording) -> Simulator {
        self.switch_on(host, nick, mac, std::slice::from_ref(game), Repeat::Forever)
    }

    fn switch_on(
        &self,
        host: Ipv4Addr,
        nick: &str,
        mac: Mac,
        games: &[Recording],
        repeat: Repeat,
    ) -> Simulator {
        let options = Options {
            listen: (host, self.port).into(),
            recordings: games.to_vec(),
            fps: 300.0,
            pause: Duration::ZERO,
            repeat,
            nick: nick.to_owned(),
            announce: Some(self.ears),
            mac: Some(mac),
            ..Options::default()
        };
        Simulator::start(options, &Shutdown::new()).unwrap()
    }

    /// Announces a console from there, without having to wait for its ten seconds.
    pub fn announce(&self, host: Ipv4Addr, nick: &str, mac: Mac) {
        self.say(host, &announcement(nick, mac));
    }

    /// Sends something to where consoles are heard.
    pub fn say(&self, host: Ipv4Addr, datagram: &[u8]) {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        socket.send_to(datagram, self.ears).unwrap();
    }

    /// What the relay knows of a console that announced itself.
    pub fn discovered(&self, mac: Mac) -> Option<Value> {
        let status = self.relay.get("/api/status");
        let known = status["discovered"].as_array().unwrap();
        known.iter().find(|console| console["mac"] == mac.to_string()).cloned()
    }

    /// Announces a console, with a nick nobody had, and waits until the relay has heard that: what
    /// it does about an announcement it has done then.
    pub fn announce_and_wait(&self, host: Ipv4Addr, nick: &str, mac: Mac) -> Value {
        let mut console = None;
        self.announce(host, nick, mac);
        wait_until("the announcement is heard", || {
            console = self.discovered(mac).filter(|console| console["nick"] == nick);
            console.is_some()
        });
        console.unwrap()
    }

    /// The stations' names, in order.
    pub fn names(&self) -> Vec<String> {
        self.relay.stations().iter().map(|station| station.name().to_owned()).collect()
    }

    pub fn end(mut self) {
        assert_eq!(self.relay.shut_down(), Some(0));
    }
}

/// A console's datagram.
pub fn announcement(nick: &str, mac: Mac) -> [u8; 48] {
    Announcement { mac, nick: nick.to_owned() }.encode()
}

/// A console that is only reached through cables and that others announce.
pub fn hidden_console(game: &Recording) -> Simulator {
    let options = Options { recordings: vec![game.clone()], fps: 150.0, ..Options::default() };
    Simulator::start(options, &Shutdown::new()).unwrap()
}

//! A spectator of Dolphin's protocol that checks every cursor.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use andross::protocol::spectator::{CHANNEL, ConnectRequest, Message};
use rusty_enet::{Event, Host, HostSettings, Packet, PeerID};

use super::{PATIENCE, loopback};

pub struct DolphinSpectator {
    host: Host<UdpSocket>,
    peer: PeerID,
    /// The next message expected; none before the reply.
    pub cursor: Option<u64>,
    /// What the reply said.
    pub start: u64,
    pub nick: String,
    pub version: String,
    /// All event bytes so far.
    pub data: Vec<u8>,
    /// All messages behind the reply.
    pub messages: Vec<Message>,
    pub is_connected: bool,
    pub has_left: bool,
}

impl DolphinSpectator {
    /// Knocks, and says nothing.
    pub fn knock(address: SocketAddr, channels: usize) -> Self {
        let socket = UdpSocket::bind(loopback()).unwrap();
        let settings = HostSettings { peer_limit: 1, channel_limit: 3, ..HostSettings::default() };
        let mut host = Host::new(socket, settings).unwrap();
        let peer = host.connect(address, channels, 1337).unwrap().id();
        Self {
            host,
            peer,
            cursor: None,
            start: 0,
            nick: String::new(),
            version: String::new(),
            data: Vec::new(),
            messages: Vec::new(),
            is_connected: false,
            has_left: false,
        }
    }

    /// Connects as slippi-js does.
    pub fn connect(address: SocketAddr) -> Self {
        Self::resume(address, 0)
    }

    /// Connects and asks for message `cursor`.
    pub fn resume(address: SocketAddr, cursor: u64) -> Self {
        let mut spectator = Self::knock(address, 3);
        spectator.wait("the connection", |spectator| spectator.is_connected);
        spectator.say(&Packet::reliable(ConnectRequest { cursor }.encode()));
        spectator.wait("the reply", |spectator| spectator.cursor.is_some());
        spectator
    }

    pub fn say(&mut self, packet: &Packet) {
        self.host.peer_mut(self.peer).send(CHANNEL, packet).unwrap();
        self.host.flush();
    }

    pub fn leave(&mut self) {
        self.host.peer_mut(self.peer).disconnect_now(0);
    }

    /// Services ENet until something has happened.
    #[track_caller]
    pub fn wait(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            if !self.turn() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    #[track_caller]
    pub fn read_bytes(&mut self, len: usize) {
        self.wait("the bytes", |spectator| spectator.data.len() >= len);
    }

    /// All that ENet has to do and all that has come, as clients do that look now and then.
    pub fn visit(&mut self) {
        while self.turn() {}
    }

    /// One turn of ENet; whether anything happened.
    pub fn turn(&mut self) -> bool {
        let packet = match self.host.service().unwrap() {
            None => return false,
            Some(Event::Connect { .. }) => {
                self.is_connected = true;
                return true;
            }
            Some(Event::Disconnect { .. }) => {
                self.has_left = true;
                return true;
            }
            Some(Event::Receive { channel_id, packet, .. }) => {
                assert_eq!(channel_id, CHANNEL);
                packet
            }
        };
        let message = Message::decode(packet.data()).unwrap();
        match &message {
            Message::ConnectReply { nick, version, cursor } => {
                (self.nick, self.version) = (nick.clone(), version.clone());
                (self.cursor, self.start) = (Some(*cursor), *cursor);
                return true;
            }
            Message::StartGame { cursor, next_cursor }
            | Message::GameEvent { cursor, next_cursor, .. }
            | Message::EndGame { cursor, next_cursor, .. } => {
                assert_eq!(self.cursor, Some(*cursor), "nothing before the reply, nothing missing");
                self.cursor = Some(*next_cursor);
            }
            other => panic!("unexpected: {other:?}"),
        }
        if let Message::GameEvent { payload, .. } = &message {
            assert!(!payload.is_empty());
            self.data.extend_from_slice(payload);
        }
        self.messages.push(message);
        true
    }
}

//! A Dolphin's spectator server without the Dolphin: counts, keeps and answers as
//! `SlippiSpectate.cpp` does.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use andross::protocol::spectator::{CHANNEL, CHANNELS, ConnectRequest, Message};
use andross::simulator::Recording;
use andross::slp::Batcher;
use parking_lot::Mutex;
use rusty_enet::{Event, Host, HostSettings, Packet, PeerID};

use super::{loopback, wait_until};

/// What Dolphin calls itself, and a version of it.
pub const NICK: &str = "Slippi Online";
pub const VERSION: &str = "3.4.0";

/// A Dolphin that runs, until it is dropped: without a word, as one that is killed.
pub struct PretendDolphin {
    server: Arc<Mutex<Server>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    pub address: SocketAddr,
}

impl PretendDolphin {
    pub fn start() -> Self {
        Self::start_at(loopback(), 4)
    }

    /// One that lets `places` spectators in.
    pub fn start_at(address: SocketAddr, places: usize) -> Self {
        let server = Server::at(address, places);
        let address = server.address;
        let (server, is_over) = (Arc::new(Mutex::new(server)), Arc::new(AtomicBool::new(false)));
        let (of_thread, over) = (server.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                of_thread.lock().turn();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self { server, is_over, thread: Some(thread), address }
    }

    /// Does something between two of its turns.
    pub fn with<T>(&self, act: impl FnOnce(&mut Server) -> T) -> T {
        act(&mut self.server.lock())
    }

    #[track_caller]
    pub fn wait_until(&self, what: &str, mut done: impl FnMut(&Server) -> bool) {
        wait_until(what, || done(&self.server.lock()));
    }
}

impl Drop for PretendDolphin {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().expect("the pretend Dolphin failed");
        }
    }
}

pub struct Server {
    host: Host<UdpSocket>,
    address: SocketAddr,
    places: usize,
    peers: BTreeMap<usize, Peer>,
    /// The running or last game's messages (`m_event_buffer`).
    kept: Vec<Message>,
    /// The number of the first of them, or behind the last when the game is over (`m_cursor_offset`).
    offset: u64,
    in_game: bool,
    /// Requests so far, over all connections.
    pub requests: Vec<u64>,
    /// Connections that came.
    pub came: usize,
    /// Connections that left.
    pub left: usize,
    /// Says nothing to a request.
    pub is_mute: bool,
    /// Does nothing at all.
    pub is_asleep: bool,
}

#[derive(Default)]
struct Peer {
    /// Where it is among those kept.
    at: usize,
    is_greeted: bool,
}

impl Server {
    fn at(address: SocketAddr, places: usize) -> Self {
        let (host, address) = open(address, places);
        Self {
            host,
            address,
            places,
            peers: BTreeMap::new(),
            kept: Vec::new(),
            offset: 0,
            in_game: false,
            requests: Vec::new(),
            came: 0,
            left: 0,
            is_mute: false,
            is_asleep: false,
        }
    }

    /// Who is connected hears nothing more, and nobody listens for it any more: only a new connection
    /// helps.
    pub fn lose_connections(&mut self) {
        // The port is needed again.
        self.host = open(loopback(), 1).0;
        self.host = open(self.address, self.places).0;
        self.peers.clear();
    }

    /// The program starts again, at the same port.
    pub fn restart(&mut self) {
        self.lose_connections();
        (self.kept, self.offset, self.in_game) = (Vec::new(), 0, false);
    }

    fn next(&self) -> u64 {
        self.offset + self.kept.len() as u64
    }

    pub fn start_game(&mut self) {
        self.kept.clear();
        self.in_game = true;
        let cursor = self.next();
        self.kept.push(Message::StartGame { cursor, next_cursor: cursor + 1 });
    }

    pub fn batch(&mut self, payload: &[u8]) {
        let cursor = self.next();
        let payload = payload.to_vec();
        self.kept.push(Message::GameEvent { cursor, next_cursor: cursor + 1, payload });
    }

    pub fn end_game(&mut self, dolphin_closed: bool) {
        let cursor = self.next();
        self.kept.push(Message::EndGame { cursor, next_cursor: cursor + 1, dolphin_closed });
        self.offset += self.kept.len() as u64;
        self.in_game = false;
    }

    /// A whole game, or as much as the recording has of one.
    pub fn play(&mut self, recording: &Recording) {
        self.play_part(recording, 0, usize::MAX);
        if self.in_game {
            self.end_game(false);
        }
    }

    /// Batches `from` to `to` of a game; from the first on, its start; with its Game End, its end.
    pub fn play_part(&mut self, recording: &Recording, from: usize, to: usize) {
        if from == 0 {
            self.start_game();
        }
        let batches = batches(recording.events());
        for batch in &batches[from..to.min(batches.len())] {
            self.batch(batch);
            if is_game_end(batch) {
                self.end_game(false);
            }
        }
    }

    /// One turn of the server's loop.
    fn turn(&mut self) {
        if self.is_asleep {
            return;
        }
        let greeted: Vec<usize> =
            self.peers.iter().filter(|(_, peer)| peer.is_greeted).map(|(id, _)| *id).collect();
        for id in greeted {
            self.write_events(id);
        }
        while let Some(event) = self.host.service().unwrap() {
            match event {
                Event::Connect { peer, .. } => {
                    self.came += 1;
                    self.peers.insert(peer.id().0, Peer::default());
                }
                Event::Disconnect { peer, .. } => {
                    self.left += 1;
                    self.peers.remove(&peer.id().0);
                }
                Event::Receive { peer, packet, .. } => {
                    let id = peer.id().0;
                    let request = ConnectRequest::decode(packet.data()).unwrap().unwrap();
                    self.requests.push(request.cursor);
                    if !self.is_mute {
                        self.greet(id, request.cursor);
                    }
                }
            }
        }
    }

    fn write_events(&mut self, id: usize) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if peer.at > self.kept.len() {
            peer.at = 0;
        }
        for message in &self.kept[peer.at..] {
            send(&mut self.host, id, &message.encode());
        }
        peer.at = self.kept.len();
    }

    fn greet(&mut self, id: usize, wanted: u64) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let end = self.offset + self.kept.len() as u64;
        let from = if (self.offset..=end).contains(&wanted) { wanted - self.offset } else { 0 };
        peer.at = if self.in_game { from as usize } else { self.kept.len() };
        peer.is_greeted = true;
        let cursor = from + self.offset;
        let reply = Message::ConnectReply { nick: NICK.into(), version: VERSION.into(), cursor };
        send(&mut self.host, id, &reply.encode());
    }

    /// Leaves out what its spectators were not sent yet.
    pub fn skip(&mut self) {
        for peer in self.peers.values_mut() {
            peer.at = self.kept.len();
        }
    }

    /// Whether somebody was greeted and is still there.
    pub fn is_watched(&self) -> bool {
        self.peers.values().any(|peer| peer.is_greeted)
    }

    /// Says that to everyone who is there, whatever it is.
    pub fn say(&mut self, packet: &[u8]) {
        for id in self.peers.keys() {
            send(&mut self.host, *id, packet);
        }
    }
}

fn send(host: &mut Host<UdpSocket>, id: usize, packet: &[u8]) {
    // One that is leaving takes no more.
    let _ = host.peer_mut(PeerID(id)).send(CHANNEL, &Packet::reliable(packet));
}

fn open(address: SocketAddr, places: usize) -> (Host<UdpSocket>, SocketAddr) {
    let socket = UdpSocket::bind(address).unwrap();
    let address = socket.local_addr().unwrap();
    let settings =
        HostSettings { peer_limit: places, channel_limit: CHANNELS, ..HostSettings::default() };
    (Host::new(socket, settings).unwrap(), address)
}

/// Whether a batch ends its game.
fn is_game_end(batch: &[u8]) -> bool {
    batch.first() == Some(&0x39)
}

/// A game cut as Dolphin does; what ends no batch is the last one.
pub fn batches(events: &[u8]) -> Vec<&[u8]> {
    let (mut batcher, mut ends, mut from) = (Batcher::new(), Vec::new(), 0);
    batcher.push(events, &mut ends);
    let ends = ends.into_iter().map(|end| end as usize).filter(|end| *end < events.len());
    let ends: Vec<usize> = ends.chain([events.len()]).collect();
    ends.into_iter().map(|end| &events[std::mem::replace(&mut from, end)..end]).collect()
}

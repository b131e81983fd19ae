//! One station's spectators: its ENet host, its messages, and who gets what of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rusty_enet::{Event, Host, Packet, PeerID, PeerState};

use super::feed::Feed;
use super::peer::{Farewell, MAX_INPUT, PACKET_COST, Peer};
use crate::audience::{Admission, ClientId, ClientInfo};
use crate::net::{EnetSocket, enet_host};
use crate::protocol::spectator::{CHANNEL, CHANNELS, ConnectRequest, MAX_MESSAGE_LEN, Message};
use crate::protocol::{Cursor, Protocol};
use crate::session::{Horizon, Station};
use crate::stats::{latency_histogram, record};

/// Spectators of one station at once. Each costs a datagram a frame; who wants more has the console
/// protocol. Dolphin itself takes 4.
pub const MAX_PEERS: usize = 32;

/// Connections beyond those, for whoever is being refused or is leaving.
const SPARE_PEERS: usize = 16;

/// What may have come from one spectator and not be whole yet, in bytes.
const MAX_WAITING: usize = 64 * 1024;

/// How often ENet is asked in one turn; each time it takes up to 256 datagrams.
const SERVICES_A_TURN: usize = 16;

/// What happened in one turn at most.
const EVENTS_A_TURN: usize = 256;

/// Who is no further behind than so many messages gets them before anybody catches up.
const UP_TO_DATE: u64 = 16;

/// How soon ENet must look again: while something has to be acknowledged, and while only its pings
/// are due.
const BUSY_TICK: Duration = Duration::from_millis(10);
const IDLE_TICK: Duration = Duration::from_millis(100);

/// What ENet tells, owned.
enum Happened {
    Came(PeerID),
    Left(PeerID),
    Said(PeerID, Packet),
}

/// One station's spectators.
pub(super) struct Hall {
    host: Host<EnetSocket>,
    feed: Feed,
    /// By ENet's number of the connection.
    peers: Vec<Option<Peer>>,
    admission: Arc<Admission>,
    greet_time: Duration,
    /// Whose turn is first; goes round.
    first: usize,
    /// The last refusal was told; the next is once somebody is let in again.
    refused: bool,
    latency: Histogram<u64>,
}

impl Hall {
    pub(super) fn new(
        socket: EnetSocket,
        station: Arc<Station>,
        admission: Arc<Admission>,
        greet_time: Duration,
    ) -> Option<Self> {
        let all = MAX_PEERS + SPARE_PEERS;
        let host = enet_host(socket, all, CHANNELS, MAX_MESSAGE_LEN, MAX_WAITING)?;
        let mut peers = Vec::new();
        peers.resize_with(MAX_PEERS + SPARE_PEERS, || None);
        Some(Self {
            host,
            feed: Feed::new(station),
            peers,
            admission,
            greet_time,
            first: 0,
            refused: false,
            latency: latency_histogram(),
        })
    }

    pub(super) fn station(&self) -> &Arc<Station> {
        self.feed.station()
    }

    pub(super) fn socket(&mut self) -> &mut EnetSocket {
        self.host.socket_mut()
    }

    fn present(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter().flatten()
    }

    /// Whether more has come than the last turn took.
    pub(super) fn has_more(&self) -> bool {
        !self.host.socket().is_drained()
    }

    /// Whether there is any connection, also one that begins or ends.
    pub(super) fn is_in_use(&mut self) -> bool {
        self.host.peers().any(|peer| peer.state() != PeerState::Disconnected)
    }

    /// When the next turn is due at the latest, if one is.
    pub(super) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        if !self.is_in_use() {
            return None;
        }
        let is_idle = self.present().all(|peer| peer.is_flushed() && peer.is_greeted);
        let tick = now + if is_idle { IDLE_TICK } else { BUSY_TICK };
        Some(self.feed.due().map_or(tick, |due| due.min(tick)))
    }

    /// Reads what is new in the log and hands it to everyone who is up to date.
    pub(super) fn serve_fresh(&mut self, now: Instant) {
        self.feed.look(now);
        let end = self.feed.end();
        if self.send(|peer| end - peer.cursor.min(end) <= UP_TO_DATE) {
            self.host.flush();
        }
    }

    /// Gives those that are behind as much as they may have.
    pub(super) fn catch_up(&mut self) {
        if self.send(|_| true) {
            self.host.flush();
        }
    }

    /// Sends to `whom` what is due and may be ahead; whether anything was sent.
    fn send(&mut self, whom: impl Fn(&Peer) -> bool) -> bool {
        let mut has_sent = false;
        let delay = self.station().delay(Protocol::Dolphin);
        let now = Instant::now();
        self.first = (self.first + 1) % self.peers.len();
        for turn in 0..self.peers.len() {
            let at = (self.first + turn) % self.peers.len();
            let Some(peer) = self.peers[at].as_mut().filter(|peer| peer.is_greeted) else {
                continue;
            };
            if !whom(peer) {
                continue;
            }
            if let Some(cursor) = self.feed.skip(peer.cursor) {
                peer.cursor = cursor;
                let station = self.feed.station();
                station.stats.skipped.add(1);
                tracing::info!(
                    station = %station.name(),
                    peer = %peer.address,
                    "a spectator was more than a game behind and is skipped to the newest"
                );
            }
            while peer.has_room()
                && let Some(message) = self.feed.message(peer.cursor)
            {
                let packet = peer.pack(message.packet);
                // One that is leaving takes no more; that it has left will be told.
                if self.host.peer_mut(PeerID(at)).send(CHANNEL, &packet).is_err() {
                    break;
                }
                has_sent = true;
                peer.cursor = message.cursor + 1;
                if message.arrived >= peer.joined {
                    let latency = now.saturating_duration_since(message.arrived);
                    record(&mut self.latency, latency.saturating_sub(delay), 1);
                }
            }
        }
        has_sent
    }

    /// Lets ENet do its work and hears what spectators say.
    pub(super) fn service(&mut self, now: Instant) {
        let mut events = 0;
        for _ in 0..SERVICES_A_TURN {
            while let Some(happened) = self.next_event() {
                self.on_event(happened, now);
                events += 1;
                if events >= EVENTS_A_TURN {
                    return;
                }
            }
            if !self.has_more() {
                break;
            }
        }
        for at in 0..self.peers.len() {
            let Some(peer) = &mut self.peers[at] else { continue };
            peer.watch(now);
            if !peer.is_greeted && now >= peer.greet_until {
                self.hang_up(PeerID(at), Farewell::RequestTimeout);
            }
        }
    }

    fn next_event(&mut self) -> Option<Happened> {
        // The socket has no errors.
        let event = self.host.service().ok()??;
        Some(match event {
            Event::Connect { peer, .. } => Happened::Came(peer.id()),
            Event::Disconnect { peer, .. } => Happened::Left(peer.id()),
            Event::Receive { peer, packet, .. } => Happened::Said(peer.id(), packet),
        })
    }

    fn on_event(&mut self, happened: Happened, now: Instant) {
        match happened {
            Happened::Came(id) => self.let_in(id, now),
            Happened::Left(id) => self.bid_farewell(id, Farewell::Closed),
            Happened::Said(id, packet) => self.hear(id, packet.data(), now),
        }
    }

    fn let_in(&mut self, id: PeerID, now: Instant) {
        // Whoever had the place is gone, should that not have been told.
        self.bid_farewell(id, Farewell::Closed);
        let Some(address) = self.host.peer(id).address() else { return };
        let place = if self.present().count() >= MAX_PEERS {
            Err(format!(
                "the station has {MAX_PEERS} spectators of Dolphin's protocol, and no place for more"
            ))
        } else {
            self.admission.admit(address.ip()).map_err(|refusal| refusal.to_string())
        };
        match place {
            Ok(place) => {
                self.refused = false;
                let peer = Peer::new(address, place, now, now + self.greet_time);
                if let Some(slot) = self.peers.get_mut(id.0) {
                    *slot = Some(peer);
                }
                let station = self.station();
                station.stats.dolphin_clients.add(1);
                let protocol = Protocol::Dolphin;
                tracing::info!(station = %station.name(), peer = %address, ?protocol, "a spectator came");
            }
            Err(refusal) => {
                if !std::mem::replace(&mut self.refused, true) {
                    let station = self.station().name();
                    tracing::warn!(%station, peer = %address, "a spectator was refused: {refusal}");
                }
                self.host.peer_mut(id).disconnect(0);
            }
        }
    }

    fn hear(&mut self, id: PeerID, packet: &[u8], now: Instant) {
        let Some(peer) = self.peers.get_mut(id.0).and_then(Option::as_mut) else { return };
        peer.input += packet.len() + PACKET_COST;
        if peer.input > MAX_INPUT {
            self.hang_up(id, Farewell::Chatter);
            return;
        }
        if packet.is_empty() {
            return;
        }
        match ConnectRequest::decode(packet) {
            Ok(Some(request)) => self.greet(id, request, now),
            Ok(None) => {}
            // Dolphin passes over it, too.
            Err(error) => tracing::debug!(peer = %peer.address, "a spectator says: {error}"),
        }
    }

    fn greet(&mut self, id: PeerID, request: ConnectRequest, now: Instant) {
        self.feed.look(now);
        let cursor = self.feed.greet(request.cursor);
        let identity = self.station().identity();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // Before the console has been heard of it has no version; clients want one to parse.
        let version = match identity.version() {
            [] => "0.0.0".to_owned(),
            version => text(version),
        };
        let reply = Message::ConnectReply { nick: text(identity.nick()), version, cursor };
        let horizon = Horizon::at(now, self.station().delay(Protocol::Dolphin));
        let Some(peer) = self.peers.get_mut(id.0).and_then(Option::as_mut) else { return };
        tracing::debug!(peer = %peer.address, cursor, "a spectator was greeted");
        let packet = peer.pack(reply.encode().into());
        if self.host.peer_mut(id).send(CHANNEL, &packet).is_ok() {
            peer.is_greeted = true;
            peer.cursor = cursor;
            peer.joined = horizon.newest().unwrap_or(now);
        }
    }

    fn hang_up(&mut self, id: PeerID, farewell: Farewell) {
        self.host.peer_mut(id).disconnect(0);
        self.bid_farewell(id, farewell);
    }

    fn bid_farewell(&mut self, id: PeerID, farewell: Farewell) {
        let Some(peer) = self.peers.get_mut(id.0).and_then(Option::take) else { return };
        let station = self.station();
        station.stats.dolphin_clients.add(-1);
        tracing::info!(station = %station.name(), peer = %peer.address, "a spectator left: {farewell}");
    }

    /// Hangs up on a spectator; whether it was here.
    pub(super) fn kick(&mut self, client: ClientId) -> bool {
        let is_it = |peer: &Option<Peer>| peer.as_ref().is_some_and(|peer| peer.id == client);
        let Some(at) = self.peers.iter().position(is_it) else { return false };
        self.hang_up(PeerID(at), Farewell::Kicked);
        true
    }

    /// Hangs up on everyone; they are told once the host is serviced.
    pub(super) fn dismiss(&mut self) {
        for at in 0..self.peers.len() {
            if self.peers[at].is_some() {
                self.hang_up(PeerID(at), Farewell::Shutdown);
            }
        }
    }

    /// Hangs up on everyone at once, so that the port can be closed. Who does not hear of it notices
    /// that nobody is there any more.
    pub(super) fn close(&mut self, now: Instant) {
        // What has come until now is theirs.
        self.serve_fresh(now);
        self.catch_up();
        for at in 0..self.peers.len() {
            if self.peers[at].is_some() {
                self.host.peer_mut(PeerID(at)).disconnect_now(0);
                self.bid_farewell(PeerID(at), Farewell::StationRemoved);
            }
        }
        self.host.flush();
        self.report();
    }

    /// The stream is at its end: what has come of a frame is all that will.
    pub(super) fn finish(&mut self, now: Instant) {
        self.feed.look(now);
        self.feed.flush(now);
    }

    /// Whether everyone has acknowledged all that it may see.
    pub(super) fn is_flushed(&self) -> bool {
        let has_all = |peer: &Peer| peer.cursor >= self.feed.end() && peer.is_flushed();
        self.present().all(|peer| !peer.is_greeted || has_all(peer))
    }

    /// Who is here.
    pub(super) fn list(&self) -> impl Iterator<Item = ClientInfo> {
        let now = Instant::now();
        self.present().map(move |peer| {
            let (lag_bytes, lag_frames) =
                if peer.is_greeted { self.feed.lag(peer.cursor) } else { (0, Some(0)) };
            ClientInfo {
                id: peer.id,
                station: self.station().id,
                protocol: Protocol::Dolphin,
                peer: peer.address,
                since: peer.since,
                is_greeted: peer.is_greeted,
                is_relay: false,
                cursor: Cursor(peer.cursor),
                lag_bytes,
                lag_frames,
                idle: now.saturating_duration_since(peer.progress),
            }
        })
    }

    /// Hands in the latencies gathered.
    pub(super) fn report(&mut self) {
        if !self.latency.is_empty() {
            self.feed.station().stats.latency.add(&self.latency);
            self.latency.reset();
        }
    }
}

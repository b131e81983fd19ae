//! Who comes to a consumer thread, who is sent away, who is there.

use std::sync::Arc;
use std::time::Instant;

use mio::{Interest, Token};

use super::client::Client;
use super::farewell::Farewell;
use super::inbox::Letter;
use super::listener::Admitted;
use super::thread::ConsumerThread;
use super::view::View;
use crate::audience::{ClientId, ClientInfo};
use crate::protocol::{Dialect, Protocol};
use crate::session::{Station, StationId};

impl ConsumerThread {
    /// Does what the listener and the engine want.
    pub(super) fn read_letters(&mut self) {
        while let Some(letter) = self.door.next() {
            match letter {
                Letter::Newcomer(admitted) => self.take_in(admitted),
                Letter::Remove(station) => self.remove_station(station),
                // Whoever asked may be gone.
                Letter::Kick(id, reply) => drop(reply.send(self.kick(id))),
                Letter::List(reply) => drop(reply.send(self.list_clients())),
            }
        }
    }

    fn take_in(&mut self, admitted: Admitted) {
        let Admitted { mut stream, peer, station, dialect, place } = admitted;
        let (id, protocol) = (place.client(), Protocol::from(dialect));
        let now = Instant::now();
        let at = self.view_of(&station, dialect);
        let entry = self.clients.vacant_entry();
        let key = entry.key();
        let registry = self.poll.registry();
        if let Err(error) = registry.register(&mut stream, Token(key), Interest::READABLE) {
            tracing::warn!(%peer, "a spectator cannot be served: {error}");
            self.door.left();
            return;
        }
        let view = &mut self.views[at];
        let mut client = Client::new(stream, peer, at, dialect, place, now);
        client.life.order = view.clients.len();
        if dialect == Dialect::Raw {
            client.begin_raw(&station, view.horizon());
        }
        entry.insert(client);
        view.clients.push(key);
        station.stats.clients_of(protocol).add(1);
        tracing::info!(station = %station.name(), %peer, ?protocol, "a spectator came");
        match dialect {
            Dialect::Raw => self.list(key),
            Dialect::Console => {
                self.greeting.push_back((now + self.limits.handshake_time, key, id));
            }
        }
    }

    /// The place of the view for newcomers of `station`.
    fn view_of(&mut self, station: &Arc<Station>, dialect: Dialect) -> usize {
        let fits = |view: &View| view.station.id == station.id && view.dialect == dialect;
        self.views.iter().position(fits).unwrap_or_else(|| {
            self.views.push(View::new(station.clone(), dialect));
            self.views.len() - 1
        })
    }

    /// Drops the views that nobody looks through any more.
    pub(super) fn drop_views(&mut self) {
        let mut at = 0;
        while at < self.views.len() {
            if !self.views[at].clients.is_empty() {
                at += 1;
                continue;
            }
            self.views.swap_remove(at).report();
            if let Some(moved) = self.views.get(at) {
                for &key in &moved.clients {
                    if let Some(client) = self.clients.get_mut(key) {
                        client.view = at;
                    }
                }
            }
        }
    }

    fn remove_station(&mut self, station: StationId) {
        // What has come until now is theirs.
        self.serve_fresh();
        let theirs = self.views.iter().filter(|view| view.station.id == station);
        for key in theirs.flat_map(|view| view.clients.clone()).collect::<Vec<_>>() {
            self.bid_farewell(key, &Farewell::StationRemoved);
        }
    }

    fn kick(&mut self, id: ClientId) -> bool {
        let Some((key, _)) = self.clients.iter().find(|(_, client)| client.life.id == id) else {
            return false;
        };
        self.bid_farewell(key, &Farewell::Kicked);
        true
    }

    fn list_clients(&self) -> Vec<ClientInfo> {
        let now = Instant::now();
        let info = |client: &Client| {
            let view = &self.views[client.view];
            let (lag_bytes, lag_frames) = view.lag(client);
            ClientInfo {
                id: client.life.id,
                station: view.station.id,
                protocol: client.dialect.into(),
                peer: client.life.peer,
                since: client.life.since,
                is_greeted: client.is_live(),
                is_relay: client.life.is_relay,
                cursor: client.expected,
                lag_bytes,
                lag_frames,
                idle: client.idle(now),
            }
        };
        self.clients.iter().map(|(_, client)| info(client)).collect()
    }
}

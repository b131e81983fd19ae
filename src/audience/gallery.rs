//! Who watches over HTTP. The engine lists them and shows them out, though it knows nothing of HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Admission, ClientId, ClientInfo, Place, Refusal};
use crate::protocol::{Cursor, Protocol};
use crate::session::{Chunk, Horizon, Seq, Station, StationId};

/// Web spectators at once, below the limits for all. Each has a message of half a MiB at most waiting
/// for it.
pub const MAX_WEB_SPECTATORS: usize = 128;

/// Everyone who watches over HTTP.
#[derive(Debug)]
pub struct Gallery {
    admission: Arc<Admission>,
    seats: Mutex<BTreeMap<ClientId, Arc<Sitter>>>,
}

/// Why a web spectator has to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dismissal {
    /// Somebody asked for it.
    Kicked,
    /// The station is gone.
    StationRemoved,
}

/// What is known of one.
#[derive(Debug)]
struct Sitter {
    id: ClientId,
    station: Arc<Station>,
    peer: SocketAddr,
    since: SystemTime,
    /// As it was asked for; the station's own counts if that is longer.
    asked: Duration,
    progress: Mutex<Progress>,
    dismissal: watch::Sender<Option<Dismissal>>,
}

/// How far it has come.
#[derive(Debug)]
struct Progress {
    next: Seq,
    /// Game and position behind what it got last; `None` before that.
    behind: Option<(u64, Cursor)>,
    moved: Instant,
}

/// A web spectator's place, free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    gallery: Arc<Gallery>,
    sitter: Arc<Sitter>,
    _place: Place,
}

/// Tells a spectator when it has to leave.
#[derive(Clone, Debug)]
pub struct Dismissed(watch::Receiver<Option<Dismissal>>);

impl Gallery {
    /// A gallery whose spectators take places of `admission`.
    pub fn new(admission: Arc<Admission>) -> Arc<Self> {
        Arc::new(Self { admission, seats: Mutex::default() })
    }

    /// Lets a spectator in that wants to be `asked` behind.
    ///
    /// # Errors
    /// If there is no place.
    pub fn enter(
        self: &Arc<Self>,
        station: Arc<Station>,
        peer: SocketAddr,
        asked: Duration,
    ) -> Result<Seat, Refusal> {
        let place = self.admission.admit(peer.ip())?;
        let progress = Progress { next: Seq(0), behind: None, moved: Instant::now() };
        let sitter = Arc::new(Sitter {
            id: place.client(),
            station,
            peer,
            since: SystemTime::now(),
            asked,
            progress: Mutex::new(progress),
            dismissal: watch::Sender::new(None),
        });
        let mut seats = self.seats.lock();
        if seats.len() >= MAX_WEB_SPECTATORS {
            return Err(Refusal::WebFull(MAX_WEB_SPECTATORS));
        }
        seats.insert(sitter.id, sitter.clone());
        drop(seats);
        sitter.station.stats.web_clients.add(1);
        Ok(Seat { gallery: self.clone(), sitter, _place: place })
    }

    /// Who is here.
    pub fn list(&self) -> Vec<ClientInfo> {
        let sitters: Vec<_> = self.seats.lock().values().cloned().collect();
        let now = Instant::now();
        sitters.iter().map(|sitter| sitter.info(now)).collect()
    }

    /// Shows a spectator out; whether it was here.
    pub fn kick(&self, client: ClientId) -> bool {
        let sitter = self.seats.lock().remove(&client);
        if let Some(sitter) = &sitter {
            sitter.dismiss(Dismissal::Kicked);
        }
        sitter.is_some()
    }

    /// Shows all spectators of a station out.
    pub fn remove_station(&self, station: StationId) {
        let sitters: Vec<_> = self.seats.lock().values().cloned().collect();
        for sitter in sitters.iter().filter(|sitter| sitter.station.id == station) {
            sitter.dismiss(Dismissal::StationRemoved);
        }
    }
}

impl Sitter {
    fn dismiss(&self, why: Dismissal) {
        self.dismissal.send_replace(Some(why));
    }

    /// Never less than that of the station's other spectators.
    fn delay(&self) -> Duration {
        self.asked.max(self.station.delay(Protocol::Web))
    }

    fn horizon(&self, now: Instant) -> Horizon {
        Horizon::at(now, self.delay())
    }

    fn info(&self, now: Instant) -> ClientInfo {
        let (station, horizon) = (&self.station, self.horizon(now));
        let (next, behind, moved) = {
            let progress = self.progress.lock();
            (progress.next, progress.behind, progress.moved)
        };
        let (lag_bytes, lag_frames) = if next >= station.log.end_within(horizon) {
            (0, Some(0))
        } else {
            let lag = station.log.distance(next, horizon);
            let is_of_its_game = behind.is_none_or(|(game, _)| lag.game == Some(game));
            (lag.bytes, is_of_its_game.then_some(lag.frames))
        };
        ClientInfo {
            id: self.id,
            station: station.id,
            protocol: Protocol::Web,
            peer: self.peer,
            since: self.since,
            is_greeted: true,
            is_relay: false,
            cursor: behind.map_or_else(|| station.end_pos_within(horizon), |(_, cursor)| cursor),
            lag_bytes,
            lag_frames,
            idle: now.saturating_duration_since(moved),
        }
    }
}

impl Seat {
    /// What is watched.
    pub fn station(&self) -> &Arc<Station> {
        &self.sitter.station
    }

    /// How far the spectator wants to be behind.
    pub fn asked(&self) -> Duration {
        self.sitter.asked
    }

    /// How far it is behind: as it wants, but not less than the station's other spectators.
    pub fn delay(&self) -> Duration {
        self.sitter.delay()
    }

    /// What it may see now.
    pub fn horizon(&self) -> Horizon {
        self.sitter.horizon(Instant::now())
    }

    /// Tells when it has to leave.
    pub fn dismissed(&self) -> Dismissed {
        Dismissed(self.sitter.dismissal.subscribe())
    }

    /// It goes on at `next`, having been given `last`, if it was given anything.
    pub fn note(&self, next: Seq, last: Option<&Chunk>) {
        let mut progress = self.sitter.progress.lock();
        progress.next = next;
        if let Some(last) = last {
            progress.behind = Some((last.game(), last.next_pos()));
            progress.moved = Instant::now();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.gallery.seats.lock().remove(&self.sitter.id);
        self.sitter.station.stats.web_clients.add(-1);
    }
}

impl Dismissed {
    /// Waits until somebody asks for the spectator to be hung up on. Safe to give up waiting.
    pub async fn kicked(&mut self) {
        if self.0.wait_for(|why| *why == Some(Dismissal::Kicked)).await.is_err() {
            // As below.
            std::future::pending().await
        }
    }

    /// Waits until the spectator has to leave. Safe to give up waiting.
    pub async fn wait(&mut self) -> Dismissal {
        match self.0.wait_for(Option::is_some).await.map(|why| *why) {
            Ok(Some(why)) => why,
            // The seat is given up, and nobody waits for this any more.
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_spectators_take_places_like_others_and_can_be_shown_out() {
        let admission = Admission::new(2, 2);
        let gallery = Gallery::new(admission.clone());
        let station = Arc::new(Station::new(StationId(7), "Stream"));
        let peer: SocketAddr = "10.0.0.1:1000".parse().unwrap();
        let enter = || gallery.enter(station.clone(), peer, Duration::ZERO);
        let (first, second) = (enter().unwrap(), enter().unwrap());
        assert_eq!(enter().unwrap_err(), Refusal::Full(2));
        assert_eq!((admission.taken(), station.stats.web_clients.get()), (2, 2));
        let listed = gallery.list();
        assert_eq!(listed.len(), 2);
        assert_eq!((listed[0].station, listed[0].peer), (StationId(7), peer));
        assert_eq!((listed[0].protocol, listed[0].lag_bytes), (Protocol::Web, 0));
        assert!(gallery.kick(listed[0].id) && !gallery.kick(listed[0].id));
        assert_eq!(*first.dismissed().0.borrow(), Some(Dismissal::Kicked));
        assert_eq!(gallery.list().len(), 1);
        gallery.remove_station(StationId(8));
        assert_eq!(*second.dismissed().0.borrow(), None);
        gallery.remove_station(StationId(7));
        assert_eq!(*second.dismissed().0.borrow(), Some(Dismissal::StationRemoved));
        drop((first, second));
        assert_eq!((admission.taken(), station.stats.web_clients.get()), (0, 0));
        assert!(gallery.list().is_empty());
    }
}

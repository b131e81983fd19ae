//! How tasks learn that something is new in a log: a thread that is rung like everyone else and passes
//! it on to tokio, of which the data plane knows nothing. It wakes the tasks of the stations whose logs
//! have grown.

use std::io;
use std::sync::{Arc, Weak};

use mio::{Events, Poll, Token, Waker};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Announcer, Bell, Listening, Seq, Station};
use crate::net::sleep_in;
use crate::shutdown::Shutdown;

/// The thread before it runs. Nobody wakes it while no task listens.
pub struct Bridge {
    poll: Poll,
    bell: Bell,
    stations: Stations,
    shutdown: Shutdown,
}

/// Where tasks begin to listen. Clones are the same place.
#[derive(Clone, Debug)]
pub struct News {
    bell: Option<Bell>,
    stations: Stations,
}

/// The stations that somebody listens to, or did when the bell rang last.
type Stations = Arc<Mutex<Vec<Followed>>>;

#[derive(Debug)]
struct Followed {
    /// One that was removed is not to be kept.
    station: Weak<Station>,
    /// The end of its log, as far as its listeners were told.
    end: watch::Sender<Seq>,
}

/// A task that listens.
#[derive(Debug)]
pub struct Ear {
    end: watch::Receiver<Seq>,
    _listening: Option<Listening>,
}

impl Bridge {
    /// Prepares a thread that is rung by `announcer`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(announcer: &mut Announcer, shutdown: Shutdown) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0))?);
        shutdown.ring_on_request(doorbell.clone());
        let bell = Bell::new(doorbell);
        announcer.attach(bell.clone());
        Ok(Self { poll, bell, stations: Stations::default(), shutdown })
    }

    /// Where tasks listen.
    pub fn news(&self) -> News {
        News { bell: Some(self.bell.clone()), stations: self.stations.clone() }
    }

    /// Passes rings on until the shutdown is requested.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(4);
        while !self.shutdown.is_requested() {
            sleep_in(&mut self.poll, &mut events, None);
            // The lock is given back before anybody is woken.
            let grown = take_grown(&mut self.stations.lock());
            for (listeners, end) in grown {
                listeners.send_replace(end);
            }
        }
    }
}

/// The logs that have grown since their listeners were told, and their ends. What nobody listens to
/// any more is forgotten.
fn take_grown(stations: &mut Vec<Followed>) -> Vec<(watch::Sender<Seq>, Seq)> {
    stations.retain(|followed| followed.end.receiver_count() > 0);
    let grown = stations.iter().filter_map(|followed| {
        let end = followed.station.upgrade()?.log.end();
        (*followed.end.borrow() != end).then(|| (followed.end.clone(), end))
    });
    grown.collect()
}

impl News {
    /// A place where nothing is ever heard.
    pub fn none() -> Self {
        Self { bell: None, stations: Stations::default() }
    }

    /// Listens to a station from now on.
    pub fn listen(&self, station: &Arc<Station>) -> Ear {
        // First: what comes behind the end that is looked at below is rung for.
        let listening = self.bell.as_ref().map(Bell::listen);
        let mut stations = self.stations.lock();
        let is_it = |followed: &&Followed| std::ptr::eq(followed.station.as_ptr(), &**station);
        let end = match stations.iter().find(is_it) {
            Some(followed) => followed.end.subscribe(),
            None => {
                let (sender, receiver) = watch::channel(station.log.end());
                stations.push(Followed { station: Arc::downgrade(station), end: sender });
                receiver
            }
        };
        Ear { end, _listening: listening }
    }
}

impl Ear {
    /// Waits until the station's log has grown since the last time. Safe to give up waiting.
    pub async fn rung(&mut self) {
        if self.end.changed().await.is_err() {
            // The thread has ended, and the relay ends.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Cursor;
    use crate::protocol::console::Replay;
    use crate::session::{Divergence, StationId, Writer};
    use std::time::Instant;

    #[test]
    fn only_listeners_of_a_log_that_has_grown_are_woken() {
        let station = |id| Arc::new(Station::new(StationId(id), "test"));
        let (one, two) = (station(1), station(2));
        let news = News::none();
        let ears = [news.listen(&one), news.listen(&one), news.listen(&two)];
        let grown = || take_grown(&mut news.stations.lock());
        assert_eq!(grown().len(), 0);
        assert_eq!(news.stations.lock().len(), 2);
        let replay =
            Replay { pos: Cursor(0), force_pos: false, data: &[0x35, 4, 0x36, 0, 1, 0x36, 0] };
        Writer::new(two.clone()).write(replay, Divergence::NewPositions, Instant::now());
        for (listeners, end) in grown() {
            assert_eq!(end, two.log.end());
            listeners.send_replace(end);
        }
        assert_eq!(ears.each_ref().map(|ear| ear.end.has_changed().unwrap()), [false, false, true]);
        assert_eq!(grown().len(), 0, "told already");
        drop(ears);
        assert_eq!(grown().len(), 0);
        assert_eq!(news.stations.lock().len(), 0, "nobody listens");
    }
}

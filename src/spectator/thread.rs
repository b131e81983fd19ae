//! The loop of the spectator thread over all stations.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use slab::Slab;

use super::hall::Hall;
use super::usher::{Letter, Usher};
use crate::audience::{Admission, ClientId};
use crate::config::ClientLimits;
use crate::net::{EnetSocket, Letters, mailbox, sleep_in};
use crate::session::{Announcer, Signals, Station, StationId};
use crate::shutdown::Shutdown;

const DOORBELL: Token = Token(usize::MAX);

/// How often latencies are handed in.
const HOUSEKEEPING: Duration = Duration::from_millis(500);

/// How long spectators have at the end to take what is theirs, and then to hear that it is the end.
const FLUSH_TIME: Duration = Duration::from_secs(2);
const FAREWELL_TIME: Duration = Duration::from_millis(500);

/// How often the flag is looked at while the thread waits for the console thread's last word.
const ENDING_POLL: Duration = Duration::from_millis(20);

/// How far the end has come.
enum Ending {
    /// Not begun.
    No,
    /// Spectators take what is theirs, until then at the latest.
    Flush(Instant),
    /// They were hung up on and hear of it, until then at the latest.
    Farewell(Instant),
}

/// The spectator thread before it runs.
pub struct SpectatorThread {
    poll: Poll,
    usher: Usher,
    letters: Letters<Letter>,
    signals: Signals,
    halls: Slab<Hall>,
    admission: Arc<Admission>,
    limits: ClientLimits,
    shutdown: Shutdown,
    next_housekeeping: Instant,
}

impl SpectatorThread {
    /// Prepares the thread that serves where its [`Usher`] says and listens to `announcer`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        announcer: &mut Announcer,
        admission: Arc<Admission>,
        limits: ClientLimits,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let (mailbox, letters) = mailbox(doorbell.clone());
        Ok(Self {
            poll,
            usher: Usher { mailbox },
            letters,
            signals: announcer.subscribe(doorbell),
            halls: Slab::new(),
            admission,
            limits,
            shutdown,
            next_housekeeping: Instant::now() + HOUSEKEEPING,
        })
    }

    /// The way to it, for the engine.
    pub fn usher(&self) -> Usher {
        self.usher.clone()
    }

    /// Runs until the console thread has said its last word, then lets spectators take what is
    /// theirs and hangs up.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(64);
        let mut ending = Ending::No;
        loop {
            let timeout = self.timeout();
            sleep_in(&mut self.poll, &mut events, timeout);
            let source_ended = self.signals.drain();
            let now = Instant::now();
            // The frame first, everything else after it.
            for (_, hall) in &mut self.halls {
                hall.serve_fresh(now);
            }
            let has_come = |key| events.iter().any(|event| event.token() == Token(key));
            for (key, hall) in &mut self.halls {
                if has_come(key) || hall.has_more() || hall.is_in_use() {
                    hall.service(now);
                    hall.catch_up();
                }
            }
            while let Some(letter) = self.letters.next() {
                self.obey(letter, now);
            }
            if now >= self.next_housekeeping {
                self.next_housekeeping = now + HOUSEKEEPING;
                self.halls.iter_mut().for_each(|(_, hall)| hall.report());
            }
            if source_ended && self.end(&mut ending, now) {
                break;
            }
        }
        self.halls.iter_mut().for_each(|(_, hall)| hall.report());
    }

    fn timeout(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if self.halls.iter().any(|(_, hall)| hall.has_more()) {
            return Some(Duration::ZERO);
        }
        let ending = self.shutdown.is_requested().then(|| now + ENDING_POLL);
        let deadlines = self.halls.iter_mut().filter_map(|(_, hall)| hall.deadline(now));
        let deadline = deadlines.chain(ending).min()?;
        Some(deadline.saturating_duration_since(now))
    }

    /// Takes the end a step further; whether it is there.
    fn end(&mut self, ending: &mut Ending, now: Instant) -> bool {
        match *ending {
            Ending::No => {
                self.halls.iter_mut().for_each(|(_, hall)| hall.finish(now));
                *ending = Ending::Flush(now + FLUSH_TIME);
                false
            }
            Ending::Flush(until) => {
                if now >= until || self.halls.iter().all(|(_, hall)| hall.is_flushed()) {
                    self.halls.iter_mut().for_each(|(_, hall)| hall.dismiss());
                    *ending = Ending::Farewell(now + FAREWELL_TIME);
                }
                false
            }
            Ending::Farewell(until) => {
                now >= until || !self.halls.iter_mut().any(|(_, hall)| hall.is_in_use())
            }
        }
    }

    /// Does what the engine wants. Whoever asked may be gone.
    fn obey(&mut self, letter: Letter, now: Instant) {
        match letter {
            Letter::Open(socket, station) => self.open(socket, station),
            Letter::Close(station, reply) => {
                self.close(station, now);
                let _ = reply.send(());
            }
            Letter::Kick(client, reply) => drop(reply.send(self.kick(client))),
            Letter::List(reply) => {
                let clients = self.halls.iter().flat_map(|(_, hall)| hall.list());
                let _ = reply.send(clients.collect());
            }
        }
    }

    fn open(&mut self, mut socket: EnetSocket, station: Arc<Station>) {
        let entry = self.halls.vacant_entry();
        let address = socket.address();
        if let Err(error) = socket.register(self.poll.registry(), Token(entry.key())) {
            tracing::error!("nobody can connect to {address}: {error}");
            return;
        }
        match Hall::new(socket, station, self.admission.clone(), self.limits) {
            Some(hall) => drop(entry.insert(hall)),
            None => tracing::error!("nobody can connect to {address}: ENet refuses"),
        }
    }

    fn close(&mut self, station: StationId, now: Instant) {
        let registry = self.poll.registry();
        self.halls.retain(|_, hall| {
            let keep = hall.station().id != station;
            if !keep {
                hall.close(now);
                hall.socket().deregister(registry);
            }
            keep
        });
    }

    fn kick(&mut self, client: ClientId) -> bool {
        self.halls.iter_mut().any(|(_, hall)| hall.kick(client))
    }
}

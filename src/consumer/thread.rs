//! The loop of one consumer thread over its share of the spectators.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::client::Client;
use super::farewell::Farewell;
use super::inbox::{Door, Inbox, inbox};
use super::view::{Due, Progress, View};
use crate::audience::ClientId;
use crate::config::ClientLimits;
use crate::net::sleep_in;
use crate::protocol::console::KEEP_ALIVE_MS;
use crate::session::{Announcer, Chunk, Signals};
use crate::shutdown::Shutdown;

const DOORBELL: Token = Token(usize::MAX);

/// Events taken from the system at once.
const EVENTS: usize = 1024;

/// A spectator hears something this often.
const KEEP_ALIVE: Duration = Duration::from_millis(KEEP_ALIVE_MS);

/// A spectator whose socket takes nothing for this long is hung up on. It may come back and resume.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// How often the thread does what is not urgent: looks for stalled spectators, hands in latencies.
const HOUSEKEEPING: Duration = Duration::from_millis(500);

/// How long spectators have at the end to take what is theirs.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// How often the flag is looked at while the thread waits for the console thread's last word.
const ENDING_POLL: Duration = Duration::from_millis(20);

/// A consumer thread before it runs.
pub struct ConsumerThread {
    pub(super) poll: Poll,
    inbox: Inbox,
    pub(super) door: Door,
    signals: Signals,
    /// A view for each station and dialect that has clients here.
    pub(super) views: Vec<View>,
    pub(super) clients: Slab<Client>,
    /// Slab keys of those that are behind and whose socket takes more.
    catching_up: Vec<usize>,
    /// Who has still to say its handshake, and until when, in order. The number tells a later client
    /// in the same place.
    pub(super) greeting: VecDeque<(Instant, usize, ClientId)>,
    pub(super) limits: ClientLimits,
    shutdown: Shutdown,
    /// Kept from turn to turn so that no turn allocates: chunks, and slab keys.
    fresh: Vec<Arc<Chunk>>,
    history: Vec<Arc<Chunk>>,
    turns: Vec<usize>,
    next_housekeeping: Instant,
}

impl ConsumerThread {
    /// Prepares a thread that serves spectators and listens to `announcer`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        announcer: &mut Announcer,
        limits: ClientLimits,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let (inbox, door) = inbox(doorbell.clone());
        Ok(Self {
            poll,
            signals: announcer.subscribe(doorbell),
            inbox,
            door,
            views: Vec::new(),
            clients: Slab::new(),
            catching_up: Vec::new(),
            greeting: VecDeque::new(),
            limits,
            shutdown,
            fresh: Vec::new(),
            history: Vec::new(),
            turns: Vec::new(),
            next_housekeeping: Instant::now() + HOUSEKEEPING,
        })
    }

    /// The way in, for the listener thread.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Runs until the console thread has said its last word, then lets spectators take what is
    /// theirs and hangs up.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut flush_until = None;
        loop {
            // Before the logs are looked at for what is due.
            self.signals.rest(self.clients.is_empty());
            let timeout = self.timeout();
            sleep_in(&mut self.poll, &mut events, timeout);
            let source_ended = self.signals.drain();
            // The frame first, everything else after it.
            self.serve_fresh();
            for event in &events {
                if event.token() != DOORBELL {
                    self.on_event(event);
                    self.serve_fresh();
                }
            }
            self.read_letters();
            self.catch_up();
            let now = Instant::now();
            self.expire_greetings(now);
            self.keep_alive(now);
            if now >= self.next_housekeeping {
                self.keep_house(now);
            }
            if source_ended {
                let until = *flush_until.get_or_insert(now + FLUSH_TIME);
                if now >= until || self.is_flushed() {
                    break;
                }
            }
        }
        self.keep_house(Instant::now());
        for key in self.clients.iter().map(|(key, _)| key).collect::<Vec<_>>() {
            self.bid_farewell(key, &Farewell::Shutdown);
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        if !self.catching_up.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        if self.clients.is_empty() {
            // What they have seen would be old when somebody comes.
            self.drop_views();
            return self.shutdown.is_requested().then_some(ENDING_POLL);
        }
        let mut deadline = self.next_housekeeping;
        if let Some((until, ..)) = self.greeting.front() {
            deadline = deadline.min(*until);
        }
        for view in &mut self.views {
            deadline = deadline.min(view.last_sent + KEEP_ALIVE);
            match view.due() {
                Due::Never => {}
                Due::Now => return Some(Duration::ZERO),
                Due::At(due) => deadline = deadline.min(due),
            }
        }
        if self.shutdown.is_requested() {
            deadline = deadline.min(now + ENDING_POLL);
        }
        Some(deadline.saturating_duration_since(now))
    }

    /// Hands what is new in each log to everyone who is up to date. Called between all pieces of
    /// other work, so that nobody's frame waits for more than one of them.
    pub(super) fn serve_fresh(&mut self) {
        for at in 0..self.views.len() {
            if self.views[at].has_news() {
                self.serve_view(at);
            }
        }
    }

    fn serve_view(&mut self, at: usize) {
        let mut fresh = std::mem::take(&mut self.fresh);
        let mut turns = std::mem::take(&mut self.turns);
        let view = &mut self.views[at];
        let notice = view.news_for_relays();
        view.look(&mut fresh);
        view.turns(&mut turns);
        for &key in &turns {
            let Some(client) = self.clients.get_mut(key) else {
                continue;
            };
            if let Some(notice) = &notice {
                client.note(notice);
            }
            if client.blocked || client.is_catching_up || !client.is_live() {
                continue;
            }
            let progress = self.views[at].serve(client, &fresh);
            self.settle(key, progress);
        }
        self.views[at].settle_latency();
        if !fresh.is_empty() {
            self.views[at].last_sent = Instant::now();
        }
        fresh.clear();
        (self.fresh, self.turns) = (fresh, turns);
    }

    /// Remembers what a client's turn left to do.
    #[inline]
    fn settle(&mut self, key: usize, progress: Result<Progress, Farewell>) {
        match progress {
            Ok(Progress::UpToDate) => {}
            Ok(Progress::Behind) => self.list(key),
            Ok(Progress::Blocked) => self.block(key),
            Err(farewell) => self.bid_farewell(key, &farewell),
        }
    }

    /// Asks the poll to tell when the client's socket takes more.
    fn block(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        client.blocked = true;
        let both = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().reregister(&mut client.stream, Token(key), both) {
            self.bid_farewell(key, &error.into());
        }
    }

    fn on_event(&mut self, event: &Event) {
        let Token(key) = event.token();
        // An event of a client that is gone may still be in the list.
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let was_greeting = !client.is_live();
        let view = &self.views[client.view];
        let mut result = Ok(false);
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            result = client.read(&view.station, self.limits.handshake_len, view.horizon());
        }
        if event.is_writable() && client.blocked && result.is_ok() {
            client.blocked = false;
            if let Err(error) =
                self.poll.registry().reregister(&mut client.stream, Token(key), Interest::READABLE)
            {
                result = Err(error.into());
            }
            self.list(key);
        }
        match result {
            Ok(greeted) if greeted && was_greeting => self.list(key),
            Ok(_) => {}
            Err(farewell) => self.bid_farewell(key, &farewell),
        }
    }

    /// Puts a client on the list of those that are behind.
    pub(super) fn list(&mut self, key: usize) {
        if let Some(client) = self.clients.get_mut(key)
            && !client.is_catching_up
            && client.is_live()
        {
            client.is_catching_up = true;
            self.catching_up.push(key);
        }
    }

    /// Gives each client that is behind a bounded slice.
    fn catch_up(&mut self) {
        if self.catching_up.is_empty() {
            return;
        }
        let mut chunks = std::mem::take(&mut self.history);
        for key in std::mem::take(&mut self.catching_up) {
            let Some(client) = self.clients.get_mut(key) else {
                continue;
            };
            // Another may have the key of one that left while it was listed.
            if !std::mem::replace(&mut client.is_catching_up, false) {
                continue;
            }
            let progress = self.views[client.view].catch_up(client, &mut chunks);
            self.settle(key, progress);
            self.serve_fresh();
        }
        chunks.clear();
        self.history = chunks;
    }

    fn expire_greetings(&mut self, now: Instant) {
        while let Some(&(until, key, id)) = self.greeting.front() {
            let waits = |client: &Client| client.life.id == id && !client.is_live();
            if !self.clients.get(key).is_some_and(waits) {
                self.greeting.pop_front();
            } else if until <= now {
                self.greeting.pop_front();
                self.bid_farewell(key, &Farewell::HandshakeTimeout);
            } else {
                return;
            }
        }
    }

    /// Says to everyone of a quiet station that the relay is there.
    fn keep_alive(&mut self, now: Instant) {
        for at in 0..self.views.len() {
            if now < self.views[at].last_sent + KEEP_ALIVE {
                continue;
            }
            self.views[at].last_sent = now;
            let notice = self.views[at].station.notice(self.views[at].horizon()).into();
            for key in self.views[at].clients.clone() {
                let Some(client) = self.clients.get_mut(key) else {
                    continue;
                };
                if client.is_live() && !client.blocked && !client.is_catching_up {
                    let progress = client.keep_alive(&notice);
                    self.settle(key, progress);
                }
            }
        }
    }

    fn keep_house(&mut self, now: Instant) {
        self.next_housekeeping = now + HOUSEKEEPING;
        for view in &mut self.views {
            view.report();
        }
        let mut stalled = Vec::new();
        for (key, client) in &mut self.clients {
            client.look_at_progress(now);
            if client.blocked && client.idle(now) > STALLED_AFTER {
                stalled.push(key);
            }
        }
        for key in stalled {
            self.bid_farewell(key, &Farewell::Stalled);
        }
        self.drop_views();
    }

    /// Whether every client has all that it may see, but for those whose socket takes no more.
    fn is_flushed(&self) -> bool {
        let ends: Vec<_> =
            self.views.iter().map(|view| view.station.log.end_within(view.horizon())).collect();
        self.clients.iter().all(|(_, client)| {
            !client.is_live() || client.is_flushed() && client.next >= ends[client.view]
        })
    }

    pub(super) fn bid_farewell(&mut self, key: usize, farewell: &Farewell) {
        let Some(mut client) = self.clients.try_remove(key) else {
            return;
        };
        let view = &mut self.views[client.view];
        view.clients.swap_remove(client.life.order);
        if let Some(&moved) = view.clients.get(client.life.order)
            && let Some(moved) = self.clients.get_mut(moved)
        {
            moved.life.order = client.life.order;
        }
        view.station.stats.clients_of(client.dialect.into()).add(-1);
        self.door.left();
        let peer = client.life.peer;
        tracing::info!(station = %view.station.name(), %peer, "a spectator left: {farewell}");
        // The socket is dropped right after; the poll forgets it then at the latest.
        let _ = self.poll.registry().deregister(&mut client.stream);
    }
}

//! The loop of one consumer thread over its share of the spectators.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::event::Event;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::client::{Client, Delivery, Farewell, Protocol};
use super::listener::Admitted;
use crate::config::ClientLimits;
use crate::net::sleep_in;
use crate::protocol::console::KEEP_ALIVE_MS;
use crate::session::{Announcer, Chunk, Doorbell, Seq, Signals, Station};
use crate::shutdown::Shutdown;
use crate::stats::{latency_histogram, record};

const DOORBELL: Token = Token(usize::MAX);

/// Events taken from the system at once.
const EVENTS: usize = 1024;

/// A spectator hears something this often.
const KEEP_ALIVE: Duration = Duration::from_millis(KEEP_ALIVE_MS);

/// The most a lagging spectator gets in one turn, in event bytes: catching up must not delay
/// anybody's live frame.
const CATCH_UP_BYTES: usize = 128 * 1024;

/// Chunks looked at for one such turn.
const CATCH_UP_CHUNKS: usize = 256;

/// Chunks taken from the log at once for those who are up to date. A frame is one or a few.
const FRESH_CHUNKS: usize = 64;

/// A spectator whose socket takes nothing for this long is hung up on. It may come back and resume.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// How often the thread does what is not urgent: looks for stalled spectators, hands in latencies.
const HOUSEKEEPING: Duration = Duration::from_millis(500);

/// How long spectators have at the end to take what is theirs.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// How often the flag is looked at while the thread waits for the console thread's last word.
const ENDING_POLL: Duration = Duration::from_millis(20);

/// The way into a consumer thread.
#[derive(Clone)]
pub struct Inbox {
    sender: Sender<Admitted>,
    doorbell: Doorbell,
    load: Arc<AtomicUsize>,
}

impl Inbox {
    /// Clients the thread has or is about to get.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    pub(super) fn send(&self, admitted: Admitted) {
        self.load.fetch_add(1, Ordering::Relaxed);
        // A thread that has ended takes nobody; the socket is closed by being dropped.
        if self.sender.send(admitted).is_ok()
            && let Err(error) = self.doorbell.wake()
        {
            tracing::error!("a consumer thread cannot be woken: {error}");
        }
    }
}

/// A consumer thread before it runs.
pub struct ConsumerThread {
    poll: Poll,
    doorbell: Doorbell,
    sender: Sender<Admitted>,
    inbox: Receiver<Admitted>,
    load: Arc<AtomicUsize>,
    signals: Signals,
    stations: Vec<View>,
    clients: Slab<Client>,
    /// Slab keys of those that are behind and whose socket takes more.
    catching_up: Vec<usize>,
    /// Who has still to say its handshake, and until when, in order. The peer's order number tells a
    /// later client in the same place.
    greeting: VecDeque<(Instant, usize, u64)>,
    arrivals: u64,
    limits: ClientLimits,
    shutdown: Shutdown,
    scratch: Vec<Arc<Chunk>>,
    next_housekeeping: Instant,
}

/// A station as this thread has seen it.
struct View {
    station: Arc<Station>,
    /// The log's end when the thread last looked.
    seen: Seq,
    fresh: Vec<Arc<Chunk>>,
    /// Slab keys of its clients.
    clients: Vec<usize>,
    /// Whose turn is first; goes round from frame to frame.
    first: usize,
    /// When its spectators last heard something.
    last_sent: Instant,
    latency: Histogram<u64>,
}

impl View {
    fn has_news(&self) -> bool {
        self.seen < self.station.log.end()
    }
}

impl ConsumerThread {
    /// Prepares a thread that serves spectators of `stations` and listens to `announcer`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        stations: &[Arc<Station>],
        announcer: &mut Announcer,
        limits: ClientLimits,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let (sender, inbox) = channel();
        let now = Instant::now();
        let view = |station: &Arc<Station>| View {
            seen: station.log.end(),
            station: station.clone(),
            fresh: Vec::new(),
            clients: Vec::new(),
            first: 0,
            last_sent: now,
            latency: latency_histogram(),
        };
        Ok(Self {
            poll,
            signals: announcer.subscribe(doorbell.clone()),
            doorbell,
            sender,
            inbox,
            load: Arc::default(),
            stations: stations.iter().map(view).collect(),
            clients: Slab::new(),
            catching_up: Vec::new(),
            greeting: VecDeque::new(),
            arrivals: 0,
            limits,
            shutdown,
            scratch: Vec::new(),
            next_housekeeping: now + HOUSEKEEPING,
        })
    }

    /// The way in, for the listener thread.
    pub fn inbox(&self) -> Inbox {
        Inbox {
            sender: self.sender.clone(),
            doorbell: self.doorbell.clone(),
            load: self.load.clone(),
        }
    }

    /// Runs until the console thread has said its last word, then lets spectators take what is
    /// theirs and hangs up.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut flush_until = None;
        loop {
            let timeout = self.timeout();
            sleep_in(&mut self.poll, &mut events, timeout);
            let source_ended = self.signals.drain();
            // The frame first, everything else after it.
            self.serve_fresh();
            for event in &events {
                if event.token() != DOORBELL {
                    self.on_event(event);
                }
            }
            self.take_in();
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

    fn timeout(&self) -> Option<Duration> {
        if !self.catching_up.is_empty() || self.stations.iter().any(View::has_news) {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        if self.shutdown.is_requested() {
            return Some(ENDING_POLL);
        }
        if self.clients.is_empty() {
            return None;
        }
        let keep_alives = self
            .stations
            .iter()
            .filter(|view| !view.clients.is_empty())
            .map(|view| view.last_sent + KEEP_ALIVE);
        let greeting = self.greeting.front().map(|(until, ..)| *until);
        let deadline = keep_alives
            .chain(greeting)
            .chain([self.next_housekeeping])
            .min()?;
        Some(deadline.saturating_duration_since(now))
    }

    /// Hands what is new in each log to everyone who is up to date.
    fn serve_fresh(&mut self) {
        for at in 0..self.stations.len() {
            if self.stations[at].has_news() {
                self.serve_station(at);
            }
        }
    }

    fn serve_station(&mut self, at: usize) {
        let view = &mut self.stations[at];
        view.station
            .log
            .read(view.seen, FRESH_CHUNKS, &mut view.fresh);
        let Some(last) = view.fresh.last() else {
            return;
        };
        // Those who wait for the first of these get them all. Nobody else is touched.
        let due = view.fresh[0].seq();
        view.seen = last.seq().next();
        let mut gone = Vec::new();
        let (before, after) = view.clients.split_at(view.first.min(view.clients.len()));
        for &key in after.iter().chain(before) {
            let Some(client) = self.clients.get_mut(key) else {
                continue;
            };
            if client.blocked || client.is_catching_up || !client.is_live() {
                continue;
            }
            if client.next != due {
                // It came while the log was ahead of this thread.
                client.is_catching_up = true;
                self.catching_up.push(key);
                continue;
            }
            let mut sent = Sent {
                latency: &mut view.latency,
                now: None,
            };
            match client.deliver(&view.fresh, &mut |arrived| sent.record(arrived)) {
                Ok(Delivery::Done) => {
                    if let Some(now) = sent.now {
                        client.progress = now;
                    }
                }
                Ok(Delivery::Blocked) => {
                    if let Err(farewell) = block(&self.poll, key, client) {
                        gone.push((key, farewell));
                    }
                }
                Err(farewell) => gone.push((key, farewell)),
            }
        }
        // A stride that is not a divisor: everyone is early and late in turn.
        view.first = (view.first + view.clients.len() / 3 + 1) % view.clients.len().max(1);
        view.last_sent = Instant::now();
        view.fresh.clear();
        for (key, farewell) in gone {
            self.bid_farewell(key, &farewell);
        }
    }

    fn on_event(&mut self, event: &Event) {
        let Token(key) = event.token();
        // An event of a client that is gone may still be in the list.
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let was_greeting = !client.is_live();
        let station = self.stations[client.station].station.clone();
        let mut result = Ok(false);
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            result = client.read(&station, self.limits.handshake_len, Instant::now());
        }
        if event.is_writable() && client.blocked && result.is_ok() {
            client.blocked = false;
            if let Err(error) =
                self.poll
                    .registry()
                    .reregister(&mut client.stream, Token(key), Interest::READABLE)
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
    fn list(&mut self, key: usize) {
        if let Some(client) = self.clients.get_mut(key)
            && !client.is_catching_up
            && client.is_live()
        {
            client.is_catching_up = true;
            self.catching_up.push(key);
        }
    }

    /// Takes in the newcomers.
    fn take_in(&mut self) {
        while let Ok(admitted) = self.inbox.try_recv() {
            let Admitted {
                mut stream,
                peer,
                station,
                protocol,
                place,
            } = admitted;
            let now = Instant::now();
            let entry = self.clients.vacant_entry();
            let key = entry.key();
            if let Err(error) =
                self.poll
                    .registry()
                    .register(&mut stream, Token(key), Interest::READABLE)
            {
                tracing::warn!(%peer, "a spectator cannot be served: {error}");
                self.load.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let view = &mut self.stations[station];
            let mut client = Client::new(stream, peer, station, protocol, place, now);
            client.order = view.clients.len();
            if protocol == Protocol::Raw {
                client.begin_raw(&view.station);
            }
            entry.insert(client);
            view.clients.push(key);
            view.station.stats.clients.add(1);
            tracing::info!(station = view.station.name, %peer, ?protocol, "a spectator came");
            match protocol {
                Protocol::Raw => self.list(key),
                Protocol::Console => {
                    self.arrivals += 1;
                    let until = now + self.limits.handshake_time;
                    self.greeting.push_back((until, key, self.arrivals));
                    if let Some(client) = self.clients.get_mut(key) {
                        client.arrival = self.arrivals;
                    }
                }
            }
        }
    }

    /// Gives each client that is behind a bounded slice.
    fn catch_up(&mut self) {
        for key in std::mem::take(&mut self.catching_up) {
            let Some(client) = self.clients.get_mut(key) else {
                continue;
            };
            client.is_catching_up = false;
            let view = &mut self.stations[client.station];
            self.scratch.clear();
            match catch_up_one(client, view, &mut self.scratch) {
                Ok(Progress::UpToDate) => {}
                Ok(Progress::Behind) => self.list(key),
                Ok(Progress::Blocked) => {
                    if let Err(farewell) = block(&self.poll, key, client) {
                        self.bid_farewell(key, &farewell);
                    }
                }
                Err(farewell) => self.bid_farewell(key, &farewell),
            }
        }
        self.scratch.clear();
    }

    fn expire_greetings(&mut self, now: Instant) {
        while let Some(&(until, key, arrival)) = self.greeting.front() {
            let waits = |client: &Client| client.arrival == arrival && !client.is_live();
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
        for at in 0..self.stations.len() {
            let view = &mut self.stations[at];
            if now < view.last_sent + KEEP_ALIVE {
                continue;
            }
            view.last_sent = now;
            let mut gone = Vec::new();
            for &key in &view.clients {
                let Some(client) = self.clients.get_mut(key) else {
                    continue;
                };
                if !client.is_live() || client.blocked || client.is_catching_up {
                    continue;
                }
                let said = client.keep_alive().and_then(|delivery| match delivery {
                    Delivery::Done => {
                        client.progress = now;
                        Ok(())
                    }
                    Delivery::Blocked => block(&self.poll, key, client),
                });
                if let Err(farewell) = said {
                    gone.push((key, farewell));
                }
            }
            for (key, farewell) in gone {
                self.bid_farewell(key, &farewell);
            }
        }
    }

    fn keep_house(&mut self, now: Instant) {
        self.next_housekeeping = now + HOUSEKEEPING;
        for view in &mut self.stations {
            if !view.latency.is_empty() {
                view.station.stats.latency.add(&view.latency);
                view.latency.reset();
            }
        }
        let stalled = |client: &Client| client.blocked && now > client.progress + STALLED_AFTER;
        let stalled: Vec<usize> = self
            .clients
            .iter()
            .filter_map(|(key, client)| stalled(client).then_some(key))
            .collect();
        for key in stalled {
            self.bid_farewell(key, &Farewell::Stalled);
        }
    }

    /// Whether every client has all that is in the log, but for those whose socket takes no more.
    fn is_flushed(&self) -> bool {
        self.clients.iter().all(|(_, client)| {
            let end = self.stations[client.station].station.log.end();
            !client.is_live() || client.is_flushed() && client.next == end
        })
    }

    fn bid_farewell(&mut self, key: usize, farewell: &Farewell) {
        let Some(mut client) = self.clients.try_remove(key) else {
            return;
        };
        let view = &mut self.stations[client.station];
        view.clients.swap_remove(client.order);
        if let Some(&moved) = view.clients.get(client.order)
            && let Some(moved) = self.clients.get_mut(moved)
        {
            moved.order = client.order;
        }
        view.station.stats.clients.add(-1);
        self.load.fetch_sub(1, Ordering::Relaxed);
        let peer = client.peer;
        tracing::info!(station = view.station.name, %peer, "a spectator left: {farewell}");
        // The socket is dropped right after; the poll forgets it then at the latest.
        let _ = self.poll.registry().deregister(&mut client.stream);
    }
}

/// Takes the time once a client, when its first chunk is out.
struct Sent<'a> {
    latency: &'a mut Histogram<u64>,
    now: Option<Instant>,
}

impl Sent<'_> {
    fn record(&mut self, arrived: Instant) {
        let now = *self.now.get_or_insert_with(Instant::now);
        record(self.latency, now.saturating_duration_since(arrived));
    }
}

enum Progress {
    UpToDate,
    Behind,
    Blocked,
}

fn catch_up_one(
    client: &mut Client,
    view: &mut View,
    chunks: &mut Vec<Arc<Chunk>>,
) -> Result<Progress, Farewell> {
    let log = &view.station.log;
    log.read(client.next, CATCH_UP_CHUNKS, chunks);
    if let Some(first) = chunks.first()
        && first.seq() != client.next
        && first.game() != client.game
    {
        view.station.stats.skipped.add(1);
        if client.protocol == Protocol::Raw {
            return Err(Farewell::LeftBehind);
        }
        tracing::info!(peer = %client.peer, "a spectator was more than a game behind and is skipped to the newest");
        client.skip_to(log.newest_game());
        chunks.clear();
        log.read(client.next, CATCH_UP_CHUNKS, chunks);
    }
    let mut bytes = 0;
    let within = chunks.iter().take_while(|chunk| {
        bytes += chunk.data().len();
        bytes <= CATCH_UP_BYTES
    });
    let some = within.count().max(1).min(chunks.len());
    let mut sent = Sent {
        latency: &mut view.latency,
        now: None,
    };
    let before = client.next;
    let delivery = client.deliver(&chunks[..some], &mut |arrived| sent.record(arrived))?;
    if client.next != before {
        client.progress = Instant::now();
    }
    Ok(match delivery {
        Delivery::Blocked => Progress::Blocked,
        // Up to date is who waits for what this thread has not looked at yet.
        Delivery::Done if client.next >= view.seen => Progress::UpToDate,
        Delivery::Done => Progress::Behind,
    })
}

/// Asks the poll to tell when the client's socket takes more.
fn block(poll: &Poll, key: usize, client: &mut Client) -> Result<(), Farewell> {
    client.blocked = true;
    let both = Interest::READABLE | Interest::WRITABLE;
    Ok(poll
        .registry()
        .reregister(&mut client.stream, Token(key), both)?)
}

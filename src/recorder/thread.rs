//! The loop of the recorder thread.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::recovery;
use super::track::Track;
use crate::net::{Letters, Mailbox, mailbox, sleep_in};
use crate::session::{Announcer, Seq, Signals, Station, StationId};
use crate::shutdown::Shutdown;

/// How often the flag is looked at while the thread waits for the console thread's last word.
const ENDING_POLL: Duration = Duration::from_millis(20);

/// What the recorder needs to know.
#[derive(Clone, Debug)]
pub struct RecorderOptions {
    /// Where the files go; created if need be.
    pub folder: PathBuf,
    /// Whether each station has a folder of its own in there.
    pub station_folders: bool,
    /// How long a source may stay away before its game's file is completed.
    pub away_limit: Duration,
}

/// What the recorder thread is told.
enum Order {
    /// Save the games of a station to whose log nothing has been appended yet.
    Add(Arc<Station>),
    /// A station is gone and its log has its last byte: complete its file.
    Remove(StationId),
    /// Sources may stay away for so long.
    AwayLimit(Duration),
}

/// The way to the recorder thread.
#[derive(Clone)]
pub struct Clerk {
    mailbox: Mailbox<Order>,
    has_failed: Arc<AtomicBool>,
}

impl Clerk {
    /// Saves the games of `station`, to whose log nothing may have been appended yet.
    pub fn add(&self, station: Arc<Station>) {
        // Kept from now on, whenever the thread reads its letters.
        station.log.pin(Seq(0));
        self.mailbox.post(Order::Add(station));
    }

    /// The station is gone and nothing will be appended to its log: completes its file.
    pub fn remove(&self, station: StationId) {
        self.mailbox.post(Order::Remove(station));
    }

    /// Changes how long a source may stay away before its game's file is completed.
    pub fn set_away_limit(&self, limit: Duration) {
        self.mailbox.post(Order::AwayLimit(limit));
    }

    /// Whether something that came could not be saved; complete once the thread has ended.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Looks at what is wanted: a station's recording was switched on or off.
    pub fn look(&self) {
        self.mailbox.ring();
    }
}

/// The recorder thread before it runs.
pub struct RecorderThread {
    poll: Poll,
    clerk: Clerk,
    orders: Letters<Order>,
    signals: Signals,
    tracks: Vec<Track>,
    options: RecorderOptions,
    shutdown: Shutdown,
}

impl RecorderThread {
    /// Prepares the thread that records the stations its [`Clerk`] is given and listens to
    /// `announcer`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        announcer: &mut Announcer,
        options: RecorderOptions,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0))?);
        shutdown.ring_on_request(doorbell.clone());
        let (mailbox, orders) = mailbox(doorbell.clone());
        let signals = announcer.subscribe(doorbell);
        let clerk = Clerk { mailbox, has_failed: Arc::default() };
        Ok(Self { poll, clerk, orders, signals, tracks: Vec::new(), options, shutdown })
    }

    /// The way to it, for the engine.
    pub fn clerk(&self) -> Clerk {
        self.clerk.clone()
    }

    /// Repairs what a crash left, then records until the console thread has said its last word, and
    /// completes what is open.
    pub fn run(mut self) {
        recovery::repair_all(&self.options.folder);
        let mut events = Events::with_capacity(8);
        loop {
            let timeout = self.timeout();
            sleep_in(&mut self.poll, &mut events, timeout);
            let source_ended = self.signals.drain();
            while let Some(order) = self.orders.next() {
                self.obey(order);
            }
            let now = Instant::now();
            for track in &mut self.tracks {
                track.watch_source(now);
                track.record(&self.options, now);
            }
            if source_ended {
                break;
            }
        }
        for track in &mut self.tracks {
            finish(track, &self.options, "the relay ends", &self.clerk);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Add(station) => self.tracks.push(Track::new(station)),
            Order::Remove(id) => {
                let mut gone = self.tracks.extract_if(.., |track| track.station().id == id);
                if let Some(mut track) = gone.next() {
                    finish(&mut track, &self.options, "its station was removed", &self.clerk);
                }
            }
            Order::AwayLimit(limit) => self.options.away_limit = limit,
        }
    }

    fn timeout(&self) -> Option<Duration> {
        if self.shutdown.is_requested() {
            return Some(ENDING_POLL);
        }
        let deadline =
            self.tracks.iter().filter_map(|track| track.deadline(&self.options)).min()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }
}

/// Completes what a station has open, and remembers if something is missing.
fn finish(track: &mut Track, options: &RecorderOptions, why: &'static str, clerk: &Clerk) {
    track.finish(options, why);
    let stats = &track.station().stats;
    if stats.recorder_failing.get() != 0 || stats.unrecorded.get() != 0 {
        clerk.has_failed.store(true, Ordering::Release);
    }
}

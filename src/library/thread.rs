//! The thread that keeps the index up to date while a relay runs.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use parking_lot::Mutex;

use super::{Library, LibraryError, Progress};
use crate::net::sleep_in;
use crate::shutdown::Shutdown;

/// How often the folder is looked through when nobody asks for it: files that were copied there are
/// seen by then.
const PERIOD: Duration = Duration::from_secs(15);

/// The least time between two scans, however often somebody asks.
const MIN_PAUSE: Duration = Duration::from_millis(200);

/// The thread sleeps so many times longer than a scan took: it has two hundredths of a core at most.
const PAUSE_FACTOR: u32 = 50;

/// What the thread is doing, for all who want to know.
#[derive(Debug, Default)]
pub(super) struct Progressing {
    now: Mutex<Progress>,
    is_wanted: std::sync::atomic::AtomicBool,
}

impl Progressing {
    pub(super) fn get(&self) -> Progress {
        *self.now.lock()
    }

    fn set(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.now.lock());
    }

    pub(super) fn want(&self) {
        self.is_wanted.store(true, std::sync::atomic::Ordering::Release);
    }

    fn take_wish(&self) -> bool {
        self.is_wanted.swap(false, std::sync::atomic::Ordering::AcqRel)
    }
}

/// The thread before it runs.
pub struct LibraryThread {
    library: Arc<Library>,
    poll: Poll,
    shutdown: Shutdown,
    /// The last trouble that was told of.
    trouble: Option<String>,
}

impl LibraryThread {
    /// A thread for `library`, which has no other.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(library: Arc<Library>, shutdown: Shutdown) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0))?);
        shutdown.ring_on_request(doorbell.clone());
        // A second thread would only find everything done.
        let _ = library.doorbell.set(doorbell);
        Ok(Self { library, poll, shutdown, trouble: None })
    }

    /// Scans until the shutdown is requested.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(4);
        while !self.shutdown.is_requested() {
            let begin = Instant::now();
            self.scan();
            let end = Instant::now();
            let pause = (end - begin).saturating_mul(PAUSE_FACTOR);
            while !self.shutdown.is_requested() {
                // A wish that comes too soon stays a wish.
                let is_wanted = self.library.progress.take_wish();
                let pause = pause.max(if is_wanted { MIN_PAUSE } else { PERIOD });
                let left = pause.saturating_sub(end.elapsed());
                if left.is_zero() {
                    break;
                }
                if is_wanted {
                    self.library.progress.want();
                }
                sleep_in(&mut self.poll, &mut events, Some(left));
            }
        }
    }

    fn scan(&mut self) {
        let library = &self.library;
        library.progress.set(|now| (now.is_running, now.read, now.of) = (true, 0, 0));
        let begin = Instant::now();
        let mut before = begin;
        let scanned = library.scan(|progress| {
            library.progress.set(|now| (now.read, now.of) = (progress.read, progress.of));
            // As long a rest as each file took: on a computer with two cores, one is for the games.
            let stop = self.shutdown.wait_for(before.elapsed());
            before = Instant::now();
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        library.progress.set(|now| {
            now.is_running = false;
            now.is_complete |= scanned.as_ref().is_ok_and(|report| !report.is_partial);
        });
        let trouble = match scanned {
            Ok(report) => {
                if report.read > 100 {
                    let seconds = begin.elapsed().as_secs_f32();
                    tracing::info!(
                        "{} games are indexed, {} of them new, in {seconds:.1} s",
                        report.games,
                        report.read
                    );
                }
                None
            }
            // Before the first game there is no folder.
            Err(LibraryError::Folder { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                library.progress.set(|now| now.is_complete = true);
                None
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != self.trouble) {
            tracing::warn!("{trouble}; tried again");
        }
        self.trouble = trouble;
    }
}

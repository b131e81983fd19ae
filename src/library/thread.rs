//! The thread that keeps the index up to date while a relay runs.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::Library;
use crate::net::sleep_in;
use crate::shutdown::Shutdown;

/// How often the folder is looked through when nobody asks for it: files that were copied there are
/// seen by then.
const PERIOD: Duration = Duration::from_secs(15);

/// The least time between two scans, however often somebody asks.
const MIN_PAUSE: Duration = Duration::from_millis(200);

/// The thread sleeps so many times longer than a scan took, so that it has two hundredths of a core; but no
/// longer than [`PERIOD`], for a slow disk must not hide for minutes what was just played.
const PAUSE_FACTOR: u32 = 50;

/// A scan that read more files than this is told of in the log: it took its time, as the first one in
/// a folder with many games does.
const NOTABLE: u64 = 100;

/// The thread before it runs.
pub struct LibraryThread {
    library: Arc<Library>,
    poll: Poll,
    shutdown: Shutdown,
    /// The last trouble that was told of.
    trouble: Option<String>,
}

impl LibraryThread {
    /// A thread for the library of `folder`, which need not be there yet.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(folder: PathBuf, shutdown: Shutdown) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0))?);
        shutdown.ring_on_request(doorbell.clone());
        let library = Arc::new(Library::with_doorbell(folder, Some(doorbell)));
        Ok(Self { library, poll, shutdown, trouble: None })
    }

    /// The library, for those that ask.
    pub fn library(&self) -> Arc<Library> {
        self.library.clone()
    }

    /// Scans until the shutdown is requested.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(4);
        while !self.shutdown.is_requested() {
            // What is wished for from now on may not be seen by this scan.
            self.library.is_wanted.store(false, Ordering::Release);
            let begin = Instant::now();
            self.scan(begin);
            let end = Instant::now();
            let rest = rest_after(end - begin);
            while !self.shutdown.is_requested() {
                let is_wanted = self.library.is_wanted.load(Ordering::Acquire);
                let pause = if is_wanted { rest } else { PERIOD };
                let left = pause.saturating_sub(end.elapsed());
                if left.is_zero() {
                    break;
                }
                sleep_in(&mut self.poll, &mut events, Some(left));
            }
        }
    }

    fn scan(&mut self, begin: Instant) {
        let mut before = begin;
        let scanned = self.library.scan(|_| {
            // As long a rest as each file took: on a computer with two cores, one is for the games.
            let stop = self.shutdown.wait_for(before.elapsed());
            before = Instant::now();
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let trouble = match scanned {
            Ok(report) => {
                if report.read > NOTABLE {
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
            Err(error) => (!error.is_no_folder()).then(|| error.to_string()),
        };
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != self.trouble) {
            tracing::warn!("{trouble}; tried again");
        }
        self.trouble = trouble;
    }
}

/// How long the thread sleeps at least after a scan that took `took`.
fn rest_after(took: Duration) -> Duration {
    took.saturating_mul(PAUSE_FACTOR).clamp(MIN_PAUSE, PERIOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Was: after a first scan of eight seconds, or on a busy computer, a game that was just played was
    /// not listed for minutes.
    #[test]
    fn a_scan_that_took_long_is_not_the_last_for_minutes() {
        assert_eq!(rest_after(Duration::ZERO), MIN_PAUSE);
        assert_eq!(rest_after(Duration::from_millis(100)), Duration::from_secs(5));
        assert_eq!(rest_after(Duration::from_secs(8)), PERIOD);
    }
}

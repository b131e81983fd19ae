//! One way to stop, whoever asks for it.
//!
//! A signal, a finished task and a panic in any thread all end in [`Shutdown::request`]. The first
//! reason is kept; everyone checks the flag on waking, and sleepers are woken by their doorbells.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::Waker;
use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

/// Why the program stops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Ctrl-C, SIGTERM or the like.
    Signal,
    /// Somebody asked for it through the control plane.
    Control,
    /// What was asked for is done.
    Finished,
    /// A thread panicked; its name.
    Panic(String),
    /// Something failed that nothing can go on without; one clear sentence.
    Failed(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal => f.write_str("a signal"),
            Self::Control => f.write_str("a control call"),
            Self::Finished => f.write_str("the work is done"),
            Self::Panic(thread) => write!(f, "a panic in the thread `{thread}`"),
            Self::Failed(what) => f.write_str(what),
        }
    }
}

/// A handle to the program's one shutdown; clones are the same one.
#[derive(Clone, Default)]
pub struct Shutdown {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Set once, never cleared; what threads check on waking.
    requested: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
    /// The same for those who wait without a thread.
    told: watch::Sender<bool>,
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shutdown").field(&self.reason()).finish()
    }
}

#[derive(Default)]
struct State {
    reason: Option<Reason>,
    doorbells: Vec<Arc<Waker>>,
}

impl Shutdown {
    /// A shutdown that nobody has asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everyone to stop. Only the first reason counts.
    pub fn request(&self, reason: Reason) {
        let mut state = self.shared.state.lock();
        if state.reason.is_some() {
            return;
        }
        state.reason = Some(reason);
        self.shared.requested.store(true, Ordering::Release);
        let doorbells = std::mem::take(&mut state.doorbells);
        drop(state);
        self.shared.changed.notify_all();
        self.shared.told.send_replace(true);
        for doorbell in doorbells {
            ring(&doorbell);
        }
    }

    /// Whether anyone asked.
    pub fn is_requested(&self) -> bool {
        self.shared.requested.load(Ordering::Acquire)
    }

    /// The reason, once someone asked.
    pub fn reason(&self) -> Option<Reason> {
        self.shared.state.lock().reason.clone()
    }

    /// Rings `doorbell` when someone asks, at once if someone already did.
    pub fn ring_on_request(&self, doorbell: Arc<Waker>) {
        let mut state = self.shared.state.lock();
        if state.reason.is_none() {
            state.doorbells.push(doorbell);
            return;
        }
        drop(state);
        ring(&doorbell);
    }

    /// Sleeps until someone asks.
    pub fn wait(&self) -> Reason {
        let mut state = self.shared.state.lock();
        loop {
            if let Some(reason) = &state.reason {
                return reason.clone();
            }
            self.shared.changed.wait(&mut state);
        }
    }

    /// Waits without a thread until someone asks. Safe to give up waiting.
    pub async fn requested(&self) {
        // The sender lives as long as `self`.
        let _ = self.shared.told.subscribe().wait_for(|&told| told).await;
    }

    /// A guard for work that has no thread of its own: if it is dropped by a panic, that asks everyone
    /// to stop as a panic of the thread `name` does.
    pub fn guard(&self, name: impl Into<String>) -> PanicGuard {
        PanicGuard { shutdown: self.clone(), name: name.into() }
    }

    /// Sleeps for `timeout` or until someone asks; whether someone did.
    pub fn wait_for(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.state.lock();
        while state.reason.is_none() {
            if self.shared.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.reason.is_some()
    }
}

/// Rings a doorbell. It only fails when the poll it belongs to is gone, and then nobody sleeps.
fn ring(doorbell: &Waker) {
    let _ = doorbell.wake();
}

/// A named thread whose panic asks everyone else to stop.
pub struct Worker {
    name: String,
    handle: JoinHandle<()>,
}

impl Worker {
    /// Starts `work` on a thread called `name`.
    ///
    /// # Errors
    /// If the system gives no more threads.
    pub fn spawn(
        name: impl Into<String>,
        shutdown: &Shutdown,
        work: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Self> {
        let name = name.into();
        let guard = shutdown.guard(name.clone());
        let handle = std::thread::Builder::new().name(name.clone()).spawn(move || {
            let _guard = guard;
            work();
        })?;
        Ok(Self { name, handle })
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

/// Dropped by the unwinding of a panic, it knows so ([`Shutdown::guard`]).
pub struct PanicGuard {
    shutdown: Shutdown,
    name: String,
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shutdown.request(Reason::Panic(std::mem::take(&mut self.name)));
        }
    }
}

/// How often [`join_all`] looks whether the threads have ended.
const JOIN_POLL: Duration = Duration::from_millis(2);

/// Waits until every worker has ended, at most until `deadline`; the names of those that have not.
///
/// A thread cannot be ended from outside: whoever gets a name back tells the user and exits.
pub fn join_all(workers: Vec<Worker>, deadline: Instant) -> Vec<String> {
    let mut late = Vec::new();
    for worker in workers {
        while !worker.is_finished() && Instant::now() < deadline {
            std::thread::sleep(JOIN_POLL);
        }
        if worker.is_finished() {
            // A panic was already reported by the thread's guard.
            let _ = worker.handle.join();
        } else {
            late.push(worker.name);
        }
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_first_reason_counts_and_sleepers_wake() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.wait_for(Duration::ZERO));
        let sleeper = std::thread::spawn({
            let shutdown = shutdown.clone();
            move || shutdown.wait()
        });
        shutdown.request(Reason::Finished);
        shutdown.request(Reason::Signal);
        assert_eq!(sleeper.join().unwrap(), Reason::Finished);
        assert!(shutdown.is_requested() && shutdown.wait_for(Duration::ZERO));
    }

    #[test]
    fn a_panic_in_a_thread_asks_for_shutdown_and_names_it() {
        let shutdown = Shutdown::new();
        let worker = Worker::spawn("recorder", &shutdown, || panic!("on purpose")).unwrap();
        assert_eq!(shutdown.wait(), Reason::Panic("recorder".into()));
        let soon = Instant::now() + Duration::from_secs(10);
        assert_eq!(join_all(vec![worker], soon), Vec::<String>::new());
    }

    #[test]
    fn a_thread_that_does_not_end_is_named() {
        let (release, blocked) = mpsc::channel::<()>();
        let worker =
            Worker::spawn("stuck", &Shutdown::new(), move || assert!(blocked.recv().is_err()))
                .unwrap();
        assert_eq!(join_all(vec![worker], Instant::now()), ["stuck"]);
        drop(release);
    }
}

//! What the system and the keyboard ask of the program.
//!
//! On Unix Ctrl-C (SIGINT) and SIGTERM ask for the shutdown. SIGHUP asks to read the configuration
//! again, if a command can; else for the shutdown, too, for it is also what a terminal sends when it
//! is closed. Elsewhere Ctrl-C, Ctrl-Break and their like ask for the shutdown.

use andross::shutdown::{Reason, Shutdown};

#[cfg(unix)]
pub use unix::Signals;

#[cfg(not(unix))]
pub use elsewhere::Signals;

/// What is done when the configuration is to be read again.
pub type Reload = Box<dyn FnMut() + Send>;

fn warn(error: &dyn std::fmt::Display) {
    tracing::warn!("Ctrl-C will not end andross in good order: {error}");
}

#[cfg(unix)]
mod unix {
    use std::io::{IsTerminal, stderr};
    use std::sync::mpsc::{SyncSender, sync_channel};
    use std::sync::{Arc, Mutex, PoisonError};

    use andross::shutdown::Worker;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals as Incoming;

    use super::{Reason, Reload, Shutdown, warn};

    /// The way to the thread that reads the configuration again, once there is one.
    type ReloadBell = Arc<Mutex<Option<SyncSender<()>>>>;

    /// The signals that the program takes.
    pub struct Signals {
        shutdown: Shutdown,
        reload: ReloadBell,
    }

    impl Signals {
        /// From now on signals ask for `shutdown`. A thread of its own takes them.
        pub fn install(shutdown: &Shutdown) -> Self {
            let signals = Self { shutdown: shutdown.clone(), reload: Arc::default() };
            let taker = Taker {
                shutdown: shutdown.clone(),
                reload: signals.reload.clone(),
                terminal: stderr().is_terminal(),
            };
            let installed = Incoming::new([SIGINT, SIGTERM, SIGHUP]).and_then(|incoming| {
                Worker::spawn("signals", shutdown, move || taker.run(incoming))
            });
            if let Err(error) = installed {
                warn(&error);
            }
            signals
        }

        /// From now on SIGHUP calls `reload`, on a thread of its own: Ctrl-C must be heard even if
        /// that takes long. Several SIGHUPs meanwhile are one.
        pub fn on_reload(&self, mut reload: Reload) {
            let (bell, asked) = sync_channel(1);
            let thread = Worker::spawn("reload", &self.shutdown, move || {
                while asked.recv().is_ok() {
                    reload();
                }
            });
            match thread {
                Ok(_) => {
                    *self.reload.lock().unwrap_or_else(PoisonError::into_inner) = Some(bell);
                }
                Err(error) => tracing::warn!("SIGHUP will end andross: {error}"),
            }
        }
    }

    struct Taker {
        shutdown: Shutdown,
        reload: ReloadBell,
        /// Whether there was a terminal to begin with.
        terminal: bool,
    }

    impl Taker {
        fn run(&self, mut incoming: Incoming) {
            for signal in incoming.forever() {
                if signal != SIGHUP || !self.reloads() {
                    self.shutdown.request(Reason::Signal);
                }
            }
        }

        /// Reads the configuration again, if that is what SIGHUP means; whether it is.
        fn reloads(&self) -> bool {
            // A terminal that was closed would leave a relay that nobody sees or can end, and that
            // keeps the consoles' only connection.
            if self.terminal && !stderr().is_terminal() {
                return false;
            }
            let reload = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
            // A full bell rings already.
            reload.as_ref().map(|bell| bell.try_send(())).is_some()
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use super::{Reason, Reload, Shutdown, warn};

    /// The signals that the program takes.
    pub struct Signals;

    impl Signals {
        /// From now on signals ask for `shutdown`.
        pub fn install(shutdown: &Shutdown) -> Self {
            let shutdown = shutdown.clone();
            if let Err(error) = ctrlc::set_handler(move || shutdown.request(Reason::Signal)) {
                warn(&error);
            }
            Self
        }

        /// There is no signal that means it here.
        pub fn on_reload(&self, _reload: Reload) {}
    }
}

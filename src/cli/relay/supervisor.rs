//! What a service manager is told: that the relay is ready, alive, and ending.
//!
//! systemd is told through the socket that it names in `NOTIFY_SOCKET` (`Type=notify`, `WatchdogSec`
//! in `packaging/andross.service`). Elsewhere, and when nobody listens, nobody is told.

/// Called about once a second while the relay is well.
type Watchdog = Box<dyn FnMut() + Send>;

#[cfg(unix)]
pub use systemd::Supervisor;

#[cfg(not(unix))]
pub use nobody::Supervisor;

#[cfg(unix)]
mod systemd {
    use sd_notify::{NotifyState, notify, watchdog_enabled};

    use super::Watchdog;

    /// The service manager, if there is one.
    pub struct Supervisor;

    impl Supervisor {
        pub fn new() -> Self {
            Self
        }

        /// What to call while the relay is well; `None` if nobody waits for that.
        pub fn watchdog(&mut self) -> Option<Watchdog> {
            watchdog_enabled()?;
            Some(Box::new(|| tell(NotifyState::Watchdog)))
        }

        /// Spectators can connect.
        pub fn ready(&self) {
            tell(NotifyState::Ready);
        }

        /// Files are being completed.
        pub fn stopping(&self) {
            tell(NotifyState::Stopping);
        }
    }

    /// Without a service manager there is nobody to tell, and no reason to fail.
    fn tell(state: NotifyState<'_>) {
        if let Err(error) = notify(&[state]) {
            tracing::debug!("the service manager was not told: {error}");
        }
    }
}

#[cfg(not(unix))]
mod nobody {
    use super::Watchdog;

    /// There is no service manager that wants to know.
    pub struct Supervisor;

    impl Supervisor {
        pub fn new() -> Self {
            Self
        }

        pub fn watchdog(&mut self) -> Option<Watchdog> {
            None
        }

        pub fn ready(&self) {}

        pub fn stopping(&self) {}
    }
}

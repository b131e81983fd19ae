//! What goes wrong with NATS, in words for people.

use std::fmt::Display;

use thiserror::Error;

/// Why something has to be tried again.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    /// A call failed.
    #[error("{what}: {reason}")]
    Call { what: &'static str, reason: String },
    /// The stream or bucket has the right name and somebody else's settings.
    #[error("{0}")]
    Foreign(String),
    /// What an edge looks for is not there.
    #[error("{0}")]
    Absent(String),
    /// The server says nothing any more.
    #[error("the server has been silent for {} s", super::delivery::SILENCE.as_secs())]
    Silent,
    /// Messages are missing, or the server has forgotten the delivery.
    #[error("the delivery was interrupted")]
    Interrupted,
    /// The stream has come so far that an edge would not take it.
    #[error("its stream comes through more than {} relays", crate::protocol::console::MAX_HOPS)]
    TooFar,
    /// The stream comes from this very station.
    #[error("its stream comes from this station: the relays feed each other in a loop")]
    Loop,
}

impl Trouble {
    pub(super) fn call(what: &'static str) -> impl Fn(&dyn Display) -> Self {
        move |reason| Self::Call { what, reason: reason.to_string() }
    }
}

/// Tells the same trouble once.
#[derive(Default)]
pub(super) struct Teller {
    told: String,
}

impl Teller {
    /// Whether that is news. It is no longer once [`Teller::is_well`] was called.
    pub(super) fn is_news(&mut self, trouble: &impl Display) -> bool {
        let trouble = trouble.to_string();
        let is_news = self.told != trouble;
        self.told = trouble;
        is_news
    }

    /// It worked: the same trouble would be news again.
    pub(super) fn is_well(&mut self) {
        self.told.clear();
    }
}

//! The way into a consumer thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::listener::Admitted;
use crate::audience::{ClientId, ClientInfo};
use crate::net::{Letters, Mailbox, Pulse, mailbox};
use crate::session::{Doorbell, StationId};

/// What a consumer thread is told.
pub(super) enum Letter {
    /// Somebody new.
    Newcomer(Admitted),
    /// A station is gone: hang up on its spectators.
    Remove(StationId),
    /// Hang up on one spectator; the answer is whether it was here.
    Kick(ClientId, Sender<bool>),
    /// Who is here?
    List(Sender<Vec<ClientInfo>>),
}

/// The way into a consumer thread.
#[derive(Clone)]
pub struct Inbox {
    mailbox: Mailbox<Letter>,
    load: Arc<AtomicUsize>,
}

impl Inbox {
    /// Clients the thread has or is about to get.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// The thread's turns; [`Inbox::ring`] makes it take one.
    pub fn pulse(&self) -> Pulse {
        self.mailbox.pulse().clone()
    }

    /// Wakes the thread.
    pub fn ring(&self) {
        self.mailbox.ring();
    }

    /// Hands a newcomer over. A thread that has ended takes nobody; the socket is closed then.
    pub(super) fn take_in(&self, admitted: Admitted) {
        self.load.fetch_add(1, Ordering::Relaxed);
        self.mailbox.post(Letter::Newcomer(admitted));
    }

    /// Hangs up on all spectators of a station.
    pub fn remove_station(&self, station: StationId) {
        self.mailbox.post(Letter::Remove(station));
    }

    /// Hangs up on a spectator; whether it was here will be answered, or nothing if the thread ends.
    pub fn kick(&self, client: ClientId) -> Receiver<bool> {
        let (reply, answer) = channel();
        self.mailbox.post(Letter::Kick(client, reply));
        answer
    }

    /// Asks who is here; no answer if the thread ends.
    pub fn list(&self) -> Receiver<Vec<ClientInfo>> {
        let (reply, answer) = channel();
        self.mailbox.post(Letter::List(reply));
        answer
    }
}

/// The other end, in the thread.
pub(super) struct Door {
    letters: Letters<Letter>,
    load: Arc<AtomicUsize>,
}

impl Door {
    /// The letter that has waited longest.
    pub(super) fn next(&self) -> Option<Letter> {
        self.letters.next()
    }

    /// A client that came in here is gone.
    pub(super) fn left(&self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A way in, for a thread that `doorbell` wakes.
pub(super) fn inbox(doorbell: Doorbell) -> (Inbox, Door) {
    let (mailbox, letters) = mailbox(doorbell);
    let load = Arc::new(AtomicUsize::new(0));
    (Inbox { mailbox, load: load.clone() }, Door { letters, load })
}

//! The way to the spectator thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::audience::{ClientId, ClientInfo};
use crate::net::{EnetSocket, Mailbox, Pulse};
use crate::session::{Station, StationId};

/// What the spectator thread is told.
pub(super) enum Letter {
    /// Let a station's spectators in there.
    Open(EnetSocket, Arc<Station>),
    /// A station is gone: hang up on its spectators and close its port; then answer.
    Close(StationId, Sender<()>),
    /// Hang up on one spectator; the answer is whether it was here.
    Kick(ClientId, Sender<bool>),
    /// Who is here?
    List(Sender<Vec<ClientInfo>>),
}

/// The way to the spectator thread. Clones are the same way.
#[derive(Clone)]
pub struct Usher {
    pub(super) mailbox: Mailbox<Letter>,
}

impl Usher {
    /// The thread's turns; [`Usher::ring`] makes it take one.
    pub fn pulse(&self) -> Pulse {
        self.mailbox.pulse().clone()
    }

    /// Wakes the thread.
    pub fn ring(&self) {
        self.mailbox.ring();
    }

    /// Lets the spectators of `station` in there from now on.
    pub fn open(&self, socket: EnetSocket, station: Arc<Station>) {
        self.mailbox.post(Letter::Open(socket, station));
    }

    /// Hangs up on all spectators of a station and closes its port; answers when that is done, or
    /// not if the thread ends.
    pub fn close(&self, station: StationId) -> Receiver<()> {
        self.ask(|reply| Letter::Close(station, reply))
    }

    /// Hangs up on a spectator; whether it was here will be answered, or nothing if the thread ends.
    pub fn kick(&self, client: ClientId) -> Receiver<bool> {
        self.ask(|reply| Letter::Kick(client, reply))
    }

    /// Asks who is here; no answer if the thread ends.
    pub fn list(&self) -> Receiver<Vec<ClientInfo>> {
        self.ask(Letter::List)
    }

    fn ask<T>(&self, letter: impl FnOnce(Sender<T>) -> Letter) -> Receiver<T> {
        let (reply, answer) = channel();
        self.mailbox.post(letter(reply));
        answer
    }
}

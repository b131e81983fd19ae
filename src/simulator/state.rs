//! What the console's threads share: its memory, its client, its orders.
//!
//! One lock guards it all and is never held across a system call that may block. The player writes
//! the ring, the network thread reads it and owns the client; whoever changes something tells the
//! others through [`Shared`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use mio::Waker;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::ring::{Reader, Ring, Trouble};
use crate::protocol::console::Handshake;
use crate::protocol::{ClientToken, Cursor};

/// A console's state between power-on and power-off, reboots included.
#[derive(Default)]
pub(super) struct State {
    /// The event stream since the last boot.
    pub(super) ring: Ring,
    reader: Reader,
    /// The one client, once it was greeted.
    pub(super) client: Option<Client>,
    /// The token of the very last client that left; no other can resume.
    last_token: ClientToken,
    /// Counts what ends all connections made before: a reboot, an order to hang up.
    epoch: u64,
    /// How often the console rebooted. The player begins its game anew when this changes.
    pub(super) boots: u64,
    /// How many clients were greeted.
    pub(super) clients_served: u64,
    /// Whether any was since the boot.
    pub(super) met_client: bool,
    /// What is on the screen.
    pub(super) playing: Option<Playing>,
    /// All games were written.
    pub(super) played: bool,
    /// Everyone must end.
    pub(super) stopping: bool,
}

/// The client that is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// Where it comes from.
    pub addr: SocketAddr,
    /// The position up to which it was sent everything.
    pub cursor: Cursor,
    /// What it must show to resume.
    pub token: ClientToken,
}

/// The game that runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Playing {
    /// Which game it is, from 1.
    pub game: u64,
    /// The recording's name.
    pub name: Arc<str>,
    /// Steps written: the prologue, then frame by frame.
    pub step: usize,
    /// Steps of the recording.
    pub steps: usize,
}

impl State {
    /// Where a client starts, and its token: its own if it is the last client come back, else
    /// `new_token`.
    pub(super) fn greet(
        &self,
        handshake: &Handshake,
        new_token: impl FnOnce(ClientToken) -> ClientToken,
    ) -> (Cursor, ClientToken) {
        if handshake.token == ClientToken::NONE || handshake.token != self.last_token {
            (self.ring.fresh_start(), new_token(self.last_token))
        } else {
            (self.ring.resume(handshake.cursor), self.last_token)
        }
    }

    /// Takes in the one client, who connected in `epoch`; whether that still counts.
    pub(super) fn admit(&mut self, epoch: u64, client: Client) -> bool {
        if epoch == self.epoch {
            self.client = Some(client);
            self.clients_served += 1;
            self.met_client = true;
        }
        epoch == self.epoch
    }

    /// What the connection of `epoch` is to be sent from `cursor` on; `None` if it must end.
    pub(super) fn read(
        &mut self,
        epoch: u64,
        cursor: Cursor,
        out: &mut Vec<u8>,
    ) -> Option<Result<(), Trouble>> {
        (epoch == self.epoch).then(|| self.reader.read(&self.ring, cursor, out).map_or(Ok(()), Err))
    }

    /// The client has everything before `cursor`.
    pub(super) fn sent(&mut self, epoch: u64, cursor: Cursor) {
        if epoch == self.epoch
            && let Some(client) = &mut self.client
        {
            client.cursor = cursor;
        }
    }

    /// The connection of `epoch` is over: its token is remembered.
    pub(super) fn forget_client(&mut self, epoch: u64) {
        if epoch == self.epoch
            && let Some(client) = self.client.take()
        {
            self.last_token = client.token;
        }
    }

    /// Names the connections made from now on.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Hangs up.
    pub(super) fn drop_client(&mut self) {
        self.forget_client(self.epoch);
        self.epoch += 1;
    }

    /// Power off and on again: nothing is remembered.
    pub(super) fn reboot(&mut self) {
        self.ring = Ring::new();
        self.reader = Reader::default();
        self.client = None;
        self.met_client = false;
        self.last_token = ClientToken::NONE;
        self.playing = None;
        self.epoch += 1;
        self.boots += 1;
    }

    /// Whether everything was played, and sent if there is anyone to send it to.
    pub(super) fn all_sent(&self) -> bool {
        let write_pos = self.ring.write_pos();
        self.played && self.client.is_none_or(|client| client.cursor == write_pos)
    }
}

/// The state, and how its threads wake each other.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Everything but a client's progress: wakes the player and the announcer.
    changed: Condvar,
    /// Everything: wakes those who wait until all was sent.
    progress: Condvar,
    /// Wakes the network thread.
    doorbell: Arc<Waker>,
}

impl Shared {
    pub(super) fn new(doorbell: Arc<Waker>) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            progress: Condvar::new(),
            doorbell,
        }
    }

    /// Looks at the state. Who changes it tells the others.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Changes something that other threads wait for.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state.lock());
        self.changed.notify_all();
        self.progress.notify_all();
        self.ring_doorbell();
        result
    }

    /// Notes the client's progress.
    pub(super) fn sent(&self, epoch: u64, cursor: Cursor) {
        self.state.lock().sent(epoch, cursor);
        self.progress.notify_all();
    }

    /// Sleeps until something changes or `deadline` is there.
    pub(super) fn wait_for_change(
        &self,
        state: &mut MutexGuard<'_, State>,
        deadline: Option<Instant>,
    ) {
        wait(&self.changed, state, deadline);
    }

    /// Sleeps until `reached` or `deadline`; whether it was reached. Ends early when everyone must.
    pub(super) fn wait_for_progress(
        &self,
        deadline: Option<Instant>,
        reached: impl Fn(&State) -> bool,
    ) -> bool {
        let mut state = self.state.lock();
        while !reached(&state) {
            if state.stopping || deadline.is_some_and(|at| at <= Instant::now()) {
                return false;
            }
            wait(&self.progress, &mut state, deadline);
        }
        true
    }

    /// Tells the network thread, and only it, that there is something new.
    pub(super) fn ring_doorbell(&self) {
        // It only fails when the poll is gone, and with it the network thread.
        let _ = self.doorbell.wake();
    }
}

fn wait(condvar: &Condvar, state: &mut MutexGuard<'_, State>, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => drop(condvar.wait_until(state, deadline)),
        None => condvar.wait(state),
    }
}

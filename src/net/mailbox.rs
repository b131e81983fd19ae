//! Letters to a thread that sleeps in a poll.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::Waker;

use super::Pulse;

/// Where letters to one thread are posted. Clones are the same box.
#[derive(Debug)]
pub struct Mailbox<T> {
    sender: Sender<T>,
    doorbell: Arc<Waker>,
    pulse: Pulse,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            doorbell: self.doorbell.clone(),
            pulse: self.pulse.clone(),
        }
    }
}

impl<T> Mailbox<T> {
    /// Posts a letter and wakes the thread; false if the thread has ended and nobody will read it.
    pub fn post(&self, letter: T) -> bool {
        if self.sender.send(letter).is_err() {
            return false;
        }
        self.ring();
        true
    }

    /// The thread's turns: it looks for letters once in each.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Only wakes the thread.
    pub fn ring(&self) {
        if let Err(error) = self.doorbell.wake() {
            tracing::error!("a thread cannot be woken: {error}");
        }
    }
}

/// The letters, in the thread they are for.
#[derive(Debug)]
pub struct Letters<T> {
    receiver: Receiver<T>,
    pulse: Pulse,
}

impl<T> Letters<T> {
    /// The letter that has waited longest. Without one, that is a turn of the thread's loop.
    pub fn next(&self) -> Option<T> {
        let letter = self.receiver.try_recv().ok();
        if letter.is_none() {
            self.pulse.beat();
            #[cfg(debug_assertions)]
            super::fault::panic_if_asked();
        }
        letter
    }
}

/// A mailbox of the thread that `doorbell` wakes.
pub fn mailbox<T>(doorbell: Arc<Waker>) -> (Mailbox<T>, Letters<T>) {
    let (sender, receiver) = channel();
    let pulse = Pulse::default();
    (Mailbox { sender, doorbell, pulse: pulse.clone() }, Letters { receiver, pulse })
}

//! A pretended engine, for tests of control clients.

use std::sync::mpsc::sync_channel;

use tokio::sync::broadcast;

use super::request::{EVENTS_LEN, QUEUE_LEN};
use super::{Event, Handle, Letter, Request};

/// The way to an engine whose every request `answer` gets, on a thread that ends with the last
/// handle; and the sender of its changes.
#[doc(hidden)]
pub fn pretend(
    mut answer: impl FnMut(Request) + Send + 'static,
) -> (Handle, broadcast::Sender<Event>) {
    let (requests, letters) = sync_channel(QUEUE_LEN);
    let (events, _) = broadcast::channel(EVENTS_LEN);
    std::thread::spawn(move || {
        for letter in letters {
            #[allow(irrefutable_let_patterns, reason = "other letters are none of a client's")]
            if let Letter::Request(request) = letter {
                answer(request);
            }
        }
    });
    (Handle::new(requests, events.clone()), events)
}

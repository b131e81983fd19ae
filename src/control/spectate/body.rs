//! The body of an answer that grows, and the connection's patience with it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Pieces that may wait for a client. What it has not taken beyond them stays in the log.
const PIECES: usize = 2;

/// Why a body ends early: its client must not take it for whole.
#[derive(Clone, Copy, Debug, Error)]
pub(super) enum HungUp {
    /// It is too slow.
    #[error("the client is more than a game behind")]
    LeftBehind,
    /// Somebody asked for it.
    #[error("somebody hung up on the client")]
    Kicked,
    /// What is left may not be seen yet, and nobody will be there to send it.
    #[error("the end comes before the client may see the rest")]
    Unseen,
    /// Nobody said why.
    #[error("the game breaks off")]
    BrokenOff,
}

/// How a body ends.
type End = Result<(), HungUp>;

/// Where the pieces of a body go. When it is dropped, the body ends: as was said, else broken off.
#[derive(Debug)]
pub(super) struct Pieces {
    sender: mpsc::Sender<Bytes>,
    end: Arc<OnceLock<End>>,
}

impl Pieces {
    /// Waits until the client is gone.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Sends a piece, once there is room for it; none if the client is gone. Who gives up waiting has
    /// sent nothing.
    pub(super) async fn send(&self, piece: Bytes) -> Option<()> {
        self.sender.send(piece).await.ok()
    }

    /// Says how the body ends behind the pieces that were sent. Waits for nobody.
    pub(super) fn end(self, end: End) {
        let _ = self.end.set(end);
    }
}

/// Whether a connection may last longer than others. Clones are of the same connection.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Lasting(Arc<AtomicUsize>);

/// As long as there is one, the connection lasts.
#[derive(Debug)]
struct Needed(Arc<AtomicUsize>);

impl Lasting {
    fn need(&self) -> Needed {
        self.0.fetch_add(1, Ordering::Relaxed);
        Needed(self.0.clone())
    }

    /// Waits until `age` is over, and another `age` as long as the connection is needed.
    pub(in super::super) async fn over(&self, age: Duration) {
        loop {
            sleep(age).await;
            if self.0.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}

impl Drop for Needed {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that is sent as it comes.
#[derive(Debug)]
pub(super) struct Growing {
    pieces: mpsc::Receiver<Bytes>,
    end: Arc<OnceLock<End>>,
    _needed: Needed,
}

impl Growing {
    /// The body, and where its pieces go.
    pub(super) fn new(connection: &Lasting) -> (Pieces, Self) {
        let ((sender, pieces), end) = (mpsc::channel(PIECES), Arc::new(OnceLock::new()));
        let body = Self { pieces, end: end.clone(), _needed: connection.need() };
        (Pieces { sender, end }, body)
    }
}

impl Body for Growing {
    type Data = Bytes;
    type Error = HungUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HungUp>>> {
        match ready!(self.pieces.poll_recv(cx)) {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            // What was not said to be whole is not. An error is the last that is asked for.
            None => match *self.end.get_or_init(|| Err(HungUp::BrokenOff)) {
                Ok(()) => Poll::Ready(None),
                Err(why) => Poll::Ready(Some(Err(why))),
            },
        }
    }
}

/// Every connection is told whether it may last; a request without that is served like others.
impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Lasting {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

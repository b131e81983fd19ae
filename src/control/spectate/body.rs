//! The body of an answer that grows, and the connection's patience with it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
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
}

/// A piece of the body, or its early end.
pub(super) type Piece = Result<Bytes, HungUp>;

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
    pieces: mpsc::Receiver<Piece>,
    _needed: Needed,
}

impl Growing {
    /// The body, and where its pieces go. That way is closed when the client is gone.
    pub(super) fn new(connection: &Lasting) -> (mpsc::Sender<Piece>, Self) {
        let (sender, pieces) = mpsc::channel(PIECES);
        (sender, Self { pieces, _needed: connection.need() })
    }
}

impl Body for Growing {
    type Data = Bytes;
    type Error = HungUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HungUp>>> {
        self.pieces.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
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

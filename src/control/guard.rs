//! The door: every request passes it before a handler sees it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::{Rules, changes};
use super::problem::Problem;
use super::rates::{Kind, Rates};

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Rules and counts.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) rules: Arc<Rules>,
    pub(super) rates: Arc<Rates>,
}

/// Lets a request in, or says why not.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    // Every connection is told who it is; without that nobody could be counted.
    let Some(&Peer(peer)) = request.extensions().get::<Peer>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let address = peer.ip();
    let kind = if changes(request.method()) { Kind::Change } else { Kind::Read };
    if !guard.rates.allows(kind, address) {
        return too_many();
    }
    match guard.rules.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => {
            let (method, uri, headers) = (request.method(), request.uri(), request.headers());
            let watcher = guard.rules.origin_that_watches(method, uri, headers);
            let mut response = next.run(request).await;
            // Without this the browser keeps the answer from a page of another server.
            if let Some(origin) = watcher {
                response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
            }
            response
        }
        Err(_) if !guard.rates.allows(Kind::Refusal, address) => too_many(),
        Err(denied) => {
            tracing::debug!(%peer, "a control call is refused: {denied:?}");
            let (status, code, message) = denied.explain();
            Problem::new(status, code, message).into_response()
        }
    }
}

fn too_many() -> Response {
    let message = "too many calls from this address; try again in a moment";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", message).into_response()
}

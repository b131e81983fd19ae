//! The changes as they happen, over a WebSocket: first the whole state, then each change.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;

use super::problem::{ErrorBody, Problem};
use super::socket::{LAST_WORD, Pulse, accept, close, goodbye, try_again};
use super::{App, api};
use crate::engine::{Change, Event, Request, Status};

/// The most that may wait for a client: several times the state of as many stations as there may be.
const MAX_WAITING: usize = 4 * 1024 * 1024;

/// The first message, and again when a client was too slow for the changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Snapshot {
    /// The state; changes with a `seq` higher than its follow.
    State {
        /// All of it.
        status: Box<Status>,
    },
}

/// Follow the changes over a WebSocket
///
/// The first message is the whole state, `{"type":"state","status":{...}}`. Then comes one message a
/// change, whose `seq` is higher than the state's. A client that is too slow gets the whole state
/// again. What clients send is ignored.
#[utoipa::path(
    get,
    path = "/api/events",
    tag = "state",
    responses(
        (status = 101, description = "The WebSocket is open: `Snapshot`, then `Event`s"),
        (status = 400, body = ErrorBody, description = "Not a WebSocket handshake"),
        (status = 503, body = ErrorBody, description = "Too many follow already"),
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = accept(upgrade, MAX_WAITING)?;
    let seat = app.watchers.clone().try_acquire_owned().map_err(|_| {
        let message = "too many clients follow the changes already";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    })?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        // An error means that the client is gone, and there is nobody to tell.
        let ended = follow(&mut socket, app).await;
        drop(seat);
        if let Ok(farewell) = ended {
            close(socket, farewell).await;
        }
    }))
}

/// Tells the client everything until there is a reason to hang up.
async fn follow(socket: &mut WebSocket, app: App) -> Result<CloseFrame, axum::Error> {
    // In this order nothing is missed: what changes meanwhile waits in the channel.
    let mut changes = app.engine.subscribe();
    let Some(mut seq) = tell_state(socket, &app).await? else { return Ok(try_again()) };
    let mut pulse = Pulse::new();
    let mut end = None;
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(event) if event.seq <= seq => {}
                Ok(event) => {
                    seq = event.seq;
                    if tell_change(socket, &event).await?.is_break() {
                        return Ok(goodbye());
                    }
                }
                Err(RecvError::Lagged(_)) => match tell_state(socket, &app).await? {
                    Some(newest) => seq = newest,
                    None => return Ok(try_again()),
                },
                Err(RecvError::Closed) => return Ok(goodbye()),
            },
            end = pulse.attend(socket) => return end,
            () = app.shutdown.requested(), if end.is_none() => {
                end = Some(Instant::now() + LAST_WORD);
            }
            () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => return Ok(goodbye()),
        }
    }
}

/// Sends the whole state; the number of the last change in it, or none if the engine is busy.
async fn tell_state(socket: &mut WebSocket, app: &App) -> Result<Option<u64>, axum::Error> {
    let Ok(status) = app.ask(Request::Status).await else { return Ok(None) };
    let seq = status.seq;
    socket.send(json(&Snapshot::State { status: Box::new(status) })?).await?;
    Ok(Some(seq))
}

/// Sends one change; breaks after the last there is.
async fn tell_change(
    socket: &mut WebSocket,
    event: &Event,
) -> Result<ControlFlow<()>, axum::Error> {
    socket.send(json(event)?).await?;
    Ok(match event.change {
        Change::Shutdown { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
}

fn json(value: &impl Serialize) -> Result<Message, axum::Error> {
    Ok(Message::Text(serde_json::to_string(value).map_err(axum::Error::new)?.into()))
}

/// The description of what goes over the WebSocket.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(events))
}

//! The event bytes over a WebSocket, as a console's spectators get them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::super::extract::{Asked, At};
use super::super::guard::Peer;
use super::super::problem::{ErrorBody, Problem};
use super::super::socket::{LAST_WORD, Pulse, accept, close, goodbye};
use super::super::{App, api};
use super::join::{Cut, join};
use super::reader::{LogReader, Read};
use super::take_seat;
use crate::session::Chunk;

/// The most that may wait for a client: a piece, whose last chunk may be a single large event.
const MAX_WAITING: usize = 512 * 1024;

/// Where to begin.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum From {
    /// With the game that is on, from its start.
    #[default]
    Start,
    /// With what comes from now on.
    Live,
}

/// What a spectator wishes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wishes {
    /// `start` (the default): the whole game that is on, then what comes. `live`: its events before
    /// the first frame, then what comes
    #[param(inline)]
    from: Option<From>,
    /// Seconds to be behind, 0 to 900; never less than the station's spectators are
    delay: Option<f64>,
}

/// Watch a station over a WebSocket: its event bytes, in binary messages
///
/// Each message is whole events of one game, in order and unchanged; a game begins a message. First
/// comes the game that is on, from its start, in pieces of about 64 KiB; then what comes as it comes.
/// Between games nothing is sent. A client that is more than a game behind goes on with the newest one:
/// then a message begins with Event Payloads (0x35) although Game End did not come. What clients send is
/// ignored. Pages of other servers need `--http-allow-origin`.
#[utoipa::path(
    get,
    path = "/ws/{station}",
    tag = "games",
    params(("station" = String, Path, description = "The station's name, or its number if none is called so"), Wishes),
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = 400, body = ErrorBody, description = "Not a WebSocket handshake, or a value makes no sense"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
        (status = 503, body = ErrorBody, description = "Too many watch already"),
    )
)]
async fn watch(
    State(app): State<App>,
    At(station): At<String>,
    Asked(wishes): Asked<Wishes>,
    Extension(Peer(peer)): Extension<Peer>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = accept(upgrade, MAX_WAITING)?;
    let seat = take_seat(&app, &station, peer, wishes.delay).await?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        let reader = LogReader::new(seat, &app.games.news);
        let mut dismissed = reader.dismissed();
        let mut spectator = Spectator { reader, cut: None, app };
        let ended = tokio::select! {
            ended = spectator.serve(&mut socket, wishes.from.unwrap_or_default()) => ended,
            _ = dismissed.wait() => Ok(goodbye()),
        };
        // One that takes nothing keeps its place no longer than the operator wants.
        drop(spectator);
        // An error means that the client is gone, and there is nobody to tell.
        if let Ok(farewell) = ended {
            close(socket, farewell).await;
        }
    }))
}

struct Spectator {
    reader: LogReader,
    cut: Option<Cut>,
    app: App,
}

impl Spectator {
    async fn serve(
        &mut self,
        socket: &mut WebSocket,
        from: From,
    ) -> Result<CloseFrame, axum::Error> {
        self.begin(socket, from).await?;
        let app = self.app.clone();
        let mut pulse = Pulse::new();
        loop {
            tokio::select! {
                biased;
                end = pulse.attend(socket) => return end,
                () = app.shutdown.requested() => {
                    // As far as it takes what is there.
                    let rest = async { while self.pass_on(socket).await? {} Ok(()) };
                    timeout(LAST_WORD, rest).await.unwrap_or(Ok(()))?;
                    return Ok(goodbye());
                }
                () = self.reader.wait() => {
                    self.pass_on(socket).await?;
                }
            }
        }
    }

    async fn begin(&mut self, socket: &mut WebSocket, from: From) -> Result<(), axum::Error> {
        match from {
            From::Start => self.reader.go_to_running_game(),
            From::Live => {
                if let Some(joined) = join(&mut self.reader) {
                    self.cut = Some(joined.cut);
                    socket.send(Message::Binary(joined.prologue)).await?;
                }
            }
        }
        Ok(())
    }

    /// Sends the next piece; whether there was something.
    async fn pass_on(&mut self, socket: &mut WebSocket) -> Result<bool, axum::Error> {
        match self.reader.read() {
            Read::Nothing => return Ok(false),
            Read::Chunks(chunks) => {
                let mut data = joined_data(&chunks);
                if let Some(cut) = &mut self.cut {
                    data = cut.apply(data);
                }
                if !data.is_empty() {
                    self.cut = None;
                    socket.send(Message::Binary(data)).await?;
                }
            }
            Read::LeftBehind => {
                let station = &self.reader.station;
                station.stats.skipped.add(1);
                tracing::info!(
                    station = %station.name(),
                    "a web spectator was more than a game behind and is skipped to the newest"
                );
                self.cut = None;
                self.reader.go_to_newest_game();
            }
        }
        Ok(true)
    }
}

/// The event bytes of chunks; those of a single one are shared, not copied.
pub(super) fn joined_data(chunks: &[Arc<Chunk>]) -> Bytes {
    match chunks {
        [chunk] => chunk.data().clone(),
        chunks => {
            let slices: Vec<&[u8]> = chunks.iter().map(|chunk| &chunk.data()[..]).collect();
            slices.concat().into()
        }
    }
}

/// The route.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(watch))
}

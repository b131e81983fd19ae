//! How the match stands, over a WebSocket, for overlays.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use utoipa::{IntoParams, ToSchema};

use super::super::extract::{Asked, At};
use super::super::guard::Peer;
use super::super::problem::{ErrorBody, Problem};
use super::super::socket::{Pulse, accept, close, goodbye};
use super::super::{App, api};
use super::reader::{LogReader, Read};
use super::take_seat;
use crate::slp::state::{MatchReader, MatchState};

/// The most messages a second: a game has 59.94 frames in one.
const MAX_HZ: u32 = 60;

/// The most that may wait for a client: a state of four players and 15 items has some 9 KiB.
const MAX_WAITING: usize = 64 * 1024;

/// What a follower wishes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wishes {
    /// The most messages a second, 1 to 60; 60 if absent
    hz: Option<u32>,
    /// Seconds to be behind, 0 to 900; never less than the station's spectators are
    delay: Option<f64>,
}

/// A message: how the newest match of a station stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct StateMessage<'a> {
    /// The station's number.
    station: u64,
    /// The game's number at this station, from 1; 0 before the first.
    game: u64,
    /// How it stands.
    #[serde(flatten)]
    state: &'a MatchState,
}

/// Follow how the match stands over a WebSocket
///
/// Each message is a `StateMessage`, the whole state; the first comes at once, then one for each frame,
/// at most `hz` a second, and none while nothing changes. A client that is slow gets fewer, always the
/// newest. Between games the state of the last one stays. What clients send is ignored. Pages of other
/// servers need `--http-allow-origin`.
#[utoipa::path(
    get,
    path = "/ws/{station}/state",
    tag = "games",
    params(("station" = String, Path, description = "The station's name, or its number if none is called so"), Wishes),
    responses(
        (status = 101, description = "The WebSocket is open: `StateMessage`s"),
        (status = 400, body = ErrorBody, description = "Not a WebSocket handshake, or a value makes no sense"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
        (status = 503, body = ErrorBody, description = "Too many watch already"),
    )
)]
async fn follow_state(
    State(app): State<App>,
    At(station): At<String>,
    Asked(wishes): Asked<Wishes>,
    Extension(Peer(peer)): Extension<Peer>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = accept(upgrade, MAX_WAITING)?;
    let hz = wishes.hz.unwrap_or(MAX_HZ);
    if !(1..=MAX_HZ).contains(&hz) {
        let message = format!("hz is a number from 1 to {MAX_HZ}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid", message));
    }
    let seat = take_seat(&app, &station, peer, wishes.delay).await?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        let mut follower = Follower {
            log: LogReader::new(seat, &app.games.news),
            events: MatchReader::new(),
            game: 0,
            told: None,
        };
        let period = Duration::from_secs(1) / hz;
        let mut dismissed = follower.log.dismissed();
        let ended = tokio::select! {
            ended = follower.serve(&mut socket, &app, period) => ended,
            _ = dismissed.wait() => Ok(goodbye()),
        };
        // As for those who watch the bytes.
        drop(follower);
        if let Ok(farewell) = ended {
            close(socket, farewell).await;
        }
    }))
}

struct Follower {
    log: LogReader,
    events: MatchReader,
    game: u64,
    /// What the client was told last.
    told: Option<MatchState>,
}

impl Follower {
    async fn serve(
        &mut self,
        socket: &mut WebSocket,
        app: &App,
        period: Duration,
    ) -> Result<CloseFrame, axum::Error> {
        let mut pulse = Pulse::new();
        self.read_all().await;
        self.tell(socket).await?;
        let mut due = Instant::now() + period;
        loop {
            tokio::select! {
                biased;
                end = pulse.attend(socket) => return end,
                () = app.shutdown.requested() => return Ok(goodbye()),
                // Not before the next message may go: what comes until then is in it.
                () = async { sleep_until(due).await; self.log.wait().await } => {
                    self.read_all().await;
                    if self.told.as_ref() != Some(self.events.state()) {
                        self.tell(socket).await?;
                        due = Instant::now() + period;
                    }
                }
            }
        }
    }

    /// Takes all that there is to see. Long games let the other tasks go on in between.
    async fn read_all(&mut self) {
        loop {
            match self.log.read() {
                Read::Nothing => return,
                Read::Chunks(chunks) => {
                    for chunk in &chunks {
                        self.game = chunk.game();
                        self.events.feed(chunk.data());
                    }
                }
                Read::LeftBehind => self.log.go_to_newest_game(),
            }
            tokio::task::yield_now().await;
        }
    }

    async fn tell(&mut self, socket: &mut WebSocket) -> Result<(), axum::Error> {
        let state = self.events.state();
        let message = StateMessage { station: self.log.station.id.0, game: self.game, state };
        let text = serde_json::to_string(&message).map_err(axum::Error::new)?;
        self.told = Some(state.clone());
        socket.send(Message::Text(text.into())).await
    }
}

/// The route.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(follow_state))
}

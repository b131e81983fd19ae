//! Games over HTTP: for web pages, stream overlays and programs that watch.
//!
//! Everyone here is a reader of a station's log with a cursor, like a spectator of the other
//! protocols: who is slow lags, and who lags by more than a game is skipped to the newest.

mod binary;
mod body;
mod join;
mod live;
mod reader;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;

use super::problem::Problem;
use super::{App, api};
use crate::audience::Seat;
use crate::config::{MAX_DELAY, same_station_name};
use crate::engine::{Refusal, Request};
use crate::session::{Station, StationId};

pub(super) use body::Lasting;
pub(super) use state::StateMessage;

/// A place at the station with this name or number, for a client at `peer` that wishes such a delay.
async fn take_seat(
    app: &App,
    station: &str,
    peer: SocketAddr,
    delay: Option<f64>,
) -> Result<Seat, Problem> {
    let delay = asked_delay(delay)?;
    let station = find(app, station).await?;
    let seat =
        app.games.gallery.enter(station, peer, delay).map_err(|full| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", full.to_string())
        })?;
    // Who is in hears of it when the station is removed; perhaps it was just before that.
    app.check_station(seat.station().id).await?;
    Ok(seat)
}

/// The station of this name; else the one with this number. A name outlives a restart and may be
/// digits, so it goes first.
async fn find(app: &App, wanted: &str) -> Result<Arc<Station>, Problem> {
    let stations = app.ask(Request::Stations).await?;
    let number = wanted.parse().ok().map(StationId);
    let by_name = stations.iter().find(|station| same_station_name(&station.name(), wanted));
    let numbered = |station: &&Arc<Station>| Some(station.id) == number;
    if let Some(station) = by_name.or_else(|| stations.iter().find(numbered)) {
        return Ok(station.clone());
    }
    Err(match number {
        Some(StationId(id)) => Refusal::NoStation(id).into(),
        None => {
            Problem::new(StatusCode::NOT_FOUND, "no-station", "there is no station of this name")
        }
    })
}

/// The delay that a spectator asks for; the station's own is never undercut.
fn asked_delay(seconds: Option<f64>) -> Result<Duration, Problem> {
    let seconds = seconds.unwrap_or(0.0);
    let max = MAX_DELAY.as_secs_f64();
    if (0.0..=max).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    let message = format!("a delay is a number of seconds from 0 to {max}");
    Err(Problem::new(StatusCode::BAD_REQUEST, "invalid", message))
}

/// The routes.
pub(super) fn router() -> api::Routes {
    binary::router().merge(state::router()).merge(live::router())
}

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

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::OwnedSemaphorePermit;

use super::problem::Problem;
use super::{App, api};
use crate::config::{MAX_DELAY, same_station_name};
use crate::engine::{Refusal, Request};
use crate::session::{Station, StationId};

pub(super) use body::Lasting;
pub(super) use state::StateMessage;

/// Web spectators at once. Each costs a place, and of memory little more than a message.
pub(super) const MAX_WEB_SPECTATORS: usize = 128;

/// A web spectator's place at a station; counted as long as it lives.
struct Seat {
    station: Arc<Station>,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    /// A place at the station with this number or name.
    async fn take(app: &App, station: &str) -> Result<Self, Problem> {
        let station = find(app, station).await?;
        let permit = app.web_spectators.clone().try_acquire_owned().map_err(|_| {
            let message = "too many web spectators watch already";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
        })?;
        station.stats.web_clients.add(1);
        Ok(Self { station, _permit: permit })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.station.stats.web_clients.add(-1);
    }
}

/// The station with this number; else the one of this name.
async fn find(app: &App, wanted: &str) -> Result<Arc<Station>, Problem> {
    let stations = app.ask(Request::Stations).await?;
    let number = wanted.parse().ok().map(StationId);
    let by_number = stations.iter().find(|station| Some(station.id) == number);
    let named = |station: &&Arc<Station>| same_station_name(&station.name(), wanted);
    if let Some(station) = by_number.or_else(|| stations.iter().find(named)) {
        return Ok(station.clone());
    }
    Err(match number {
        Some(StationId(id)) => Refusal::NoStation(id).into(),
        None => {
            Problem::new(StatusCode::NOT_FOUND, "no-station", "there is no station of this name")
        }
    })
}

/// Whether the station is still there. If the engine is too busy to say so, who watches is hung up on
/// and may come again, rather than wait at a station that is gone.
async fn is_there(app: &App, station: &Station) -> bool {
    let stations = app.ask(Request::Stations).await;
    stations.is_ok_and(|stations| stations.iter().any(|other| other.id == station.id))
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

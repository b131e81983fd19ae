//! Stations and spectators.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::super::extract::{Asked, At, Body};
use super::super::problem::{ErrorBody, Problem};
use super::{App, Routes};
use crate::engine::{ClientStatus, NewStation, Refusal, Request, StationChange, StationStatus};

/// List the stations
#[utoipa::path(
    get,
    path = "/api/stations",
    tag = "stations",
    responses(
        (status = 200, body = Vec<StationStatus>, description = "In the order of their numbers"),
        (status = 503, body = ErrorBody, description = "The relay is busy or ends"),
    )
)]
async fn list(State(app): State<App>) -> Result<Json<Vec<StationStatus>>, Problem> {
    Ok(Json(app.ask(Request::Status).await?.stations))
}

/// Show a station
#[utoipa::path(
    get,
    path = "/api/stations/{id}",
    tag = "stations",
    params(("id" = u64, Path, description = "The station's number")),
    responses(
        (status = 200, body = StationStatus, description = "The station"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
    )
)]
async fn show(State(app): State<App>, At(id): At<u64>) -> Result<Json<StationStatus>, Problem> {
    let stations = app.ask(Request::Status).await?.stations;
    let station = stations.into_iter().find(|station| station.id == id);
    Ok(Json(station.ok_or(Refusal::NoStation(id))?))
}

/// Add a station
#[utoipa::path(
    post,
    path = "/api/stations",
    tag = "stations",
    security((), ("token" = [])),
    request_body = NewStation,
    responses(
        (status = 201, body = StationStatus, description = "It is there"),
        (status = 401, body = ErrorBody, description = "The token is missing or wrong"),
        (status = 409, body = ErrorBody, description = "Something else is in the way"),
        (status = 422, body = ErrorBody, description = "A value makes no sense"),
    )
)]
async fn add(
    State(app): State<App>,
    Body(station): Body<NewStation>,
) -> Result<(StatusCode, Json<StationStatus>), Problem> {
    let added = app.ask(|reply| Request::Add(station, reply)).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Change a station: what is absent stays as it is
#[utoipa::path(
    patch,
    path = "/api/stations/{id}",
    tag = "stations",
    security((), ("token" = [])),
    params(("id" = u64, Path, description = "The station's number")),
    request_body = StationChange,
    responses(
        (status = 200, body = StationStatus, description = "What it is like now"),
        (status = 401, body = ErrorBody, description = "The token is missing or wrong"),
        (status = 404, body = ErrorBody, description = "There is no such one"),
        (status = 409, body = ErrorBody, description = "Something else is in the way"),
        (status = 422, body = ErrorBody, description = "A value makes no sense"),
    )
)]
async fn change(
    State(app): State<App>,
    At(id): At<u64>,
    Body(change): Body<StationChange>,
) -> Result<Json<StationStatus>, Problem> {
    Ok(Json(app.ask(|reply| Request::Change(id, change, reply)).await?))
}

/// Remove a station: its games are completed, its spectators hung up on
#[utoipa::path(
    delete,
    path = "/api/stations/{id}",
    tag = "stations",
    security((), ("token" = [])),
    params(("id" = u64, Path, description = "The station's number")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, body = ErrorBody, description = "The token is missing or wrong"),
        (status = 404, body = ErrorBody, description = "There is no such one"),
        (status = 409, body = ErrorBody, description = "Something else is in the way"),
    )
)]
async fn remove(State(app): State<App>, At(id): At<u64>) -> Result<StatusCode, Problem> {
    app.ask(|reply| Request::Remove(id, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which spectators to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only those of the station with this number
    station: Option<u64>,
}

/// List the spectators
#[utoipa::path(
    get,
    path = "/api/clients",
    tag = "stations",
    params(Wanted),
    responses(
        (status = 200, body = Vec<ClientStatus>, description = "In the order of their numbers"),
        (status = 400, body = ErrorBody, description = "This is no number"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
    )
)]
async fn clients(
    State(app): State<App>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Vec<ClientStatus>>, Problem> {
    Ok(Json(app.ask(|reply| Request::Clients(wanted.station, reply)).await?))
}

/// Hang up on a spectator
#[utoipa::path(
    delete,
    path = "/api/clients/{id}",
    tag = "stations",
    security((), ("token" = [])),
    params(("id" = u64, Path, description = "The spectator's number")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, body = ErrorBody, description = "The token is missing or wrong"),
        (status = 404, body = ErrorBody, description = "There is no such one"),
    )
)]
async fn kick(State(app): State<App>, At(id): At<u64>) -> Result<StatusCode, Problem> {
    app.ask(|reply| Request::Kick(id, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The routes.
pub(super) fn router() -> Routes {
    Routes::new()
        .routes(routes!(list, add))
        .routes(routes!(show, change, remove))
        .routes(routes!(clients))
        .routes(routes!(kick))
}

//! The relay as a whole: its state, the program output, reload and end.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::time::timeout;
use utoipa_axum::routes;

use super::super::extract::Body;
use super::super::problem::{ErrorBody, Problem};
use super::{App, Routes};
use crate::engine::{ProgramStatus, ProgramSwitch, Refusal, ReloadReport, Request, Status};
use crate::shutdown::Reason;

/// How long a healthy engine may take. It is idle nearly always.
const HEALTH_TIME: Duration = Duration::from_secs(1);

/// Show everything
#[utoipa::path(
    get,
    path = "/api/status",
    tag = "state",
    responses(
        (status = 200, body = Status, description = "The state"),
        (status = 503, body = ErrorBody, description = "The relay is busy or ends"),
    )
)]
async fn status(State(app): State<App>) -> Result<Json<Status>, Problem> {
    Ok(Json(app.ask(Request::Status).await?))
}

/// Say whether the relay is well
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "state",
    responses(
        (status = 200, body = String, description = "`ok`"),
        (status = 503, body = ErrorBody, description = "It does not answer within a second"),
    )
)]
async fn healthz(State(app): State<App>) -> Result<&'static str, Problem> {
    timeout(HEALTH_TIME, app.ask(Request::Stations)).await.unwrap_or(Err(Refusal::Busy))?;
    Ok("ok")
}

/// Let the program output show another station
#[utoipa::path(
    post,
    path = "/api/program",
    tag = "relay",
    security((), ("token" = [])),
    request_body = ProgramSwitch,
    responses(
        (status = 200, body = ProgramStatus, description = "What it shows and will show"),
        (status = 401, body = ErrorBody, description = "The token is missing or wrong"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
        (status = 409, body = ErrorBody, description = "Something else is in the way"),
    )
)]
async fn program(
    State(app): State<App>,
    Body(switch): Body<ProgramSwitch>,
) -> Result<Json<ProgramStatus>, Problem> {
    Ok(Json(app.ask(|reply| Request::Switch(switch, reply)).await?))
}

/// Read the configuration file again
#[utoipa::path(
    post,
    path = "/api/reload",
    tag = "relay",
    security((), ("token" = [])),
    responses(
        (status = 200, body = ReloadReport, description = "What was changed"),
        (status = 401, body = ErrorBody, description = "The token is missing or wrong"),
        (status = 409, body = ErrorBody, description = "There is no configuration file"),
        (status = 422, body = ErrorBody, description = "The file makes no sense"),
    )
)]
async fn reload(State(app): State<App>) -> Result<Json<ReloadReport>, Problem> {
    Ok(Json(app.ask(Request::Reload).await?))
}

/// End the relay in order
#[utoipa::path(
    post,
    path = "/api/shutdown",
    tag = "relay",
    security((), ("token" = [])),
    responses(
        (status = 202, description = "It ends"),
        (status = 401, body = ErrorBody, description = "The token is missing or wrong"),
    )
)]
async fn shutdown(State(app): State<App>) -> Result<StatusCode, Problem> {
    match app.ask(|reply| Request::Shutdown(Reason::Control, reply)).await {
        // It ends already, perhaps before it could say so.
        Ok(()) | Err(Refusal::Ending) => Ok(StatusCode::ACCEPTED),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The routes.
pub(super) fn router() -> Routes {
    Routes::new()
        .routes(routes!(status))
        .routes(routes!(healthz))
        .routes(routes!(program))
        .routes(routes!(reload))
        .routes(routes!(shutdown))
}

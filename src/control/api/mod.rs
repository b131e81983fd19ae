//! The calls: each route and its description are one thing, written at its handler.

mod relay;
mod stations;

use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use super::guard::{Guard, guard};
use super::problem::{finish, panicked};
use super::{App, archive, dashboard, downloads, events, health, metrics, page, replays, spectate};
use crate::engine::Event;
use crate::library::{EntryState, Order, SortBy};

/// The largest body: a station's settings are a few hundred bytes.
const MAX_BODY: usize = 64 * 1024;

/// How long a call may take until its answer begins. Longer than the engine may take.
const CALL_TIME: Duration = Duration::from_secs(10);

/// Routes and their description.
pub(super) type Routes = OpenApiRouter<App>;

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "andross",
        description = "See and control a relay between Melee consoles and everyone who watches them.\n\n\
            Errors are `{\"code\":\"no-station\",\"message\":\"a sentence\"}`: the code never changes. \
            Calls that change something need the token if the relay has one, and JSON bodies.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "state", description = "What is going on"),
        (name = "stations", description = "Consoles and their spectators"),
        (name = "relay", description = "The relay itself"),
        (name = "games", description = "Games as they happen"),
        (name = "replays", description = "Saved games"),
    ),
    components(schemas(
        Event, events::Snapshot, spectate::StateMessage<'_>, EntryState, SortBy, Order,
    )),
)]
struct About;

/// All routes behind the door.
pub(super) fn router(app: App, door: Guard) -> Router {
    let (routes, description) = describe();
    let page = Bytes::from(page::render(&description));
    let text = Bytes::from(description.to_json().unwrap_or_default());
    routes
        .merge(dashboard::router())
        .route("/api", get(async move || page::response(page)))
        .route("/api/openapi.json", get(async move || json_text(text)))
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(app)
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, CALL_TIME))
        .layer(middleware::from_fn_with_state(door, guard))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(finish))
}

fn json_text(text: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// The routes and the description of the API.
fn describe() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (routes, mut description) = Routes::with_openapi(About::openapi())
        .merge(relay::router())
        .merge(stations::router())
        .merge(health::router())
        .merge(replays::router())
        .merge(archive::router())
        .merge(downloads::router())
        .merge(events::router())
        .merge(spectate::router())
        .merge(metrics::router())
        .split_for_parts();
    // The router's `{*path}`, the rest of the address, is a plain variable there.
    let paths = std::mem::take(&mut description.paths.paths);
    description.paths.paths =
        paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    if let Some(components) = &mut description.components {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", bearer);
    }
    (routes, description)
}

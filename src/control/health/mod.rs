//! How the stations did in the last hour: samples of the same figures that `/metrics` has, and plots.
//!
//! A task of the HTTP thread reads the stations' counters every five seconds; the data plane does not
//! know that it exists. Plots are drawn when somebody asks for one, in less than a millisecond.

mod axis;
mod paint;
mod picture;
mod sample;
mod series;

#[cfg(test)]
mod tests;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Asked, At};
use super::problem::{ErrorBody, Problem};
use super::{App, api};
use crate::session::StationId;

pub(super) use series::Health;

use paint::{Look, Theme, WIDTH, WIDTHS};
use picture::Plot;
use sample::Sample;
use series::{MAX_SAMPLES, PERIOD, Sums};

/// How a station did in the last hour.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StationHealth {
    /// Seconds between two samples.
    period: f64,
    /// All samples of the last hour together.
    last_hour: Sums,
    /// The samples, the oldest first.
    samples: Vec<Sample>,
}

/// Which samples to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only so many of the newest; all of the last hour if absent
    last: Option<usize>,
}

/// Show how a station did in the last hour
///
/// A sample every five seconds. Their sums are the growth of the counters in `/metrics`.
#[utoipa::path(
    get,
    path = "/api/stations/{id}/health",
    tag = "stations",
    params(("id" = u64, Path, description = "The station's number"), Wanted),
    responses(
        (status = 200, body = StationHealth, description = "The samples and their sums"),
        (status = 400, body = ErrorBody, description = "A value makes no sense"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
    )
)]
async fn health(
    State(app): State<App>,
    At(id): At<u64>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<StationHealth>, Problem> {
    app.check_station(StationId(id)).await?;
    Ok(Json(app.health.of(id, |samples| StationHealth {
        period: PERIOD.as_secs_f64(),
        last_hour: Sums::of(samples),
        samples: {
            let last = wanted.last.unwrap_or(MAX_SAMPLES).min(samples.len());
            samples.range(samples.len() - last..).cloned().collect()
        },
    })))
}

/// Which plot, and how it is to look.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Drawing {
    /// What is plotted
    #[param(inline)]
    plot: Plot,
    /// For a light page, as if absent, or a dark one
    #[param(inline)]
    theme: Option<Theme>,
    /// How wide, 240 to 1600 pixels; 560 if absent
    width: Option<u32>,
    /// Any number: pages that add the newest sample's `at` have another address for each picture
    #[serde(rename = "at")]
    _at: Option<i64>,
}

/// Draw how a station did in the last hour
///
/// While the relay runs for less than that, the last 6 or 15 minutes.
#[utoipa::path(
    get,
    path = "/api/stations/{id}/health.svg",
    tag = "stations",
    params(("id" = u64, Path, description = "The station's number"), Drawing),
    responses(
        (status = 200, content_type = "image/svg+xml", body = String, description = "The plot"),
        (status = 304, description = "It is the one that the `ETag` names"),
        (status = 400, body = ErrorBody, description = "A value makes no sense"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
    )
)]
async fn plot(
    State(app): State<App>,
    At(id): At<u64>,
    Asked(drawing): Asked<Drawing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // It may have no sample yet.
    app.check_station(StationId(id)).await?;
    let look = Look {
        width: drawing.width.unwrap_or(WIDTH).clamp(*WIDTHS.start(), *WIDTHS.end()),
        theme: drawing.theme.unwrap_or_default(),
        span: axis::span(app.health.age()),
    };
    // The newest sample and the time shown make the picture what it is.
    let newest = app.health.of(id, |samples| samples.back().map_or(0, |sample| sample.at));
    let tag = format!("\"{newest:x}-{:x}\"", look.span.as_secs());
    let kept = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag.clone())];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let picture = app.health.of(id, |samples| drawing.plot.picture(samples, look.span));
    let svg = paint::draw(&picture, look).map_err(|_| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "system", "the plot could not be drawn")
    })?;
    Ok((kept, [(CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

/// The routes.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(health)).routes(utoipa_axum::routes!(plot))
}

//! The saved games: a query to the library, and what there is to ask for.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::{ErrorBody, Problem};
use super::{App, api, extract::Asked};
use crate::library::{
    Entry, EntryState, Facets, Library, LibraryError, Moment, Order, Page, Progress, Query, SortBy,
};

/// What is behind the question mark, one after the other; a name may come again.
pub(super) type Pairs = Vec<(String, String)>;

/// A page of saved games.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayPage {
    /// How many games there are on all pages.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u32,
    /// How many games a page has.
    pub limit: u32,
    /// The games.
    pub replays: Vec<Entry>,
    /// Whether the folder of replays is being looked through, and how far that is.
    pub scan: Progress,
}

/// Which games, in which order: everything that is given must hold. Upper case, accents and width do
/// not count; what is empty is not given.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Words: each is part of a player's name, tag or connect code, of a character, the stage, the
    /// station, the console's nickname or the path
    search: Option<String>,
    /// The whole name of the station
    station: Option<String>,
    /// A character that plays: its name, or a part that tells, such as `falcon`
    character: Option<String>,
    /// The stage: its name, or a part that tells, such as `dream land`
    stage: Option<String>,
    /// A part of a player's name, tag or connect code
    player: Option<String>,
    /// The same of a player who won
    winner: Option<String>,
    /// How the file is
    state: Option<EntryState>,
    /// Begun then or later: `2026-03-14`, `2026-03-14T20:15` (the relay's time),
    /// `2026-03-14T20:15:00Z` or Unix milliseconds
    since: Option<String>,
    /// Begun then or earlier; a day counts to its end
    until: Option<String>,
    /// What they are sorted by; `date` if absent
    sort: SortBy,
    /// Which way; if absent the newest, longest or largest first, texts from A to Z
    order: Option<Order>,
    /// Which page, from 1; 1 if absent
    page: Option<u32>,
    /// How many games a page has, 1 to 200; 100 if absent
    limit: Option<u32>,
}

impl Wanted {
    /// Takes what is asked out of an address.
    pub(super) fn of(pairs: Pairs) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        for (key, value) in pairs {
            if value.trim().is_empty() {
                continue;
            }
            match key.as_str() {
                "search" => wanted.search = Some(value),
                "station" => wanted.station = Some(value),
                "character" => wanted.character = Some(value),
                "stage" => wanted.stage = Some(value),
                "player" => wanted.player = Some(value),
                "winner" => wanted.winner = Some(value),
                "state" => wanted.state = Some(word(&key, value)?),
                "since" => wanted.since = Some(value),
                "until" => wanted.until = Some(value),
                "sort" => wanted.sort = word(&key, value)?,
                "order" => wanted.order = Some(word(&key, value)?),
                "page" => wanted.page = Some(number(&key, &value)?),
                "limit" => wanted.limit = Some(number(&key, &value)?),
                _ => return Err(invalid(format!("games cannot be asked for by `{key}`"))),
            }
        }
        Ok(wanted)
    }

    /// Whether it asks for a page.
    pub(super) fn is_page(&self) -> bool {
        self.page.is_some() || self.limit.is_some()
    }

    pub(super) fn into_query(self) -> Result<Query, Problem> {
        let moment = |text: Option<String>| {
            let moment = text.as_deref().map(Moment::from_str).transpose();
            moment.map_err(|error| invalid(error.to_string()))
        };
        let usual = Query::default();
        let query = Query {
            search: self.search,
            station: self.station,
            character: self.character,
            stage: self.stage,
            player: self.player,
            winner: self.winner,
            state: self.state,
            since: moment(self.since)?,
            until: moment(self.until)?,
            hidden: None,
            sort: self.sort,
            order: self.order,
            page: self.page.unwrap_or(usual.page),
            limit: self.limit.unwrap_or(usual.limit),
        };
        query.check().map_err(|error| invalid(error.to_string()))?;
        Ok(query)
    }
}

/// One of some words.
fn word<T: DeserializeOwned>(key: &str, value: String) -> Result<T, Problem> {
    serde_json::from_value(value.into()).map_err(|error| invalid(format!("`{key}`: {error}")))
}

fn number(key: &str, value: &str) -> Result<u32, Problem> {
    value.parse().map_err(|_| invalid(format!("`{key}`: `{value}` is no such number")))
}

/// Find saved games
///
/// Without anything the newest come first. Games stay on their page as long as none is added or
/// removed. A file that was just copied into the folder is found within some seconds. While a station has a
/// delay, no game is found before everyone has seen it.
#[utoipa::path(
    get,
    path = "/api/replays",
    tag = "replays",
    params(Wanted),
    responses(
        (status = 200, body = ReplayPage, description = "A page of games"),
        (status = 400, body = ErrorBody, description = "A value makes no sense"),
        (status = 404, body = ErrorBody, description = "No games are saved"),
        (status = 503, body = ErrorBody, description = "The index fails"),
    )
)]
async fn replays(
    State(app): State<App>,
    Asked(pairs): Asked<Pairs>,
) -> Result<Json<ReplayPage>, Problem> {
    let query = Query { hidden: app.hidden().await?, ..Wanted::of(pairs)?.into_query()? };
    // Who looks wants to see what is there.
    app.library.as_ref().ok_or_else(no_replays)?.look();
    let (found, scan) =
        ask(&app, move |library| Ok((library.find(&query)?, library.progress()))).await?;
    let Page { total, page, limit, games: replays } = found;
    Ok(Json(ReplayPage { total, page, limit, replays, scan }))
}

/// See what saved games can be asked for by
#[utoipa::path(
    get,
    path = "/api/replays/facets",
    tag = "replays",
    responses(
        (status = 200, body = Facets, description = "What occurs in the games"),
        (status = 404, body = ErrorBody, description = "No games are saved"),
        (status = 503, body = ErrorBody, description = "The index fails"),
    )
)]
async fn facets(State(app): State<App>) -> Result<Json<Facets>, Problem> {
    let hidden = app.hidden().await?;
    Ok(Json(ask(&app, move |library| library.facets(hidden)).await?))
}

/// Asks the library on a thread for files, a few at a time.
pub(super) async fn ask<T: Send + 'static>(
    app: &App,
    ask: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, Problem> {
    let library = Arc::clone(app.library.as_ref().ok_or_else(no_replays)?);
    let turn = app.listings.clone().acquire_owned().await.map_err(|_| busy())?;
    let asked = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        ask(&library)
    });
    asked.await.map_err(|_| busy())?.map_err(|error| {
        tracing::warn!("{error}");
        busy()
    })
}

pub(super) fn no_replays() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-replays", "this relay saves no games")
}

pub(super) fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid", message)
}

fn busy() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the games cannot be listed right now")
}

/// The library.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(replays)).routes(utoipa_axum::routes!(facets))
}

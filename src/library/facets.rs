//! What there is to filter by.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entry::EntryState;
use super::{Hidden, LibraryError};

/// Names of one kind that are listed at most: more stations than any venue has, and more stages than
/// Melee.
const MAX_NAMES: u32 = 1000;

/// Different line-ups whose characters are looked at: two players have some 700 (26 characters, either
/// first), so that all characters have been seen long before.
const MAX_LINE_UPS: u32 = 10_000;

/// What occurs in the games of the library, each in the order of its name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Facets {
    /// Names of stations.
    pub stations: Vec<String>,
    /// Names of stages.
    pub stages: Vec<String>,
    /// Names of characters.
    pub characters: Vec<String>,
    /// How files are.
    pub states: Vec<EntryState>,
}

pub(super) fn collect(
    connection: &Connection,
    hidden: Option<Hidden>,
) -> Result<Facets, LibraryError> {
    let shown = hidden.map_or_else(|| "TRUE".to_owned(), |hidden| hidden.condition());
    // Names as they are written stand in the entries: one is looked at for each.
    let named = |column: &str, path: &str| -> Result<Vec<String>, LibraryError> {
        let mut each = connection.prepare(&format!(
            "SELECT json ->> '{path}' FROM (
                 SELECT min(id) AS id FROM game WHERE {column} <> '' AND {shown}
                 GROUP BY {column} LIMIT {MAX_NAMES}
             ) JOIN entry USING (id)"
        ))?;
        let names = each.query_map([], |row| row.get(0))?;
        let mut names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
        names.sort();
        Ok(names)
    };
    let mut characters = BTreeSet::new();
    let mut pairs = connection.prepare(&format!(
        "SELECT json ->> '$.players' FROM (
             SELECT min(id) AS id FROM game WHERE {shown} GROUP BY characters
             LIMIT {MAX_LINE_UPS}
         ) JOIN entry USING (id)"
    ))?;
    let mut rows = pairs.query([])?;
    while let Some(row) = rows.next()? {
        let players: Vec<super::PlayerEntry> =
            serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
        characters.extend(players.into_iter().map(|player| player.character.name.into_owned()));
    }
    let mut states = connection
        .prepare(&format!("SELECT DISTINCT state FROM game WHERE {shown} ORDER BY state"))?;
    let words = states.query_map([], |row| row.get::<_, String>(0))?;
    let words: Vec<String> = words.collect::<rusqlite::Result<_>>()?;
    let state = |word: String| serde_json::from_value(word.into());
    Ok(Facets {
        stations: named("station", "$.station")?,
        stages: named("stage", "$.stage.name")?,
        characters: characters.into_iter().collect(),
        states: words.into_iter().map(state).collect::<serde_json::Result<_>>()?,
    })
}

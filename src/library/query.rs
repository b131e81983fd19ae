//! What somebody wants to see, and how it is found.

use clap::ValueEnum;
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::entry::{Entry, EntryState};
use super::text::{fold, item};
use super::{Hidden, LibraryError, Moment};
use crate::slp::names;

/// The most games of a page.
pub const MAX_LIMIT: u32 = 200;

/// The longest text that is looked for, in bytes: longer than any name.
const MAX_TEXT: usize = 200;

/// Words that are looked for at once.
const MAX_WORDS: usize = 8;

/// Which games, in which order. Everything that is given must hold; upper case, accents and width do
/// not count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// Words: each is part of a player's name, tag or connect code, of a character, the stage, the
    /// station, the console's nickname or the path.
    pub search: Option<String>,
    /// The whole name of the station.
    pub station: Option<String>,
    /// A character that plays: its name, or a part that tells.
    pub character: Option<String>,
    /// The stage: its name, or a part that tells.
    pub stage: Option<String>,
    /// A part of a player's name, tag or connect code.
    pub player: Option<String>,
    /// The same of a player who won.
    pub winner: Option<String>,
    /// How the file is.
    pub state: Option<EntryState>,
    /// Begun then or later.
    pub since: Option<Moment>,
    /// Begun then or earlier; of a day, until its end.
    pub until: Option<Moment>,
    /// What is not shown at all.
    pub hidden: Option<Hidden>,
    /// What they are sorted by.
    pub sort: SortBy,
    /// Which way; `None` for the usual one: the newest, the longest, the largest first, texts from A
    /// to Z.
    pub order: Option<Order>,
    /// Which page, from 1.
    pub page: u32,
    /// Games of a page, up to [`MAX_LIMIT`].
    pub limit: u32,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            search: None,
            station: None,
            character: None,
            stage: None,
            player: None,
            winner: None,
            state: None,
            since: None,
            until: None,
            hidden: None,
            sort: SortBy::default(),
            order: None,
            page: 1,
            limit: 100,
        }
    }
}

/// What games are sorted by. Those that are level stand in the order in which they were found.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "camelCase")]
pub enum SortBy {
    /// When they began.
    #[default]
    Date,
    /// How long they lasted.
    Duration,
    /// How long the files are.
    Size,
    /// The stage's name.
    Stage,
    /// The station's name.
    Station,
    /// The path of the file.
    Path,
}

/// Which way games are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// The oldest, shortest, smallest, A first.
    Asc,
    /// The newest, longest, largest, Z first.
    Desc,
}

/// A query that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum QueryError {
    /// A text is too long.
    #[error("`{0}` is longer than {MAX_TEXT} bytes, and so is no name")]
    TooLong(&'static str),
    /// There are too many words.
    #[error("look for {MAX_WORDS} words at most")]
    TooManyWords,
    /// There is no such page.
    #[error("pages count from 1")]
    Page,
    /// A page must have some games, but not too many.
    #[error("a page has 1 to {MAX_LIMIT} games")]
    Limit,
}

/// A page of games.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// How many games there are on all pages.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u32,
    /// How many games a page has.
    pub limit: u32,
    /// The games.
    pub games: Vec<Entry>,
}

impl Page {
    pub(super) fn empty(query: &Query) -> Self {
        Self { total: 0, page: query.page, limit: query.limit, games: Vec::new() }
    }
}

impl Query {
    /// Checks what came from outside.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn check(&self) -> Result<(), QueryError> {
        let texts = [
            ("search", &self.search),
            ("station", &self.station),
            ("character", &self.character),
            ("stage", &self.stage),
            ("player", &self.player),
            ("winner", &self.winner),
        ];
        for (name, text) in texts {
            if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
                return Err(QueryError::TooLong(name));
            }
        }
        if self.words().count() > MAX_WORDS {
            return Err(QueryError::TooManyWords);
        }
        if self.page == 0 {
            return Err(QueryError::Page);
        }
        if !(1..=MAX_LIMIT).contains(&self.limit) {
            return Err(QueryError::Limit);
        }
        Ok(())
    }

    fn words(&self) -> impl Iterator<Item = String> {
        let words = self.search.iter().flat_map(|text| text.split_whitespace());
        words.map(fold)
    }

    /// What must hold, in SQL, and its values.
    fn conditions(&self) -> Conditions {
        let mut all = Conditions::default();
        if let Some(hidden) = self.hidden {
            all.terms.push(hidden.condition());
        }
        if let Some(station) = &self.station {
            all.add("station = ?", fold(station));
        }
        if let Some(state) = self.state {
            all.add("state = ?", state.word().to_owned());
        }
        if let Some(since) = self.since {
            all.add("started >= ?", since.start);
        }
        if let Some(until) = self.until {
            all.add("started < ?", until.end);
        }
        if let Some(stage) = &self.stage {
            all.any("stage = ?", meant(stage, (2..=32).map(names::stage)));
        }
        if let Some(character) = &self.character {
            let meant = meant(character, (0..=32).map(names::character));
            all.any("has(?, characters)", meant.iter().map(|name| item(name)));
        }
        for (column, text) in [("players", &self.player), ("winners", &self.winner)] {
            if let Some(text) = text {
                all.add(&format!("has(?, {column})"), fold(text.trim()));
            }
        }
        for word in self.words() {
            all.add("has(?, places, players)", word);
        }
        all
    }

    /// The column to sort by, and whether the highest come first.
    fn order(&self) -> (&'static str, bool) {
        let (column, usual) = match self.sort {
            SortBy::Date => ("started", Order::Desc),
            SortBy::Duration => ("frames", Order::Desc),
            SortBy::Size => ("bytes", Order::Desc),
            SortBy::Stage => ("stage", Order::Asc),
            SortBy::Station => ("station", Order::Asc),
            SortBy::Path => ("path", Order::Asc),
        };
        (column, self.order.unwrap_or(usual) == Order::Desc)
    }

    /// Games in front of the page.
    fn offset(&self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.limit)
    }
}

/// The names that `text` may mean: the one that it is, else all that it is a part of, else itself.
fn meant(text: &str, names: impl Iterator<Item = std::borrow::Cow<'static, str>>) -> Vec<String> {
    let text = fold(text.trim());
    let names: Vec<String> = names.map(|name| fold(&name)).collect();
    if names.contains(&text) {
        return vec![text];
    }
    let parts: Vec<String> = names.into_iter().filter(|name| name.contains(&text)).collect();
    if parts.is_empty() { vec![text] } else { parts }
}

#[derive(Default)]
struct Conditions {
    terms: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, term: &str, value: impl Into<Value>) {
        self.terms.push(term.to_owned());
        self.values.push(value.into());
    }

    fn any(&mut self, term: &str, values: impl IntoIterator<Item = String>) {
        let before = self.values.len();
        self.values.extend(values.into_iter().map(Value::from));
        let terms = vec![term; self.values.len() - before];
        self.terms.push(format!("({})", terms.join(" OR ")));
    }
}

/// A page of what is asked for.
pub(super) fn find(connection: &mut Connection, query: &Query) -> Result<Page, LibraryError> {
    // Of one moment: total and page fit together while a scan writes.
    let moment = connection.transaction()?;
    let conditions = query.conditions();
    let (total, ids) = if conditions.terms.is_empty() {
        of_all(&moment, query)?
    } else if matches!(query.sort, SortBy::Date | SortBy::Duration | SortBy::Size) {
        matching::<i64>(&moment, query, &conditions)?
    } else {
        matching::<Box<str>>(&moment, query, &conditions)?
    };
    let mut games = Vec::with_capacity(ids.len());
    let mut entry = moment.prepare("SELECT json FROM entry WHERE id = ?")?;
    for id in ids {
        let json: String = entry.query_row([id], |row| row.get(0))?;
        games.push(serde_json::from_str(&json)?);
    }
    Ok(Page { total, games, ..Page::empty(query) })
}

/// How many games there are, and the ids of a page of all: the order is that of an index.
fn of_all(moment: &Connection, query: &Query) -> rusqlite::Result<(u64, Vec<i64>)> {
    let total: i64 = moment.query_row("SELECT count(*) FROM game", [], |row| row.get(0))?;
    let (column, is_down) = query.order();
    let way = if is_down { "DESC" } else { "ASC" };
    let mut page = moment.prepare(&format!(
        "SELECT id FROM game ORDER BY {column} {way}, id {way} LIMIT ? OFFSET ?"
    ))?;
    let offset = i64::try_from(query.offset()).unwrap_or(i64::MAX);
    let ids = page.query_map([i64::from(query.limit), offset], |row| row.get(0))?;
    Ok((total.cast_unsigned(), ids.collect::<rusqlite::Result<_>>()?))
}

/// How many games match, and the ids of a page of them. Each game is looked at once, in the order of
/// the file; going by an index and looking up each game would take many times longer.
fn matching<K: Ord + FromSql>(
    moment: &Connection,
    query: &Query,
    conditions: &Conditions,
) -> rusqlite::Result<(u64, Vec<i64>)> {
    let (column, is_down) = query.order();
    let filter = conditions.terms.join(" AND ");
    let mut all = moment.prepare(&format!("SELECT {column}, id FROM game WHERE {filter}"))?;
    let rows =
        all.query_map(params_from_iter(&conditions.values), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found: Vec<(K, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    found.sort_unstable();
    if is_down {
        found.reverse();
    }
    let offset = usize::try_from(query.offset()).unwrap_or(usize::MAX);
    let page = found.iter().skip(offset).take(query.limit as usize);
    Ok((found.len() as u64, page.map(|(_, id)| *id).collect()))
}

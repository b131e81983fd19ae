//! The saved games, newest first.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::{ErrorBody, Problem};
use super::{App, api, extract::Asked};

/// Games in an answer when nobody says how many.
const DEFAULT_LIMIT: usize = 100;

/// The most games in one answer; `before` gets the next ones.
const MAX_LIMIT: usize = 1000;

/// The most entries of folders that one listing looks at: far more games than there are evenings,
/// and few enough for a moment's work.
const MAX_ENTRIES: usize = 200_000;

/// What the names of saved games end with.
pub(super) const SUFFIX: &str = ".slp";

/// Saved games, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayList {
    /// The games.
    pub replays: Vec<ReplayFile>,
    /// Whether there are older ones: ask again with `before` and the last name.
    pub has_more: bool,
}

/// One saved game.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayFile {
    /// Its name in the folder of replays, with `/` before that of the file if it is in a folder
    /// there: `/replays/` and this is its address.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was last written to, Unix milliseconds.
    pub modified: i64,
    /// Whether it is still being recorded.
    pub is_open: bool,
}

/// Which games to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// How many, 1 to 1000; 100 if absent
    limit: Option<usize>,
    /// Only those older than the one of this name
    before: Option<String>,
}

/// List the saved games, newest first
///
/// Sorted by the date in the name of the file.
#[utoipa::path(
    get,
    path = "/api/replays",
    tag = "replays",
    params(Wanted),
    responses(
        (status = 200, body = ReplayList, description = "The games"),
        (status = 400, body = ErrorBody, description = "A value makes no sense"),
        (status = 404, body = ErrorBody, description = "No games are saved"),
    )
)]
async fn replays(
    State(app): State<App>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<ReplayList>, Problem> {
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let folder = app.replays.clone().ok_or_else(no_replays)?;
    let turn = app.listings.clone().acquire_owned().await.map_err(|_| busy())?;
    let listed = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        list(&folder, limit, wanted.before.as_deref())
    });
    Ok(Json(listed.await.map_err(|_| busy())?))
}

pub(super) fn no_replays() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-replays", "this relay saves no games")
}

fn busy() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the games cannot be listed right now")
}

/// By the date in the file's name first, wherever the file is and whatever its station is called.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    date: String,
    name: String,
}

impl Key {
    fn new(name: &str) -> Self {
        let file = name.rsplit('/').next().unwrap_or(name);
        // `Game_STATION_20260314T201502.slp`, or with `_2` for the second of one second; other
        // programs' games have a MAC address for the station, or nothing.
        let is_date = |part: &&str| part.len() == DATE_LEN && part.as_bytes()[8] == b'T';
        let stem = file.strip_suffix(SUFFIX).unwrap_or(file);
        let date = stem.rsplit('_').find(is_date).unwrap_or(file);
        Self { date: date.to_owned(), name: name.to_owned() }
    }
}

/// The length of a date in a file's name: `20260314T201502`.
const DATE_LEN: usize = 15;

/// The newest games of `folder` and the folders in it, but only those before `before`. A folder
/// that cannot be read has none.
fn list(folder: &Path, limit: usize, before: Option<&str>) -> ReplayList {
    let before = before.map(Key::new);
    // The newest `limit` and one more, the oldest of them on top: memory does not grow with the
    // number of games.
    let mut newest = BinaryHeap::with_capacity(limit + 2);
    let mut consider = |name: &str| {
        let key = Key::new(name);
        if before.as_ref().is_none_or(|before| key < *before) {
            newest.push(Reverse(key));
            if newest.len() > limit + 1 {
                newest.pop();
            }
        }
    };
    let budget = Cell::new(MAX_ENTRIES);
    for entry in entries(folder, &budget) {
        let (Some(name), Ok(kind)) = (name_of(&entry), entry.file_type()) else { continue };
        if kind.is_file() && name.ends_with(SUFFIX) {
            consider(&name);
        } else if kind.is_dir() {
            for inner in entries(&entry.path(), &budget) {
                let is_file = inner.file_type().is_ok_and(|kind| kind.is_file());
                match name_of(&inner) {
                    Some(file) if is_file && file.ends_with(SUFFIX) => {
                        consider(&format!("{name}/{file}"));
                    }
                    _ => {}
                }
            }
        }
    }
    let mut keys: Vec<_> = newest.into_iter().map(|Reverse(key)| key).collect();
    keys.sort_unstable_by(|a, b| b.cmp(a));
    let has_more = keys.len() > limit;
    keys.truncate(limit);
    let replays = keys.into_iter().filter_map(|key| look_at(folder, key.name)).collect();
    ReplayList { replays, has_more }
}

/// The entries of a folder, as long as the budget lasts.
fn entries<'a>(folder: &Path, budget: &'a Cell<usize>) -> impl Iterator<Item = DirEntry> + use<'a> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.take_while(|_| budget.replace(budget.get().saturating_sub(1)) > 0)
}

/// A name that an address can have.
fn name_of(entry: &DirEntry) -> Option<String> {
    let name = entry.file_name().into_string().ok()?;
    (!name.contains(|c: char| c.is_control() || c == '\\')).then_some(name)
}

fn look_at(folder: &Path, name: String) -> Option<ReplayFile> {
    let path = folder.join(&name);
    let metadata = fs::symlink_metadata(&path).ok()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.map_or(0, |since| since.as_millis() as i64);
    let mut note = path.into_os_string();
    note.push(".open");
    let is_open = Path::new(&note).exists();
    Some(ReplayFile { name, bytes: metadata.len(), modified, is_open })
}

/// The listing.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(replays))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("Stream/deeper")).unwrap();
        let files = ["Game_3.slp", "Stream/Game_4.slp", "Game_1.slp", "Stream/Game_2.slp"];
        for name in files {
            fs::write(path.join(name), name).unwrap();
        }
        for other in ["Game_9.txt", "Game_3.slp.open", "Stream/deeper/Game_9.slp"] {
            fs::write(path.join(other), "").unwrap();
        }
        let names = |list: &ReplayList| {
            list.replays.iter().map(|file| file.name.clone()).collect::<Vec<_>>()
        };
        let first = list(path, 3, None);
        assert_eq!(names(&first), ["Stream/Game_4.slp", "Game_3.slp", "Stream/Game_2.slp"]);
        assert!(first.has_more && first.replays[1].is_open && !first.replays[0].is_open);
        assert_eq!(first.replays[1].bytes, 10);
        assert!(first.replays[1].modified > 1_600_000_000_000);
        let second = list(path, 3, Some("Stream/Game_2.slp"));
        assert_eq!(names(&second), ["Game_1.slp"]);
        assert!(!second.has_more);
        assert_eq!(list(&path.join("none"), 3, None), ReplayList::default());
    }

    #[test]
    fn the_date_counts_and_not_the_stations_name() {
        let folder = tempfile::tempdir().unwrap();
        let newest_first = [
            "Game_Side_20260314T201504.slp",
            "Stream/Game_Stream_20260314T201503_2.slp",
            "Game_0009BF123456_20260314T201502.slp",
            "Game_20260314T201501.slp",
            "Game_A_B-C_20260314T201500.slp",
        ];
        fs::create_dir(folder.path().join("Stream")).unwrap();
        for name in newest_first {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let listed = list(folder.path(), 10, None).replays;
        assert_eq!(listed.iter().map(|file| &*file.name).collect::<Vec<_>>(), newest_first);
        let older = list(folder.path(), 10, Some(newest_first[1])).replays;
        assert_eq!(older.len(), 3);
    }
}

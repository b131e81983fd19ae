//! The tables of the index: what is in them, and how entries get there.
//!
//! `game` has a short row for each game, with what is searched, filtered and sorted by; `entry` has
//! the entries as JSON, so that looking through all games need not read them.

use std::collections::HashMap;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::LibraryError;
use super::entry::{Entry, EntryState};
use super::text::{fold, list};

/// Marks the file as this program's: `aNdX`.
const APPLICATION_ID: i32 = 0x614E_6458;

/// Goes up whenever the tables, or what is read of a file, change: an index of another version is
/// made anew.
const VERSION: i32 = 1;

/// `settled` is 0 if the file was written to just before it was read: it may change again without
/// another time of modification. Texts are folded. Lists stand between line feeds.
const SCHEMA: [&str; 9] = [
    "CREATE TABLE game (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        bytes INTEGER NOT NULL,
        written INTEGER NOT NULL,
        settled INTEGER NOT NULL,
        started INTEGER NOT NULL,
        frames INTEGER NOT NULL,
        state TEXT NOT NULL,
        station TEXT NOT NULL,
        stage TEXT NOT NULL,
        characters TEXT NOT NULL,
        players TEXT NOT NULL,
        winners TEXT NOT NULL,
        places TEXT NOT NULL
    ) STRICT",
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT",
    "CREATE INDEX game_started ON game (started)",
    "CREATE INDEX game_frames ON game (frames)",
    "CREATE INDEX game_bytes ON game (bytes)",
    "CREATE INDEX game_station ON game (station)",
    "CREATE INDEX game_stage ON game (stage)",
    "CREATE INDEX game_state ON game (state)",
    "CREATE INDEX game_characters ON game (characters)",
];

/// What an opened file holds.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Nothing yet.
    Nothing,
    /// This program's tables.
    Ours,
    /// Those of another version.
    OtherVersion,
    /// Those of another program.
    Foreign,
    /// Damage, in SQLite's words.
    Damaged(String),
}

/// How the index knows a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Known {
    pub(super) bytes: u64,
    pub(super) written: i64,
    pub(super) is_settled: bool,
    pub(super) is_recording: bool,
}

/// An entry, and what of its file tells whether it must be read again.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) entry: Entry,
    pub(super) written: i64,
    pub(super) is_settled: bool,
}

/// Says how a connection is to work. The file is never mapped into memory: whoever cut it short
/// would end the program.
pub(super) fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_scalar_function("has", -1, flags(), |context| has(context))?;
    connection.execute_batch(
        "PRAGMA page_size = 16384;
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -8192;
         PRAGMA temp_store = MEMORY;
         PRAGMA synchronous = NORMAL;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )
}

fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS
        | FunctionFlags::SQLITE_DIRECTONLY
}

/// `has(part, text, ...)`: whether one of the texts has the part. SQLite's own `instr` goes from
/// letter to letter and takes five times as long, which is most of a search.
fn has(context: &Context<'_>) -> rusqlite::Result<bool> {
    let text = |at: usize| {
        context
            .get_raw(at)
            .as_bytes()
            .map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    };
    let part = text(0)?;
    for at in 1..context.len() {
        if memchr::memmem::find(text(at)?, part).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks at what the file holds.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Found> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get(0));
    let (application, version): (i32, i32) = (number("application_id")?, number("user_version")?);
    let mut tables =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?;
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if application != APPLICATION_ID {
        let is_empty = tables.is_empty() && application == 0;
        return Ok(if is_empty { Found::Nothing } else { Found::Foreign });
    }
    if version != VERSION || tables != SCHEMA {
        return Ok(Found::OtherVersion);
    }
    let checked: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(if checked == "ok" { Found::Ours } else { Found::Damaged(first_line(&checked)) })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Makes the tables, all or none, where there are none; what the file holds then. Another program may
/// have made them since somebody looked, so that is looked at again when nobody else can write.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<Found> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = check(&transaction)?;
    if found != Found::Nothing {
        return Ok(found);
    }
    for statement in SCHEMA {
        transaction.execute_batch(statement)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(Found::Ours)
}

/// All files that the index knows.
pub(super) fn known(connection: &Connection) -> rusqlite::Result<HashMap<String, Known>> {
    let mut all = connection.prepare("SELECT path, bytes, written, settled, state FROM game")?;
    let rows = all.query_map([], |row| {
        let state: String = row.get(4)?;
        let known = Known {
            bytes: row.get::<_, i64>(1)?.cast_unsigned(),
            written: row.get(2)?,
            is_settled: row.get(3)?,
            is_recording: state == EntryState::Recording.word(),
        };
        Ok((row.get(0)?, known))
    })?;
    rows.collect()
}

/// Puts entries in, in place of those that are there.
pub(super) fn put(connection: &mut Connection, rows: &[Row]) -> Result<(), LibraryError> {
    let transaction = connection.transaction()?;
    for row in rows {
        put_one(&transaction, row)?;
    }
    Ok(transaction.commit()?)
}

fn put_one(transaction: &Transaction<'_>, row: &Row) -> Result<(), LibraryError> {
    let Row { entry, written, is_settled } = row;
    let stage = entry.stage.as_ref().map_or("", |stage| &stage.name);
    let characters = || entry.players.iter().map(|player| &*player.character.name);
    let station = entry.station.as_deref().unwrap_or_default();
    let winners = entry.players.iter().filter(|player| player.is_winner);
    let names = entry.players.iter().flat_map(|player| player.names());
    let players = list(names);
    let nick = entry.console_nick.as_deref().unwrap_or_default();
    let places = list([&*entry.path, station, nick, stage].into_iter().chain(characters()));
    let mut game = transaction.prepare_cached(
        "INSERT INTO game (path, bytes, written, settled, started, frames, state, station, stage,
                           characters, players, winners, places)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET
             bytes = excluded.bytes, written = excluded.written, settled = excluded.settled,
             started = excluded.started, frames = excluded.frames, state = excluded.state,
             station = excluded.station, stage = excluded.stage,
             characters = excluded.characters, players = excluded.players,
             winners = excluded.winners, places = excluded.places
         RETURNING id",
    )?;
    let values = params![
        entry.path,
        i64::try_from(entry.bytes).unwrap_or(i64::MAX),
        written,
        is_settled,
        entry.started_at,
        entry.frames,
        entry.state.word(),
        fold(station),
        fold(stage),
        list(characters()),
        players,
        list(winners.flat_map(|player| player.names())),
        places,
    ];
    let id: i64 = game.query_row(values, |row| row.get(0))?;
    let mut json = transaction.prepare_cached("INSERT OR REPLACE INTO entry VALUES (?, ?)")?;
    json.execute(params![id, serde_json::to_string(entry)?])?;
    Ok(())
}

/// Forgets files.
pub(super) fn forget(connection: &mut Connection, paths: &[String]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut entry = transaction
            .prepare("DELETE FROM entry WHERE id = (SELECT id FROM game WHERE path = ?)")?;
        let mut game = transaction.prepare("DELETE FROM game WHERE path = ?")?;
        for path in paths {
            entry.execute([path])?;
            game.execute([path])?;
        }
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_find_nothing_at_once_make_one_index() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("index");
        let [mut one, mut two] = [(); 2].map(|()| Connection::open(&file).unwrap());
        for connection in [&one, &two] {
            assert_eq!(check(connection), Ok(Found::Nothing));
        }
        assert_eq!(create(&mut one), Ok(Found::Ours));
        assert_eq!(create(&mut two), Ok(Found::Ours));
        assert_eq!(check(&one), Ok(Found::Ours));
    }
}

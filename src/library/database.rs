//! The index's file, or memory, and connections to it.
//!
//! No lock is held while SQLite works in a file: a connection is taken out of the pool and given back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{INDEX, LibraryError, sql};

/// How long a connection waits for another program that writes the index.
const BUSY_TIME: Duration = Duration::from_secs(5);

/// Connections that are kept for later; more are closed when they are not needed any more.
const MAX_IDLE: usize = 3;

/// The index of one folder.
#[derive(Debug)]
pub(super) struct Database {
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A file, and connections to it that nobody needs right now.
    File { path: PathBuf, idle: Mutex<Vec<Connection>> },
    /// Memory, where there is one connection for all: who comes second waits.
    Memory(Mutex<Connection>),
}

/// Why a file is not this program's index.
#[derive(Debug)]
enum Unfit {
    /// It is an index of another version.
    Version,
    /// It is damaged, or something else altogether.
    Broken(String),
    /// It cannot be opened or made: the folder is not ours to write.
    Unwritable(rusqlite::Error),
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) { Self::Broken(error.to_string()) } else { Self::Unwritable(error) }
    }
}

/// Whether the error says that the file is not what it should be. That it cannot be opened says
/// nothing of the kind: the program may have too many files open.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, SqliteFailure};
    match error {
        SqliteFailure(error, message) => match error.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => true,
            // A table that is not there.
            ErrorCode::Unknown => message.is_some(),
            _ => false,
        },
        FromSqlConversionFailure(..) | InvalidColumnType(..) => true,
        _ => false,
    }
}

/// Whether the error says that another file lies where the connection's did, or none: somebody deleted
/// the index, and another andross may have made one anew. What is there now is not damaged.
pub(super) fn is_moved(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::SQLITE_READONLY_DBMOVED;
    error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_READONLY_DBMOVED)
}

impl Database {
    /// Opens the index in `folder`, or makes one. What is there and is none is put aside.
    ///
    /// # Errors
    /// If there is not even room in memory.
    pub(super) fn open(folder: &Path) -> Result<Self, LibraryError> {
        // Links in the way to the folder are its owner's; one in place of the index is not followed.
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let path = folder.join(INDEX);
        let first = match connect(&path, true) {
            Err(Unfit::Version) => {
                tracing::info!(
                    "{}: is of another version of andross and made anew from the games",
                    path.display()
                );
                remove(&path).and_then(|()| connect(&path, true))
            }
            Err(Unfit::Broken(why)) => put_aside(&path, &why).and_then(|()| connect(&path, true)),
            other => other,
        };
        let why = match first {
            Ok(connection) => {
                let idle = Mutex::new(vec![connection]);
                return Ok(Self { place: Place::File { path, idle } });
            }
            Err(Unfit::Unwritable(error)) => error.to_string(),
            Err(Unfit::Broken(why)) => why,
            Err(Unfit::Version) => "it stays of another version".to_owned(),
        };
        tracing::info!(
            "{}: {why}; the index of the games is kept in memory and made anew at each start",
            path.display()
        );
        let mut connection = Connection::open_in_memory()?;
        sql::tune(&connection)?;
        sql::create(&mut connection)?;
        Ok(Self { place: Place::Memory(Mutex::new(connection)) })
    }

    /// Lets `work` have a connection.
    ///
    /// # Errors
    /// Those of `work`; or if no connection can be made.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        match &self.place {
            Place::Memory(connection) => work(&mut connection.lock()),
            Place::File { path, idle } => {
                let kept = idle.lock().pop();
                let mut connection = kept.map_or_else(|| attach(path, false), Ok)?;
                let result = work(&mut connection);
                let mut idle = idle.lock();
                if idle.len() < MAX_IDLE {
                    idle.push(connection);
                }
                result
            }
        }
    }

    /// Whether somebody took the file away.
    pub(super) fn is_gone(&self) -> bool {
        let Place::File { path, .. } = &self.place else { return false };
        fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }
}

/// A connection to the file, without a look at what is in it.
fn attach(path: &Path, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIME)?;
    sql::tune(&connection)?;
    Ok(connection)
}

/// A connection to an index that is known to be good.
fn connect(path: &Path, create: bool) -> Result<Connection, Unfit> {
    // SQLite would open a link's target, a folder says nothing, and an empty file becomes an index.
    if let Ok(data) = fs::symlink_metadata(path)
        && !data.is_file()
    {
        return Err(Unfit::Broken("is no file".into()));
    }
    let mut connection = attach(path, create)?;
    let mut found = sql::check(&connection)?;
    if found == sql::Found::Nothing {
        found = sql::create(&mut connection)?;
    }
    match found {
        sql::Found::Ours | sql::Found::Nothing => {}
        sql::Found::OtherVersion => return Err(Unfit::Version),
        sql::Found::Foreign => return Err(Unfit::Broken("is another program's".into())),
        sql::Found::Damaged(how) => return Err(Unfit::Broken(how)),
    }
    Ok(connection)
}

fn remove(path: &Path) -> Result<(), Unfit> {
    fs::remove_file(path).map_err(|error| Unfit::Broken(format!("cannot be removed: {error}")))
}

/// Renames what lies where the index should be. What was put aside before is lost.
fn put_aside(path: &Path, why: &str) -> Result<(), Unfit> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".broken");
    let aside = PathBuf::from(aside);
    fs::rename(path, &aside)
        .map_err(|error| Unfit::Broken(format!("{why}, and cannot be put aside: {error}")))?;
    tracing::warn!(
        "{}: {why}; put aside as {}, and made anew from the games",
        path.display(),
        aside.display()
    );
    Ok(())
}

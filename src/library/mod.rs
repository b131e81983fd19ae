//! The replay library: an index of every saved game, to search, filter and sort.
//!
//! The files are the truth. The index is a SQLite file in the folder of replays, made from the files
//! alone: it can be deleted at any time, and is made anew when it is damaged or of another version.
//! Where nothing can be written it lives in memory.
//!
//! [`Library::scan`] compares the folder with the index, by size and time of modification, and reads
//! what is new. [`LibraryThread`] does that again and again while a relay runs. [`Library::find`]
//! answers a [`Query`].

mod database;
mod entry;
mod facets;
mod folder;
mod hidden;
mod moment;
mod query;
mod read;
mod scan;
mod sql;
mod text;
mod thread;
mod winner;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::Waker;
use parking_lot::Mutex;
use rusqlite::Connection;
use thiserror::Error;

pub use entry::{Entry, EntryState, PlayerEntry};
pub use facets::Facets;
pub use folder::{MAX_DEPTH, MAX_FILES, SUFFIX};
pub use hidden::Hidden;
pub use moment::{Moment, MomentError};
pub use query::{MAX_LIMIT, Order, Page, Query, QueryError, SortBy};
pub use read::read;
pub use scan::{Progress, ScanReport};
pub use thread::LibraryThread;

use database::Database;

/// The name of the index in the folder of replays.
pub const INDEX: &str = ".andross-index.sqlite";

/// Why the library cannot do what is asked.
#[derive(Debug, Error)]
pub enum LibraryError {
    /// The folder cannot be looked through.
    #[error("{}: cannot be looked through: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The index does not do what it should.
    #[error("the index of the games fails: {0}")]
    Index(#[from] rusqlite::Error),
    /// An entry of the index is none.
    #[error("the index of the games is damaged: {0}")]
    Entry(#[from] serde_json::Error),
}

impl LibraryError {
    /// Whether the index must be made anew.
    fn is_damage(&self) -> bool {
        match self {
            Self::Folder { .. } => false,
            Self::Entry(_) => true,
            Self::Index(error) => database::is_damage(error),
        }
    }

    /// Whether there is no such folder.
    fn is_no_folder(&self) -> bool {
        matches!(self, Self::Folder { error, .. } if error.kind() == std::io::ErrorKind::NotFound)
    }

    /// Whether the index is another file by now.
    fn is_moved(&self) -> bool {
        matches!(self, Self::Index(error) if database::is_moved(error))
    }
}

/// The index of one folder. Shared by the thread that scans and those that ask.
#[derive(Debug)]
pub struct Library {
    folder: PathBuf,
    /// `None` until the folder is there.
    database: Mutex<Option<Arc<Database>>>,
    progress: Mutex<Progress>,
    /// Somebody wants a scan.
    is_wanted: AtomicBool,
    /// Wakes the thread that scans, if there is one.
    doorbell: Option<Arc<Waker>>,
}

impl Library {
    /// The library of `folder`, which need not be there yet. Nothing is opened before it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self::with_doorbell(folder, None)
    }

    /// The same, with a thread that scans.
    fn with_doorbell(folder: PathBuf, doorbell: Option<Arc<Waker>>) -> Self {
        Self {
            folder,
            database: Mutex::default(),
            progress: Mutex::default(),
            is_wanted: AtomicBool::new(false),
            doorbell,
        }
    }

    /// The folder of the games.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How far the scan is, or the last one was.
    pub fn progress(&self) -> Progress {
        *self.progress.lock()
    }

    /// Lets the thread look through the folder soon, if it has not just done so.
    pub fn look(&self) {
        self.is_wanted.store(true, Ordering::Release);
        if let Some(doorbell) = &self.doorbell
            && let Err(error) = doorbell.wake()
        {
            tracing::error!("the library's thread cannot be woken: {error}");
        }
    }

    /// The games that `query` asks for, a page of them. None before the first scan.
    ///
    /// # Errors
    /// If the index fails. One that is damaged is made anew by the next scan.
    pub fn find(&self, query: &Query) -> Result<Page, LibraryError> {
        match self.opened() {
            Some(database) => self.with(&database, |connection| query::find(connection, query)),
            None => Ok(Page::empty(query)),
        }
    }

    /// What there is to filter by, but for what is `hidden`.
    ///
    /// # Errors
    /// As [`Library::find`].
    pub fn facets(&self, hidden: Option<Hidden>) -> Result<Facets, LibraryError> {
        match self.opened() {
            Some(database) => {
                self.with(&database, |connection| facets::collect(connection, hidden))
            }
            None => Ok(Facets::default()),
        }
    }

    /// The index, if a scan has opened it.
    fn opened(&self) -> Option<Arc<Database>> {
        self.database.lock().clone()
    }

    /// The index, opened or made if need be; only who scans may call it.
    fn open(&self) -> Result<Arc<Database>, LibraryError> {
        if let Some(database) = self.opened() {
            return Ok(database);
        }
        let database = Arc::new(Database::open(&self.folder)?);
        *self.database.lock() = Some(database.clone());
        Ok(database)
    }

    /// Works with the index. One that turns out to be damaged, another file or gone is let go of, so that
    /// the next scan opens it anew and finds out.
    fn with<T>(
        &self,
        database: &Arc<Database>,
        work: impl FnOnce(&mut Connection) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let result = database.with(work);
        let is_lost =
            |error: &LibraryError| error.is_damage() || error.is_moved() || database.is_gone();
        if result.as_ref().is_err_and(is_lost) {
            let mut current = self.database.lock();
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, database)) {
                *current = None;
            }
            drop(current);
            self.look();
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file of an index in use can be deleted on Unix only.
    #[cfg(unix)]
    #[test]
    fn an_index_that_is_gone_is_let_go_of_by_who_needs_one_more_connection() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(folder.path().to_owned());
        library.scan(|_| std::ops::ControlFlow::Continue(())).unwrap();
        let database = library.opened().unwrap();
        let query = Query::default();
        let asked_meanwhile = database.with(|_| {
            std::fs::remove_file(folder.path().join(INDEX)).unwrap();
            Ok(library.find(&query))
        });
        let error = asked_meanwhile.unwrap().unwrap_err();
        assert!(!error.is_damage() && !error.is_moved(), "{error}");
        assert!(library.opened().is_none());
        assert!(library.is_wanted.load(Ordering::Acquire), "a scan");
    }
}

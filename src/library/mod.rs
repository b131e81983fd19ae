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
use std::sync::{Arc, OnceLock};

use mio::Waker;
use parking_lot::Mutex;
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
use thread::Progressing;

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
}

/// The index of one folder. Shared by the thread that scans and those that ask.
#[derive(Debug)]
pub struct Library {
    folder: PathBuf,
    /// `None` until the folder is there.
    database: Mutex<Option<Arc<Database>>>,
    progress: Progressing,
    /// Wakes the thread that scans, if there is one.
    doorbell: OnceLock<Arc<Waker>>,
}

impl Library {
    /// The library of `folder`, which need not be there yet. Nothing is opened before it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            database: Mutex::new(None),
            progress: Progressing::default(),
            doorbell: OnceLock::new(),
        }
    }

    /// The folder of the games.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the thread is doing, or did last.
    pub fn progress(&self) -> Progress {
        self.progress.get()
    }

    /// Lets the thread look through the folder soon, if it has not just done so.
    pub fn look(&self) {
        self.progress.want();
        if let Some(doorbell) = self.doorbell.get()
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
            Some(database) => self.guarded(&database, query::find(&database, query)),
            None => Ok(Page::empty(query)),
        }
    }

    /// What there is to filter by, but for what is `hidden`.
    ///
    /// # Errors
    /// As [`Library::find`].
    pub fn facets(&self, hidden: Option<Hidden>) -> Result<Facets, LibraryError> {
        match self.opened() {
            Some(database) => self.guarded(&database, facets::collect(&database, hidden)),
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

    /// Lets go of an index that is damaged or gone, so that the next scan opens it anew and finds out.
    fn guarded<T>(
        &self,
        database: &Arc<Database>,
        result: Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let is_lost = |error: &LibraryError| error.is_damage() || database.is_gone();
        if result.as_ref().is_err_and(is_lost) {
            database.distrust();
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

//! The replay library: its entries agree with what others read in the same files, and its index with
//! what is in the folder.

mod common;

#[path = "library/command_line.rs"]
mod command_line;
#[path = "library/entries.rs"]
mod entries;
#[path = "library/index.rs"]
mod index;
#[path = "library/queries.rs"]
mod queries;
#[path = "library/short_game.rs"]
mod short_game;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use andross::library::{Entry, Library, Page, Query, ScanReport};
use tempfile::TempDir;

/// A folder with games, and its library.
pub struct Shelf {
    /// Where they are.
    pub folder: TempDir,
    /// Of that folder.
    pub library: Library,
}

impl Shelf {
    /// An empty one.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(folder.path().to_owned());
        Self { folder, library }
    }

    /// Puts a file there that was last written to an hour ago.
    pub fn put(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let file = self.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        set_age(&file, 3600);
        file
    }

    /// Looks through all of it.
    pub fn scan(&self) -> ScanReport {
        self.library.scan(|_| ControlFlow::Continue(())).unwrap()
    }

    /// Asks the library.
    pub fn find(&self, query: &Query) -> Page {
        query.check().unwrap();
        self.library.find(query).unwrap()
    }

    /// All entries, by path.
    pub fn entries(&self) -> Vec<Entry> {
        self.find(&Query { sort: andross::library::SortBy::Path, limit: 200, ..Query::default() })
            .games
    }

    /// Where the index is.
    pub fn index(&self) -> PathBuf {
        self.folder.path().join(andross::library::INDEX)
    }

    /// The library as another program would open it.
    pub fn again(self) -> Self {
        let Self { folder, library } = self;
        drop(library);
        let library = Library::new(folder.path().to_owned());
        Self { folder, library }
    }
}

/// Says that a file was last written to so many seconds ago.
pub fn set_age(file: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

/// The bytes of a fixture.
pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

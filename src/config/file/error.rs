//! What is wrong with a configuration file, and where.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a configuration file cannot be used; one line.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read at all.
    #[error("{}: {error}; name the configuration file with --config", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}:{column}: {what}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// The character in that line, from 1 on.
        column: usize,
        /// What is wrong, and what to do.
        what: String,
    },
}

impl FileError {
    /// Something is wrong at byte `at` of `text`.
    pub(super) fn wrong(path: &Path, text: &str, at: usize, what: String) -> Self {
        let before = &text[..text.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or_default();
        // A key may have any character; the error must stay one line.
        let what = what.replace(char::is_control, " ");
        Self::Wrong { path: path.to_owned(), line, column: last.chars().count() + 1, what }
    }
}

//! The configuration file, `andross.toml`: its keys are the command line's long flags.
//!
//! The file's tables are read as they are written, each value with its place in the file, and then
//! go through the very functions that flags go through ([`super::value`]): what is wrong is named
//! with line and column.

mod error;
mod keys;
mod reader;

use std::fs;
use std::path::Path;

use super::Settings;
use reader::Reader;

pub use error::FileError;
pub use keys::keys;

/// Reads a configuration file. Relative paths in it are meant from its folder.
///
/// # Errors
/// [`FileError`], which is one line.
pub fn read(path: &Path) -> Result<Settings, FileError> {
    let bytes =
        fs::read(path).map_err(|error| FileError::Unreadable { path: path.to_owned(), error })?;
    match str::from_utf8(&bytes) {
        Ok(text) => parse(text, path),
        Err(error) => {
            let good = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let what = "this is not UTF-8; save the file as UTF-8".to_owned();
            Err(FileError::wrong(path, good, good.len(), what))
        }
    }
}

/// Understands `text`, the contents of the file at `path`.
///
/// # Errors
/// [`FileError`], which is one line.
pub fn parse(text: &str, path: &Path) -> Result<Settings, FileError> {
    // Windows' Notepad writes this mark; it is not a part of the first line.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let document = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        FileError::wrong(path, text, at, keys::explain(error.message()))
    })?;
    Reader::new(text, path).settings(document)
}

#[cfg(test)]
mod tests;

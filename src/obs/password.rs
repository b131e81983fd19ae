//! OBS's password, and the file it is in.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The most bytes that are read: a password is a line, not a book.
const MAX_PASSWORD: u64 = 1024;

/// Why there is no password. The password itself is never shown.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// The file cannot be read.
    #[error("cannot read OBS's password in {}: {error}; --obs-password-file names the file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is nothing in its first line.
    #[error("the first line of {} is no password", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the first line of `path`, without the space around it.
pub(super) fn read(path: &Path) -> Result<String, PasswordError> {
    let file_error = |error| PasswordError::File { path: path.to_owned(), error };
    let mut text = String::new();
    let file = File::open(path).map_err(file_error)?;
    file.take(MAX_PASSWORD).read_to_string(&mut text).map_err(file_error)?;
    match text.lines().next().map(str::trim) {
        None | Some("") => Err(PasswordError::Empty { path: path.to_owned() }),
        Some(password) => Ok(password.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_and_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        assert!(read(&path).unwrap_err().to_string().contains("--obs-password-file"));
        std::fs::write(&path, " open sesame \r\nmore\n").unwrap();
        assert_eq!(read(&path).unwrap(), "open sesame");
        std::fs::write(&path, "\nx").unwrap();
        assert!(matches!(read(&path), Err(PasswordError::Empty { .. })));
    }
}

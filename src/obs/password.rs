//! OBS's password, and the file it is in.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::secret_file;

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

/// Reads the first line of `path`.
pub(super) fn read(path: &Path) -> Result<String, PasswordError> {
    usable(path, secret_file::read(path, "OBS's password"))
}

/// The same once more: it may have been put right.
pub(super) fn read_again(path: &Path) -> Result<String, PasswordError> {
    usable(path, secret_file::read_again(path))
}

fn usable(path: &Path, line: io::Result<String>) -> Result<String, PasswordError> {
    let path = || path.to_owned();
    let line = line.map_err(|error| PasswordError::File { path: path(), error })?;
    if line.is_empty() { Err(PasswordError::Empty { path: path() }) } else { Ok(line) }
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
        assert_eq!(read_again(&path).unwrap(), "open sesame");
        std::fs::write(&path, "\nx").unwrap();
        assert!(matches!(read(&path), Err(PasswordError::Empty { .. })));
    }
}

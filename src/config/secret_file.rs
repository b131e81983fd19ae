//! A secret in the first line of a file: a token, a password.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes that are read: a secret is a line, not a book. What is beyond is no part of it.
pub const MAX_SECRET: usize = 1024;

/// Reads the first line of `path`, without the space around it; empty if nothing is there. Warns if
/// other users of this computer can read it, too; `what` says what it is, such as `the token`.
///
/// # Errors
/// If the file cannot be read, or the line is not UTF-8.
pub fn read(path: &Path, what: &str) -> io::Result<String> {
    let file = File::open(path)?;
    if others_can_read(&file) {
        tracing::warn!(
            "other users of this computer can read {what} in {0}; `chmod 600 {0}` keeps it secret",
            path.display()
        );
    }
    first_line(file)
}

/// The same of a file that was read before: nobody is warned again.
///
/// # Errors
/// As [`read`].
pub fn read_again(path: &Path) -> io::Result<String> {
    first_line(File::open(path)?)
}

fn first_line(file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(MAX_SECRET as u64).read_to_end(&mut bytes)?;
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "its first line is not UTF-8"))?;
    Ok(line.trim().to_owned())
}

#[cfg(unix)]
fn others_can_read(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    /// Group and others.
    const OTHERS: u32 = 0o077;
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & OTHERS != 0)
}

/// Elsewhere a file's mode does not say it.
#[cfg(not(unix))]
fn others_can_read(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert_eq!(read(&path, "the token").unwrap_err().kind(), io::ErrorKind::NotFound);
        let read_back = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let line = read(&path, "the token");
            assert_eq!(read_again(&path).ok(), line.as_ref().ok().cloned());
            line.map_err(|error| error.kind())
        };
        assert_eq!(read_back(b" open sesame \r\nmore\n"), Ok("open sesame".to_owned()));
        assert_eq!(read_back(b"\nmore"), Ok(String::new()));
        assert_eq!(read_back(b""), Ok(String::new()));
        assert_eq!(read_back(b"\xFF\n"), Err(io::ErrorKind::InvalidData));
        assert_eq!(
            read_back("Ö\n\u{e9}".as_bytes()),
            Ok("Ö".to_owned()),
            "later lines do not count"
        );
        assert_eq!(read_back(&[b'x'; 2 * MAX_SECRET]), Ok("x".repeat(MAX_SECRET)));
    }

    #[cfg(unix)]
    #[test]
    fn who_else_can_read_it_is_seen() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, is_shared) in [(0o600, false), (0o640, true), (0o604, true), (0o400, false)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).unwrap();
            assert_eq!(others_can_read(file.as_file()), is_shared, "{mode:o}");
        }
    }
}

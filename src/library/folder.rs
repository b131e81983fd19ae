//! What is in the folder of replays.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use crate::replay::{NOTE_SUFFIX, is_being_recorded};
use crate::unix_time::unix_ns;

/// What the names of saved games end with.
pub const SUFFIX: &str = ".slp";

/// How deep folders may lie in one another. Stations have one level, Slippi Launcher and Dolphin
/// two: months, and games that were spectated.
pub const MAX_DEPTH: usize = 4;

/// The most files and folders that a scan looks at: far more games than there are evenings.
pub const MAX_FILES: usize = 250_000;

/// The longest path of a game, in bytes: downloads take no longer one.
const MAX_PATH: usize = 512;

/// A game's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// From the folder of replays, with `/`.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// When it was last written to, in nanoseconds since 1970.
    pub(super) written: i64,
    /// Whether an andross that lives is writing it.
    pub(super) is_open: bool,
}

/// A walk through the folder.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) found: Vec<Found>,
    /// Folders of which not all could be looked at, and with [`MAX_FILES`] the folder itself: what is
    /// missing there may still be there.
    pub(super) unread: Vec<String>,
    entries: usize,
}

impl Walk {
    /// Looks through `folder` and the folders in it. Links are not followed: they may lead anywhere.
    ///
    /// # Errors
    /// If `folder` itself cannot be read.
    pub(super) fn through(folder: &Path) -> io::Result<Self> {
        let mut walk = Self::default();
        walk.look(folder, "", fs::read_dir(folder)?, MAX_DEPTH);
        walk.found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(walk)
    }

    fn look(
        &mut self,
        folder: &Path,
        prefix: &str,
        entries: impl Iterator<Item = io::Result<DirEntry>>,
        depth: usize,
    ) {
        let (mut folders, mut notes) = (Vec::new(), Vec::new());
        let first = self.found.len();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                // Nobody knows what else is there, nor whether there is an end of errors.
                Err(error) => {
                    self.leave_unread(folder, prefix, &error);
                    break;
                }
            };
            self.entries += 1;
            if self.entries > MAX_FILES {
                self.unread.push(String::new());
                return;
            }
            let (Some(name), Ok(kind)) = (name_of(&entry), entry.file_type()) else { continue };
            if kind.is_dir() {
                folders.push(name);
            } else if let Some(recording) = name.strip_suffix(NOTE_SUFFIX) {
                notes.push(format!("{prefix}{recording}"));
            } else if kind.is_file() && name.ends_with(SUFFIX) {
                let path = format!("{prefix}{name}");
                if path.len() > MAX_PATH {
                    continue;
                }
                match entry.metadata() {
                    Ok(data) => {
                        let written = data.modified().map_or(0, unix_ns);
                        self.found.push(Found { path, bytes: data.len(), written, is_open: false });
                    }
                    // One that is gone by now was not there.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => self.leave_unread(folder, prefix, &error),
                }
            }
        }
        notes.sort_unstable();
        for found in &mut self.found[first..] {
            // A crash leaves a note, too, but nobody who holds it.
            found.is_open = notes.binary_search(&found.path).is_ok()
                && is_being_recorded(&folder.join(&found.path[prefix.len()..]));
        }
        if depth == 0 {
            return;
        }
        for name in folders {
            let (inner, prefix) = (folder.join(&name), format!("{prefix}{name}/"));
            match fs::read_dir(&inner) {
                Ok(entries) => self.look(&inner, &prefix, entries, depth - 1),
                Err(error) => self.leave_unread(&inner, &prefix, &error),
            }
        }
    }

    fn leave_unread(&mut self, folder: &Path, prefix: &str, error: &io::Error) {
        // Once for all the files of a folder that gives nothing but their names.
        if self.unread.last().is_none_or(|last| last != prefix) {
            tracing::debug!("{}: cannot be looked through: {error}", folder.display());
            self.unread.push(prefix.to_owned());
        }
    }
}

/// A name that an address can have, and a download.
fn name_of(entry: &DirEntry) -> Option<String> {
    let name = entry.file_name().into_string().ok()?;
    (!name.contains(|c: char| c.is_control() || matches!(c, '\\' | ':'))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn games_are_found_at_every_station_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c/d/e");
        fs::create_dir_all(&deep).unwrap();
        fs::create_dir(folder.path().join("folder.slp")).unwrap();
        for name in ["2.slp", "1.slp", "1.slp.open", "notes.txt", "a/3.slp", "a/b/c/d/4.slp"] {
            fs::write(folder.path().join(name), "12345").unwrap();
        }
        fs::write(deep.join("5.slp"), "").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("1.slp", folder.path().join("link.slp")).unwrap();
            symlink("..", folder.path().join("a/up")).unwrap();
            fs::write(folder.path().join("line\nfeed.slp"), "").unwrap();
        }
        let note = fs::File::open(folder.path().join("1.slp.open")).unwrap();
        note.lock().unwrap();
        let walk = Walk::through(folder.path()).unwrap();
        let found: Vec<_> =
            walk.found.iter().map(|file| (&*file.path, file.bytes, file.is_open)).collect();
        let expected = [
            ("1.slp", 5, true),
            ("2.slp", 5, false),
            ("a/3.slp", 5, false),
            ("a/b/c/d/4.slp", 5, false),
        ];
        assert_eq!(found, expected);
        assert!(walk.unread.is_empty());
        // A crash leaves the note, but not its lock.
        drop(note);
        let walk = Walk::through(folder.path()).unwrap();
        assert!(walk.found.iter().all(|file| !file.is_open));
        assert!(Walk::through(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_folder_that_fails_half_way_counts_as_not_looked_through() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.slp"), "").unwrap();
        let entries = || fs::read_dir(folder.path()).unwrap();
        let broken = std::iter::once_with(|| Err(io::Error::other("a bad cable")));
        let mut walk = Walk::default();
        walk.look(folder.path(), "Side/", entries().chain(broken).chain(entries()), 0);
        let found: Vec<_> = walk.found.iter().map(|file| &*file.path).collect();
        assert_eq!((found, walk.unread), (vec!["Side/1.slp"], vec!["Side/".to_owned()]));
    }
}

//! What must not be seen yet: with a delay, nobody may learn of a game from its file before spectators
//! see it.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::entry::EntryState;
use crate::replay::note_of;
use crate::unix_time::unix_ns;

/// Games that are not shown: those that are still on, and those whose file was written to lately. A
/// game's last byte is written when it has arrived or later, so what is in an older file has been seen by
/// all. This needs no memory of what was recorded, so it holds after a restart, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hidden {
    since: SystemTime,
}

impl Hidden {
    /// Hides what is still on, and what was written to at `since` or later.
    pub fn since(since: SystemTime) -> Self {
        Self { since }
    }

    /// Whether the game in `file` is hidden. One of which nothing can be learnt is.
    pub fn hides(&self, file: &Path) -> bool {
        // The note first: it goes when the file has been written to for the last time. While the file is
        // open its time may be an old one, on Windows. That the note is locked, by which a scan knows a
        // recording, is not asked for: a note that a crash left hides its game, too, until that is completed.
        if note_of(file).symlink_metadata().is_ok() {
            return true;
        }
        !fs::metadata(file).and_then(|data| data.modified()).is_ok_and(|time| time < self.since)
    }

    /// What must hold in SQL for a game to be shown. An entry that is not settled may tell of what came
    /// after the time at which its file was seen.
    pub(super) fn condition(&self) -> String {
        let (since, recording) = (unix_ns(self.since), EntryState::Recording.word());
        format!("settled = 1 AND state <> '{recording}' AND written < {since}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_old_files_that_nobody_writes_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.slp");
        fs::write(&file, "").unwrap();
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        let tick = Duration::from_nanos(1000);
        assert!(Hidden::since(written - tick).hides(&file));
        assert!(Hidden::since(written).hides(&file));
        let later = Hidden::since(written + tick);
        assert!(!later.hides(&file));
        assert!(later.hides(&folder.path().join("none.slp")));
        fs::write(folder.path().join("a.slp.open"), "").unwrap();
        assert!(later.hides(&file), "it is being written");
    }
}

//! The note beside a growing file: what a repair needs to know and the events do not tell.
//!
//! `Game_….slp.open` lies beside `Game_….slp` while andross writes it, locked. A note without a
//! lock was left by a crash: its file is to be repaired at the next start. Other unfinished files
//! in the folder may be some other program's, still being written, and are left alone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::replay::{NOTE_SUFFIX, note_of};
use crate::slp::metadata::{Facts, RecordingNotes};

/// How often the lock of a note is tried: somebody who only looks holds it for a moment.
const LOCK_TRIES: u32 = 5;

/// How long to wait between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A note is a few hundred bytes; a larger one is somebody else's file.
const MAX_NOTE: u64 = 64 * 1024;

/// What the note says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Note {
    pub(super) start_at: String,
    pub(super) played_on: String,
    pub(super) console_nick: Option<String>,
    pub(super) gaps: u32,
    pub(super) lost_bytes: u64,
}

impl From<&Note> for Facts {
    fn from(note: &Note) -> Self {
        let known = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            start_at: known(&note.start_at),
            played_on: known(&note.played_on),
            console_nick: note.console_nick.clone(),
            notes: RecordingNotes { gaps: note.gaps, lost_bytes: note.lost_bytes, repaired: false },
        }
    }
}

/// The note of a file being written; the lock goes with it.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Writes the note beside `recording` and locks it.
    pub(super) fn begin(recording: &Path, note: &Note) -> io::Result<Self> {
        let path = note_of(recording);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        match file.lock() {
            // Some network shares know no locks: better a recording without one than none.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked?,
        }
        let mut journal = Self { file, path };
        journal.update(note)?;
        Ok(journal)
    }

    /// Writes the note anew.
    pub(super) fn update(&mut self, note: &Note) -> io::Result<()> {
        let text = serde_json::to_vec(note)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.set_len(0)?;
        self.file.write_all(&text)
    }

    /// The file is complete: the note goes.
    pub(super) fn end(self) -> io::Result<()> {
        drop(self.file);
        fs::remove_file(self.path)
    }
}

/// A note that a crash left.
#[derive(Debug)]
pub(super) struct Orphan {
    pub(super) recording: PathBuf,
    pub(super) note: Note,
    path: PathBuf,
    /// Held, so that nobody else repairs the same file.
    file: File,
}

impl Orphan {
    /// The repair is done: the note goes.
    pub(super) fn end(self) -> io::Result<()> {
        drop(self.file);
        fs::remove_file(self.path)
    }
}

/// The notes in `folder` whose writer is gone.
pub(super) fn orphans(folder: &Path) -> io::Result<Vec<Orphan>> {
    let mut orphans = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(recording) = recording_of(&path) else {
            continue;
        };
        match claim(&path) {
            Ok(Some((file, note))) => orphans.push(Orphan { recording, note, path, file }),
            Ok(None) => {}
            Err(error) => tracing::warn!("{}: cannot be looked at: {error}", path.display()),
        }
    }
    orphans.sort_by(|a, b| a.recording.cmp(&b.recording));
    Ok(orphans)
}

/// Locks and reads a note; `None` if its writer lives.
fn claim(path: &Path) -> io::Result<Option<(File, Note)>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut tries = 1;
    while let Err(error) = file.try_lock() {
        match error {
            TryLockError::WouldBlock if tries == LOCK_TRIES => return Ok(None),
            TryLockError::WouldBlock => std::thread::sleep(LOCK_PAUSE),
            TryLockError::Error(error) => return Err(error),
        }
        tries += 1;
    }
    let mut text = Vec::new();
    (&file).take(MAX_NOTE).read_to_end(&mut text)?;
    // A crash may have come in the middle of the note; the events are what matters.
    let note = serde_json::from_slice(&text).unwrap_or_default();
    Ok(Some((file, note)))
}

fn recording_of(note: &Path) -> Option<PathBuf> {
    let name = note.file_name()?.to_str()?.strip_suffix(NOTE_SUFFIX)?;
    name.ends_with(".slp").then(|| note.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::is_being_recorded;

    #[test]
    fn only_notes_whose_writer_is_gone_are_orphans() {
        let folder = tempfile::tempdir().unwrap();
        let (dead, alive) = (folder.path().join("a.slp"), folder.path().join("b.slp"));
        let note = Note { start_at: "2020".into(), gaps: 3, ..Note::default() };
        drop(Journal::begin(&dead, &note).unwrap());
        let living = Journal::begin(&alive, &note).unwrap();
        fs::write(folder.path().join("notes.open"), "").unwrap();

        assert!(is_being_recorded(&alive) && !is_being_recorded(&dead));
        let mut found = orphans(folder.path()).unwrap();
        assert_eq!(found.len(), 1);
        let orphan = found.remove(0);
        assert_eq!((&orphan.recording, &orphan.note), (&dead, &note));
        orphan.end().unwrap();
        living.end().unwrap();
        assert!(orphans(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn a_note_cut_by_the_crash_still_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.slp.open"), "{\"startAt\": \"20").unwrap();
        assert_eq!(orphans(folder.path()).unwrap()[0].note, Note::default());
    }
}

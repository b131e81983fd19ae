//! The note `Game_….slp.open` that lies beside `Game_….slp` while andross writes it, locked.
//!
//! What it says is the recorder's. That it is locked tells everybody that its writer lives: a crash
//! leaves the note, but no lock.

use std::fs::{OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// What is appended to the name of the growing file.
pub const NOTE_SUFFIX: &str = ".open";

/// The note of `recording`.
pub fn note_of(recording: &Path) -> PathBuf {
    let mut path = recording.as_os_str().to_owned();
    path.push(NOTE_SUFFIX);
    path.into()
}

/// Whether an andross that lives is writing `recording`, however long ago its last event came.
///
/// The lock is tried as one that is shared, so that two who look do not take each other for writers.
pub fn is_being_recorded(recording: &Path) -> bool {
    let file = OpenOptions::new().read(true).write(true).open(note_of(recording));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

//! After a crash: files that andross was writing are cut at the last whole event and completed.

use std::path::Path;

use super::journal::{Orphan, orphans};
use crate::replay::{RepairError, repair};
use crate::slp::metadata::Facts;

/// Repairs every file in `folder`, and in the folders of stations in there, whose note says that its
/// writer is gone.
pub(super) fn repair_all(folder: &Path) {
    repair_orphans(folder);
    // What cannot be looked through was told of above.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            repair_orphans(&entry.path());
        }
    }
}

fn repair_orphans(folder: &Path) {
    let found = match orphans(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            tracing::warn!("{}: cannot be looked through: {error}", folder.display());
            return;
        }
    };
    for orphan in found {
        repair_orphan(orphan);
    }
}

fn repair_orphan(orphan: Orphan) {
    let recording = orphan.recording.clone();
    let path = recording.display();
    let is_done = match repair(&recording, &Facts::from(&orphan.note)) {
        Ok(_) => {
            tracing::info!("{path}: was left unfinished by a crash and is repaired");
            true
        }
        Err(error) => {
            tracing::warn!("{path}: was left unfinished by a crash: {error}");
            // With the note it is tried again at the next start, if that can ever help.
            !matches!(error, RepairError::Write(_) | RepairError::InUse)
        }
    };
    if is_done && let Err(error) = orphan.end() {
        tracing::warn!("{path}: the note beside it stays: {error}");
    }
}

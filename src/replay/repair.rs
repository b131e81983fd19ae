//! Completes an unfinished `.slp` file in place.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;
use thiserror::Error;

use super::behind::{Behind, Found};
use super::problem::Problem;
use super::start_time;
use super::survey::{Survey, SurveyError, survey};
use crate::slp::Metadata;
use crate::slp::file::{EVENTS_AT, LENGTH_AT};
use crate::slp::metadata::{Facts, RecordingNotes};

/// What a repair did, or would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Repaired {
    /// The file is complete: nothing was written.
    AlreadyComplete,
    /// The file was completed.
    Completed {
        /// Bytes of its events, the length that was written into it.
        events_len: u32,
        /// Bytes that were cut off: the rest of an event, metadata that cannot be read, strays.
        cut: u64,
        /// Whether the metadata was already there and is unchanged.
        kept_metadata: bool,
    },
}

/// Why a file cannot be repaired. It is unchanged then, except after [`RepairError::Write`].
#[derive(Debug, Error)]
pub enum RepairError {
    /// It cannot be read, or is no `.slp` file.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// It holds no whole Event Payloads event (0x35), so nothing in it can be told from another.
    #[error("there is no whole event in it, so no game to save: delete it")]
    NoEvents,
    /// It was completed once, and its events were damaged later: cutting would lose what follows.
    #[error("damaged inside, not unfinished, and left as it is: {0}")]
    Damaged(Problem),
    /// The events are longer than the file's 32-bit length can say.
    #[error("{0} bytes of events are more than a .slp file can hold")]
    TooLong(u64),
    /// Someone holds a lock on it.
    #[error("another program is writing it: wait until that is done")]
    InUse,
    /// Writing failed on the way. The events are safe; a second repair goes on where this stopped.
    #[error("cannot be written, repair it again later: {0}")]
    Write(io::Error),
}

/// Says what [`repair`] would do with the file that was surveyed.
///
/// # Errors
/// If it could not be repaired.
pub fn plan(survey: &Survey) -> Result<Repaired, RepairError> {
    if survey.events_len == 0 {
        return Err(RepairError::NoEvents);
    }
    if survey.frame_end.is_some()
        && let Some(problem) = survey.events_problem()
    {
        return Err(RepairError::Damaged(problem));
    }
    let events_len =
        u32::try_from(survey.events_len).map_err(|_| RepairError::TooLong(survey.events_len))?;
    let length_fits = survey.announced_len == events_len;
    let behind = survey.file_len.saturating_sub(survey.events_end());
    let (complete, kept_metadata, cut) = match &survey.behind {
        Behind::Closed => (true, true, 0),
        Behind::Metadata(found) => (found.closed && found.trailing == 0, true, found.trailing),
        Behind::Nothing | Behind::Unreadable(..) | Behind::Other => (false, false, behind),
    };
    if complete && length_fits {
        return Ok(Repaired::AlreadyComplete);
    }
    Ok(Repaired::Completed { events_len, cut, kept_metadata })
}

/// Completes the file at `path`: cuts what follows the last whole event, writes the metadata and
/// then the length, each on the disk before the next begins. Interrupted anywhere, it goes on when
/// it is called again. Metadata that can be read is kept byte for byte; a complete file is not
/// even opened for writing.
///
/// What `facts` do not know is taken from what is left of the file's own metadata, and the start time
/// then from its name or time of modification.
///
/// A recorder that must not lose its file to a repair holds a lock on it ([`File::lock`]).
///
/// # Errors
/// If there is nothing to complete, or the file cannot be read or written.
pub fn repair(path: &Path, facts: &Facts) -> Result<Repaired, RepairError> {
    if plan(&survey(path)?)? == Repaired::AlreadyComplete {
        return Ok(Repaired::AlreadyComplete);
    }
    let mut file =
        OpenOptions::new().read(true).write(true).open(path).map_err(RepairError::Write)?;
    // Where locks do not work, nobody holds one.
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(RepairError::InUse);
    }
    let repaired = repair_locked(&mut file, path, facts);
    // Closing the file would do, but for a process that was forked off meanwhile and holds it too.
    let _ = file.unlock();
    repaired
}

fn repair_locked(file: &mut File, path: &Path, facts: &Facts) -> Result<Repaired, RepairError> {
    // Again, as it may have changed before it was locked.
    let survey = Survey::read(file)?;
    let repaired = plan(&survey)?;
    if let Repaired::Completed { events_len, .. } = repaired {
        let modified = file.metadata().and_then(|data| data.modified()).ok();
        let guess = || start_time::guess(path, modified, survey.summary.seconds());
        complete(file, &survey, events_len, || metadata(&survey, facts, guess))
            .map_err(RepairError::Write)?;
    }
    Ok(repaired)
}

/// The metadata of a file that has none: what the events tell, then what is known, then what is
/// left of the old, then the guess at the start time.
fn metadata(survey: &Survey, facts: &Facts, guess: impl FnOnce() -> Option<String>) -> Metadata {
    let old = survey.metadata.clone().unwrap_or_default();
    let facts = facts.clone();
    survey.summary.metadata_with(Facts {
        start_at: facts.start_at.or(old.start_at).or_else(guess),
        played_on: facts.played_on.or(old.played_on),
        console_nick: facts.console_nick.or(old.console_nick),
        notes: RecordingNotes { repaired: true, ..facts.notes },
    })
}

/// The order is what makes it safe. Up to the first sync the file is as unfinished as before; then
/// events and metadata are complete, and a survey finds the metadata where the events end. The
/// length comes last, four bytes in one sector.
fn complete(
    file: &mut File,
    survey: &Survey,
    events_len: u32,
    new_metadata: impl FnOnce() -> Metadata,
) -> io::Result<()> {
    let end = survey.events_end();
    match &survey.behind {
        Behind::Closed => {}
        Behind::Metadata(Found { len, closed, .. }) => {
            file.set_len(end + len + u64::from(*closed))?;
            if !closed {
                file.seek(SeekFrom::End(0))?;
                file.write_all(b"}")?;
            }
        }
        Behind::Nothing | Behind::Unreadable(..) | Behind::Other => {
            file.set_len(end)?;
            file.seek(SeekFrom::Start(end))?;
            file.write_all(&new_metadata().encode())?;
        }
    }
    file.sync_all()?;
    file.seek(SeekFrom::Start(LENGTH_AT as u64))?;
    file.write_all(&events_len.to_be_bytes())?;
    file.sync_all()
}

// The length is the last field of the header.
const _: () = assert!(LENGTH_AT + size_of::<u32>() == EVENTS_AT);

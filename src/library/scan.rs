//! Brings the index up to what is in the folder.

use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::folder::{Found, Walk};
use super::read::{Growth, read_while};
use super::sql::{Known, Row};
use super::{EntryState, Library, LibraryError, sql};
use crate::replay::GoOn;
use crate::unix_time::unix_ns;

/// Files that are read before their entries are written: readers wait for a write.
const BATCH: usize = 64;

/// Entries are written after so long even if they are few: what is new is to be seen.
const BATCH_TIME: Duration = Duration::from_millis(500);

/// A file that was written to less than this before it was read may have changed since within the
/// same tick of the file system's clock; FAT has ticks of two seconds.
const SETTLE_TIME: Duration = Duration::from_secs(3);

/// A file that is not whole and was written to less than this ago may still grow: some other program
/// records or copies it. It is read from end to end once it is at rest, not at each scan.
const REST_TIME: Duration = Duration::from_secs(30);

/// How far a scan is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Whether a scan is under way.
    pub is_running: bool,
    /// Whether the folder has been looked through once.
    pub is_complete: bool,
    /// Files that were read in this scan.
    pub read: u64,
    /// Files that are to be read in this scan.
    pub of: u64,
}

/// What a scan did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScanReport {
    /// Games in the folder.
    pub games: u64,
    /// Files that were read, as they were new or had changed.
    pub read: u64,
    /// Of these, files that cannot be read or are no games.
    pub unreadable: u64,
    /// Files that were gone.
    pub removed: u64,
    /// Whether it was ended early, or not all of the folder could be looked through.
    pub is_partial: bool,
}

impl Library {
    /// Looks through the folder, reads what is new or has changed, and forgets what is gone. After
    /// each file, and within one that takes long, `pace` is told how far it is; it may take its time,
    /// and end the scan.
    ///
    /// # Errors
    /// If the folder cannot be read, or the index fails.
    pub fn scan(
        &self,
        pace: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<ScanReport, LibraryError> {
        self.note(|now| (now.is_running, now.read, now.of) = (true, 0, 0));
        let scanned = self.follow_folder(pace);
        let is_all = match &scanned {
            Ok(report) => !report.is_partial,
            // Before the first game there is no folder.
            Err(error) => error.is_no_folder(),
        };
        self.note(|now| {
            now.is_running = false;
            now.is_complete |= is_all;
        });
        scanned
    }

    /// Notes how far the scan is, and tells it.
    fn note(&self, change: impl FnOnce(&mut Progress)) -> Progress {
        let mut now = self.progress.lock();
        change(&mut now);
        *now
    }

    fn follow_folder(
        &self,
        mut pace: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<ScanReport, LibraryError> {
        let walk = Walk::through(self.folder())
            .map_err(|error| LibraryError::Folder { folder: self.folder().to_owned(), error })?;
        let database = self.open()?;
        let mut known = self.with(&database, |connection| Ok(sql::known(connection)?))?;
        let mut report = ScanReport {
            games: walk.found.len() as u64,
            is_partial: !walk.unread.is_empty(),
            ..ScanReport::default()
        };
        let mut changed = walk.found;
        changed
            .retain(|file| known.remove(&file.path).is_none_or(|known| has_changed(file, &known)));

        // Who is left was not found.
        let is_looked_at = |path: &String| {
            let mut unread = walk.unread.iter();
            !unread.any(|prefix| path.starts_with(prefix.as_str()))
        };
        let gone: Vec<String> = known.into_keys().filter(is_looked_at).collect();
        if !gone.is_empty() {
            self.with(&database, |connection| Ok(sql::forget(connection, &gone)?))?;
            report.removed = gone.len() as u64;
        }

        let of = changed.len() as u64;
        let mut rows = Vec::new();
        let mut written = Instant::now();
        let put = |rows: &mut Vec<Row>| {
            let done = self.with(&database, |connection| sql::put(connection, rows));
            rows.clear();
            done
        };
        let mut progress = self.note(|now| now.of = of);
        for file in changed {
            let Some(row) = self.look_at(&file, &mut || pace(progress)) else {
                report.is_partial = true;
                break;
            };
            report.read += 1;
            report.unreadable += u64::from(row.entry.state == EntryState::Unreadable);
            rows.push(row);
            if rows.len() >= BATCH || written.elapsed() >= BATCH_TIME {
                put(&mut rows)?;
                written = Instant::now();
            }
            progress = self.note(|now| now.read = report.read);
            if pace(progress).is_break() {
                report.is_partial = true;
                break;
            }
        }
        if !rows.is_empty() {
            put(&mut rows)?;
        }
        Ok(report)
    }

    /// Reads a file; `None` if `go_on` ends that.
    fn look_at(&self, file: &Found, go_on: GoOn<'_>) -> Option<Row> {
        let now = unix_ns(SystemTime::now());
        // A time in the future is a clock that was set; most of those are far away.
        let age = u128::from(now.saturating_sub(file.written).unsigned_abs());
        let is_recent = age <= REST_TIME.as_nanos();
        let growth = Growth { is_open: file.is_open, is_recent };
        let entry = read_while(self.folder(), &file.path, growth, go_on)?;
        // One that changed between the walk and now has another length, and is looked at again.
        let is_settled = entry.bytes == file.bytes
            && age > SETTLE_TIME.as_nanos()
            && !(is_recent && entry.state == EntryState::Unfinished);
        Some(Row { entry, written: file.written, is_settled })
    }
}

fn has_changed(file: &Found, known: &Known) -> bool {
    let is_as_it_was = known.bytes == file.bytes
        && known.written == file.written
        && known.is_settled
        && known.is_recording == file.is_open;
    !is_as_it_was
}

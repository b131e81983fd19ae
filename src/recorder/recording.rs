//! One game's file, from its first event to its metadata.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::{Timestamp, Zoned};

use super::journal::{Journal, Note};
use crate::replay::start_at;
use crate::session::Chunk;
use crate::slp::file::{EVENTS_AT, HEADER, LENGTH_AT};
use crate::slp::metadata::Facts;
use crate::slp::{Scanner, Summary};

/// How many games may begin in the same second before one gets no name.
const MAX_NAMESAKES: usize = 1000;

/// What is known of a game before its first event.
#[derive(Clone, Debug)]
pub(super) struct GameFacts {
    /// The station's name, a part of the file's: two games of the same second never collide.
    pub(super) station: String,
    pub(super) played_on: &'static str,
    pub(super) console_nick: Option<String>,
    /// When its first event arrived.
    pub(super) arrived: Instant,
}

/// A game being written, or written.
#[derive(Debug)]
pub(super) struct Recording {
    path: PathBuf,
    note: Note,
    /// While the file grows; `None` once it is complete.
    open: Option<(File, Journal)>,
    /// Event bytes that are safely in the file.
    len: u64,
    scanner: Scanner,
    summary: Summary,
}

impl Recording {
    /// Creates the file in `folder`, with its header and the note beside it.
    pub(super) fn create(folder: &Path, facts: &GameFacts) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let start = Timestamp::now() - facts.arrived.elapsed();
        let note = Note {
            start_at: start_at(start),
            played_on: facts.played_on.to_owned(),
            console_nick: facts.console_nick.clone(),
            ..Note::default()
        };
        let local = Zoned::new(start, jiff::tz::TimeZone::system());
        let (path, file) = create_new(folder, &stem(facts, &local))?;
        let mut recording = Self {
            note,
            open: None,
            len: 0,
            scanner: Scanner::new(),
            summary: Summary::new(),
            path,
        };
        match recording.begin(file) {
            Ok(()) => Ok(recording),
            Err(error) => {
                // A name without a game would only puzzle; the next attempt takes it again.
                let _ = fs::remove_file(&recording.path);
                Err(error)
            }
        }
    }

    fn begin(&mut self, mut file: File) -> io::Result<()> {
        let journal = Journal::begin(&self.path, &self.note)?;
        file.write_all(&HEADER)?;
        self.open = Some((file, journal));
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_complete(&self) -> bool {
        self.open.is_none()
    }

    /// Whether Game End is in it: nothing of this game can follow.
    pub(super) fn has_ended(&self) -> bool {
        self.summary.ended()
    }

    /// Appends the events of `chunks`, which are of this game. Either all of them are in the file
    /// then, or, on an error, none count: [`Recording::reopen`] and write them again.
    pub(super) fn write(&mut self, chunks: &[Arc<Chunk>], scratch: &mut Vec<u8>) -> io::Result<()> {
        if self.open.is_none() {
            // It was complete, but the game goes on: the console came back.
            self.reopen()?;
        }
        let Some((file, _)) = &mut self.open else {
            return Ok(());
        };
        if let [chunk] = chunks {
            file.write_all(chunk.data())?;
        } else {
            scratch.clear();
            for chunk in chunks {
                scratch.extend_from_slice(chunk.data());
            }
            file.write_all(scratch)?;
        }
        for chunk in chunks {
            self.len += chunk.data().len() as u64;
            self.observe(chunk);
        }
        Ok(())
    }

    fn observe(&mut self, chunk: &Chunk) {
        let mut rest = &chunk.data()[..];
        // What cannot be read is in the file all the same; the summary goes on behind it.
        while let Ok(Some(event)) = self.scanner.take(&mut rest) {
            self.summary.observe(event);
        }
    }

    /// Notes that bytes of this game are missing here.
    pub(super) fn note_gap(&mut self, lost: u64) {
        self.note.gaps = self.note.gaps.saturating_add(1);
        self.note.lost_bytes = self.note.lost_bytes.saturating_add(lost);
        if let Some((_, journal)) = &mut self.open
            && let Err(error) = journal.update(&self.note)
        {
            tracing::debug!("{}: the note of a gap was not written: {error}", self.path.display());
        }
    }

    /// Opens the file again behind the last event that is safely in it: after an error, or when a
    /// game goes on whose file was complete.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.open = None;
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        // The note first: from here on a crash must leave something that says so.
        let journal = Journal::begin(&self.path, &self.note)?;
        file.set_len(EVENTS_AT as u64 + self.len)?;
        file.seek(SeekFrom::Start(LENGTH_AT as u64))?;
        file.write_all(&HEADER[LENGTH_AT..])?;
        file.seek(SeekFrom::End(0))?;
        self.open = Some((file, journal));
        Ok(())
    }

    /// Completes the file: metadata, then length, then it is on the disk for good.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        let metadata = self.summary.metadata_with(Facts::from(&self.note)).encode();
        let Some((file, _)) = &mut self.open else {
            return Ok(());
        };
        if !self.path.try_exists()? {
            return Err(io::Error::new(io::ErrorKind::NotFound, "somebody deleted it"));
        }
        file.seek(SeekFrom::Start(EVENTS_AT as u64 + self.len))?;
        file.write_all(&metadata)?;
        file.sync_data()?;
        // A game of 4 GiB would play for a day; its file stays one of unknown length, like a
        // growing one, which every reader can read.
        let len = u32::try_from(self.len).unwrap_or(0);
        file.seek(SeekFrom::Start(LENGTH_AT as u64))?;
        file.write_all(&len.to_be_bytes())?;
        file.sync_data()?;
        if let Some((file, journal)) = self.open.take() {
            drop(file);
            if let Err(error) = journal.end() {
                tracing::warn!("{}: its note stays: {error}", self.path.display());
            }
        }
        Ok(())
    }
}

/// `Game_Stream_20260314T201502`: as the console names its files, with the station where that has
/// its MAC address.
fn stem(facts: &GameFacts, start: &Zoned) -> String {
    format!("Game_{}_{}", file_name_part(&facts.station), start.strftime("%Y%m%dT%H%M%S"))
}

/// Names that are devices to Windows, whatever stands behind a dot.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// The station's name with everything that some file system dislikes replaced.
pub(super) fn file_name_part(name: &str) -> String {
    let mut part: String =
        name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '-' }).collect();
    let upper = part.to_uppercase();
    let is_port = ["COM", "LPT"]
        .iter()
        .any(|port| upper.strip_prefix(port).is_some_and(|rest| rest.chars().count() == 1));
    if is_port || DEVICES.contains(&upper.as_str()) {
        part.push('-');
    }
    part
}

/// Creates a file that was not there: `stem.slp`, `stem_2.slp` and so on.
fn create_new(folder: &Path, stem: &str) -> io::Result<(PathBuf, File)> {
    for n in 1..=MAX_NAMESAKES {
        let name = if n == 1 { format!("{stem}.slp") } else { format!("{stem}_{n}.slp") };
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many games began in this second"))
}

//! The recording of one station.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::recording::{GameFacts, Recording, file_name_part};
use super::thread::RecorderOptions;
use crate::session::{Chunk, Horizon, SavedFile, Seq, SourceState, Station};

/// Chunks written with one call.
const CHUNKS_A_WRITE: usize = 256;

/// How long to leave the disk alone after it failed.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// One station's recording.
pub(super) struct Track {
    station: Arc<Station>,
    next: Seq,
    recording: Option<Recording>,
    /// The game of `recording`, or of what must be created next.
    game: u64,
    /// Why `recording` is to be completed, until that worked.
    completing: Option<&'static str>,
    /// The chunk in front of which a gap was noted last: a second attempt must not note it again.
    gap_noted: Option<Seq>,
    /// Set while the disk fails.
    failing: Option<Failing>,
    away_since: Option<Instant>,
    /// Whether its games are being saved; compared with what is wanted.
    is_on: bool,
    scratch: Vec<u8>,
}

struct Failing {
    retry_at: Instant,
}

impl Track {
    /// The recording of a station to whose log nothing has been appended yet.
    pub(super) fn new(station: Arc<Station>) -> Self {
        Self {
            next: Seq(0),
            recording: None,
            game: 0,
            completing: None,
            gap_noted: None,
            failing: None,
            away_since: None,
            is_on: station.is_recorded(),
            scratch: Vec::new(),
            station,
        }
    }

    pub(super) fn station(&self) -> &Station {
        &self.station
    }

    pub(super) fn deadline(&self, options: &RecorderOptions) -> Option<Instant> {
        match &self.failing {
            Some(failing) => Some(failing.retry_at),
            None => self.away_deadline(options),
        }
    }

    /// When the game being recorded is over because its console stayed away.
    fn away_deadline(&self, options: &RecorderOptions) -> Option<Instant> {
        let is_open = self.recording.as_ref().is_some_and(|recording| !recording.is_complete());
        self.away_since.filter(|_| is_open).map(|since| since + options.away_limit)
    }

    pub(super) fn watch_source(&mut self, now: Instant) {
        if self.station.source() == SourceState::Connected {
            self.away_since = None;
        } else {
            self.away_since.get_or_insert(now);
        }
    }

    /// Writes what is new, and completes what is over.
    pub(super) fn record(&mut self, options: &RecorderOptions, now: Instant) {
        if self.failing.as_ref().is_some_and(|failing| now < failing.retry_at) {
            return;
        }
        match self.try_record(options, now) {
            Ok(()) => {
                if self.failing.take().is_some() {
                    self.station.stats.recorder_failing.set(0);
                    tracing::info!(station = %self.station.name(), "recording works again");
                }
            }
            Err(error) => self.fail(options, &error, now),
        }
    }

    fn try_record(&mut self, options: &RecorderOptions, now: Instant) -> io::Result<()> {
        if self.failing.is_some() && self.is_on && !self.station.is_recorded() {
            // Nobody waits for the disk any more: what it has is repaired at the next start.
            (self.recording, self.completing) = (None, None);
        }
        if self.failing.is_some() {
            self.recover()?;
            if let Some(why) = self.completing {
                self.complete(why)?;
            }
        }
        if self.is_on != self.station.is_recorded() {
            self.turn(!self.is_on)?;
        }
        if !self.is_on {
            self.next = self.station.log.end();
            self.station.log.pin(self.next);
            return Ok(());
        }
        let mut chunks = Vec::new();
        loop {
            chunks.clear();
            self.station.log.read(self.next, CHUNKS_A_WRITE, &mut chunks);
            if chunks.is_empty() {
                break;
            }
            let mut rest = &chunks[..];
            while !rest.is_empty() {
                let run = run_len(rest);
                self.record_run(&rest[..run], options)?;
                rest = &rest[run..];
            }
        }
        if self.away_deadline(options).is_some_and(|deadline| deadline <= now) {
            self.complete("the console stayed away")?;
        }
        Ok(())
    }

    /// Recording was switched on or off by hand. A game that is on when it is switched on is saved
    /// from its start: the log has it.
    fn turn(&mut self, on: bool) -> io::Result<()> {
        if on {
            let live = Horizon::at(Instant::now(), Duration::ZERO);
            let is_in_game = self.station.log.last().is_some_and(|last| last.in_game());
            self.next = match is_in_game {
                true => self.station.log.newest_game(live),
                false => self.station.log.end(),
            };
        } else {
            self.complete("recording was switched off")?;
            self.recording = None;
        }
        self.is_on = on;
        let state = if on { "on" } else { "off" };
        tracing::info!(station = %self.station.name(), "recording was switched {state}");
        Ok(())
    }

    /// Records chunks of one game that follow one another without a gap.
    fn record_run(&mut self, run: &[Arc<Chunk>], options: &RecorderOptions) -> io::Result<()> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return Ok(());
        };
        self.note_gap(first);
        if first.starts_game() {
            self.complete("the next game begins")?;
            self.recording = None;
            self.game = first.game();
            self.recording = Some(self.create(first, options)?);
        }
        if first.game() != self.game {
            // Its beginning was lost: there is nothing to save it under.
            self.complete("its end was lost")?;
            self.recording = None;
            self.game = first.game();
        }
        if let Some(recording) = &mut self.recording {
            recording.write(run, &mut self.scratch)?;
        } else if first.game() == 0 {
            tracing::debug!(station = %self.station.name(), "events of a game whose start never came");
        }
        self.next = last.seq().next();
        self.station.log.pin(self.next);
        if !last.in_game() {
            self.complete("Game End")?;
        }
        Ok(())
    }

    /// Notes in the game being recorded that bytes are missing in front of `chunk`.
    fn note_gap(&mut self, chunk: &Chunk) {
        let unread = chunk.seq() != self.next;
        if !(unread || chunk.lost().is_some()) || self.gap_noted == Some(chunk.seq()) {
            return;
        }
        self.gap_noted = Some(chunk.seq());
        if unread {
            self.station.stats.unrecorded.add(1);
            tracing::error!(
                station = %self.station.name(),
                "the disk was away for too long: events are missing in the recording"
            );
        }
        if let Some(recording) = &mut self.recording
            && !recording.has_ended()
        {
            recording.note_gap(chunk.lost().unwrap_or(0));
        }
    }

    fn create(&self, first: &Chunk, options: &RecorderOptions) -> io::Result<Recording> {
        let identity = self.station.identity();
        let name = self.station.name();
        let facts = GameFacts {
            station: name.to_string(),
            played_on: identity.played_on(),
            console_nick: identity.console_nick(),
            arrived: first.arrived(),
        };
        let recording = Recording::create(&self.folder(options), &facts)?;
        self.station.set_recording(Some(recording.path().to_owned()));
        tracing::info!(
            station = %self.station.name(),
            file = %recording.path().display(),
            "a game began"
        );
        Ok(recording)
    }

    fn folder(&self, options: &RecorderOptions) -> PathBuf {
        if options.station_folders {
            options.folder.join(file_name_part(&self.station.name()))
        } else {
            options.folder.clone()
        }
    }

    fn complete(&mut self, why: &'static str) -> io::Result<()> {
        let Some(recording) = &mut self.recording else {
            return Ok(());
        };
        if recording.is_complete() {
            return Ok(());
        }
        self.completing = Some(why);
        recording.complete()?;
        self.completing = None;
        let path = recording.path().to_owned();
        self.station.add_saved(SavedFile { path, game: self.game });
        self.station.stats.files.add(1);
        tracing::info!(
            station = %self.station.name(),
            file = %recording.path().display(),
            "a game was saved ({why})"
        );
        Ok(())
    }

    /// After an error: goes on behind what is safely in the file, or begins the game anew if the
    /// file is gone.
    fn recover(&mut self) -> io::Result<()> {
        let Some(recording) = &mut self.recording else {
            return Ok(());
        };
        match recording.reopen() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(
                    station = %self.station.name(),
                    "{} is gone: its game is written anew as far as it is still known",
                    recording.path().display()
                );
                self.recording = None;
                self.completing = None;
                self.next = self.station.log.game_start(self.game).unwrap_or(self.next);
                Ok(())
            }
            other => other,
        }
    }

    fn fail(&mut self, options: &RecorderOptions, error: &io::Error, now: Instant) {
        if self.failing.is_none() {
            self.station.stats.recorder_failing.set(1);
            let place = self.recording.as_ref().map_or(&*options.folder, Recording::path);
            tracing::error!(
                station = %self.station.name(),
                "{}: {error}; the game is relayed but not recorded; trying again every {} s (free some space, or check the folder)",
                place.display(),
                RETRY_AFTER.as_secs()
            );
        }
        self.failing = Some(Failing { retry_at: now + RETRY_AFTER });
    }

    /// The last attempt: everything out of the log, and the file complete.
    pub(super) fn finish(&mut self, options: &RecorderOptions, why: &'static str) {
        self.failing = self.failing.take().map(|_| Failing { retry_at: Instant::now() });
        let result = self.try_record(options, Instant::now()).and_then(|()| self.complete(why));
        match result {
            Ok(()) => self.station.stats.recorder_failing.set(0),
            Err(error) => {
                self.station.stats.recorder_failing.set(1);
                tracing::error!(
                    station = %self.station.name(),
                    "{error}: what could be written is repaired at the next start"
                );
            }
        }
        self.station.log.pin(Seq(u64::MAX));
    }
}

/// How many of `chunks` belong into one write: up to the next game's start or gap, or behind Game
/// End.
fn run_len(chunks: &[Arc<Chunk>]) -> usize {
    let mut len = 1;
    while len < chunks.len() {
        let (last, next) = (&chunks[len - 1], &chunks[len]);
        let goes_on = last.in_game() == next.in_game() || last.in_game();
        if next.starts_game()
            || next.lost().is_some()
            || next.game() != last.game()
            || next.seq() != last.seq().next()
            || !goes_on
        {
            break;
        }
        len += 1;
    }
    len
}

//! The loop of the recorder thread.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::recording::{GameFacts, Recording};
use super::recovery;
use crate::net::sleep_in;
use crate::session::{Announcer, Chunk, Seq, Signals, SourceState, Station};
use crate::shutdown::Shutdown;

/// Chunks written with one call.
const CHUNKS_A_WRITE: usize = 256;

/// How long to leave the disk alone after it failed.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How often the flag is looked at while the thread waits for the console thread's last word.
const ENDING_POLL: Duration = Duration::from_millis(20);

/// What the recorder needs to know.
#[derive(Clone, Debug)]
pub struct RecorderOptions {
    /// Where the files go; created if need be.
    pub folder: PathBuf,
    /// How long a source may stay away before its game's file is completed.
    pub away_limit: Duration,
}

/// The recorder thread before it runs.
pub struct RecorderThread {
    poll: Poll,
    signals: Signals,
    tracks: Vec<Track>,
    options: RecorderOptions,
    shutdown: Shutdown,
}

/// One station's recording.
struct Track {
    station: Arc<Station>,
    /// The name for file names; only where there are several stations.
    label: Option<String>,
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
    scratch: Vec<u8>,
}

struct Failing {
    retry_at: Instant,
}

impl RecorderThread {
    /// Prepares the thread that records `stations` and listens to `announcer`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        stations: &[Arc<Station>],
        announcer: &mut Announcer,
        options: RecorderOptions,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), Token(0))?);
        shutdown.ring_on_request(doorbell.clone());
        let signals = announcer.subscribe(doorbell);
        let several = stations.len() > 1;
        let track = |station: &Arc<Station>| {
            station.log.pin(station.log.end());
            Track {
                label: several.then(|| station.name.clone()),
                next: station.log.end(),
                station: station.clone(),
                recording: None,
                game: 0,
                completing: None,
                gap_noted: None,
                failing: None,
                away_since: None,
                scratch: Vec::new(),
            }
        };
        let tracks = stations.iter().map(track).collect();
        Ok(Self { poll, signals, tracks, options, shutdown })
    }

    /// Repairs what a crash left, then records until the console thread has said its last word, and
    /// completes what is open.
    pub fn run(mut self) {
        recovery::repair_orphans(&self.options.folder);
        let mut events = Events::with_capacity(8);
        loop {
            let timeout = self.timeout();
            sleep_in(&mut self.poll, &mut events, timeout);
            let source_ended = self.signals.drain();
            let now = Instant::now();
            for track in &mut self.tracks {
                track.watch_source(now);
                track.record(&self.options, now);
            }
            if source_ended {
                break;
            }
        }
        for track in &mut self.tracks {
            track.finish(&self.options);
        }
    }

    fn timeout(&self) -> Option<Duration> {
        if self.shutdown.is_requested() {
            return Some(ENDING_POLL);
        }
        let deadline =
            self.tracks.iter().filter_map(|track| track.deadline(&self.options)).min()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }
}

impl Track {
    fn deadline(&self, options: &RecorderOptions) -> Option<Instant> {
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

    fn watch_source(&mut self, now: Instant) {
        if self.station.source() == SourceState::Connected {
            self.away_since = None;
        } else {
            self.away_since.get_or_insert(now);
        }
    }

    /// Writes what is new, and completes what is over.
    fn record(&mut self, options: &RecorderOptions, now: Instant) {
        if self.failing.as_ref().is_some_and(|failing| now < failing.retry_at) {
            return;
        }
        match self.try_record(options, now) {
            Ok(()) => {
                if self.failing.take().is_some() {
                    self.station.stats.recorder_failing.set(0);
                    tracing::info!(station = self.station.name, "recording works again");
                }
            }
            Err(error) => self.fail(options, &error, now),
        }
    }

    fn try_record(&mut self, options: &RecorderOptions, now: Instant) -> io::Result<()> {
        if self.failing.is_some() {
            self.recover()?;
            if let Some(why) = self.completing {
                self.complete(why)?;
            }
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
            tracing::debug!(station = self.station.name, "events of a game whose start never came");
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
                station = self.station.name,
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
        let nick = String::from_utf8_lossy(identity.nick()).into_owned();
        let facts = GameFacts {
            station: self.label.clone(),
            played_on: identity.played_on(),
            console_nick: (!nick.is_empty()).then_some(nick),
            arrived: first.arrived(),
        };
        let recording = Recording::create(&options.folder, &facts)?;
        self.station.set_recording(Some(recording.path().to_owned()));
        tracing::info!(
            station = self.station.name,
            file = %recording.path().display(),
            "a game began"
        );
        Ok(recording)
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
        self.station.stats.files.add(1);
        tracing::info!(
            station = self.station.name,
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
                    station = self.station.name,
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
                station = self.station.name,
                "{}: {error}; the game is relayed but not recorded; trying again every {} s (free some space, or check the folder)",
                place.display(),
                RETRY_AFTER.as_secs()
            );
        }
        self.failing = Some(Failing { retry_at: now + RETRY_AFTER });
    }

    /// The last attempt: everything out of the log, and the file complete.
    fn finish(&mut self, options: &RecorderOptions) {
        self.failing = self.failing.take().map(|_| Failing { retry_at: Instant::now() });
        let result =
            self.try_record(options, Instant::now()).and_then(|()| self.complete("the relay ends"));
        match result {
            Ok(()) => self.station.stats.recorder_failing.set(0),
            Err(error) => {
                self.station.stats.recorder_failing.set(1);
                tracing::error!(
                    station = self.station.name,
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

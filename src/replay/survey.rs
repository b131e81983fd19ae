//! Reads a `.slp` file once and says what is in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use thiserror::Error;

use super::behind::Behind;
use super::problem::Problem;
use crate::slp::file::{self, EVENTS_AT, NotSlp};
use crate::slp::payload_sizes::PayloadSizesError;
use crate::slp::{Event, EventCode, MAX_EVENT_LEN, Metadata, ScanError, Scanner, Summary};

/// Bytes read from the file at a time.
const CHUNK: usize = 64 * 1024;

/// What a `.slp` file holds and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Bytes of the whole file.
    pub file_len: u64,
    /// Bytes of the events as the file states them; 0 means that nobody completed it.
    pub announced_len: u32,
    /// Bytes from the first event to the end of the last whole one.
    pub events_len: u64,
    /// The game, gathered from its events.
    pub summary: Summary,
    /// How many whole events of each code there are.
    pub event_counts: BTreeMap<EventCode, u64>,
    /// The file's own metadata, as far as it could be read; `None` if there is none.
    pub metadata: Option<Metadata>,
    /// What is wrong, and what is worth a note, in the order of the file.
    pub problems: Vec<Problem>,
    /// Where the events must end: the file states a length, and what follows there is what must
    /// follow events. `None` if the length is not to be trusted.
    pub(super) frame_end: Option<u64>,
    /// What stands behind the events: at `frame_end`, else behind the last whole event.
    pub(super) behind: Behind,
    /// Why the events end where they do.
    stop: Stop,
}

/// A file that cannot be surveyed at all.
#[derive(Debug, Error)]
pub enum SurveyError {
    /// It could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is a device, a pipe, a folder.
    #[error("not a regular file")]
    NotAFile,
    /// It begins with something else than a `raw` element.
    #[error(transparent)]
    NotSlp(#[from] NotSlp),
    /// It would have to be read from end to end, and is too long for that.
    #[error("{0} bytes are too many to be read from end to end")]
    TooLong(u64),
    /// It has more events than any game.
    #[error("it has more than {0} events: no game has so many")]
    TooManyEvents(u64),
    /// Whoever asked has lost interest.
    #[error("the reading was ended")]
    Ended,
}

/// Why the events of a file end where they do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stop {
    /// There are no more bytes.
    End,
    /// The next event is not all there.
    Cut { code: EventCode, have: u64 },
    /// The next event's size is not known.
    Unknown(EventCode),
    /// The next event is a broken table of sizes.
    PayloadSizes(PayloadSizesError),
}

/// Surveys the file at `path`. Memory stays bounded whatever the file's size and content.
///
/// # Errors
/// If the file cannot be read or is no `.slp` file. What is wrong inside one is no error but a
/// [`Problem`]: so is an empty file, which a crash at the right moment leaves behind.
pub fn survey(path: &Path) -> Result<Survey, SurveyError> {
    // Before it is opened: that would wait for ever for the other end of a pipe.
    if !std::fs::metadata(path)?.is_file() {
        return Err(SurveyError::NotAFile);
    }
    Survey::read(&mut File::open(path)?)
}

impl Survey {
    /// Surveys an open file from its start. A file that grows meanwhile is taken as it was when
    /// this began.
    ///
    /// # Errors
    /// As [`survey`].
    pub fn read(input: &mut (impl Read + Seek)) -> Result<Self, SurveyError> {
        Self::read_each(input, |_| {}, |_| Ok(()))
    }

    /// Surveys an open file as [`Survey::read`] does, and shows every whole event on the way.
    /// `go_on` is asked before each 64 KiB; it is told how many events there were so far.
    ///
    /// # Errors
    /// As [`survey`], and what `go_on` says.
    pub fn read_each(
        input: &mut (impl Read + Seek),
        each: impl FnMut(Event<'_>),
        go_on: impl FnMut(u64) -> Result<(), SurveyError>,
    ) -> Result<Self, SurveyError> {
        let file_len = input.seek(SeekFrom::End(0))?;
        let announced_len = read_header(input)?;
        let frame_end = find_frame_end(input, announced_len, file_len)?;

        let events_at = EVENTS_AT as u64;
        let scan_end = frame_end.unwrap_or(file_len);
        input.seek(SeekFrom::Start(events_at))?;
        let scan = Scan::run(input.take(scan_end.saturating_sub(events_at)), each, go_on)?;
        let behind_at = frame_end.unwrap_or(events_at + scan.events_len);
        let behind = Behind::read(input, behind_at, file_len)?;

        let mut survey = Self {
            file_len,
            announced_len,
            events_len: scan.events_len,
            summary: scan.summary,
            event_counts: scan.event_counts,
            metadata: match &behind {
                Behind::Metadata(found) => Some(found.metadata.clone()),
                Behind::Unreadable(metadata, _) => Some(metadata.clone()),
                _ => None,
            },
            problems: Vec::new(),
            frame_end,
            behind,
            stop: scan.stop,
        };
        survey.find_problems(behind_at, scan.second);
        Ok(survey)
    }

    /// Whether nothing is wrong with the file; notes do not count.
    pub fn is_ok(&self) -> bool {
        self.problems.iter().all(Problem::is_note)
    }

    /// The end of the last whole event, in bytes from the start of the file.
    pub fn events_end(&self) -> u64 {
        EVENTS_AT as u64 + self.events_len
    }

    fn find_problems(&mut self, behind_at: u64, second: Option<(u64, EventCode)>) {
        let mut problems = Vec::new();
        problems.extend(self.length_problem());
        if let Some((at, code)) = second.filter(|(_, code)| *code != EventCode::GAME_START) {
            problems.push(Problem::SecondEvent { at, code });
        }
        problems.extend(self.events_problem());
        if self.events_len > 0 && !self.summary.ended() {
            problems.push(Problem::NoGameEnd);
        }
        self.behind_problems(behind_at, &mut problems);
        self.problems = problems;
    }

    fn length_problem(&self) -> Option<Problem> {
        if self.announced_len == 0 {
            return Some(Problem::Unfinished);
        }
        let fits = self.frame_end.is_some() || self.events_len == u64::from(self.announced_len);
        (!fits).then_some(Problem::Length { announced: self.announced_len, found: self.events_len })
    }

    /// Why the events end too early, if they do.
    pub(super) fn events_problem(&self) -> Option<Problem> {
        let at = self.events_end();
        match self.stop {
            Stop::End if self.events_len == 0 => Some(Problem::NoEvents { at }),
            Stop::End => None,
            Stop::Cut { code, have } => Some(Problem::CutEvent { at, code, have }),
            Stop::PayloadSizes(error) => Some(Problem::PayloadSizes { at, error }),
            // The scanner took the `U` of the metadata's key, or the file's last brace, for an
            // event.
            Stop::Unknown(_) if self.frame_end.is_none() && self.behind != Behind::Other => None,
            Stop::Unknown(code) if self.events_len == 0 => Some(Problem::FirstEvent { at, code }),
            Stop::Unknown(code) => Some(Problem::UnknownEvent { at, code }),
        }
    }

    fn behind_problems(&self, at: u64, problems: &mut Vec<Problem>) {
        match &self.behind {
            Behind::Nothing | Behind::Other => problems.push(Problem::NoMetadata { at }),
            Behind::Closed => problems.push(Problem::Anonymous { at }),
            Behind::Unreadable(_, error) => problems.push(Problem::Metadata { at, error: *error }),
            Behind::Metadata(found) => {
                if let (Some(metadata), Some(events)) =
                    (found.metadata.last_frame, self.summary.last_frame)
                    && metadata != events.0
                {
                    problems.push(Problem::LastFrame { metadata, events: events.0 });
                }
                let at = at + found.len;
                match (found.closed, found.trailing) {
                    (_, 1..) => problems.push(Problem::TrailingBytes {
                        at: at + u64::from(found.closed),
                        len: found.trailing,
                    }),
                    (false, 0) => problems.push(Problem::NotClosed { at }),
                    (true, 0) => {}
                }
            }
        }
    }
}

/// The stated length of the events. A file that ends inside its header states none.
pub(super) fn read_header(input: &mut (impl Read + Seek)) -> Result<u32, SurveyError> {
    let mut start = Vec::new();
    input.seek(SeekFrom::Start(0))?;
    input.take(EVENTS_AT as u64).read_to_end(&mut start)?;
    if file::HEADER.starts_with(&start) {
        return Ok(0);
    }
    Ok(file::events_len(&start)?)
}

/// Where the events end by the stated length, if that is borne out by what follows there.
///
/// So a wrong length misleads nobody, and damage inside the events of a complete file is told from
/// a file that ends too early.
pub(super) fn find_frame_end(
    input: &mut (impl Read + Seek),
    announced_len: u32,
    file_len: u64,
) -> io::Result<Option<u64>> {
    if announced_len == 0 {
        return Ok(None);
    }
    let end = EVENTS_AT as u64 + u64::from(announced_len);
    let follows = match Behind::read(input, end, file_len)? {
        Behind::Closed | Behind::Metadata(_) | Behind::Unreadable(..) => true,
        Behind::Nothing | Behind::Other => false,
    };
    Ok(follows.then_some(end))
}

/// One pass over the events.
struct Scan {
    events_len: u64,
    /// How many there are of all codes.
    events: u64,
    summary: Summary,
    event_counts: BTreeMap<EventCode, u64>,
    /// Position and code of the event behind Event Payloads.
    second: Option<(u64, EventCode)>,
    stop: Stop,
}

impl Scan {
    fn run(
        mut input: impl Read,
        mut each: impl FnMut(Event<'_>),
        mut go_on: impl FnMut(u64) -> Result<(), SurveyError>,
    ) -> Result<Self, SurveyError> {
        let mut scan = Self {
            events_len: 0,
            events: 0,
            summary: Summary::new(),
            event_counts: BTreeMap::new(),
            second: None,
            stop: Stop::End,
        };
        let mut scanner = Scanner::new();
        // Never holds more than one incomplete event and one chunk.
        let mut buffer = Vec::with_capacity(MAX_EVENT_LEN + CHUNK);
        loop {
            go_on(scan.events)?;
            let got = input.by_ref().take(CHUNK as u64).read_to_end(&mut buffer)?;
            let taken = match scan.take_events(&mut scanner, &buffer, &mut each) {
                Ok(taken) => taken,
                Err(stop) => {
                    scan.stop = stop;
                    return Ok(scan);
                }
            };
            buffer.drain(..taken);
            if got == 0 {
                if let Some(&code) = buffer.first() {
                    scan.stop = Stop::Cut { code: EventCode(code), have: buffer.len() as u64 };
                }
                return Ok(scan);
            }
        }
    }

    /// Takes every whole event off the front of `bytes`: how many bytes those were.
    fn take_events(
        &mut self,
        scanner: &mut Scanner,
        bytes: &[u8],
        each: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, Stop> {
        let mut rest = bytes;
        loop {
            let event = match scanner.take(&mut rest) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(bytes.len() - rest.len()),
                Err(ScanError::UnknownEvent(code)) => return Err(Stop::Unknown(code)),
                Err(ScanError::PayloadSizes(error)) => return Err(Stop::PayloadSizes(error)),
            };
            if self.second.is_none() && self.events_len > 0 {
                self.second = Some((EVENTS_AT as u64 + self.events_len, event.code()));
            }
            each(event);
            self.summary.observe(event);
            *self.event_counts.entry(event.code()).or_default() += 1;
            self.events += 1;
            self.events_len += event.size() as u64;
        }
    }
}

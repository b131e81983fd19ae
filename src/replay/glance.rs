//! A quick look at a file: what its start, its end and its metadata say about the game.
//!
//! A game has some 10,000 frames, of which a list of games needs the last. So a complete file is read
//! at both ends only, some 40 KiB; everything else is surveyed.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::SystemTime;

use super::behind::Behind;
use super::problem::Problem;
use super::start_time;
use super::survey::{Survey, SurveyError, find_frame_end, read_header};
use crate::slp::file::EVENTS_AT;
use crate::slp::state::MatchState;
use crate::slp::{Event, EventCode, MAX_EVENT_LEN, Metadata, Scanner, Summary};

/// Bytes read first. Event Payloads and Game Start of every known recorder have less than 1 KiB.
const HEAD: usize = 4 * 1024;

/// Bytes read in front of the end of the events. A frame of four Ice Climbers with items has some
/// 4,000, so this holds several whole ones.
const TAIL: u64 = 32 * 1024;

/// Steps from event to event that looking for whole ones in the tail may take. An honest tail takes
/// a few hundred; a hostile one of one-byte events would take a thousand million.
const MAX_STEPS: usize = 100_000;

/// Frames that a rollback goes back at most (seven), and some.
const MAX_ROLLBACK: i32 = 32;

/// The longest file that is read from end to end: two hours of an ordinary game. Eight minutes of four
/// Ice Climbers with items, the most that fits into a tournament's clock, have half of it.
pub const MAX_SURVEYED: u64 = 256 * 1024 * 1024;

/// The most events of a file that is read from end to end. Games have an event in some 50 bytes, so the
/// longest one that is read has five million. A hostile one has an event in each byte.
pub const MAX_EVENTS: u64 = 10_000_000;

/// Asked now and then while a long file is read: whether to go on.
pub type GoOn<'a> = &'a mut dyn FnMut() -> ControlFlow<()>;

/// What a quick look shows.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The game, from Game Start and the last frames. Counts of frames by character are missing.
    pub summary: Summary,
    /// How the match stood in the end.
    pub state: MatchState,
    /// The file's own metadata, as far as it could be read; `None` if there is none.
    pub metadata: Option<Metadata>,
    /// Whether nobody completed the file, or it grows and is not whole yet.
    pub is_unfinished: bool,
    /// What is wrong with the file beside that; notes do not count.
    pub problem: Option<Problem>,
}

impl Glance {
    /// Looks at the file at `path`. Of one that still grows and is not whole only the start is read.
    ///
    /// # Errors
    /// If the file cannot be read or is no `.slp` file, or if it would have to be read from end to
    /// end and is longer than [`MAX_SURVEYED`] or has more than [`MAX_EVENTS`]; or if `go_on` says so.
    pub fn at(path: &Path, grows: bool, go_on: GoOn<'_>) -> Result<Self, SurveyError> {
        // Before it is opened: that would wait for ever for the other end of a pipe.
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(SurveyError::NotAFile);
        }
        Self::read(&mut File::open(path)?, grows, go_on)
    }

    /// Looks at an open file.
    ///
    /// # Errors
    /// As [`Glance::at`].
    pub fn read(
        input: &mut (impl Read + Seek),
        grows: bool,
        go_on: GoOn<'_>,
    ) -> Result<Self, SurveyError> {
        let file_len = input.seek(SeekFrom::End(0))?;
        let announced_len = read_header(input)?;
        let is_unfinished = announced_len == 0;
        let head = Head::read(input)?;
        if let Some(end) = find_frame_end(input, announced_len, file_len)?
            && let Some(glance) = Self::of_both_ends(input, head.clone(), end, file_len)?
        {
            return Ok(glance);
        }
        if grows {
            let Head { summary, state, .. } = head;
            return Ok(Self { summary, state, metadata: None, is_unfinished: true, problem: None });
        }
        if file_len > MAX_SURVEYED {
            return Err(SurveyError::TooLong(file_len));
        }
        let mut state = MatchState::new();
        let survey = Survey::read_each(
            input,
            |event| state.observe(event),
            |events| match go_on() {
                ControlFlow::Break(()) => Err(SurveyError::Ended),
                ControlFlow::Continue(()) if events > MAX_EVENTS => {
                    Err(SurveyError::TooManyEvents(MAX_EVENTS))
                }
                ControlFlow::Continue(()) => Ok(()),
            },
        )?;
        let mut problems = survey.problems.iter().filter(|problem| !problem.is_note());
        let problem = problems.find(|problem| **problem != Problem::Unfinished).copied();
        let Survey { summary, metadata, .. } = survey;
        Ok(Self { summary, state, metadata, is_unfinished, problem })
    }

    /// The look at a file whose events end at `end`; `None` if it must be surveyed.
    fn of_both_ends(
        input: &mut (impl Read + Seek),
        head: Head,
        end: u64,
        file_len: u64,
    ) -> io::Result<Option<Self>> {
        let metadata = match Behind::read(input, end, file_len)? {
            Behind::Closed => None,
            Behind::Metadata(found) if found.closed && found.trailing == 0 => Some(found.metadata),
            _ => return Ok(None),
        };
        let Head { mut summary, mut state, scanner, end: head_end } = head;
        if head_end > end || summary.start.is_none() {
            return Ok(None);
        }
        let start = head_end.max(end.saturating_sub(TAIL));
        input.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        input.take(end - start).read_to_end(&mut tail)?;
        let first = if start == head_end { walk(&tail, &scanner).1.then_some(0) } else { None };
        let Some(first) = first.or_else(|| find_events(&tail, &scanner)) else { return Ok(None) };
        let mut scanner = scanner;
        let mut rest = &tail[first..];
        while let Ok(Some(event)) = scanner.take(&mut rest) {
            summary.observe(event);
            state.observe(event);
        }
        let told = metadata.as_ref().and_then(|metadata| metadata.last_frame);
        if told.is_some() && told != summary.last_frame.map(|frame| frame.0) {
            return Ok(None);
        }
        Ok(Some(Self { summary, state, metadata, is_unfinished: false, problem: None }))
    }

    /// When the game began: what the metadata says, else the file's name, else its time of
    /// modification. `None` if none of them is a time.
    pub fn started(&self, path: &Path, modified: Option<SystemTime>) -> Option<jiff::Timestamp> {
        let said = self.metadata.as_ref().and_then(|metadata| metadata.start_at.as_deref());
        said.and_then(start_time::parse)
            .or_else(|| start_time::guess(path, modified, self.summary.seconds())?.parse().ok())
    }
}

/// The first two events.
#[derive(Clone)]
struct Head {
    summary: Summary,
    state: MatchState,
    /// Knows the sizes of the events.
    scanner: Scanner,
    /// Where in the file the next event begins.
    end: u64,
}

impl Head {
    fn read(input: &mut (impl Read + Seek)) -> io::Result<Self> {
        input.seek(SeekFrom::Start(EVENTS_AT as u64))?;
        let mut bytes = Vec::with_capacity(HEAD);
        input.by_ref().take(HEAD as u64).read_to_end(&mut bytes)?;
        let mut head = Self::parse(&bytes);
        if head.summary.start.is_none() && bytes.len() == HEAD {
            input.by_ref().take(2 * MAX_EVENT_LEN as u64).read_to_end(&mut bytes)?;
            head = Self::parse(&bytes);
        }
        Ok(head)
    }

    fn parse(bytes: &[u8]) -> Self {
        let (mut summary, mut state) = (Summary::new(), MatchState::new());
        let mut scanner = Scanner::new();
        let mut at = 0;
        for _ in 0..2 {
            let Ok(Some(event)) = scanner.next(&bytes[at..]) else { break };
            summary.observe(event);
            state.observe(event);
            at += event.size();
        }
        Self { summary, state, scanner, end: (EVENTS_AT + at) as u64 }
    }
}

/// Where whole events begin in `tail`, which begins anywhere and ends where the events end: the
/// first place from which they lead to the very end, with numbers of frames that follow each other.
fn find_events(tail: &[u8], scanner: &Scanner) -> Option<usize> {
    let sizes = scanner.sizes()?;
    let is_there = |code| sizes.get(code).is_some();
    // What a frame begins with.
    let first =
        [EventCode::FRAME_START, EventCode::PRE_FRAME].into_iter().find(|&c| is_there(c))?;
    let mut budget = MAX_STEPS;
    for (at, _) in tail.iter().enumerate().filter(|(_, byte)| **byte == first.0) {
        let (steps, leads_to_end) = walk(&tail[at..], scanner);
        if leads_to_end {
            return Some(at);
        }
        budget = budget.checked_sub(steps + 1)?;
    }
    None
}

/// Goes from event to event: how many there are, and whether they fill `bytes` and belong together.
fn walk(bytes: &[u8], scanner: &Scanner) -> (usize, bool) {
    let mut scanner = scanner.clone();
    let (mut steps, mut rest) = (0, bytes);
    let mut frame = None;
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        if event.code() == EventCode::EVENT_PAYLOADS || !follows(event, &mut frame) {
            return (steps, false);
        }
        steps += 1;
    }
    (steps, rest.is_empty())
}

/// Whether the event may come behind one of `frame`, which becomes its own.
fn follows(event: Event<'_>, frame: &mut Option<i32>) -> bool {
    let Some(now) = event.frame() else { return true };
    let before = frame.replace(now.0);
    let step = before.map_or(0, |before| i64::from(now.0) - i64::from(before));
    (-i64::from(MAX_ROLLBACK)..=1).contains(&step)
}

//! A recording as a console would send it: the events of a `.slp` file, cut into the steps in which
//! the game hands them over.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use crate::protocol::console::MAX_REPLAY_DATA;
use crate::slp::frame::FrameEnd;
use crate::slp::{Event, EventCode, FrameTracker, Scanner, file};

/// The longest file that is played. An hour of four Ice Climbers takes some 170 MB; beyond that, it
/// is no recording of a game.
pub const MAX_FILE_LEN: u64 = 256 * 1024 * 1024;

/// A game ready to be played. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Recording {
    name: Arc<str>,
    events: Bytes,
    /// Where each step ends; strictly rising, the last is the end of `events`.
    ends: Arc<[usize]>,
    left_out: usize,
}

/// A file that cannot be played.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("cannot read {name}")]
    Read {
        /// The file.
        name: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is longer than [`MAX_FILE_LEN`].
    #[error("{name} is longer than {MAX_FILE_LEN} bytes, which no recorded game is")]
    TooLong {
        /// The file.
        name: String,
    },
    /// The file does not begin like a `.slp` file.
    #[error("{name} is not a .slp file; give a game as Slippi records it")]
    NotSlp {
        /// The file.
        name: String,
    },
    /// There is no event that could be played.
    #[error("{name} holds no whole event; there is nothing to play")]
    Empty {
        /// The file.
        name: String,
    },
}

impl Recording {
    /// Loads a `.slp` file, finished or not. It is called by its file name.
    ///
    /// # Errors
    /// If the file cannot be read or holds nothing to play.
    pub fn load(path: &Path) -> Result<Self, RecordingError> {
        let name = path.display().to_string();
        let read = || {
            let mut bytes = Vec::new();
            let limit = MAX_FILE_LEN + 1;
            File::open(path)?.take(limit).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = match read() {
            Ok(bytes) if bytes.len() as u64 > MAX_FILE_LEN => {
                return Err(RecordingError::TooLong { name });
            }
            Ok(bytes) => Bytes::from(bytes),
            Err(source) => return Err(RecordingError::Read { name, source }),
        };
        let mut recording = Self::from_slp(name, &bytes)?;
        if let Some(file_name) = path.file_name() {
            recording.name = file_name.to_string_lossy().into();
        }
        Ok(recording)
    }

    /// Takes the content of a `.slp` file. Where it says that it is unfinished, or is shorter than
    /// it says, the events go to its end.
    ///
    /// # Errors
    /// If it is another kind of file or holds nothing to play.
    pub fn from_slp(name: impl Into<String>, slp: &Bytes) -> Result<Self, RecordingError> {
        let name = name.into();
        let Ok(announced) = file::events_len(slp) else {
            return Err(RecordingError::NotSlp { name });
        };
        let events = slp.slice(file::EVENTS_AT..);
        let len = match usize::try_from(announced) {
            Ok(len @ 1..) => len.min(events.len()),
            _ => events.len(),
        };
        Self::from_events(name, events.slice(..len))
    }

    /// Takes bare events, as they travel over the wire. They are cut behind the last whole event
    /// that a console could send: one with an announced size that fits into a message.
    ///
    /// # Errors
    /// If there is none.
    pub fn from_events(name: impl Into<String>, events: Bytes) -> Result<Self, RecordingError> {
        let name = name.into();
        let ends = steps(&events);
        let Some(&end) = ends.last() else {
            return Err(RecordingError::Empty { name });
        };
        Ok(Self {
            name: name.into(),
            left_out: events.len() - end,
            events: events.slice(..end),
            ends: ends.into(),
        })
    }

    /// What people call it: the file's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// All bytes that are played.
    pub fn events(&self) -> &Bytes {
        &self.events
    }

    /// Bytes behind the last event that is played: half an event of an unfinished file, or what
    /// follows an event that no console could send.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// How many steps there are, at least 1.
    pub fn step_count(&self) -> usize {
        self.ends.len()
    }

    /// What the game hands over at a time, in order: all that comes before the first frame, then
    /// each frame. Game End, and a table of payload sizes, begins a step of its own.
    pub fn steps(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().map(move |&end| &self.events[std::mem::replace(&mut from, end)..end])
    }
}

/// Where the steps end.
fn steps(events: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut end_step = |at| {
        if at > ends.last().copied().unwrap_or(0) {
            ends.push(at);
        }
    };
    let mut scanner = Scanner::new();
    let mut tracker = FrameTracker::new();
    let mut in_frames = false;
    let mut at = 0;
    while let Ok(Some(event)) = scanner.next(&events[at..]) {
        if !fits_a_console(event) {
            break;
        }
        let frame_end = tracker.observe(event);
        let first_of_frames = !in_frames && event.frame().is_some();
        let own_step = matches!(event.code(), EventCode::EVENT_PAYLOADS | EventCode::GAME_END);
        if first_of_frames || own_step || matches!(frame_end, FrameEnd::Before(_)) {
            end_step(at);
        }
        at += event.size();
        if matches!(frame_end, FrameEnd::Here(_)) {
            end_step(at);
        }
        in_frames = (in_frames || first_of_frames) && event.code() != EventCode::EVENT_PAYLOADS;
    }
    end_step(at);
    ends
}

/// A console cannot send what is larger than its buffer, and takes an empty payload for one of
/// unknown size.
fn fits_a_console(event: Event<'_>) -> bool {
    (2..=MAX_REPLAY_DATA).contains(&event.size())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Game Start 2 bytes, Post-Frame 4, Game End 1, Frame Bookend 4.
    const TABLE: [u8; 14] = [0x35, 13, 0x36, 0, 2, 0x38, 0, 4, 0x39, 0, 1, 0x3C, 0, 4];

    fn frame_event(code: u8, frame: i32) -> Vec<u8> {
        let mut event = vec![code];
        event.extend(frame.to_be_bytes());
        event
    }

    fn slp(len: u32, rest: &[u8]) -> Bytes {
        let mut file = file::HEADER.to_vec();
        file[file::LENGTH_AT..].copy_from_slice(&len.to_be_bytes());
        file.extend(rest);
        file.into()
    }

    fn lens(recording: &Recording) -> Vec<usize> {
        recording.steps().map(<[u8]>::len).collect()
    }

    #[test]
    fn with_bookends_each_frame_is_a_step_and_so_are_prologue_and_game_end() {
        let mut events = [TABLE.as_slice(), &[0x36, 1, 2]].concat();
        for frame in [-123, -122, -122] {
            events.extend(frame_event(0x38, frame));
            events.extend(frame_event(0x3C, frame));
        }
        events.extend([0x39, 2]);
        let recording = Recording::from_events("a", events.clone().into()).unwrap();
        assert_eq!(lens(&recording), [17, 10, 10, 10, 2]);
        assert_eq!(recording.step_count(), 5);
        assert_eq!(recording.steps().collect::<Vec<_>>().concat(), events);
    }

    #[test]
    fn without_bookends_the_next_frame_begins_the_next_step() {
        let mut events = [TABLE.as_slice(), &[0x36, 1, 2]].concat();
        for frame in [-123, -123, -122, -121] {
            events.extend(frame_event(0x38, frame));
        }
        events.extend([0x39, 2]);
        let recording = Recording::from_events("a", events.into()).unwrap();
        assert_eq!(lens(&recording), [17, 10, 5, 5, 2]);
    }

    #[test]
    fn a_second_game_in_one_recording_begins_a_step() {
        let game = [TABLE.as_slice(), &[0x36, 1, 2], &frame_event(0x38, -123)].concat();
        let recording = Recording::from_events("a", game.repeat(2).into()).unwrap();
        assert_eq!(lens(&recording), [17, 5, 17, 5]);
    }

    #[test]
    fn an_unfinished_or_truncated_file_is_cut_behind_its_last_whole_event() {
        let events = [TABLE.as_slice(), &[0x36, 1, 2, 0x38, 0, 0]].concat();
        for announced in [0, events.len() as u32, u32::MAX] {
            let recording = Recording::from_slp("a", &slp(announced, &events)).unwrap();
            assert_eq!(recording.events().len(), 17);
            assert_eq!(recording.left_out(), 3);
        }
    }

    #[test]
    fn the_metadata_is_not_played() {
        let events = [TABLE.as_slice(), &[0x36, 1, 2]].concat();
        let file = [&events, file::METADATA_KEY.as_slice(), b"{}}"].concat();
        let recording = Recording::from_slp("a", &slp(events.len() as u32, &file)).unwrap();
        assert_eq!((recording.events().len(), recording.left_out()), (17, 0));
    }

    #[test]
    fn what_a_console_could_not_send_ends_the_recording() {
        for size in [0_u16, 25_000] {
            let [high, low] = size.to_be_bytes();
            let table = [0x35, 7, 0x36, 0, 2, 0x48, high, low];
            let mut events = [table.as_slice(), &[0x36, 1, 2, 0x48]].concat();
            events.resize(events.len() + usize::from(size), 0);
            events.extend([0x36, 3, 4]);
            let recording = Recording::from_events("a", events.into()).unwrap();
            assert_eq!(recording.events().len(), 11);
        }
    }

    #[test]
    fn what_holds_no_game_is_refused_by_name() {
        let error = Recording::from_slp("notes.slp", &Bytes::from_static(b"not a replay at all"));
        assert_eq!(
            error.unwrap_err().to_string(),
            "notes.slp is not a .slp file; give a game as Slippi records it"
        );
        let error = Recording::from_slp("cut.slp", &slp(0, &TABLE[..9])).unwrap_err();
        assert!(matches!(error, RecordingError::Empty { name } if name == "cut.slp"));
        let error = Recording::load(Path::new("no/such/game.slp")).unwrap_err();
        assert!(error.to_string().contains("game.slp"));
    }
}

//! The game that is played: always the same, so that whoever receives it can check every byte.

use std::ops::Range;

use super::stamp::Stamp;
use crate::protocol::Cursor;
use crate::protocol::console::Replay;
use crate::slp::{EventCode, FrameIndex};

/// Not one of Slippi's codes, but announced with a size, as a later version's events would be: the
/// [`Stamp`] travels in it.
const STAMP: EventCode = EventCode(0x60);

/// Payload sizes as a recent recorder announces them, and the stamp's.
const SIZES: [(EventCode, usize); 9] = [
    (EventCode::GAME_START, 760),
    (EventCode::PRE_FRAME, 63),
    (EventCode::POST_FRAME, 80),
    (EventCode::GAME_END, 6),
    (EventCode::FRAME_START, 12),
    (EventCode::ITEM_UPDATE, 42),
    (EventCode::FRAME_BOOKEND, 8),
    (EventCode::MESSAGE_SPLITTER, 516),
    (STAMP, Stamp::LEN),
];

/// A frame of two fighters and five items. Real frames have 350 to 800 bytes.
const FRAME: [EventCode; 12] = [
    EventCode::FRAME_START,
    EventCode::PRE_FRAME,
    EventCode::PRE_FRAME,
    EventCode::POST_FRAME,
    EventCode::POST_FRAME,
    EventCode::ITEM_UPDATE,
    EventCode::ITEM_UPDATE,
    EventCode::ITEM_UPDATE,
    EventCode::ITEM_UPDATE,
    EventCode::ITEM_UPDATE,
    STAMP,
    EventCode::FRAME_BOOKEND,
];

const FRAME_LEN: usize = len_of(&FRAME);

/// Where the stamp lies in a frame.
const STAMP_AT: Range<usize> = {
    let end = FRAME_LEN - event_len(EventCode::FRAME_BOOKEND);
    end - Stamp::LEN..end
};

const TABLE_LEN: usize = 2 + 3 * SIZES.len();
const PROLOGUE_LEN: usize = TABLE_LEN + event_len(EventCode::GAME_START);
const END_LEN: usize = event_len(EventCode::GAME_END);

const fn event_len(code: EventCode) -> usize {
    let mut at = 0;
    while SIZES[at].0.0 != code.0 {
        at += 1;
    }
    1 + SIZES[at].1
}

const fn len_of(codes: &[EventCode]) -> usize {
    let (mut at, mut len) = (0, 0);
    while at < codes.len() {
        len += event_len(codes[at]);
        at += 1;
    }
    len
}

/// The event bytes of a whole game: sizes and Game Start, then frames of one size, then Game End.
///
/// Positions are offsets into it: the console has just been switched on.
#[derive(Clone, Debug)]
pub struct Game {
    events: Vec<u8>,
    frames: usize,
}

impl Game {
    /// A game of `frames` frames.
    pub fn new(frames: usize) -> Self {
        let mut noise = Noise(0x5351_4950_5045_5221);
        let mut events = Vec::with_capacity(PROLOGUE_LEN + frames * FRAME_LEN + END_LEN);
        events.extend([EventCode::EVENT_PAYLOADS.0, (TABLE_LEN - 1) as u8]);
        for (code, size) in SIZES {
            events.push(code.0);
            events.extend((size as u16).to_be_bytes());
        }
        noise.event(EventCode::GAME_START, None, &mut events);
        for k in 0..frames {
            let frame = FrameIndex::FIRST.0.wrapping_add(k as i32);
            for code in FRAME {
                noise.event(code, code.belongs_to_frame().then_some(frame), &mut events);
            }
            let end = events.len() - FRAME_LEN;
            events[end..][STAMP_AT].fill(0);
        }
        noise.event(EventCode::GAME_END, None, &mut events);
        Self { events, frames }
    }

    /// How many frames it has.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// All its event bytes; those of the stamps are 0.
    pub fn events(&self) -> &[u8] {
        &self.events
    }

    /// The Replay messages in order, without stamps: what precedes the frames, each frame, Game
    /// End. A console sends a message for each frame too.
    pub fn messages(&self) -> impl Iterator<Item = Replay<'_>> {
        (0..self.frames + 2).map(|piece| {
            let at = self.piece(piece);
            Replay { pos: Cursor(at.start as u64), force_pos: false, data: &self.events[at] }
        })
    }

    /// Where piece 0 (what precedes the frames), 1 (the first frame) and so on lie.
    fn piece(&self, piece: usize) -> Range<usize> {
        let frame = |k: usize| PROLOGUE_LEN + k * FRAME_LEN;
        match piece {
            0 => 0..PROLOGUE_LEN,
            k if k <= self.frames => frame(k - 1)..frame(k),
            _ => frame(self.frames)..self.events.len(),
        }
    }

    /// Compares `data`, which arrived as the bytes from `pos` on; how many bytes differ. `on_frame`
    /// gets the number of each frame in it, from 0, and its stamp.
    pub(super) fn compare(
        &self,
        pos: usize,
        data: &[u8],
        mut on_frame: impl FnMut(usize, Stamp),
    ) -> u64 {
        let mut wrong = 0;
        let (mut pos, mut rest) = (pos, data);
        while !rest.is_empty() {
            if pos >= self.events.len() {
                wrong += rest.len() as u64;
                break;
            }
            let piece = match pos.checked_sub(PROLOGUE_LEN) {
                None => 0,
                Some(behind) => (1 + behind / FRAME_LEN).min(self.frames + 1),
            };
            let at = self.piece(piece);
            let (here, after) = rest.split_at(rest.len().min(at.end - pos));
            let expected = &self.events[pos..pos + here.len()];
            if piece == 0 || piece > self.frames {
                wrong += differences(here, expected);
            } else if here.len() == FRAME_LEN {
                wrong += differences(&here[..STAMP_AT.start], &expected[..STAMP_AT.start])
                    + differences(&here[STAMP_AT.end..], &expected[STAMP_AT.end..]);
                let mut stamp = [0; Stamp::LEN];
                stamp.copy_from_slice(&here[STAMP_AT]);
                on_frame(piece - 1, Stamp::from_bytes(stamp));
            } else {
                // A frame in parts is nothing that a console or relay sends.
                wrong += here.len() as u64;
            }
            pos += here.len();
            rest = after;
        }
        wrong
    }
}

fn differences(a: &[u8], b: &[u8]) -> u64 {
    if a == b {
        return 0;
    }
    a.iter().zip(b).filter(|(a, b)| a != b).count() as u64
}

/// Writes `stamp` where a frame's data has it; nothing happens to other data.
pub(super) fn write_stamp(data: &mut [u8], stamp: Stamp) {
    if data.len() == FRAME_LEN {
        data[STAMP_AT].copy_from_slice(&stamp.to_bytes());
    }
}

/// Bytes that repeat nowhere, the same in each run (splitmix64), so that a byte, frame or event in
/// another's place is noticed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn event(&mut self, code: EventCode, frame: Option<i32>, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(code.0);
        if let Some(frame) = frame {
            out.extend(frame.to_be_bytes());
        }
        while out.len() < start + event_len(code) {
            out.push(self.next() as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slp::Scanner;

    #[test]
    fn a_scanner_reads_it_and_frames_have_a_usual_size() {
        let game = Game::new(3);
        let (mut scanner, mut rest, mut codes) = (Scanner::new(), game.events(), Vec::new());
        while let Some(event) = scanner.take(&mut rest).unwrap() {
            codes.push(event.code());
        }
        assert!(rest.is_empty());
        assert_eq!(codes.len(), 2 + 3 * FRAME.len() + 1);
        assert_eq!(codes.last(), Some(&EventCode::GAME_END));
        assert!((500..=600).contains(&FRAME_LEN), "{FRAME_LEN}");
    }

    #[test]
    fn its_messages_are_the_whole_game() {
        let game = Game::new(5);
        let mut end = 0;
        let mut bytes = Vec::new();
        for message in game.messages() {
            assert_eq!(message.pos.0, end);
            end = message.next_pos().0;
            bytes.extend_from_slice(message.data);
        }
        assert_eq!(bytes, game.events());
    }

    #[test]
    fn every_byte_but_the_stamp_is_compared() {
        let game = Game::new(2);
        let mut sent = game.events().to_vec();
        let written = Stamp::new(77 << 8, 3);
        write_stamp(&mut sent[PROLOGUE_LEN..][..FRAME_LEN], written);
        let mut frames = Vec::new();
        let whole = game.compare(0, &sent, |frame, stamp| frames.push((frame, stamp)));
        assert_eq!(whole, 0);
        assert_eq!(frames, [(0, written), (1, Stamp::new(0, 0))]);
        let stamps = [PROLOGUE_LEN, PROLOGUE_LEN + FRAME_LEN];
        for at in 0..sent.len() {
            let mut broken = sent.clone();
            broken[at] ^= 1;
            let is_stamp = stamps
                .iter()
                .any(|start| (start + STAMP_AT.start..start + STAMP_AT.end).contains(&at));
            let wrong = u64::from(!is_stamp);
            assert_eq!(game.compare(0, &broken, |_, _| {}), wrong, "byte {at}");
        }
    }

    #[test]
    fn bytes_behind_the_end_and_parts_of_frames_are_wrong() {
        let game = Game::new(1);
        let end = game.events().len();
        assert_eq!(game.compare(end, &[1, 2], |_, _| {}), 2);
        let part = &game.events()[PROLOGUE_LEN..][..10];
        assert_eq!(game.compare(PROLOGUE_LEN, part, |_, _| {}), 10);
    }
}

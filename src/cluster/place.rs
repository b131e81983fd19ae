//! Where a publisher goes on in its station's log, by what the stream had last.

use std::time::{Duration, Instant};

use crate::protocol::{ClientToken, Cursor};
use crate::session::{Horizon, Log, Seq, Station};

/// What the stream has of the station.
#[derive(Clone, Debug)]
pub(super) enum Newest {
    Nothing,
    /// A message of that sequence which is none of andross's, or of another version's.
    Foreign(u64),
    Message(Last),
}

impl Newest {
    /// The sequence of the newest message, 0 without one.
    pub(super) fn sequence(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Foreign(sequence) => *sequence,
            Self::Message(last) => last.sequence,
        }
    }
}

/// The newest message of the station's subject.
#[derive(Clone, Debug)]
pub(super) struct Last {
    pub(super) sequence: u64,
    pub(super) pos: Cursor,
    pub(super) next_pos: Cursor,
    pub(super) token: ClientToken,
    /// The station that published it.
    pub(super) publisher: u64,
    pub(super) data: bytes::Bytes,
}

/// A place in the log: a chunk that is there or will be, and how much of it is known already. No position:
/// those of the next chunk may begin anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot {
    pub(super) seq: Seq,
    /// Bytes of the chunk that come before.
    pub(super) skip: usize,
}

impl Spot {
    /// All of that chunk.
    pub(super) fn at(seq: Seq) -> Self {
        Self { seq, skip: 0 }
    }
}

/// What the log says to what another publisher said last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// The positions are the same: on from here.
    On(Spot),
    /// The log begins behind that, and nothing tells that it is another console: what lies between is a
    /// gap.
    Behind(Spot),
    /// The log has not come so far.
    Wait,
    /// Other positions: with the newest game, from its start.
    Anew(Spot),
}

/// All of a log.
fn live() -> Horizon {
    Horizon::at(Instant::now(), Duration::ZERO)
}

/// The start of the newest game.
pub(super) fn newest_game(log: &Log) -> Spot {
    Spot::at(log.newest_game(live()))
}

/// Looks where `station` goes on behind `last`.
///
/// The positions are the same if the token says so; or if the bytes are: a console gives each client
/// another token, and the one before may have had what we have now.
pub(super) fn place_behind(last: &Last, station: &Station) -> Place {
    let log = &station.log;
    let (Some(first), Some(newest)) = (log.first_of_positions(), log.last()) else {
        return Place::Wait;
    };
    // As far as the log goes back.
    let from = first.pos().max(last.pos);
    if from < last.next_pos && !station.identity().knows(last.token) {
        if newest.next_pos() < last.next_pos {
            return Place::Wait;
        }
        let skip = usize::try_from(from.0 - last.pos.0).unwrap_or(usize::MAX);
        let said = last.data.get(skip..).unwrap_or_default();
        if log.bytes_from(from, said.len()) != said {
            return Place::Anew(newest_game(log));
        }
    }
    if first.pos() >= last.next_pos {
        return Place::Behind(Spot::at(first.seq()));
    }
    match log.resume(last.next_pos, live()) {
        Some(from) => {
            let mut chunk = Vec::new();
            log.read(from.seq, 1, &mut chunk);
            let within = chunk
                .first()
                .filter(|chunk| chunk.seq() == from.seq && chunk.epoch() == newest.epoch());
            let skip = within.map_or(0, |chunk| from.pos.0.saturating_sub(chunk.pos().0));
            Place::On(Spot { seq: from.seq, skip: usize::try_from(skip).unwrap_or(usize::MAX) })
        }
        None if newest.next_pos() < last.next_pos => Place::Wait,
        None => Place::Anew(newest_game(log)),
    }
}

/// Streams for tests.
#[cfg(test)]
pub(super) mod pretend {
    use std::sync::Arc;
    use std::time::Instant;

    use crate::protocol::Cursor;
    use crate::protocol::console::Replay;
    use crate::session::{Divergence, Station, StationId, Writer};

    /// A game with frames of 9 bytes; what differs is `filler`.
    pub(crate) fn game(frames: usize, filler: u8) -> Vec<u8> {
        let mut events = vec![0x35, 7, 0x36, 0, 2, 0x3c, 0, 8];
        events.extend([0x36, 0, filler]);
        for n in 0..frames {
            let frame = (n as i32 - 123).to_be_bytes();
            events.push(0x3c);
            events.extend(frame);
            events.extend(frame);
        }
        events
    }

    /// Writes it in several chunks.
    pub(crate) fn write(writer: &mut Writer, pos: u64, events: &[u8]) {
        let mut at = pos;
        for data in events.chunks(30) {
            let replay = Replay { pos: Cursor(at), force_pos: false, data };
            writer.write(replay, Divergence::NewPositions, Instant::now());
            at += data.len() as u64;
        }
    }

    /// A station that has it.
    pub(crate) fn station(pos: u64, events: &[u8]) -> Arc<Station> {
        let station = Arc::new(Station::new(StationId(1), "Stream"));
        write(&mut Writer::new(station.clone()), pos, events);
        station
    }
}

#[cfg(test)]
mod tests {
    use super::pretend::{game, station};
    use super::*;
    use crate::session::StationId;

    fn last(pos: u64, data: &[u8], token: ClientToken) -> Last {
        Last {
            sequence: 5,
            pos: Cursor(pos),
            next_pos: Cursor(pos).plus(data.len()),
            token,
            publisher: 1,
            data: data.to_vec().into(),
        }
    }

    /// Where the log goes on.
    fn pos_of(place: Place, station: &Station) -> Option<u64> {
        let Place::On(spot) = place else { return None };
        let mut chunks = Vec::new();
        station.log.read(spot.seq, 1, &mut chunks);
        let start = chunks.first().map_or(station.end_pos(), |chunk| chunk.pos());
        Some(start.plus(spot.skip).0)
    }

    #[test]
    fn the_same_bytes_are_the_same_positions() {
        let events = game(20, 1);
        let station = station(1000, &events);
        // A whole number of events into it.
        let said = last(1011, &events[11..47], ClientToken(99));
        assert_eq!(pos_of(place_behind(&said, &station), &station), Some(1047));
        let end = last(1011, &events[11..], ClientToken(99));
        assert_eq!(
            pos_of(place_behind(&end, &station), &station),
            Some(1000 + events.len() as u64)
        );
    }

    #[test]
    fn other_bytes_are_other_positions() {
        let events = game(20, 1);
        let station = station(1000, &events);
        let mut other = events[11..47].to_vec();
        other[3] ^= 1;
        let place = place_behind(&last(1011, &other, ClientToken(99)), &station);
        assert_eq!(place, Place::Anew(Spot::at(Seq(0))));
    }

    #[test]
    fn a_log_that_begins_within_what_was_said_is_compared_from_there() {
        let events = game(20, 1);
        let said = [&[9; 50], &events[..40]].concat();
        let same = station(1000, &events);
        let here = place_behind(&last(950, &said, ClientToken(99)), &same);
        assert_eq!(pos_of(here, &same), Some(1040));
        let other = station(1000, &game(20, 2));
        let place = place_behind(&last(950, &said, ClientToken(99)), &other);
        assert_eq!(place, Place::Anew(Spot::at(Seq(0))));
    }

    #[test]
    fn a_token_that_is_known_needs_no_bytes() {
        let events = game(20, 1);
        let station = station(1000, &events);
        let token = station.identity().token();
        assert_eq!(
            pos_of(place_behind(&last(1011, &[9; 36], token), &station), &station),
            Some(1047)
        );
    }

    #[test]
    fn a_log_that_is_behind_is_waited_for_and_one_that_begins_later_has_a_gap() {
        let events = game(20, 1);
        let station = station(1000, &events);
        let ahead = last(1150, &[9; 100], ClientToken(99));
        assert_eq!(place_behind(&ahead, &station), Place::Wait);
        let long_ago = last(500, &[9; 100], ClientToken(99));
        let start = Spot::at(Seq(0));
        assert_eq!(place_behind(&long_ago, &station), Place::Behind(start));
        let empty = Station::new(StationId(1), "Stream");
        assert_eq!(place_behind(&ahead, &empty), Place::Wait);
    }
}

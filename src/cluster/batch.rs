//! Some chunks of a log as one message.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use async_nats::HeaderMap;
use bytes::Bytes;

use super::message::{Details, Note, path_of};
use super::place::Spot;
use super::trouble::Trouble;
use crate::protocol::{ClientToken, Cursor};
use crate::session::{Chunk, Station};
use crate::unix_time::unix_ns;

/// Event bytes of one message at most, unless a single chunk has more. A server takes a megabyte; an
/// edge can do nothing with a part.
const MAX_MESSAGE: usize = 128 * 1024;

/// Chunks looked at for one message.
const CHUNKS: usize = 512;

/// One message, before it is sent.
pub(super) struct Batch {
    /// Position of the first byte.
    pub(super) pos: Cursor,
    /// The newest token that names the positions.
    pub(super) token: ClientToken,
    /// Where the log goes on behind it.
    pub(super) behind: Spot,
    /// Whether a game begins with its first byte.
    pub(super) starts_game: bool,
    pub(super) headers: HeaderMap,
    pub(super) data: Bytes,
}

impl Batch {
    /// What stands in the station's log at `spot`, as far as it fits into a message; `None` if nothing
    /// has come there.
    ///
    /// # Errors
    /// [`Trouble::TooFar`] if no edge would take it.
    pub(super) fn at(station: &Station, spot: Spot) -> Result<Option<Self>, Trouble> {
        let mut chunks = Vec::new();
        station.log.read(spot.seq, CHUNKS, &mut chunks);
        if chunks.first().is_some_and(|first| first.seq() != spot.seq) {
            tracing::warn!(
                station = %station.name(),
                "NATS was away for longer than the log goes back: edges will see a gap"
            );
        }
        let mut chunks = &*chunks;
        let mut skip = 0;
        if let Some(first) = chunks.first().filter(|first| first.seq() == spot.seq) {
            skip = spot.skip;
            if skip >= first.data().len() {
                (chunks, skip) = (&chunks[1..], 0);
            }
        }
        let Some((first, more)) = chunks.split_first() else { return Ok(None) };
        let together = 1 + how_many_go_on(first, skip, more);
        let chunks = &chunks[..together];
        let last = &chunks[together - 1];
        let data = join(chunks, skip);
        let (pos, next_pos) = (first.pos().plus(skip), last.next_pos());
        let note = Note {
            pos,
            next_pos,
            tokens: station.identity().in_epoch(first.epoch()).tokens().to_vec(),
            lost: first.lost().filter(|_| skip == 0),
            path: path_of(station)?,
        };
        let details = Details {
            frame: chunks.iter().rev().find_map(|chunk| chunk.frame()),
            game: first.game(),
            arrived: on_the_wall(last.arrived()),
        };
        Ok(Some(Self {
            pos,
            token: note.token(),
            behind: Spot::at(last.seq().next()),
            starts_game: first.starts_game() && skip == 0,
            headers: note.headers(&details),
            data,
        }))
    }
}

/// How many of `more` go into the message that begins with `first`.
fn how_many_go_on(first: &Arc<Chunk>, skip: usize, more: &[Arc<Chunk>]) -> usize {
    let mut len = first.data().len() - skip;
    let mut last = first;
    let mut count = 0;
    for chunk in more {
        len += chunk.data().len();
        if !goes_on(last, chunk) || len > MAX_MESSAGE {
            break;
        }
        last = chunk;
        count += 1;
    }
    count
}

/// Whether `next` belongs into the message that ends with `last`.
fn goes_on(last: &Chunk, next: &Chunk) -> bool {
    next.seq() == last.seq().next()
        && next.game() == last.game()
        && next.epoch() == last.epoch()
        && next.pos() == last.next_pos()
        && next.lost().is_none()
        && !next.starts_game()
        && last.in_game()
}

/// Their bytes but the first `skip`: without a copy if it is one chunk.
fn join(chunks: &[Arc<Chunk>], skip: usize) -> Bytes {
    match chunks {
        [one] => one.data().slice(skip..),
        _ => {
            let len: usize = chunks.iter().map(|chunk| chunk.data().len()).sum();
            let mut joined = Vec::with_capacity(len);
            for chunk in chunks {
                joined.extend_from_slice(chunk.data());
            }
            Bytes::from(joined).slice(skip..)
        }
    }
}

/// When that was by the clock on the wall, in nanoseconds since 1970.
fn on_the_wall(moment: Instant) -> u64 {
    let ago = Instant::now().saturating_duration_since(moment);
    let time = SystemTime::now().checked_sub(ago).unwrap_or(UNIX_EPOCH);
    u64::try_from(unix_ns(time)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::place::pretend::{self, station};
    use crate::protocol::RelayId;
    use crate::protocol::console::MAX_HOPS;
    use crate::session::{Seq, Writer};

    fn at(station: &Station, seq: u64, skip: usize) -> Option<Batch> {
        Batch::at(station, Spot { seq: Seq(seq), skip }).unwrap()
    }

    /// All of a log, message by message.
    fn all(station: &Station) -> Vec<Batch> {
        let mut spot = Spot::at(Seq(0));
        let next = || {
            let batch = Batch::at(station, spot).unwrap()?;
            spot = batch.behind;
            Some(batch)
        };
        std::iter::from_fn(next).collect()
    }

    fn note(batch: &Batch) -> Note {
        Note::read(&batch.headers, batch.data.len()).expect("an edge understands it")
    }

    #[test]
    fn what_has_come_meanwhile_is_one_message() {
        let events = pretend::game(20, 1);
        let station = station(1000, &events);
        let batch = at(&station, 0, 0).unwrap();
        assert_eq!((batch.pos, &*batch.data), (Cursor(1000), &*events));
        assert!(batch.starts_game && batch.token == station.identity().token());
        assert_eq!(note(&batch).tokens, station.identity().tokens());
        assert!(Batch::at(&station, batch.behind).unwrap().is_none(), "nothing more has come");
    }

    #[test]
    fn it_begins_within_a_chunk_and_behind_one_whose_bytes_are_known() {
        let events = pretend::game(20, 1);
        let station = station(1000, &events);
        let within = at(&station, 0, 4).unwrap();
        assert_eq!((within.pos, &*within.data), (Cursor(1004), &events[4..]));
        assert!(!within.starts_game, "its beginning is known");
        let first_len = {
            let mut chunks = Vec::new();
            station.log.read(Seq(0), 1, &mut chunks);
            chunks[0].data().len()
        };
        let behind = at(&station, 0, first_len).unwrap();
        assert_eq!(&*behind.data, &events[first_len..]);
        assert!(at(&station, station.log.end().0 - 1, events.len()).is_none());
    }

    #[test]
    fn a_message_holds_one_game_and_no_more_than_a_server_takes() {
        let station = Arc::new(Station::new(crate::session::StationId(1), "Stream"));
        let mut writer = Writer::new(station.clone());
        let long = pretend::game(MAX_MESSAGE / 4, 1);
        pretend::write(&mut writer, 0, &long);
        let second = pretend::game(20, 2);
        pretend::write(&mut writer, long.len() as u64, &second);
        let batches = all(&station);
        assert!(batches.len() > 2);
        assert!(batches.iter().all(|batch| batch.data.len() <= MAX_MESSAGE));
        let starts = batches.iter().filter(|batch| batch.starts_game).count();
        assert_eq!(starts, 2, "each game begins with a message");
        let sent: Vec<u8> = batches.iter().flat_map(|batch| batch.data.to_vec()).collect();
        assert_eq!(sent, [long, second].concat());
    }

    #[test]
    fn behind_a_restart_the_message_has_the_tokens_of_its_positions() {
        let events = pretend::game(20, 1);
        let station = Arc::new(Station::new(crate::session::StationId(1), "Stream"));
        let mut writer = Writer::new(station.clone());
        station.update_identity(|identity| identity.introduce(b"Wii", b"1.9", ClientToken(7)));
        pretend::write(&mut writer, 1000, &events);
        station.update_identity(|identity| identity.introduce_unsure(b"Wii", b"", ClientToken(8)));
        pretend::write(&mut writer, 1000, &pretend::game(20, 2));
        let [old, new] = all(&station).try_into().ok().expect("two messages");
        assert_eq!((old.token, new.token), (ClientToken(7), ClientToken(8)));
        assert_eq!(note(&new).tokens, [ClientToken(8)], "the old ones mean other bytes");
        assert_eq!(note(&new).lost, Some(0));
        assert_eq!((old.pos, new.pos), (Cursor(1000), Cursor(1000)));
        assert_eq!([&*old.data, &*new.data], [&*events, &*pretend::game(20, 2)]);
    }

    #[test]
    fn what_no_edge_would_take_is_not_sent() {
        let station = station(1000, &pretend::game(20, 1));
        station.set_upstream(vec![RelayId(1); MAX_HOPS]);
        let refused = Batch::at(&station, Spot::at(Seq(0)));
        assert!(matches!(refused, Err(Trouble::TooFar)));
    }
}

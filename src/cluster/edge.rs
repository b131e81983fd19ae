//! One station's stream, from NATS to its log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Message;
use async_nats::jetstream::kv::{Operation, Watch};
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::delivery::Delivery;
use super::facts::Facts;
use super::layout::find;
use super::link::{Link, Session};
use super::message::Note;
use super::subject::{subject, token};
use super::trouble::{Teller, Trouble};
use crate::console::Operator;
use crate::protocol::console::{MAX_TOKENS, Replay};
use crate::protocol::{ClientToken, RelayId};
use crate::session::{Divergence, SourceState, Station, Writer, Written};
use crate::slp::EventCode;

/// How long the station's facts may take to come once they are asked for.
const FACTS_TIME: Duration = Duration::from_secs(2);

/// The first and the longest wait before another attempt.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Feeds one station.
pub(super) struct Edge {
    station: Arc<Station>,
    /// What it is called at its publisher.
    name: String,
    link: Arc<Link>,
    operator: Operator,
    writer: Writer,
    facts: Option<Facts>,
    /// The sequence behind the last message that came.
    next: Option<u64>,
    was_connected: bool,
    /// Whether it was told that messages make no sense, or that a game's beginning is gone.
    told_nonsense: bool,
    told_beginning: bool,
}

impl Edge {
    pub(super) fn new(
        station: Arc<Station>,
        name: String,
        link: Arc<Link>,
        operator: Operator,
    ) -> Self {
        Self {
            writer: Writer::new(station.clone()),
            station,
            name,
            link,
            operator,
            facts: None,
            next: None,
            was_connected: false,
            told_nonsense: false,
            told_beginning: false,
        }
    }

    /// The station's source is another one now, of which nothing is known.
    pub(super) fn redirect(&mut self, name: String, link: Arc<Link>) {
        (self.name, self.link) = (name, link);
        (self.facts, self.next) = (None, None);
        self.set_source(SourceState::Connecting);
    }

    /// Follows for ever. Safe to give up: it can be called again.
    pub(super) async fn run(&mut self) {
        let mut teller = Teller::default();
        let mut wait = FIRST_WAIT;
        loop {
            let session = self.link.session().await;
            session.is_up().await;
            let begun = Instant::now();
            let Err(trouble) = self.follow(&session, &mut teller).await;
            if teller.is_news(&trouble) {
                tracing::warn!(
                    station = %self.station.name(),
                    "{}/{}: {trouble}; trying again until it works",
                    self.link.server,
                    self.name
                );
            }
            let state = match trouble {
                Trouble::Loop => SourceState::Loop,
                _ => SourceState::Connecting,
            };
            self.set_source(state);
            if begun.elapsed() > LONGEST_WAIT {
                wait = FIRST_WAIT;
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn follow(
        &mut self,
        session: &Session,
        teller: &mut Teller,
    ) -> Result<std::convert::Infallible, Trouble> {
        let (stream, bucket) = find(&session.jetstream).await?;
        let token = token(&self.name);
        let failed = Trouble::call("the station's facts cannot be had");
        let mut watch = bucket.watch_with_history(&token).await.map_err(|error| failed(&error))?;
        let facts = timeout(FACTS_TIME, next_facts(&mut watch)).await.ok().flatten();
        let absent = || Trouble::Absent("no such station is published there yet".into());
        self.heed(facts.ok_or_else(absent)?)?;
        // A stream that was made anew has other sequences.
        let end = stream.cached_info().state.last_sequence;
        let start = self.facts.as_ref().and_then(|facts| facts.game_start);
        let from = self.next.filter(|&next| next <= end.saturating_add(1)).or(start);
        let mut delivery = Delivery::start(session, &subject(&token), from).await?;
        teller.is_well();
        if std::mem::replace(&mut self.was_connected, true) {
            self.station.stats.reconnects.add(1);
        }
        tracing::info!(
            station = %self.station.name(),
            nick = %String::from_utf8_lossy(self.station.identity().nick()),
            "connected to {}/{}", self.link.server, self.name
        );
        self.show_source();
        loop {
            tokio::select! {
                facts = next_facts(&mut watch) => match facts {
                    Some(facts) => {
                        self.heed(facts)?;
                        self.show_source();
                    }
                    None => return Err(absent()),
                },
                message = delivery.next() => {
                    let (sequence, message) = message?;
                    self.next = Some(sequence.saturating_add(1));
                    self.take(&message)?;
                }
            }
        }
    }

    /// The facts are others now.
    fn heed(&mut self, facts: Facts) -> Result<(), Trouble> {
        self.check_path(&facts.path().unwrap_or_default())?;
        let known = self.station.identity();
        let (nick, version) = (facts.nick(), facts.version());
        if (known.nick(), known.version()) != (&*nick, version) {
            // Its tokens come with the bytes whose positions they name.
            self.station.update_identity(|identity| identity.introduce_by_name(&nick, version));
        }
        self.facts = Some(facts);
        Ok(())
    }

    fn check_path(&self, path: &[RelayId]) -> Result<(), Trouble> {
        if path.contains(&self.station.relay_id) {
            return Err(Trouble::Loop);
        }
        self.station.set_upstream(path.to_vec());
        Ok(())
    }

    fn take(&mut self, message: &Message) -> Result<(), Trouble> {
        let data = &*message.payload;
        let note = message.headers.as_ref().and_then(|headers| Note::read(headers, data.len()));
        let Some(note) = note else {
            if !std::mem::replace(&mut self.told_nonsense, true) {
                tracing::warn!(
                    station = %self.station.name(),
                    "{}/{}: messages that are none of andross's are left out",
                    self.link.server, self.name
                );
            }
            return Ok(());
        };
        self.check_path(&note.path)?;
        let is_start = data.first().map(|&code| EventCode(code)) == Some(EventCode::EVENT_PAYLOADS);
        if self.writer.end().is_none() && !is_start {
            if !std::mem::replace(&mut self.told_beginning, true) {
                tracing::warn!(
                    station = %self.station.name(),
                    "NATS no longer has the beginning of the game that is on: waiting for the next \
                     (--publish-max-age and --publish-max-bytes of the publisher say what is kept)"
                );
            }
            return Ok(());
        }
        self.told_beginning = false;
        let written = self.write(&note, data);
        self.operator.announce(self.station.id, written, false);
        Ok(())
    }

    fn write(&mut self, note: &Note, data: &[u8]) -> Written {
        let newest = note.token();
        let is_new = newest != ClientToken::NONE && !self.station.identity().knows(newest);
        let is_first = self.writer.end().is_none();
        if is_new || is_first {
            let facts = self.facts.as_ref();
            let nick = facts.map(Facts::nick).unwrap_or_default();
            let version = facts.map(|facts| facts.version().to_vec()).unwrap_or_default();
            self.station.update_identity(|identity| {
                if is_first {
                    identity.set_start(note.pos);
                }
                match (is_new, is_first) {
                    (true, true) => identity.introduce(&nick, &version, newest),
                    (true, false) => identity.introduce_unsure(&nick, &version, newest),
                    (false, _) => {}
                }
            });
        }
        if let Some(lost) = note.lost
            && self.writer.end() == Some(note.pos)
        {
            self.writer.note_gap(lost);
        }
        let replay = Replay { pos: note.pos, force_pos: false, data };
        let written = self.writer.write(replay, Divergence::NewPositions, Instant::now());
        if !self.writer.is_repeating() {
            self.accept(&note.tokens, is_new);
        }
        written
    }

    /// The positions are those of the bytes that came: so are all the tokens that came with them.
    fn accept(&self, tokens: &[ClientToken], is_new: bool) {
        let identity = self.station.identity();
        let earlier = tokens.split_last().map_or(tokens, |(_, earlier)| earlier);
        let is_known = earlier.iter().all(|token| identity.knows(*token));
        // Of very many the station keeps only the newest.
        if is_new || !is_known && identity.tokens().len() < MAX_TOKENS {
            self.station.update_identity(|identity| {
                identity.accept_offered();
                earlier.iter().rev().for_each(|token| identity.recognise(*token));
            });
        }
    }

    /// Its console's stream is on if the publisher says so.
    fn show_source(&self) {
        let connected = self.facts.as_ref().is_some_and(|facts| facts.connected);
        self.set_source(if connected { SourceState::Connected } else { SourceState::Connecting });
    }

    fn set_source(&self, state: SourceState) {
        if self.station.set_source(state) {
            self.operator.announce(self.station.id, Written::default(), true);
        }
    }
}

/// The next facts; `None` when there are none any more. Safe to give up waiting.
async fn next_facts(watch: &mut Watch) -> Option<Facts> {
    loop {
        match watch.next().await {
            Some(Ok(entry)) if entry.operation == Operation::Put => {
                if let Some(facts) = Facts::read(&entry.value) {
                    return Some(facts);
                }
            }
            // Removed by hand.
            Some(Ok(_)) | None => return None,
            // It goes on by itself.
            Some(Err(error)) => tracing::debug!("facts: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::place::pretend;
    use crate::config::SourceTiming;
    use crate::console::ConsoleThread;
    use crate::protocol::Cursor;
    use crate::session::{Announcer, StationId};
    use crate::shutdown::Shutdown;

    /// An edge that is told everything by hand.
    fn edge() -> Edge {
        let station = Arc::new(Station::new(StationId(1), "Stream"));
        let console =
            ConsoleThread::new(SourceTiming::default(), Announcer::new(), Shutdown::new()).unwrap();
        Edge::new(station, "Stream".into(), Link::nowhere(), console.operator())
    }

    /// The facts of a console that has these tokens.
    fn facts(tokens: &[u32]) -> Facts {
        let station = Station::new(StationId(9), "Stream");
        station.update_identity(|identity| {
            tokens.iter().for_each(|&it| identity.introduce(b"Wii", b"1.9", ClientToken(it)));
        });
        Facts::of(&station, None)
    }

    fn say(edge: &mut Edge, pos: u64, tokens: &[u32], data: &[u8]) {
        let note = Note {
            pos: Cursor(pos),
            next_pos: Cursor(pos).plus(data.len()),
            tokens: tokens.iter().copied().map(ClientToken).collect(),
            lost: None,
            path: vec![RelayId(9)],
        };
        edge.write(&note, data);
    }

    fn knows(edge: &Edge, token: u32) -> bool {
        edge.station.identity().knows(ClientToken(token))
    }

    #[test]
    fn tokens_come_with_the_bytes_whose_positions_they_name() {
        let mut edge = edge();
        let game = pretend::game(20, 1);
        edge.heed(facts(&[1, 2])).unwrap();
        assert_eq!(edge.station.identity().nick(), b"Wii");
        assert!(!knows(&edge, 1) && !knows(&edge, 2), "whose positions is not known yet");
        say(&mut edge, 0, &[1, 2], &game);
        assert!(knows(&edge, 1) && knows(&edge, 2));
        assert_eq!(edge.station.identity().token(), ClientToken(2));
    }

    #[test]
    fn facts_that_are_early_or_late_put_no_token_into_the_wrong_positions() {
        let mut edge = edge();
        let game = pretend::game(20, 1);
        say(&mut edge, 0, &[1, 2], &game);
        // The console was restarted: the facts are there before its bytes are.
        edge.heed(facts(&[3])).unwrap();
        assert!(!knows(&edge, 3), "token 3 means other bytes");
        say(&mut edge, 0, &[3], &pretend::game(20, 2));
        assert!(knows(&edge, 3) && !knows(&edge, 1) && !knows(&edge, 2));
        // And those from before, behind them.
        edge.heed(facts(&[1, 2])).unwrap();
        assert!(!knows(&edge, 1) && !knows(&edge, 2));
    }

    #[test]
    fn a_token_is_not_believed_while_the_bytes_only_repeat() {
        let mut edge = edge();
        let game = pretend::game(20, 1);
        say(&mut edge, 0, &[1], &game);
        say(&mut edge, 0, &[1, 2], &game[..11]);
        assert!(!knows(&edge, 2));
        say(&mut edge, 11, &[1, 2], &game[11..]);
        let frame = [0x3c, 0, 0, 0, 1, 0, 0, 0, 1];
        say(&mut edge, game.len() as u64, &[1, 2], &frame);
        assert!(knows(&edge, 1) && knows(&edge, 2), "the positions are the same");
    }
}

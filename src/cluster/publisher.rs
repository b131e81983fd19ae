//! One station's stream, from its log to NATS.
//!
//! At most one message is on the way, and it names the one before it
//! (`Nats-Expected-Last-Subject-Sequence`): the server takes it only if nobody else has said anything
//! meanwhile. What arrives in the log until the acknowledgement comes goes into the next message, so
//! far servers cost larger messages and not a queue. Whenever it is not sure what the server has (an
//! answer was lost, somebody else published), the publisher asks for the newest message and goes on
//! behind it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use tokio::time::{sleep, timeout};

use super::batch::Batch;
use super::facts::Facts;
use super::keeper::Keeper;
use super::layout::establish;
use super::lease::{Claim, Note as LeaseNote};
use super::link::{Link, Session};
use super::message::{Note, path_of};
use super::place::{Last, Newest, Place, Spot, newest_game, place_behind};
use super::subject::{STREAM, subject, token};
use super::trouble::{Teller, Trouble};
use crate::config::PublishConfig;
use crate::session::{Ear, News, Seq, Station};
use crate::shutdown::Shutdown;

/// How long it is waited for a log that has not come so far as the stream: a console sends a game that
/// is on within a second to whom it does not know.
const GRACE: Duration = Duration::from_secs(3);

/// Before another attempt when something went wrong.
const RETRY: Duration = Duration::from_millis(200);

/// So often in a row somebody else can be faster by chance.
const MAX_REFUSALS: u32 = 10;

/// How long the rest of the log may take at the end. Less than the relay gives its threads.
const LAST_TIME: Duration = Duration::from_secs(2);

/// Publishes one station.
pub(super) struct Publisher {
    station: Arc<Station>,
    /// The station's name as subjects have it. One that is renamed is another one there.
    token: String,
    config: PublishConfig,
    link: Arc<Link>,
    ear: Ear,
    shutdown: Shutdown,
    /// Whether the station was ours before: then it is waited for whoever has it now.
    had_it: bool,
    /// Whether it was told that another publisher is waited for, or that somebody else writes there.
    told_waiting: bool,
    told_foreign: bool,
    /// What the server has surely, and where the log goes on.
    acknowledged: Option<(u64, Spot)>,
    /// What may have come, too.
    sent: Option<Batch>,
    /// Whether the next message goes without an id: the server remembers the ids of messages, too, that
    /// it has refused or lost, and would take it for one of those. The fence makes it no duplicate.
    is_id_used: bool,
    /// Messages refused in a row, though the server was asked in between what it has.
    refusals: u32,
}

/// Why a publisher ends.
enum End {
    /// Everybody does.
    Shutdown,
    /// Another relay has the station.
    Refused,
}

impl Publisher {
    pub(super) fn new(
        station: Arc<Station>,
        name: &str,
        config: PublishConfig,
        link: Arc<Link>,
        news: &News,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            token: token(name),
            ear: news.listen(&station),
            station,
            config,
            link,
            shutdown,
            had_it: false,
            told_waiting: false,
            told_foreign: false,
            acknowledged: None,
            sent: None,
            is_id_used: false,
            refusals: 0,
        }
    }

    /// Publishes until the relay ends.
    pub(super) async fn run(mut self) {
        let mut teller = Teller::default();
        loop {
            match self.publish(&mut teller).await {
                Ok(End::Shutdown) => return,
                Ok(End::Refused) => {
                    // It stays refused: whoever wants to take over says so.
                    return self.shutdown.requested().await;
                }
                Err(trouble) if teller.is_news(&trouble) => tracing::warn!(
                    station = %self.station.name(),
                    "publishing to {}: {trouble}; trying again until it works",
                    self.link.server
                ),
                Err(_) => {}
            }
            tokio::select! {
                () = sleep(RETRY) => {}
                () = self.shutdown.requested() => return,
            }
        }
    }

    async fn publish(&mut self, teller: &mut Teller) -> Result<End, Trouble> {
        let shutdown = self.shutdown.clone();
        let session = tokio::select! {
            session = self.link.session() => session,
            () = shutdown.requested() => return Ok(End::Shutdown),
        };
        tokio::select! {
            () = session.is_up() => {}
            () = shutdown.requested() => return Ok(End::Shutdown),
        }
        // Before anything is said of the station there.
        path_of(&self.station)?;
        let (stream, bucket) = establish(&session.jetstream, &self.config).await?;
        let address = session.own_address();
        let mut note = LeaseNote::new(bucket.clone(), &self.token, &self.station, address);
        let waits = self.config.standby || self.had_it;
        let claim = tokio::select! {
            claim = note.claim(&self.station, waits, &mut self.told_waiting) => claim?,
            () = shutdown.requested() => return Ok(End::Shutdown),
        };
        let revision = match claim {
            Claim::Ours(revision) => revision,
            Claim::Theirs(address) => {
                tracing::error!(
                    station = %self.station.name(),
                    "{}: another relay (seen from {address}) publishes a station of this name: it is \
                     not published here; give one of them another name, or start this one with \
                     --standby to take over when that one is gone",
                    self.link.server
                );
                return Ok(End::Refused);
            }
        };
        (self.had_it, self.told_waiting) = (true, false);
        let known = bucket.get(&self.token).await;
        let known = known.map_err(|error| Trouble::call("the station's facts")(&error))?;
        let game_start = known.and_then(|value| Facts::read(&value)?.game_start);
        let (station, token) = (self.station.clone(), self.token.clone());
        let keeper = Keeper::start(note, token, station, revision, game_start, &shutdown);
        tracing::info!(station = %self.station.name(), "published to {}", self.link.server);
        teller.is_well();
        let end = tokio::select! {
            trouble = self.feed(&session, &stream, &keeper) => Err(trouble),
            () = keeper.lost() => {
                tracing::warn!(
                    station = %self.station.name(),
                    "{}: another relay has taken over the station; waiting until that one is gone",
                    self.link.server
                );
                return Err(Trouble::Absent("another relay publishes the station".into()));
            }
            () = shutdown.requested() => Ok(End::Shutdown),
        };
        if end.is_ok() {
            // What is still in the log; then the next publisher need not wait.
            let rest = self.feed_rest(&session, &stream, &keeper);
            let _ = timeout(LAST_TIME, rest).await;
            if let Some(revision) = keeper.revision() {
                drop(keeper);
                let note = LeaseNote::new(bucket, &self.token, &self.station, String::new());
                let _ = timeout(RETRY, note.release(revision)).await;
            }
        }
        end
    }

    /// Sends what comes into the log, until something goes wrong.
    async fn feed(&mut self, session: &Session, stream: &Stream, keeper: &Keeper) -> Trouble {
        loop {
            match self.feed_some(session, stream, keeper).await {
                Ok(true) => {}
                Ok(false) => self.ear.rung().await,
                Err(trouble) => return trouble,
            }
        }
    }

    /// Sends what is in the log.
    async fn feed_rest(&mut self, session: &Session, stream: &Stream, keeper: &Keeper) {
        while let Ok(true) = self.feed_some(session, stream, keeper).await {}
    }

    /// Sends the next message; false if there is nothing to send.
    async fn feed_some(
        &mut self,
        session: &Session,
        stream: &Stream,
        keeper: &Keeper,
    ) -> Result<bool, Trouble> {
        let (last, spot) = match (self.acknowledged, &self.sent) {
            (Some(acknowledged), None) => acknowledged,
            _ => self.find_place(session, stream, keeper).await?,
        };
        let Some(batch) = Batch::at(&self.station, spot)? else { return Ok(false) };
        let mut headers = batch.headers.clone();
        if !self.is_id_used {
            // A message that is sent again is none more: the server remembers these for two minutes,
            // for the whole stream.
            let id = format!("{}:{}:{}", self.token, batch.token, batch.pos);
            headers.insert(NATS_MESSAGE_ID, id);
        }
        let message = PublishMessage::build()
            .headers(headers)
            .payload(batch.data.clone())
            .expected_last_subject_sequence(last)
            .expected_stream(STREAM);
        self.sent = Some(batch);
        let context = &session.jetstream;
        let acknowledged = match context.send_publish(subject(&self.token), message).await {
            Ok(acknowledged) => acknowledged.await,
            Err(error) => Err(error),
        };
        match acknowledged {
            Ok(acknowledged) if !acknowledged.duplicate => {
                self.was_stored(acknowledged.sequence, keeper);
            }
            // It may be the one before, or nothing at all.
            Ok(_) => self.is_id_used = true,
            // It is looked what the server has, which is no trouble.
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                tracing::debug!(station = %self.station.name(), "another message was there first");
                self.is_id_used = true;
                self.refusals = self.refusals.saturating_add(1);
                if self.refusals > MAX_REFUSALS {
                    self.refusals = 0;
                    return Err(Trouble::call("it refuses what it asks for")(&error));
                }
            }
            Err(error) => return Err(Trouble::call("it does not take a message")(&error)),
        }
        Ok(true)
    }

    fn was_stored(&mut self, sequence: u64, keeper: &Keeper) {
        let Some(batch) = self.sent.take() else { return };
        if batch.starts_game {
            keeper.game_starts(sequence);
        }
        self.acknowledged = Some((sequence, batch.behind));
        (self.is_id_used, self.refusals) = (false, 0);
    }

    /// Asks the server what it has, and looks where the log goes on behind that: the sequence of the
    /// newest message (0: none), and the place.
    async fn find_place(
        &mut self,
        session: &Session,
        stream: &Stream,
        keeper: &Keeper,
    ) -> Result<(u64, Spot), Trouble> {
        let since = Instant::now();
        loop {
            session.is_up().await;
            let newest = self.newest(stream).await?;
            let sequence = newest.sequence();
            let place = match (&newest, self.acknowledged, &self.sent) {
                // Nobody has said anything since, neither did what was sent come.
                (_, Some((known, spot)), _) if sequence == known && sequence > 0 => Place::On(spot),
                // It came, and only the answer was lost.
                (Newest::Message(last), _, Some(sent)) if self.is_it(last, sent) => {
                    let spot = sent.behind;
                    self.was_stored(sequence, keeper);
                    Place::On(spot)
                }
                (Newest::Message(last), _, _) => {
                    let place = place_behind(last, &self.station);
                    if matches!(place, Place::On(_)) {
                        self.recognise(last);
                    }
                    place
                }
                // What is before it is not known. An edge recognises what it has.
                (Newest::Foreign(_), Some((_, spot)), _) => Place::On(spot),
                // The server has lost everything, or let go of it. Who comes now is to see the game
                // that is on from its start.
                (Newest::Nothing, Some((_, spot)), _) if !self.is_in_game(spot) => Place::On(spot),
                (Newest::Nothing | Newest::Foreign(_), _, _) => {
                    Place::On(newest_game(&self.station.log))
                }
            };
            let spot = match place {
                Place::Wait if since.elapsed() < GRACE => {
                    let _ = timeout(RETRY, self.ear.rung()).await;
                    continue;
                }
                Place::Wait if self.station.log.last().is_none() => {
                    self.ear.rung().await;
                    continue;
                }
                Place::Wait => newest_game(&self.station.log),
                Place::On(spot) | Place::Behind(spot) | Place::Anew(spot) => spot,
            };
            self.sent = None;
            self.acknowledged = Some((sequence, spot));
            return Ok((sequence, spot));
        }
    }

    /// Whoever resumes with that token means these positions.
    fn recognise(&self, last: &Last) {
        if !self.station.identity().knows(last.token) {
            self.station.update_identity(|identity| identity.recognise(last.token));
        }
    }

    fn is_in_game(&self, spot: Spot) -> bool {
        let mut before = Vec::new();
        self.station.log.read(Seq(spot.seq.0.saturating_sub(1)), 1, &mut before);
        before.first().is_some_and(|chunk| chunk.seq() < spot.seq && chunk.in_game())
    }

    /// Whether `last` is what was sent.
    fn is_it(&self, last: &Last, sent: &Batch) -> bool {
        last.publisher == self.station.relay_id.0
            && (last.pos, last.token) == (sent.pos, sent.token)
            && last.data == sent.data
    }

    /// The newest message of the subject, asked of the stream's leader.
    async fn newest(&mut self, stream: &Stream) -> Result<Newest, Trouble> {
        let message = match stream.get_last_raw_message_by_subject(&subject(&self.token)).await {
            Ok(message) => message,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return Ok(Newest::Nothing);
            }
            Err(error) => return Err(Trouble::call("its stream does not answer")(&error)),
        };
        let Some(note) = Note::read(&message.headers, message.payload.len()) else {
            if !std::mem::replace(&mut self.told_foreign, true) {
                tracing::warn!(
                    station = %self.station.name(),
                    "{}: message {} of the stream `{STREAM}` is none of andross's: somebody else \
                     publishes to {}; going on behind it",
                    self.link.server, message.sequence, subject(&self.token)
                );
            }
            return Ok(Newest::Foreign(message.sequence));
        };
        Ok(Newest::Message(Last {
            sequence: message.sequence,
            pos: note.pos,
            next_pos: note.next_pos,
            token: note.token(),
            publisher: note.path.first().map_or(0, |id| id.0),
            data: message.payload,
        }))
    }
}

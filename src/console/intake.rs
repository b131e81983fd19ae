//! What comes from a source, whatever it speaks, into the station's log.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use crate::net::{Fill, ReadBuffer};
use crate::protocol::console::{
    ConsoleError, Handshake, HandshakeReply, LENGTH_PREFIX, MAX_HOPS, MAX_MESSAGE_LEN,
    MAX_TEXT_LEN, Message, RelayNotice, Replay, split_message,
};
use crate::protocol::spectator::{self, ConnectRequest, Follower, Place, SpectatorError, Step};
use crate::protocol::{ClientToken, Cursor, Dialect, detect_dialect, raw};
use crate::session::{Divergence, Identity, Station, Writer, Written};
use crate::slp::EventCode;
use thiserror::Error;

/// Why a source is of no use.
#[derive(Debug, Error)]
pub(super) enum IntakeError {
    #[error("it does not speak Slippi's console protocol: {0}")]
    Protocol(#[from] ConsoleError),
    #[error("it does not speak Dolphin's spectator protocol: {0}")]
    Dolphin(#[from] SpectatorError),
    #[error("Dolphin has ended the emulation")]
    DolphinClosed,
    #[error("its stream comes from this station: the relays feed each other in a loop")]
    Loop,
    #[error("its stream comes through more than {MAX_HOPS} relays")]
    TooManyHops,
}

/// Decodes one source's bytes. It outlives connections: the log goes on from one to the next.
pub(super) struct Intake {
    station: Arc<Station>,
    writer: Writer,
    buffer: ReadBuffer,
    /// What names the positions of what the log has; shown to resume.
    token: ClientToken,
    /// Where the messages of a Dolphin are followed to.
    follower: Follower,
    /// What the console gave us, but has not begun where we asked it to: it may have been restarted,
    /// so this names the log's positions only once its bytes have joined the log.
    offered: Option<ClientToken>,
    stream: Stream,
    /// Where the next events of a stream without positions belong; `None` if that must show.
    pos: Option<Cursor>,
}

/// What this connection speaks.
enum Stream {
    /// Too few bytes have come to tell.
    Unknown,
    Console {
        /// The reply has come; a second one means nothing.
        is_greeted: bool,
    },
    Raw(Box<raw::Decoder>),
    Dolphin,
}

impl Intake {
    pub(super) fn new(station: Arc<Station>) -> Self {
        Self {
            writer: Writer::new(station.clone()),
            buffer: ReadBuffer::new(LENGTH_PREFIX + MAX_MESSAGE_LEN),
            token: ClientToken::NONE,
            offered: None,
            follower: Follower::default(),
            stream: Stream::Unknown,
            pos: None,
            station,
        }
    }

    /// A new connection begins to what is no Dolphin. Returns what to say to a console, so that it goes
    /// on where the last connection ended.
    pub(super) fn begin(&mut self, is_raw: bool) -> Handshake {
        self.begin_anew(Stream::Unknown);
        if is_raw {
            self.begin_stream(Dialect::Raw);
        }
        Handshake {
            cursor: self.writer.resume_at().unwrap_or_default(),
            token: self.token,
            realtime: true,
            relay: Some(self.station.relay_id),
        }
    }

    /// A new connection to a Dolphin begins. Returns what to say to it.
    pub(super) fn begin_dolphin(&mut self) -> ConnectRequest {
        self.begin_anew(Stream::Dolphin);
        self.follower.begin()
    }

    fn begin_anew(&mut self, stream: Stream) {
        self.buffer.clear();
        self.writer.reconnected();
        self.stream = stream;
        self.pos = None;
        self.offered = None;
        self.station.set_upstream(Vec::new());
    }

    /// Whether the source has answered, so that the connection is ours.
    pub(super) fn is_greeted(&self) -> bool {
        match self.stream {
            Stream::Dolphin => self.follower.is_greeted(),
            _ => self.dialect().is_some(),
        }
    }

    /// What is spoken over TCP, once that is known.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match self.stream {
            Stream::Unknown | Stream::Dolphin => None,
            Stream::Console { .. } => Some(Dialect::Console),
            Stream::Raw { .. } => Some(Dialect::Raw),
        }
    }

    /// Reads once from the socket.
    pub(super) fn fill(&mut self, source: &mut impl Read) -> io::Result<Fill> {
        self.buffer.fill(source)
    }

    /// Decodes what has been read, as far as it is whole.
    pub(super) fn decode(&mut self, now: Instant) -> Result<Written, IntakeError> {
        if matches!(self.stream, Stream::Unknown)
            && let Some(dialect) = detect_dialect(self.buffer.unread())
        {
            self.begin_stream(dialect);
        }
        match self.dialect() {
            None => Ok(Written::default()),
            Some(Dialect::Console) => self.decode_console(now),
            Some(Dialect::Raw) => Ok(self.decode_raw(now)),
        }
    }

    fn begin_stream(&mut self, dialect: Dialect) {
        self.stream = match dialect {
            Dialect::Console => Stream::Console { is_greeted: false },
            Dialect::Raw => {
                tracing::info!(station = %self.station.name(), "connected to a raw source");
                Stream::Raw(Box::default())
            }
        };
    }

    fn decode_console(&mut self, now: Instant) -> Result<Written, IntakeError> {
        let mut written = Written::default();
        while let Some(body) = split_message(self.buffer.unread(), MAX_MESSAGE_LEN)? {
            match Message::decode(body)? {
                Message::Reply(reply) => {
                    if let Stream::Console { is_greeted } = &mut self.stream
                        && !std::mem::replace(is_greeted, true)
                    {
                        let asked = self.writer.resume_at();
                        if asked.is_none_or(|asked| asked == reply.pos) {
                            self.token = reply.token;
                        } else {
                            self.offered = Some(reply.token);
                        }
                        introduce(&self.station, &reply, asked);
                    }
                }
                Message::Replay(replay) => {
                    written.merge(self.writer.write(replay, Divergence::NewPositions, now));
                    if !self.writer.is_repeating()
                        && let Some(token) = self.offered.take()
                    {
                        self.token = token;
                        self.station.update_identity(Identity::accept_offered);
                    }
                }
                Message::Notice(notice) => {
                    // All tokens of a notice name the same positions; those of a token that it
                    // lacks are over, though bytes of them may still come if the relay has a delay.
                    let newest = notice.tokens.last().copied();
                    for held in std::iter::once(&mut self.token).chain(&mut self.offered) {
                        if notice.tokens.contains(held) {
                            *held = newest.unwrap_or(*held);
                        }
                    }
                    follow(&self.station, notice)?;
                }
                Message::KeepAlive | Message::Unknown(_) => {}
            }
            let len = LENGTH_PREFIX + body.len();
            self.buffer.consume(len);
        }
        Ok(written)
    }

    fn decode_raw(&mut self, now: Instant) -> Written {
        let Stream::Raw(decoder) = &mut self.stream else {
            return Written::default();
        };
        let mut events = Vec::new();
        let decoded = decoder.decode(self.buffer.unread(), &mut events);
        self.buffer.consume(decoded.consumed);
        if decoded.lost > 0 {
            self.writer.note_gap(decoded.lost as u64);
        }
        self.write_unplaced(&events, Divergence::NewGame, now)
    }

    /// Takes a packet from a Dolphin; returns what to ask it for.
    pub(super) fn take_packet(
        &mut self,
        packet: &[u8],
        now: Instant,
    ) -> Result<(Written, Option<ConnectRequest>), IntakeError> {
        let mut written = Written::default();
        // Dolphin says one now and then; it means nothing.
        if packet.is_empty() {
            return Ok((written, None));
        }
        match self.follower.take(spectator::Message::decode(packet)?) {
            Step::Nothing => {}
            Step::Greeted { nick, version, cursor, is_resumed } => {
                let (nick, version) = (short(&nick), short(&version));
                introduce_dolphin(&self.station, nick, version);
                tracing::info!(
                    station = %self.station.name(),
                    nick, dolphin = version, cursor, resumed = is_resumed,
                    "connected to Dolphin"
                );
            }
            Step::Take(place, events) => {
                if place == Place::Anew {
                    self.writer.reconnected();
                    self.pos = None;
                } else if self.pos.is_none() {
                    self.pos = self.writer.resume_at();
                }
                written = self.write_unplaced(&events, Divergence::Gap, now);
            }
            Step::Ask(request) => return Ok((written, Some(request))),
            Step::HangUp => return Err(IntakeError::DolphinClosed),
        }
        Ok((written, None))
    }

    /// Raw sources and Dolphins have no positions: events get those that follow the log's end. Both
    /// send their game from the start to whom they do not know, so the first events of such a
    /// connection are put where the newest game began; if it is that game, the writer skips what it
    /// has.
    fn write_unplaced(&mut self, events: &[u8], otherwise: Divergence, now: Instant) -> Written {
        let Some(&first) = events.first() else {
            return Written::default();
        };
        let end = self.writer.resume_at().unwrap_or_default();
        let at = self.pos.unwrap_or_else(|| {
            let is_start = EventCode(first) == EventCode::EVENT_PAYLOADS;
            let game = self.station.log.newest_game_pos().filter(|_| is_start);
            if game.is_none() && (!is_start || otherwise == Divergence::Gap) {
                self.writer.note_gap(0);
            }
            game.unwrap_or(end)
        });
        let replay = Replay { pos: at, force_pos: false, data: events };
        let written = self.writer.write(replay, otherwise, now);
        self.pos = if self.writer.is_repeating() {
            Some(at.plus(events.len()))
        } else {
            self.writer.resume_at()
        };
        written
    }
}

/// What a Dolphin says of itself, as far as a name goes: a packet of its has room for 256 KiB.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_LEN)]
}

/// Tells the station who its Dolphin is.
fn introduce_dolphin(station: &Station, nick: &str, version: &str) {
    station.update_identity(|identity| {
        identity.introduce_dolphin(nick.as_bytes(), version.as_bytes());
    });
}

/// The source is a relay and says by which way its stream comes, and who the console is.
fn follow(station: &Station, notice: RelayNotice<'_>) -> Result<(), IntakeError> {
    if notice.path.contains(&station.relay_id) {
        return Err(IntakeError::Loop);
    }
    if notice.path.len() > MAX_HOPS {
        return Err(IntakeError::TooManyHops);
    }
    station.set_upstream(notice.path);
    let known = station.identity();
    let Some(&newest) = notice.tokens.last() else { return Ok(()) };
    let is_known = notice.tokens.iter().all(|token| known.knows(*token));
    if !is_known
        || (known.token(), known.nick(), known.version())
            != (newest, &*notice.nick, &*notice.version)
    {
        station.update_identity(|identity| {
            for token in notice.tokens {
                identity.introduce(&notice.nick, &notice.version, token);
            }
        });
    }
    Ok(())
}

/// Tells the station who its console is. `asked` is where the relay wanted to go on.
fn introduce(station: &Station, reply: &HandshakeReply<'_>, asked: Option<Cursor>) {
    station.update_identity(|identity| match asked {
        Some(asked) if asked != reply.pos => {
            identity.introduce_unsure(&reply.nick, &reply.version, reply.token);
        }
        _ => {
            identity.introduce(&reply.nick, &reply.version, reply.token);
            if asked.is_none() {
                identity.set_start(reply.pos);
            }
        }
    });
    tracing::info!(
        station = %station.name(),
        nick = %String::from_utf8_lossy(&reply.nick),
        nintendont = %String::from_utf8_lossy(&reply.version),
        pos = reply.pos.0,
        resumed = asked == Some(reply.pos),
        "connected to the console"
    );
}

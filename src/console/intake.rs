//! What comes from a source, whatever it speaks, into the station's log.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use crate::net::{Fill, ReadBuffer};
use crate::protocol::console::{
    ConsoleError, Handshake, HandshakeReply, LENGTH_PREFIX, MAX_HOPS, MAX_MESSAGE_LEN, Message,
    RelayNotice, Replay, split_message,
};
use crate::protocol::{ClientToken, Cursor, Protocol, detect_protocol, raw};
use crate::session::{Divergence, Identity, Station, Writer, Written};
use crate::slp::EventCode;
use thiserror::Error;

/// Why a source is of no use.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(super) enum IntakeError {
    #[error("it does not speak Slippi's console protocol: {0}")]
    Protocol(#[from] ConsoleError),
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
    /// What the console gave us, but has not begun where we asked it to: it may have been restarted,
    /// so this names the log's positions only once its bytes have joined the log.
    offered: Option<ClientToken>,
    stream: Stream,
}

/// What this connection speaks.
enum Stream {
    /// Too few bytes have come to tell.
    Unknown,
    Console {
        /// The reply has come; a second one means nothing.
        is_greeted: bool,
    },
    Raw {
        decoder: Box<raw::Decoder>,
        /// Where the next events belong; `None` before the first.
        pos: Option<Cursor>,
    },
}

impl Intake {
    pub(super) fn new(station: Arc<Station>) -> Self {
        Self {
            writer: Writer::new(station.clone()),
            buffer: ReadBuffer::new(LENGTH_PREFIX + MAX_MESSAGE_LEN),
            token: ClientToken::NONE,
            offered: None,
            stream: Stream::Unknown,
            station,
        }
    }

    /// A new connection begins. Returns what to say to a console, so that it goes on where the last
    /// connection ended.
    pub(super) fn begin(&mut self, is_raw: bool) -> Handshake {
        self.buffer.clear();
        self.writer.reconnected();
        self.stream = Stream::Unknown;
        self.offered = None;
        self.station.set_upstream(Vec::new());
        if is_raw {
            self.begin_stream(Protocol::Raw);
        }
        Handshake {
            cursor: self.writer.resume_at().unwrap_or_default(),
            token: self.token,
            realtime: true,
            relay: Some(self.station.relay_id),
        }
    }

    /// What is spoken, once that is known.
    pub(super) fn dialect(&self) -> Option<Protocol> {
        match self.stream {
            Stream::Unknown => None,
            Stream::Console { .. } => Some(Protocol::Console),
            Stream::Raw { .. } => Some(Protocol::Raw),
        }
    }

    /// Reads once from the socket.
    pub(super) fn fill(&mut self, source: &mut impl Read) -> io::Result<Fill> {
        self.buffer.fill(source)
    }

    /// Decodes what has been read, as far as it is whole.
    pub(super) fn decode(&mut self, now: Instant) -> Result<Written, IntakeError> {
        if matches!(self.stream, Stream::Unknown)
            && let Some(dialect) = detect_protocol(self.buffer.unread())
        {
            self.begin_stream(dialect);
        }
        match self.dialect() {
            None => Ok(Written::default()),
            Some(Protocol::Console) => self.decode_console(now),
            Some(Protocol::Raw) => Ok(self.decode_raw(now)),
        }
    }

    fn begin_stream(&mut self, dialect: Protocol) {
        self.stream = match dialect {
            Protocol::Console => Stream::Console { is_greeted: false },
            Protocol::Raw => {
                tracing::info!(station = %self.station.name(), "connected to a raw source");
                Stream::Raw { decoder: Box::default(), pos: None }
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

    /// A raw stream has no positions: whole events get those that follow the log's end. A raw source
    /// sends its game from the start when one connects, so the first events of a connection are put
    /// where the newest game began; if it is that game, the writer skips what it has.
    fn decode_raw(&mut self, now: Instant) -> Written {
        let Stream::Raw { decoder, pos } = &mut self.stream else {
            return Written::default();
        };
        let mut events = Vec::new();
        let decoded = decoder.decode(self.buffer.unread(), &mut events);
        self.buffer.consume(decoded.consumed);
        if decoded.lost > 0 {
            self.writer.note_gap(decoded.lost as u64);
        }
        let Some(&first) = events.first() else {
            return Written::default();
        };
        let end = self.writer.resume_at().unwrap_or_default();
        let at = pos.unwrap_or_else(|| {
            if EventCode(first) == EventCode::EVENT_PAYLOADS {
                self.station.log.newest_game_pos().unwrap_or(end)
            } else {
                self.writer.note_gap(0);
                end
            }
        });
        let replay = Replay { pos: at, force_pos: false, data: &events };
        let written = self.writer.write(replay, Divergence::NewGame, now);
        *pos = if self.writer.is_repeating() {
            Some(at.plus(events.len()))
        } else {
            self.writer.resume_at()
        };
        written
    }
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

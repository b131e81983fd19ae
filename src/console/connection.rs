//! The connection to one console, from the first attempt on and for ever.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Source as _;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use thiserror::Error;

use super::back_off::BackOff;
use super::intake::{Intake, IntakeError};
use super::resolve::{Lookup, literal};
use crate::config::{Source, SourceTiming};
use crate::net::{Fill, nonblocking};
use crate::protocol::Protocol;
use crate::session::{Doorbell, SourceState, Station, Written};

/// The most that is read from one console before the others have their turn, in bytes: a second of
/// the busiest game would be a quarter of it.
const READ_BUDGET: usize = 256 * 1024;

/// What a connection needs of its thread.
pub(super) struct Context<'a> {
    pub(super) registry: &'a Registry,
    pub(super) token: Token,
    pub(super) doorbell: &'a Doorbell,
}

/// One station's source.
pub(super) struct Connection {
    source: Source,
    timing: SourceTiming,
    station: Arc<Station>,
    intake: Intake,
    back_off: BackOff,
    phase: Phase,
    /// Attempts by name so far.
    attempts: usize,
    /// Whether the console ever answered.
    was_connected: bool,
    /// The trouble that was last told, so that the same one is not told at every attempt.
    told: String,
}

enum Phase {
    Waiting {
        until: Instant,
    },
    Resolving(Lookup),
    Connecting {
        stream: TcpStream,
        since: Instant,
    },
    /// The handshake is sent, nothing has come.
    Greeting {
        stream: TcpStream,
        since: Instant,
    },
    /// Something has come, so the console is ours.
    Live {
        stream: TcpStream,
        last_byte: Instant,
    },
}

/// Why a connection ended.
#[derive(Debug, Error)]
enum Lost {
    #[error("{}", explain(.0))]
    Io(#[from] io::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("no answer (is the console on, and is this its address?)")]
    ConnectTimeout,
    #[error("connected, but no answer to the handshake")]
    NoAnswer,
    #[error("nothing came for {} s", .0.as_secs_f32())]
    Silent(Duration),
    #[error(transparent)]
    Source(#[from] IntakeError),
}

/// The system's words for what goes wrong most often, with what to look at.
fn explain(error: &io::Error) -> String {
    let look_at = match error.kind() {
        io::ErrorKind::ConnectionRefused => "is the console on, with Slippi networking enabled?",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "is the console on, and on the same network as this computer?"
        }
        io::ErrorKind::TimedOut => "is the console on, and is this its address?",
        _ => return error.to_string(),
    };
    format!("{error} ({look_at})")
}

/// What one turn of a connection did.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) written: Written,
    /// There is more to read; come again without waiting.
    pub(super) more: bool,
    /// The source's state changed.
    pub(super) source_changed: bool,
}

impl Connection {
    pub(super) fn new(
        source: Source,
        timing: SourceTiming,
        station: Arc<Station>,
        now: Instant,
    ) -> Self {
        Self {
            back_off: BackOff::new(timing.back_off),
            intake: Intake::new(station.clone()),
            phase: Phase::Waiting { until: now },
            attempts: 0,
            was_connected: false,
            told: String::new(),
            source,
            timing,
            station,
        }
    }

    /// When [`Connection::advance`] has something to do, if nothing else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Waiting { until } => Some(*until),
            Phase::Resolving(_) => None,
            Phase::Connecting { since, .. } => Some(*since + self.timing.connect),
            Phase::Greeting { since, .. } if self.source.raw => {
                Some(*since + self.timing.raw_silence)
            }
            Phase::Greeting { since, .. } if self.station.source() == SourceState::Busy => {
                Some(*since + self.timing.give_up)
            }
            Phase::Greeting { since, .. } => Some(*since + self.timing.busy_after),
            Phase::Live { last_byte, .. } => Some(*last_byte + self.silence()),
        }
    }

    fn silence(&self) -> Duration {
        match self.intake.dialect() {
            Some(Protocol::Raw) => self.timing.raw_silence,
            _ => self.timing.silence,
        }
    }

    /// Does what time demands: connects, gives up, tells that a console is busy.
    pub(super) fn advance(&mut self, now: Instant, context: &Context<'_>) -> Turn {
        if let Phase::Resolving(lookup) = &self.phase
            && let Some(found) = lookup.poll()
        {
            let connected = found.and_then(|addresses| {
                // Each attempt takes the next: a name may have an address where nothing listens.
                let turn = self.attempts % addresses.len().max(1);
                self.attempts = self.attempts.wrapping_add(1);
                let address = addresses.get(turn).copied();
                let address = address.ok_or_else(|| io::Error::other("the name has no address"))?;
                self.connect(address, now, context)
            });
            return self.after(connected.map_err(Lost::from), now, context);
        }
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Turn::default();
        }
        match &self.phase {
            Phase::Waiting { .. } => {
                let begun = self.begin(now, context).map_err(Lost::from);
                self.after(begun, now, context)
            }
            Phase::Resolving(_) => Turn::default(),
            Phase::Connecting { .. } => self.lose(Lost::ConnectTimeout, now, context),
            Phase::Greeting { .. } if self.source.raw => {
                self.lose(Lost::Silent(self.timing.raw_silence), now, context)
            }
            Phase::Greeting { since, .. } if now < *since + self.timing.give_up => {
                let news = self.station.set_source(SourceState::Busy);
                if news {
                    self.tell("the console is busy with another client: waiting until that one leaves (a console serves one client at a time)");
                }
                Turn { source_changed: news, ..Turn::default() }
            }
            Phase::Greeting { .. } => self.lose(Lost::NoAnswer, now, context),
            Phase::Live { .. } => self.lose(Lost::Silent(self.silence()), now, context),
        }
    }

    /// Does what the socket is ready for.
    pub(super) fn on_ready(&mut self, now: Instant, context: &Context<'_>) -> Turn {
        if let Phase::Connecting { .. } = self.phase {
            match self.greet(now, context) {
                Ok(true) => {}
                Ok(false) => return Turn::default(),
                Err(lost) => return self.lose(lost, now, context),
            }
        }
        let before = self.station.source();
        let mut turn = Turn::default();
        let drained = self.drain(&mut turn);
        if let Err(lost) = drained {
            let lost_turn = self.lose(lost, now, context);
            turn.more = false;
            turn.source_changed |= lost_turn.source_changed;
        }
        turn.source_changed |= before != self.station.source();
        turn
    }

    /// The console has another address now: connects there at once and goes on with the same log.
    pub(super) fn redirect(&mut self, source: Source, now: Instant, context: &Context<'_>) -> Turn {
        self.close(context);
        self.source = source;
        self.station.set_upstream(Vec::new());
        self.told.clear();
        self.back_off.reset();
        self.phase = Phase::Waiting { until: now };
        let source_changed = self.station.set_source(SourceState::Connecting);
        Turn { source_changed, ..Turn::default() }
    }

    /// Hangs up, for good.
    pub(super) fn close(&mut self, context: &Context<'_>) {
        if let Phase::Connecting { stream, .. }
        | Phase::Greeting { stream, .. }
        | Phase::Live { stream, .. } = &mut self.phase
        {
            // It is dropped right after; the poll forgets it then at the latest.
            let _ = stream.deregister(context.registry);
        }
    }

    fn begin(&mut self, now: Instant, context: &Context<'_>) -> io::Result<()> {
        match literal(&self.source.host, self.source.port) {
            Some(address) => self.connect(address, now, context),
            None => {
                let doorbell = context.doorbell.clone();
                let lookup = Lookup::start(&self.source.host, self.source.port, doorbell)?;
                self.phase = Phase::Resolving(lookup);
                Ok(())
            }
        }
    }

    fn connect(
        &mut self,
        address: std::net::SocketAddr,
        now: Instant,
        context: &Context<'_>,
    ) -> io::Result<()> {
        self.station.set_peer(address);
        let mut stream = TcpStream::connect(address)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        context.registry.register(&mut stream, context.token, interest)?;
        self.phase = Phase::Connecting { stream, since: now };
        Ok(())
    }

    /// Once the socket is connected, says the handshake; false while it is not.
    fn greet(&mut self, now: Instant, context: &Context<'_>) -> Result<bool, Lost> {
        let waiting = Phase::Waiting { until: now };
        let Phase::Connecting { mut stream, since } = std::mem::replace(&mut self.phase, waiting)
        else {
            return Ok(false);
        };
        if let Some(error) = stream.take_error()? {
            return Err(error.into());
        }
        match stream.peer_addr() {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                self.phase = Phase::Connecting { stream, since };
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        stream.set_nodelay(true)?;
        // The handshake leaves at once and nothing else is ever sent.
        context.registry.reregister(&mut stream, context.token, Interest::READABLE)?;
        let handshake = self.intake.begin(self.source.raw);
        self.phase = Phase::Greeting { stream, since: now };
        if self.source.raw {
            return Ok(true);
        }
        let Phase::Greeting { stream, .. } = &mut self.phase else {
            return Ok(false);
        };
        let message = handshake.encode();
        // The console reads the length and then the rest; a new socket takes it all in one write.
        match nonblocking(|| stream.write(&message))? {
            Some(sent) if sent == message.len() => {}
            _ => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
        }
        Ok(true)
    }

    /// The source is ours: the first bytes told what it speaks.
    fn became_live(&mut self, now: Instant) {
        let waiting = Phase::Waiting { until: now };
        let Phase::Greeting { stream, .. } = std::mem::replace(&mut self.phase, waiting) else {
            return;
        };
        self.phase = Phase::Live { stream, last_byte: now };
        if std::mem::replace(&mut self.was_connected, true) {
            self.station.stats.reconnects.add(1);
        }
        self.told.clear();
        self.back_off.reset();
        self.station.set_source(SourceState::Connected);
    }

    /// Reads until the socket has no more, or the budget is spent.
    fn drain(&mut self, turn: &mut Turn) -> Result<(), Lost> {
        let mut budget = READ_BUDGET;
        loop {
            let (Phase::Greeting { stream, .. } | Phase::Live { stream, .. }) = &mut self.phase
            else {
                return Ok(());
            };
            let read = match self.intake.fill(stream)? {
                Fill::Bytes(read) => read,
                Fill::WouldBlock => return Ok(()),
                Fill::Closed => return Err(Lost::Closed),
            };
            let now = Instant::now();
            let decoded = self.intake.decode(now);
            if let Phase::Live { last_byte, .. } = &mut self.phase {
                *last_byte = now;
            } else if self.intake.dialect().is_some() && decoded.is_ok() {
                self.became_live(now);
            }
            turn.written.merge(decoded?);
            budget = budget.saturating_sub(read);
            if budget == 0 {
                turn.more = true;
                return Ok(());
            }
        }
    }

    fn after(&mut self, result: Result<(), Lost>, now: Instant, context: &Context<'_>) -> Turn {
        match result {
            Ok(()) => Turn::default(),
            Err(lost) => self.lose(lost, now, context),
        }
    }

    /// Hangs up, tells why if that is news, and waits.
    fn lose(&mut self, lost: Lost, now: Instant, context: &Context<'_>) -> Turn {
        self.close(context);
        // A busy console was told of when it was found so, and it is still that.
        let is_busy = matches!(lost, Lost::NoAnswer);
        if !is_busy {
            self.tell(&lost.to_string());
        }
        let is_loop = matches!(lost, Lost::Source(IntakeError::Loop));
        let state = if is_loop { SourceState::Loop } else { SourceState::Connecting };
        let source_changed = !is_busy && self.station.set_source(state);
        self.station.set_upstream(Vec::new());
        // A loop was connected, but that is no reason to try again soon.
        let wait = if is_loop { self.timing.back_off.1 } else { self.back_off.next() };
        self.phase = Phase::Waiting { until: now + wait };
        Turn { source_changed, ..Turn::default() }
    }

    /// Logs trouble once, until something else happens.
    fn tell(&mut self, trouble: &str) {
        let Source { host, port, .. } = &self.source;
        if self.told == trouble {
            tracing::debug!(station = %self.station.name(), "{host}:{port}: {trouble}");
            return;
        }
        trouble.clone_into(&mut self.told);
        tracing::warn!(
            station = %self.station.name(),
            "{host}:{port}: {trouble}; trying again until it works"
        );
    }
}

//! The connection to one source, from the first attempt on and for ever.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

use super::back_off::BackOff;
use super::intake::{Intake, IntakeError};
use super::link::{Link, Lost};
use super::resolve::{Lookup, literal};
use crate::config::{Source, SourceProtocol, SourceTiming};
use crate::protocol::Dialect;
use crate::session::{Doorbell, SourceState, Station, Written};

/// The most that is read from one console before the others have their turn, in bytes: a second of
/// the busiest game would be a quarter of it.
const READ_BUDGET: usize = 256 * 1024;

/// The longest trouble that is told, in characters: the words of an error may hold what came.
const MAX_TROUBLE: usize = 300;

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
        link: Link,
        since: Instant,
    },
    /// The handshake is sent, nothing has come.
    Greeting {
        link: Link,
        since: Instant,
    },
    /// The source has answered, so it is ours.
    Live {
        link: Link,
        last_byte: Instant,
    },
}

impl Phase {
    fn link(&mut self) -> Option<&mut Link> {
        match self {
            Self::Waiting { .. } | Self::Resolving(_) => None,
            Self::Connecting { link, .. }
            | Self::Greeting { link, .. }
            | Self::Live { link, .. } => Some(link),
        }
    }
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
        let due = match &self.phase {
            Phase::Connecting { link, .. }
            | Phase::Greeting { link, .. }
            | Phase::Live { link, .. } => link.due(),
            Phase::Waiting { .. } | Phase::Resolving(_) => None,
        };
        self.patience_ends().into_iter().chain(due).min()
    }

    /// When what is going on has taken too long.
    fn patience_ends(&self) -> Option<Instant> {
        let timing = &self.timing;
        Some(match &self.phase {
            Phase::Waiting { until } => *until,
            Phase::Resolving(_) => return None,
            Phase::Connecting { since, .. } => *since + timing.connect,
            Phase::Greeting { since, .. } => {
                let patience = match self.source.protocol {
                    SourceProtocol::Raw => timing.raw_silence,
                    SourceProtocol::Dolphin => timing.connect,
                    SourceProtocol::Console if self.is_busy() => timing.give_up,
                    SourceProtocol::Console => timing.busy_after,
                };
                *since + patience
            }
            Phase::Live { last_byte, .. } => *last_byte + self.silence(),
        })
    }

    fn is_busy(&self) -> bool {
        self.station.source() == SourceState::Busy
    }

    fn silence(&self) -> Duration {
        match self.intake.dialect() {
            Some(Dialect::Raw) => self.timing.raw_silence,
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
        let is_past = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        if !is_past(self.patience_ends()) {
            // ENet has something to do.
            let is_due = is_past(self.deadline());
            return if is_due { self.on_ready(now, context) } else { Turn::default() };
        }
        match &self.phase {
            Phase::Waiting { .. } => {
                let begun = self.begin(now, context).map_err(Lost::from);
                self.after(begun, now, context)
            }
            Phase::Resolving(_) => Turn::default(),
            Phase::Connecting { link, .. } => self.lose(link.timeout(), now, context),
            Phase::Greeting { .. } if self.source.protocol == SourceProtocol::Raw => {
                self.lose(Lost::Silent(self.timing.raw_silence), now, context)
            }
            Phase::Greeting { .. } if self.source.protocol == SourceProtocol::Dolphin => {
                self.lose(Lost::NoReply, now, context)
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
        if let Some(link) = self.phase.link() {
            link.close(context.registry);
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
        let link = Link::open(&self.source, address, context)?;
        self.phase = Phase::Connecting { link, since: now };
        Ok(())
    }

    /// Once the source is connected, greets it; false while it is not.
    fn greet(&mut self, now: Instant, context: &Context<'_>) -> Result<bool, Lost> {
        let Phase::Connecting { link, .. } = &mut self.phase else {
            return Ok(false);
        };
        if !link.greet(&mut self.intake, context)? {
            return Ok(false);
        }
        let waiting = Phase::Waiting { until: now };
        if let Phase::Connecting { link, .. } = std::mem::replace(&mut self.phase, waiting) {
            self.phase = Phase::Greeting { link, since: now };
        }
        Ok(true)
    }

    /// The source is ours: it has answered.
    fn became_live(&mut self, now: Instant) {
        let waiting = Phase::Waiting { until: now };
        let Phase::Greeting { link, .. } = std::mem::replace(&mut self.phase, waiting) else {
            return;
        };
        self.phase = Phase::Live { link, last_byte: now };
        if std::mem::replace(&mut self.was_connected, true) {
            self.station.stats.reconnects.add(1);
        }
        self.told.clear();
        self.back_off.reset();
        self.station.set_source(SourceState::Connected);
    }

    /// Reads until there is no more, or the budget is spent.
    fn drain(&mut self, turn: &mut Turn) -> Result<(), Lost> {
        let mut budget = READ_BUDGET;
        loop {
            let (Phase::Greeting { link, .. } | Phase::Live { link, .. }) = &mut self.phase else {
                return Ok(());
            };
            let reading = link.read(&mut self.intake)?;
            if reading.len > 0 {
                let now = Instant::now();
                if let Phase::Live { last_byte, .. } = &mut self.phase {
                    *last_byte = now;
                } else if self.intake.is_greeted() {
                    self.became_live(now);
                }
            }
            turn.written.merge(reading.written);
            if !reading.more {
                return Ok(());
            }
            budget = budget.saturating_sub(reading.len);
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
            self.tell(&lost.to_string().chars().take(MAX_TROUBLE).collect::<String>());
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
        let source = &self.source;
        if self.told == trouble {
            tracing::debug!(station = %self.station.name(), "{source}: {trouble}");
            return;
        }
        trouble.clone_into(&mut self.told);
        tracing::warn!(
            station = %self.station.name(),
            "{source}: {trouble}; trying again until it works"
        );
    }
}

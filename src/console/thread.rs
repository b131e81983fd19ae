//! The loop over every console's socket.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use super::connection::{Connection, Context, Turn};
use crate::config::{Source, SourceTiming};
use crate::net::sleep_in;
use crate::session::{Announcer, Doorbell, SignalKind, Station, StationId};
use crate::shutdown::Shutdown;

/// The token of the thread's own doorbell; a station's socket has its place in the list.
const DOORBELL: Token = Token(usize::MAX);

/// Events taken from the system at once: more than a venue has consoles.
const EVENTS: usize = 64;

/// A station and where its bytes come from.
pub struct SourceStation {
    /// The console's address.
    pub source: Source,
    /// Where its bytes go.
    pub station: Arc<Station>,
}

/// The console thread before it runs.
pub struct ConsoleThread {
    poll: Poll,
    doorbell: Doorbell,
    connections: Vec<Connection>,
    stations: Vec<StationId>,
    announcer: Announcer,
    shutdown: Shutdown,
}

impl ConsoleThread {
    /// Prepares the thread that feeds the logs of `stations` and tells `announcer`'s readers.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        stations: Vec<SourceStation>,
        timing: SourceTiming,
        announcer: Announcer,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let now = Instant::now();
        Ok(Self {
            poll,
            doorbell,
            stations: stations.iter().map(|entry| entry.station.id).collect(),
            connections: stations
                .into_iter()
                .map(|entry| Connection::new(entry.source, timing, entry.station, now))
                .collect(),
            announcer,
            shutdown,
        })
    }

    /// Runs until shutdown is asked for; then hangs up and tells everyone to finish.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut unfinished = Vec::new();
        while !self.shutdown.is_requested() {
            let timeout = if unfinished.is_empty() { self.timeout() } else { Some(Duration::ZERO) };
            sleep_in(&mut self.poll, &mut events, timeout);
            let mut ready: Vec<usize> = std::mem::take(&mut unfinished);
            for event in &events {
                let Token(at) = event.token();
                if event.token() != DOORBELL && !ready.contains(&at) {
                    ready.push(at);
                }
            }
            for at in ready {
                let turn =
                    self.turn(at, |connection, now, context| connection.on_ready(now, context));
                if turn.more {
                    unfinished.push(at);
                }
            }
            for at in 0..self.connections.len() {
                self.turn(at, |connection, now, context| connection.advance(now, context));
            }
        }
        for at in 0..self.connections.len() {
            self.turn(at, |connection, _, context| {
                connection.close(context);
                Turn::default()
            });
        }
        self.announcer.announce(StationId(0), SignalKind::Shutdown);
    }

    fn timeout(&self) -> Option<Duration> {
        let deadline = self.connections.iter().filter_map(Connection::deadline).min()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    fn turn(
        &mut self,
        at: usize,
        act: impl FnOnce(&mut Connection, Instant, &Context<'_>) -> Turn,
    ) -> Turn {
        let Some(connection) = self.connections.get_mut(at) else {
            return Turn::default();
        };
        let context =
            Context { registry: self.poll.registry(), token: Token(at), doorbell: &self.doorbell };
        let turn = act(connection, Instant::now(), &context);
        let written = turn.written;
        let kind = if written.gap {
            SignalKind::Gap
        } else if written.game_started {
            SignalKind::GameStart
        } else if written.game_ended {
            SignalKind::GameEnd
        } else if written.chunks > 0 {
            SignalKind::Frame
        } else if turn.source_changed {
            SignalKind::Source
        } else {
            return turn;
        };
        self.announcer.announce(self.stations[at], kind);
        turn
    }
}

//! The loop over every console's socket.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use slab::Slab;

use super::connection::{Connection, Context, Turn};
use super::program::Program;
use super::remote::{Remote, RemoteOrder};
use crate::config::{Source, SourceTiming};
use crate::net::{Letters, Mailbox, Pulse, mailbox, sleep_in};
use crate::session::{Announcer, Doorbell, SignalKind, Station, StationId, Written};
use crate::shutdown::Shutdown;

/// The token of the thread's own doorbell; a station's socket has its place in the list.
const DOORBELL: Token = Token(usize::MAX);

/// Events taken from the system at once: more than a venue has consoles.
const EVENTS: usize = 64;

/// What the console thread is told.
enum Order {
    /// Connect to a console and feed a station from there.
    Connect(Source, Arc<Station>),
    /// A console has another address.
    Redirect(StationId, Source),
    /// Hang up on a station's console for good; the answer says that its log will not grow.
    Disconnect(StationId, Sender<()>),
    /// From now on there is a program output.
    BeginProgram(Arc<Station>),
    /// Somebody else has fed a station, or its source's state changed.
    Announce(StationId, Written, bool),
    /// The program output is to show a station (or none) at its next game, or now.
    Switch(Option<Arc<Station>>, bool),
    /// What does the program output show, and what will it?
    Program(Sender<(Option<StationId>, Option<StationId>)>),
}

/// The way to the console thread.
#[derive(Clone)]
pub struct Operator {
    mailbox: Mailbox<Order>,
}

impl Operator {
    /// The thread's turns; [`Operator::ring`] makes it take one.
    pub fn pulse(&self) -> Pulse {
        self.mailbox.pulse().clone()
    }

    /// Wakes the thread.
    pub fn ring(&self) {
        self.mailbox.ring();
    }

    /// Connects to `source` for ever and feeds `station` from there.
    pub fn connect(&self, source: Source, station: Arc<Station>) {
        self.mailbox.post(Order::Connect(source, station));
    }

    /// The station's console has another address now.
    pub fn redirect(&self, station: StationId, source: Source) {
        self.mailbox.post(Order::Redirect(station, source));
    }

    /// Hangs up on a station's console for good. The answer comes when the station's log has its
    /// last byte; nothing if the thread ends.
    pub fn disconnect(&self, station: StationId) -> Receiver<()> {
        let (reply, answer) = channel();
        self.mailbox.post(Order::Disconnect(station, reply));
        answer
    }

    /// Tells everyone what somebody else, who feeds the station, has appended to its log; and whether
    /// its source's state changed.
    pub fn announce(&self, station: StationId, written: Written, source_changed: bool) {
        self.mailbox.post(Order::Announce(station, written, source_changed));
    }

    /// Makes `station` the program output. There can be one.
    pub fn begin_program(&self, station: Arc<Station>) {
        self.mailbox.post(Order::BeginProgram(station));
    }

    /// Lets the program output show `station`: from its next game on, or `now`, with the game that
    /// is on there from its start.
    pub fn switch(&self, station: Option<Arc<Station>>, now: bool) {
        self.mailbox.post(Order::Switch(station, now));
    }

    /// Which station the program output shows, and which it will; nothing if the thread ends.
    pub fn program(&self) -> Receiver<(Option<StationId>, Option<StationId>)> {
        let (reply, answer) = channel();
        self.mailbox.post(Order::Program(reply));
        answer
    }
}

/// The console thread before it runs.
pub struct ConsoleThread {
    poll: Poll,
    doorbell: Doorbell,
    operator: Operator,
    orders: Letters<Order>,
    lines: Slab<Line>,
    program: Option<Program>,
    timing: SourceTiming,
    announcer: Announcer,
    remote: Option<Remote>,
    shutdown: Shutdown,
}

/// One console's connection.
struct Line {
    station: StationId,
    connection: Connection,
}

impl ConsoleThread {
    /// Prepares the thread that feeds the stations' logs, as its [`Operator`] says, and tells
    /// `announcer`'s readers.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(timing: SourceTiming, announcer: Announcer, shutdown: Shutdown) -> io::Result<Self> {
        let poll = Poll::new()?;
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL)?);
        shutdown.ring_on_request(doorbell.clone());
        let (mailbox, orders) = mailbox(doorbell.clone());
        Ok(Self {
            poll,
            doorbell,
            operator: Operator { mailbox },
            orders,
            lines: Slab::new(),
            program: None,
            timing,
            announcer,
            remote: None,
            shutdown,
        })
    }

    /// From now on, stations whose source is a NATS server are fed by who listens there.
    pub fn feed_through(&mut self, remote: Remote) {
        self.remote = Some(remote);
    }

    /// The way to it, for the engine.
    pub fn operator(&self) -> Operator {
        self.operator.clone()
    }

    /// Runs until shutdown is asked for; then hangs up and tells everyone to finish.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut unfinished = Vec::new();
        while !self.shutdown.is_requested() {
            let busy =
                !unfinished.is_empty() || self.program.as_ref().is_some_and(Program::has_news);
            let timeout = if busy { Some(Duration::ZERO) } else { self.timeout() };
            sleep_in(&mut self.poll, &mut events, timeout);
            while let Some(order) = self.orders.next() {
                self.obey(order);
            }
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
            for at in 0..self.lines.capacity() {
                let turn =
                    self.turn(at, |connection, now, context| connection.advance(now, context));
                if turn.more {
                    unfinished.push(at);
                }
            }
            self.show_program();
        }
        for at in 0..self.lines.capacity() {
            self.turn(at, hang_up);
        }
        self.announcer.announce(StationId(0), SignalKind::Shutdown);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Connect(source, station) if source.nats.is_some() => {
                self.pass_on(RemoteOrder::Connect(source, station));
            }
            Order::Connect(source, station) => {
                let line = Line {
                    station: station.id,
                    connection: Connection::new(source, self.timing, station, Instant::now()),
                };
                self.lines.insert(line);
            }
            Order::Redirect(id, source) => {
                if let Some(at) = self.line_of(id) {
                    self.turn(at, |connection, now, context| {
                        connection.redirect(source, now, context)
                    });
                } else {
                    self.pass_on(RemoteOrder::Redirect(id, source));
                }
            }
            Order::Disconnect(id, reply) => {
                if let Some(program) = &mut self.program {
                    program.forget(id);
                }
                if let Some(at) = self.line_of(id) {
                    self.turn(at, hang_up);
                    self.lines.remove(at);
                } else if self.remote.is_some() {
                    return self.pass_on(RemoteOrder::Disconnect(id, reply));
                }
                // Whoever asked may be gone.
                let _ = reply.send(());
            }
            Order::Announce(station, written, source_changed) => {
                self.announce(station, written, source_changed);
            }
            Order::BeginProgram(station) => self.program = Some(Program::new(station)),
            Order::Switch(station, now) => {
                if let Some(program) = &mut self.program {
                    program.switch(station, now);
                    let id = program.id();
                    self.announcer.announce(id, SignalKind::Source);
                }
            }
            Order::Program(reply) => {
                let state = self.program.as_ref().map_or((None, None), Program::state);
                let _ = reply.send(state);
            }
        }
    }

    /// Whoever listens there may have ended; then the relay ends, too.
    fn pass_on(&self, order: RemoteOrder) {
        if let Some(remote) = &self.remote {
            let _ = remote.send(order);
        }
    }

    fn line_of(&self, station: StationId) -> Option<usize> {
        self.lines.iter().find(|(_, line)| line.station == station).map(|(at, _)| at)
    }

    fn timeout(&self) -> Option<Duration> {
        let deadline =
            self.lines.iter().filter_map(|(_, line)| line.connection.deadline()).min()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Lets one connection act, and tells everyone what that changed. An event of a connection that
    /// is gone may still be in a list.
    fn turn(
        &mut self,
        at: usize,
        act: impl FnOnce(&mut Connection, Instant, &Context<'_>) -> Turn,
    ) -> Turn {
        let Some(line) = self.lines.get_mut(at) else {
            return Turn::default();
        };
        let context =
            Context { registry: self.poll.registry(), token: Token(at), doorbell: &self.doorbell };
        let turn = act(&mut line.connection, Instant::now(), &context);
        let station = line.station;
        self.announce(station, turn.written, turn.source_changed);
        turn
    }

    fn show_program(&mut self) {
        let Some(program) = &mut self.program else { return };
        if program.has_news() {
            let (id, turn) = (program.id(), program.turn());
            self.announce(id, turn, false);
        }
    }

    fn announce(&mut self, station: StationId, written: Written, source_changed: bool) {
        let kind = if written.gap {
            SignalKind::Gap
        } else if written.game_started {
            SignalKind::GameStart
        } else if written.game_ended {
            SignalKind::GameEnd
        } else if written.chunks > 0 {
            SignalKind::Frame
        } else if source_changed {
            SignalKind::Source
        } else {
            return;
        };
        self.announcer.announce(station, kind);
    }
}

fn hang_up(connection: &mut Connection, _: Instant, context: &Context<'_>) -> Turn {
    connection.close(context);
    Turn::default()
}

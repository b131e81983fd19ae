//! One round: sources, a forwarder and its spectators, from the first process to the last figure.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chain::Probe;
use super::children::Child;
use super::figures::{Figures, Idle};
use super::game::Game;
use super::ports::{free_ports, station_address};
use super::process::{Usage, usage};
use super::published::Published;
use super::source::{News, Part, Source};
use super::spectators::READY;
use super::tally::{Tally, latency_histogram};
use super::{BenchError, Options};
use crate::shutdown::Shutdown;

/// How often children, sources and shutdown are looked at.
const TICK: Duration = Duration::from_millis(20);

/// How long anything may take besides the game itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a request to stop may take to get here after it ended another process.
const GRACE: Duration = Duration::from_millis(200);

/// Rows of ports tried: between their choice and their use somebody else may take one.
const PORT_ATTEMPTS: usize = 3;

/// Who forwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Forwarder {
    Floor,
    Relay,
    /// A relay that publishes to NATS, and an edge that serves.
    Nats,
}

/// What a relay does with NATS, for a station of this name at that server.
#[derive(Clone, Copy)]
enum Way<'a> {
    None,
    Publishes(&'a str),
    /// Its source is there.
    Takes(&'a str),
}

impl Forwarder {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Relay => "relay",
            Self::Nats => "nats",
        }
    }

    fn args(
        self,
        options: &Options,
        sources: &[SocketAddr],
        listen: SocketAddr,
        spectators: usize,
        (name, way): (&str, Way<'_>),
    ) -> Vec<OsString> {
        let sources = sources.iter().enumerate().map(|(k, source)| match (self, way) {
            (Self::Floor, _) => format!("--source {source}"),
            (_, Way::None) => format!("station{}={source}", k + 1),
            (_, Way::Publishes(url)) => format!("{name}={source} --publish {url}"),
            (_, Way::Takes(url)) => format!("{url}/{name}"),
        });
        // One place more than spectators: for the probe of a chain.
        let places = spectators + 1;
        let sources = sources.collect::<Vec<_>>().join(" ");
        let mut args = match self {
            Self::Floor => {
                format!("bench-floor {sources} --listen {listen} --spectators {spectators}")
            }
            Self::Relay | Self::Nats => format!(
                "relay {sources} --listen {listen} --raw-listen off --dolphin-listen off --http off --replays off \
                 --max-clients {places} --max-clients-per-address {places}"
            ),
        };
        if let (Self::Relay | Self::Nats, Some(consumers)) = (self, options.consumers) {
            args += &format!(" --consumers {consumers}");
        }
        args.split_whitespace().map(OsString::from).collect()
    }
}

/// Everything of one round, connected and waiting for the game.
pub(super) struct Stage<'a> {
    shutdown: &'a Shutdown,
    /// The relays between the source and the last one, the first first.
    feeders: Vec<Child>,
    /// Who serves the spectators.
    forwarder: Child,
    audience: Vec<Child>,
    sources: Vec<Source>,
    spectators: usize,
    /// Dropped behind the relays, when nobody publishes any more.
    _published: Option<Published>,
}

impl<'a> Stage<'a> {
    /// Starts and connects everybody.
    pub(super) fn set(
        options: &Options,
        game: &Arc<Game>,
        forwarder: Forwarder,
        spectators: usize,
        shutdown: &'a Shutdown,
    ) -> Result<Self, BenchError> {
        let mut attempts = 1..=PORT_ATTEMPTS;
        loop {
            let attempt = attempts.next();
            let sources = start_sources(options, game)?;
            let hops = match forwarder {
                Forwarder::Floor => 1,
                Forwarder::Relay => options.hops.max(1),
                Forwarder::Nats => 2,
            };
            let nats = options.nats.as_deref().filter(|_| forwarder == Forwarder::Nats);
            // Nobody else publishes a station of this name there.
            let name = format!("bench-{:08x}", fastrand::u32(..));
            let feeders = hops - 1;
            let first = free_ports(feeders + sources.len())?;
            let spawn = |sources: &[SocketAddr], listen, way| {
                let way = (&*name, way);
                let args = forwarder.args(options, sources, listen, spectators, way);
                Child::spawn(&options.executable, forwarder.name(), args)
            };
            // Each relay of a chain is the source of the next.
            let mut feed: Vec<SocketAddr> = sources.iter().map(Source::address).collect();
            let mut chain = Vec::with_capacity(feeders);
            for k in 0..feeders {
                let listen = station_address(first, k);
                chain.push(spawn(&feed, listen, nats.map_or(Way::None, Way::Publishes))?);
                feed = vec![listen];
            }
            let listen = station_address(first, feeders);
            let mut stage = Self {
                shutdown,
                feeders: chain,
                forwarder: spawn(&feed, listen, nats.map_or(Way::None, Way::Takes))?,
                audience: Vec::new(),
                sources,
                spectators,
                _published: nats.map(|url| Published { server: url.into(), name: name.clone() }),
            };
            let greeted =
                stage.until_news(News::Greeted, "the forwarder to say its handshake", PATIENCE);
            let linked = greeted
                .and_then(|()| if feeders > 0 { stage.until_linked(listen, hops) } else { Ok(()) });
            match linked {
                Err(BenchError::Child { .. }) if attempt.is_some_and(|n| n < PORT_ATTEMPTS) => {
                    continue;
                }
                linked => linked?,
            }
            stage.seat(options, listen)?;
            return Ok(stage);
        }
    }

    /// Waits until the stream comes through all relays of the chain, whose last listens at `last`:
    /// a relay that joins later would be given the beginning of the game late.
    fn until_linked(&mut self, last: SocketAddr, hops: usize) -> Result<(), BenchError> {
        let deadline = Instant::now() + PATIENCE;
        let mut probe = None;
        loop {
            if probe.is_none() {
                // It may not listen yet.
                probe = Probe::connect(last).ok();
            }
            match probe.as_mut().map(Probe::relays) {
                Some(Ok(Some(relays))) if relays >= hops => return Ok(()),
                Some(Err(_)) => probe = None,
                _ => {}
            }
            self.tick()?;
            self.in_time(deadline, "the relays to connect to each other", PATIENCE)?;
        }
    }

    /// Starts the spectators and waits until all are connected and greeted.
    fn seat(&mut self, options: &Options, listen: SocketAddr) -> Result<(), BenchError> {
        let processes = options.spectator_processes.clamp(1, self.spectators.max(1));
        let frames = options.frames();
        let addresses = (0..self.sources.len()).map(|k| station_address(listen, k).to_string());
        let addresses = addresses.collect::<Vec<_>>().join(",");
        for k in 0..processes {
            let first = self.spectators * k / processes;
            let count = self.spectators * (k + 1) / processes - first;
            let args = format!(
                "bench-spectators --address {addresses} --first {first} --count {count} \
                 --frames {frames}"
            );
            let args = args.split_whitespace();
            let child = Child::spawn(&options.executable, "spectators", args)?;
            self.audience.push(child);
        }
        for k in 0..processes {
            let line = self.until_line(k, "the spectators to be greeted", PATIENCE)?;
            if line != READY {
                let name = "spectators";
                return Err(BenchError::Nonsense { name, line });
            }
        }
        Ok(())
    }

    /// Plays the game to everybody and takes the figures.
    pub(super) fn play(mut self, game: &Game) -> Result<Figures, BenchError> {
        let length = self.sources.iter().map(Source::length).max().unwrap_or_default();
        let limit = PATIENCE + 2 * length;
        let before = usage(self.forwarder.id());
        let begin = Instant::now();
        for source in &self.sources {
            source.play(begin);
        }
        self.until_news(News::Played, "the sources to play their game", limit)?;
        let mut tally = Tally::default();
        let mut latency = latency_histogram();
        let mut tallies = Vec::new();
        for k in 0..self.audience.len() {
            tallies.push(self.until_line(k, "the spectators' figures", limit)?);
        }
        let after = usage(self.forwarder.id());
        for line in tallies {
            let Ok(part) = serde_json::from_str::<Tally>(&line) else {
                let name = "spectators";
                return Err(BenchError::Nonsense { name, line });
            };
            tally.merge(&part);
            for (value, count) in part.latencies {
                latency.saturating_record_n(value, count);
            }
        }
        let expected = (self.spectators * game.frames()) as u64;
        if !tally.is_exact() || tally.deliveries != expected {
            return Err(BenchError::Bytes {
                forwarder: self.forwarder.name(),
                wrong: tally.wrong,
                missing: tally.missing,
                gaps: tally.gaps,
                closed: tally.closed,
                words: self.forwarder.last_words(),
            });
        }
        Ok(Figures::new(&latency, tally.late, cost(before, after)))
    }

    /// Lets everybody wait for `seconds` and takes the forwarder's processor time.
    pub(super) fn idle(mut self, seconds: u32) -> Result<Idle, BenchError> {
        let (before, begin) = (usage(self.forwarder.id()), Instant::now());
        let end = begin + Duration::from_secs(seconds.into());
        while Instant::now() < end {
            self.tick()?;
            for source in &self.sources {
                if let Some(News::Failed(why)) = source.news() {
                    return Err(BenchError::Source(why));
                }
            }
        }
        let cost = cost(before, usage(self.forwarder.id()));
        let passed = begin.elapsed().as_secs_f64();
        Ok(Idle {
            spectators: self.spectators,
            seconds,
            cpu_percent: cost.map(|(cpu, _)| cpu.as_secs_f64() / passed * 100.0),
        })
    }

    /// Waits until every source has told `wanted`.
    fn until_news(
        &mut self,
        wanted: News,
        what: &'static str,
        limit: Duration,
    ) -> Result<(), BenchError> {
        let deadline = Instant::now() + limit;
        let mut pending: Vec<usize> = (0..self.sources.len()).collect();
        loop {
            let mut failure = None;
            pending.retain(|&k| match self.sources[k].news() {
                Some(News::Failed(why)) => {
                    failure = Some(why);
                    true
                }
                news => news.as_ref() != Some(&wanted),
            });
            if let Some(why) = failure {
                // The cause is most likely a process that has ended.
                self.tick()?;
                return Err(BenchError::Source(why));
            }
            if pending.is_empty() {
                return Ok(());
            }
            self.tick()?;
            self.in_time(deadline, what, limit)?;
        }
    }

    /// The next line that a process of the spectators says.
    fn until_line(
        &mut self,
        k: usize,
        what: &'static str,
        limit: Duration,
    ) -> Result<String, BenchError> {
        let deadline = Instant::now() + limit;
        loop {
            match self.audience[k].line() {
                Ok(Some(line)) => return Ok(line),
                Ok(None) => {}
                Err(error) => return Err(self.cause(error)),
            }
            self.tick()?;
            self.in_time(deadline, what, limit)?;
        }
    }

    fn in_time(
        &mut self,
        deadline: Instant,
        what: &'static str,
        limit: Duration,
    ) -> Result<(), BenchError> {
        if Instant::now() < deadline {
            return Ok(());
        }
        Err(BenchError::Late { what, seconds: limit.as_secs(), words: self.forwarder.last_words() })
    }

    /// Waits for a moment; an error if somebody asks to stop or a process has ended.
    fn tick(&mut self) -> Result<(), BenchError> {
        if self.shutdown.wait_for(TICK)
            && let Some(reason) = self.shutdown.reason()
        {
            return Err(BenchError::Stopped(reason));
        }
        // The forwarder says nothing; that its output has ended is what counts.
        let mut ended = self.forwarder.line().map(drop);
        for feeder in &mut self.feeders {
            ended = ended.and_then(|()| feeder.line().map(drop));
        }
        for child in &mut self.audience {
            ended = ended.and_then(|()| child.check());
        }
        ended.map_err(|error| self.cause(error))
    }

    /// Ctrl-C reaches every process at once: the others may end before it is known here.
    fn cause(&self, error: BenchError) -> BenchError {
        if self.shutdown.wait_for(GRACE)
            && let Some(reason) = self.shutdown.reason()
        {
            return BenchError::Stopped(reason);
        }
        error
    }
}

/// Processor time between two looks, and the memory at the second.
fn cost(before: Option<Usage>, after: Option<Usage>) -> Option<(Duration, Usage)> {
    let (before, after) = (before?, after?);
    Some((after.cpu.saturating_sub(before.cpu), after))
}

/// A source for each station. Their frames follow each other at even distances.
fn start_sources(options: &Options, game: &Arc<Game>) -> std::io::Result<Vec<Source>> {
    let Options { fps, stations, .. } = *options;
    let stations = stations.max(1);
    let start = |station| {
        let phase = Duration::from_secs_f64(station as f64 / stations as f64 / fps);
        Source::start(game.clone(), Part { station, fps, phase })
    };
    (0..stations).map(start).collect()
}

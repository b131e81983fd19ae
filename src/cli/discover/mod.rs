//! `andross discover`: which consoles are in this network?

mod lines;
pub(super) mod table;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use andross::discovery::{DiscoveryThread, Heard, News, Sightings};
use andross::shutdown::{Reason, Shutdown, Worker, join_all};
use anyhow::{Context, bail, ensure};

/// List the consoles that announce themselves in this network.
///
/// A console without a client says every 10 seconds that it is there. On a terminal this shows a
/// table of those that were heard; elsewhere it prints a line each time a console is new, has
/// another address or another nickname.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  andross discover
  andross discover --json --seconds 20 | jq -r .ip

Slippi Launcher and a relay on this computer may listen at the same time. Ctrl-C ends it.")]
pub struct Args {
    /// Where consoles are heard, UDP; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:20582", value_parser = address)]
    listen: SocketAddr,

    /// End after so many seconds instead of at Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = andross::config::value::seconds)]
    seconds: Option<Duration>,

    /// Print one JSON object a line each time a console is new, has moved or was renamed
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Whether a table is redrawn in place, which lines of the log would tear.
    pub fn shows_table(&self) -> bool {
        !self.json && io::stdout().is_terminal()
    }
}

/// Announcements that may wait to be shown: a terminal in which text is selected takes none.
const WAITING: usize = 256;

/// The time between two looks at the clock: what is shown counts seconds.
const TICK: Duration = Duration::from_secs(1);

/// How long nothing is heard before it says what may be wrong: a console speaks every 10 to 15 s.
const SILENCE: Duration = Duration::from_secs(15);

/// How long the thread may take to end. It is woken, so it takes milliseconds.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Runs until the time is over or someone asks to stop.
pub fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let (tell, heard) = sync_channel(WAITING);
    let on_heard = move |heard| {
        // Whoever is not shown now speaks again in 10 s.
        let _ = tell.try_send(heard);
    };
    let listen = args.listen;
    let thread = DiscoveryThread::new(listen, on_heard, shutdown.clone()).with_context(|| {
        format!("cannot listen for consoles on {listen} (does another program keep the port for itself, or is the address another machine's?)")
    })?;
    let address = thread.local_addr();
    let worker = Worker::spawn("discovery", shutdown, move || thread.run())?;

    let show = match (args.shows_table(), args.json) {
        (true, _) => Show::Table { drawn: 0 },
        (false, true) => Show::Json,
        (false, false) => Show::Lines,
    };
    tracing::info!("listening for consoles on {address}; Ctrl-C ends it");
    let watch = Watch::new(address, show);
    let shown = watch.follow(&heard, args.seconds);
    shutdown.request(Reason::Finished);
    let late = join_all(vec![worker], Instant::now() + STOP_LIMIT);
    match shown {
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        shown => shown.context("cannot write to standard output")?,
    }
    ensure!(late.is_empty(), "these threads do not end: {late:?}");
    match shutdown.reason() {
        Some(reason @ (Reason::Panic(_) | Reason::Failed(_))) => bail!("stopped by {reason}"),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// How consoles are shown.
enum Show {
    /// A table, redrawn in place; so many lines of it are on the terminal.
    Table { drawn: usize },
    /// A line for people whenever something is new.
    Lines,
    /// A line for programs whenever something is new.
    Json,
}

/// What was heard so far, and how it is shown.
struct Watch {
    address: SocketAddr,
    show: Show,
    sightings: Sightings,
    /// When something was last heard; at first, when it began to listen.
    last_heard: Instant,
    /// Whether the log has said what may be wrong.
    hinted: bool,
}

impl Watch {
    fn new(address: SocketAddr, show: Show) -> Self {
        Self {
            address,
            show,
            sightings: Sightings::new(),
            last_heard: Instant::now(),
            hinted: false,
        }
    }

    /// Shows what is heard until the time is over or the discovery thread ends.
    fn follow(mut self, heard: &Receiver<Heard>, limit: Option<Duration>) -> io::Result<()> {
        let end = limit.map(|limit| Instant::now() + limit);
        let mut next_tick = Instant::now();
        loop {
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                break;
            }
            if now >= next_tick {
                self.tick(now)?;
                next_tick = now + TICK;
            }
            let wake = end.map_or(next_tick, |end| end.min(next_tick));
            match heard.recv_timeout(wake.saturating_duration_since(now)) {
                Ok(heard) => self.hear(heard)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if matches!(self.show, Show::Table { .. }) {
            self.draw(Instant::now(), usize::MAX)?;
        }
        Ok(())
    }

    fn hear(&mut self, heard: Heard) -> io::Result<()> {
        let now = Instant::now();
        self.last_heard = now;
        let news = self.sightings.hear(heard.clone(), now);
        match self.show {
            _ if news == News::Again => Ok(()),
            Show::Table { .. } => self.draw(now, table::LIVE_ROWS),
            Show::Lines => say(&lines::for_people(&heard, news)),
            Show::Json => say(&lines::for_programs(&heard, news)?),
        }
    }

    /// What a second that passes changes.
    fn tick(&mut self, now: Instant) -> io::Result<()> {
        if matches!(self.show, Show::Table { .. }) {
            return self.draw(now, table::LIVE_ROWS);
        }
        if self.sightings.is_empty() && !self.hinted && self.silence(now) >= SILENCE {
            self.hinted = true;
            let checks = lines::checks(self.address.port()).join("; ");
            tracing::info!("no console was heard for {} s; check that {checks}", SILENCE.as_secs());
        }
        Ok(())
    }

    fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_heard)
    }

    fn draw(&mut self, now: Instant, rows: usize) -> io::Result<()> {
        let lines = table::lines(&self.sightings, self.address, now, self.silence(now), rows);
        let Show::Table { drawn } = &mut self.show else { return Ok(()) };
        let text = table::redraw(&lines, *drawn);
        *drawn = lines.len();
        write_out(&text)
    }
}

fn say(line: &str) -> io::Result<()> {
    write_out(&format!("{line}\n"))
}

/// Writes at once, also into a pipe.
fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn address(typed: &str) -> Result<SocketAddr, String> {
    typed
        .parse()
        .map_err(|_| "give an address and a port, such as 0.0.0.0:20582 or [::]:20582".to_owned())
}

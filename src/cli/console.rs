//! `andross console`: a pretend console.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use andross::shutdown::{Reason, Shutdown};
use andross::simulator::{self, Options, Recording, Repeat, Simulator};
use anyhow::{Context, bail, ensure};

/// A pretend console: plays recordings as a Wii with Nintendont sends its games.
///
/// Whatever talks to a console can be pointed at it: a relay, Slippi Launcher, slippi-js. Like the
/// real one it serves one client at a time, starts it with the game that runs, lets it resume, and
/// keeps no more than 3 MiB for one that is slow. It begins to play when the first client is there,
/// and ends when everything was played and sent.
#[derive(clap::Args)]
#[command(after_help = "\
Example: play one game and then each of a folder, over and over, at the pace of the game;
connect Slippi Launcher, slippi-js or `andross relay 127.0.0.1` to it:

  andross console first.slp replays/ --repeat forever")]
pub struct Args {
    /// Games to play, in this order: .slp files, finished or not, and folders of them
    #[arg(value_name = "REPLAY", required = true)]
    replays: Vec<PathBuf>,

    /// Where to wait for a client; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:51441", value_parser = address)]
    listen: SocketAddr,

    /// Frames a second, up to 100000; a client that cannot keep up loses bytes
    #[arg(long, value_name = "N", default_value_t = simulator::FPS, value_parser = fps)]
    fps: f64,

    /// How often to play everything: a number, or `forever`
    #[arg(long, value_name = "N|forever", default_value = "1", value_parser = repeat)]
    repeat: Repeat,

    /// Seconds between two games
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pause: Duration,

    /// The console's nickname, at most 31 bytes
    #[arg(long, value_name = "NAME", default_value = "andross")]
    nick: String,

    /// Announce the console over UDP (SLIP_READY) while nobody is connected; to everyone in the
    /// local network, or with `--announce=ADDR:PORT` to one address
    #[arg(
        long,
        value_name = "ADDR:PORT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "255.255.255.255:20582",
        value_parser = address,
    )]
    announce: Option<SocketAddr>,

    /// Speak as old consoles and Slippi Launcher's relay do: bare events, no handshake
    #[arg(long)]
    legacy: bool,
}

/// The most bytes of recordings that are held in memory at a time.
const MAX_TOTAL_LEN: usize = 1024 * 1024 * 1024;

/// How long the connection is kept when all is sent, so that a client sees an idle console, or
/// comes back for what it missed.
const LINGER: Duration = Duration::from_secs(3);

/// The time between two lines about how far it is.
const PROGRESS_PERIOD: Duration = Duration::from_secs(10);

/// Runs until everything was played or someone asks to stop.
pub fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let recordings = load_all(&args.replays)?;
    let count = recordings.len();
    let simulator = Simulator::start(
        Options {
            listen: args.listen,
            recordings,
            fps: args.fps,
            repeat: args.repeat,
            pause: args.pause,
            nick: args.nick,
            legacy: args.legacy,
            announce: args.announce,
            ..Options::default()
        },
        shutdown,
    )?;
    tracing::info!(
        "a pretend console with {count} game{} waits for its client on {}; Ctrl-C ends it",
        if count == 1 { "" } else { "s" },
        simulator.local_addr()
    );

    follow(&simulator, shutdown);
    let late = simulator.stop();
    ensure!(late.is_empty(), "these threads do not end: {late:?}");
    match shutdown.reason() {
        Some(reason @ (Reason::Panic(_) | Reason::Failed(_))) => bail!("stopped by {reason}"),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Waits until all is played and sent, and still is after a while of nothing.
fn follow(simulator: &Simulator, shutdown: &Shutdown) {
    let tells = std::io::stderr().is_terminal();
    while !shutdown.is_requested() {
        if !simulator.wait_until_played(PROGRESS_PERIOD) {
            if tells {
                tell_progress(simulator);
            }
            continue;
        }
        tracing::info!(
            "done: {} bytes were played to {} client{}; switching off in {} s",
            simulator.write_pos(),
            simulator.clients_served(),
            if simulator.clients_served() == 1 { "" } else { "s" },
            LINGER.as_secs()
        );
        let until = Instant::now() + LINGER;
        shutdown.wait_for(LINGER);
        if Instant::now() >= until && simulator.wait_until_played(Duration::ZERO) {
            return;
        }
    }
}

fn tell_progress(simulator: &Simulator) {
    let game = simulator.playing().map(|playing| {
        let (name, step, steps) = (&playing.name, playing.step, playing.steps);
        format!("{name}: frame {step} of {steps}")
    });
    let write_pos = simulator.write_pos();
    let client = match simulator.client() {
        Some(client) => format!(
            "{} is {} bytes behind",
            client.addr,
            write_pos.0.saturating_sub(client.cursor.0)
        ),
        None => "nobody is connected".to_owned(),
    };
    let game = game.unwrap_or_else(|| "no game runs".to_owned());
    tracing::info!("{game}; position {write_pos}; {client}");
}

/// Loads what was named, folders in the order of their files' names.
fn load_all(replays: &[PathBuf]) -> anyhow::Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    let mut total = 0;
    for path in replays {
        let before = recordings.len();
        for file in files(path)? {
            match Recording::load(&file) {
                Ok(recording) => {
                    if recording.left_out() > 0 {
                        tracing::warn!(
                            "{}: the last {} bytes are no whole event and are not played",
                            recording.name(),
                            recording.left_out()
                        );
                    }
                    total += recording.events().len();
                    recordings.push(recording);
                }
                // In a folder one bad file is no reason to play none.
                Err(error) if file != *path => {
                    tracing::warn!("not played: {:#}", anyhow::Error::new(error));
                }
                Err(error) => return Err(error.into()),
            }
            ensure!(
                total <= MAX_TOTAL_LEN,
                "these recordings are more than {MAX_TOTAL_LEN} bytes; name fewer of them"
            );
        }
        ensure!(recordings.len() > before, "there is no .slp file to play in {}", path.display());
    }
    Ok(recordings)
}

/// The file itself, or the folder's .slp files in the order of their names.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let read = || {
        let entries = std::fs::read_dir(path)?;
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()
    };
    let mut files = read().with_context(|| format!("cannot read the folder {}", path.display()))?;
    files.retain(|file| file.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("slp")));
    files.sort();
    Ok(files)
}

fn address(typed: &str) -> Result<SocketAddr, String> {
    typed
        .parse()
        .map_err(|_| "give an address and a port, such as 0.0.0.0:51441 or [::1]:51441".to_owned())
}

fn fps(typed: &str) -> Result<f64, String> {
    match typed.parse() {
        Ok(fps) if (simulator::MIN_FPS..=simulator::MAX_FPS).contains(&fps) => Ok(fps),
        _ => Err("give a number from 0.001 to 100000".to_owned()),
    }
}

fn repeat(typed: &str) -> Result<Repeat, String> {
    match typed.parse() {
        Ok(times @ 1..) => Ok(Repeat::Times(times)),
        _ if typed == "forever" => Ok(Repeat::Forever),
        _ => Err("give a number from 1 on, or `forever`".to_owned()),
    }
}

fn seconds(typed: &str) -> Result<Duration, String> {
    typed
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give seconds, such as 3 or 0.5".to_owned())
}

//! `andross watch`: a match from afar, in Dolphin and on the terminal.

mod screen;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use andross::config::Source;
use andross::shutdown::{Shutdown, Worker, join_all};
use andross::watch::{self, DolphinOptions, End, Options};

use super::discover::table::redraw;

/// Watch a relay or a console: keep each game as a growing .slp file, let Dolphin play it.
///
/// SOURCE is what `andross relay` takes: [name=]host[:port], with port 51441 if none is given, or
/// raw:host:port or dolphin:host[:port]. It reconnects for ever and goes on where it was. A console
/// serves one client only: watch the relay, if there is one.
///
/// On a terminal it shows how the match stands; elsewhere it logs what happens.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  andross watch 192.168.1.5
  andross watch 192.168.1.5 --dolphin \"Slippi_Playback.AppImage\" --iso melee.iso
  andross watch 192.168.1.5 --dolphin \"C:\\Slippi\\playback\\Slippi Dolphin.exe\" --iso D:\\melee.iso

Dolphin is Slippi's Playback Dolphin, which Slippi Launcher installs. It starts with the first game
and is switched from game to game; closing it ends the watching. Ctrl-C ends both.")]
pub struct Args {
    /// The relay or console to watch
    #[arg(value_name = "SOURCE")]
    source: Source,

    /// The folder that games are saved in
    #[arg(long, value_name = "FOLDER", default_value = "replays")]
    replays: PathBuf,

    /// Start this Playback Dolphin and let it play each game as it comes
    #[arg(long, value_name = "PATH")]
    dolphin: Option<PathBuf>,

    /// The disc image of Melee [default: the one that Dolphin is set up with]
    #[arg(long, value_name = "PATH", requires = "dolphin")]
    iso: Option<PathBuf>,

    /// Let Dolphin stay as close to the newest frame as it can; a shaky network makes it stutter
    #[arg(long, requires = "dolphin")]
    realtime: bool,
}

/// Whether the match is redrawn in place, which lines of the log on the same terminal would tear.
pub fn shows_view() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Watches until someone asks to stop or Dolphin is closed.
pub fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let Args { source, replays, dolphin, iso, realtime } = args;
    let dolphin = dolphin.map(|program| DolphinOptions { program, iso, realtime });
    let terminal = shows_view().then(|| Terminal::start(shutdown)).transpose()?;
    let mut last = Vec::new();
    let ended = watch::run(Options { source, replays, dolphin }, shutdown, |view| {
        if let Some(terminal) = &terminal {
            last = screen::lines(view);
            terminal.show(last.clone());
        }
    });
    if let Some(terminal) = terminal {
        if matches!(ended, Ok(End::DolphinClosed)) {
            last.pop();
            last.push("Dolphin was closed: so this ends, too.".to_owned());
        }
        terminal.end(last);
    }
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// How long the terminal may take for the last picture.
const LAST_PICTURE: Duration = Duration::from_secs(1);

/// How often is looked whether it takes it.
const LAST_POLL: Duration = Duration::from_millis(5);

/// A thread of its own that draws: a terminal in which text is selected takes nothing, and Dolphin must
/// be led to the next game all the same.
struct Terminal {
    pictures: SyncSender<Vec<String>>,
    thread: Worker,
}

impl Terminal {
    fn start(shutdown: &Shutdown) -> io::Result<Self> {
        let (pictures, waiting) = sync_channel(1);
        let thread = Worker::spawn("terminal", shutdown, move || draw(&waiting))?;
        Ok(Self { pictures, thread })
    }

    /// Shows a picture; none if the one before still waits.
    fn show(&self, lines: Vec<String>) {
        let _ = self.pictures.try_send(lines);
    }

    /// Shows the last picture, unless the terminal takes nothing.
    fn end(self, mut lines: Vec<String>) {
        let deadline = Instant::now() + LAST_PICTURE;
        while let Err(TrySendError::Full(unsent)) = self.pictures.try_send(lines)
            && Instant::now() < deadline
        {
            lines = unsent;
            std::thread::sleep(LAST_POLL);
        }
        drop(self.pictures);
        join_all(vec![self.thread], deadline);
    }
}

/// Draws each picture over the one before. A terminal that is gone is no reason to stop: SIGHUP is.
fn draw(pictures: &Receiver<Vec<String>>) {
    let mut drawn: Vec<String> = Vec::new();
    for lines in pictures {
        if lines != drawn {
            let mut out = io::stdout().lock();
            let text = redraw(&lines, drawn.len());
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            drawn = lines;
        }
    }
}

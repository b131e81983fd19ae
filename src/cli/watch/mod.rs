//! `andross watch`: a match from afar, in Dolphin and on the terminal.

mod screen;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use andross::config::Source;
use andross::shutdown::Shutdown;
use andross::watch::{self, DolphinOptions, End, Options, View};

use super::discover::table::redraw;

/// Watch a relay or a console: keep each game as a growing .slp file, let Dolphin play it.
///
/// SOURCE is what `andross relay` takes: [name=]host[:port], with port 51441 if none is given, or
/// raw:host:port. It reconnects for ever and goes on where it was. A console serves one client only:
/// watch the relay, if there is one.
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
    let mut picture = shows_view().then(Picture::default);
    let ended = watch::run(Options { source, replays, dolphin }, shutdown, |view| {
        if let Some(picture) = &mut picture {
            picture.show(view);
        }
    })?;
    if picture.is_some() && ended == End::DolphinClosed {
        say("Dolphin was closed: so this ends, too.\n");
    }
    Ok(ExitCode::SUCCESS)
}

/// What is on the terminal now.
#[derive(Default)]
struct Picture {
    lines: Vec<String>,
}

impl Picture {
    fn show(&mut self, view: &View<'_>) {
        let lines = screen::lines(view);
        if lines != self.lines {
            say(&redraw(&lines, self.lines.len()));
            self.lines = lines;
        }
    }
}

/// Writes at once and as one piece. A terminal that is gone is no reason to stop: SIGHUP is.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

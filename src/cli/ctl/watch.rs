//! `andross ctl status --watch`: the table again and again, in place on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use andross::shutdown::Shutdown;

use super::client::Client;
use super::{status, tables};

/// How often: quick enough to see a frame counter run, slow enough to read.
const PERIOD: Duration = Duration::from_millis(500);

/// To the top left; what is below is overwritten, so that nothing flickers.
const HOME: &str = "\x1b[H";
/// Clears the rest of a line, and the rest of the screen.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";
/// A screen of its own without a cursor, and back to what was there before.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Shows the state until someone asks to stop. That the relay cannot be reached at the beginning is
/// an error; later it is shown, for the relay may come back.
pub fn run(client: &Client, json: bool, shutdown: &Shutdown) -> anyhow::Result<io::Result<()>> {
    let look = || -> anyhow::Result<String> {
        let status = status(client)?;
        Ok(if json { serde_json::to_string(&status)? + "\n" } else { tables::status(&status) })
    };
    let first = look()?;
    let in_place = !json && io::stdout().is_terminal();
    Ok(repeat(first, look, in_place, shutdown))
}

fn repeat(
    first: String,
    look: impl Fn() -> anyhow::Result<String>,
    in_place: bool,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let _screen = in_place.then(Screen::enter).transpose()?;
    let mut text = first;
    loop {
        let mut out = io::stdout().lock();
        if in_place {
            let lines = text.replace('\n', &format!("{CLEAR_LINE}\n"));
            write!(out, "{HOME}{lines}{CLEAR_BELOW}")?;
        } else {
            out.write_all(text.as_bytes())?;
        }
        out.flush()?;
        drop(out);
        if shutdown.wait_for(PERIOD) {
            return Ok(());
        }
        text = match look() {
            Ok(text) => text,
            Err(error) if in_place => format!("{error:#}\n"),
            // Programs that read along get whole answers only; people see it on their terminal.
            Err(error) => {
                let _ = writeln!(io::stderr(), "andross: {error:#}");
                String::new()
            }
        };
    }
}

/// The terminal's other screen, left when this is dropped.
struct Screen;

impl Screen {
    fn enter() -> io::Result<Self> {
        let screen = Self;
        io::stdout().write_all(ENTER.as_bytes())?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush());
    }
}

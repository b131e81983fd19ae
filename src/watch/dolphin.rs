//! Playback Dolphin: started with the first game, told of each, started again when it dies.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::comm::CommFile;

/// A Dolphin that dies is started again so many times.
const MAX_RESTARTS: u32 = 3;

/// The wait before the first of them; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// One that ran for so long was well: what happened before is forgotten.
const STEADY_AFTER: Duration = Duration::from_secs(60);

/// How long Dolphin may take to end when it is asked to.
const END_LIMIT: Duration = Duration::from_secs(2);

/// How often is looked whether it has.
const END_POLL: Duration = Duration::from_millis(5);

/// How to start Dolphin.
#[derive(Clone, Debug)]
pub struct DolphinOptions {
    /// The program.
    pub program: PathBuf,
    /// The game's disc image; `None`: the one that Dolphin is set up with.
    pub iso: Option<PathBuf>,
    /// Whether Dolphin is to stay as close to the newest frame as it can.
    pub realtime: bool,
}

/// What Dolphin does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DolphinState {
    /// It will be started when there is a game to play.
    Waiting,
    /// It runs.
    Running,
    /// It died and will be started again in a moment.
    Restarting,
    /// It was closed.
    Closed,
}

/// Why there is no Dolphin.
#[derive(Debug, Error)]
pub enum DolphinError {
    /// No such program.
    #[error("--dolphin {path}: {error}; name the program of Slippi's Playback Dolphin")]
    Program {
        /// As it was named.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// No such image.
    #[error("--iso {path}: {error}; name the disc image of Melee")]
    Iso {
        /// As it was named.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Dolphin is told of files in JSON, which is Unicode.
    #[error("Dolphin cannot be told of {}, which is not Unicode; --replays names another folder", .0.display())]
    Folder(PathBuf),
    /// There is no place for the communication file.
    #[error("the file that tells Dolphin what to play cannot be had: {0}")]
    Comm(io::Error),
    /// The system does not start it.
    #[error("{} cannot be started: {error}", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It dies over and over.
    #[error("Dolphin died {} times in a row ({last}): start it by itself to see why", MAX_RESTARTS + 1)]
    Died {
        /// How it ended.
        last: ExitStatus,
    },
}

/// One Dolphin, ended when this is dropped.
pub(super) struct Dolphin {
    options: DolphinOptions,
    comm: CommFile,
    /// What it was told to play last.
    playing: Option<PathBuf>,
    /// That it could not be told was said.
    is_untold: bool,
    process: Process,
    deaths: u32,
}

enum Process {
    None,
    Running { child: Child, since: Instant },
    Dead { restart_at: Instant },
    Closed,
}

impl Dolphin {
    /// Looks whether Dolphin can be started; it is, when there is a game in `folder`.
    pub(super) fn new(mut options: DolphinOptions, folder: &Path) -> Result<Self, DolphinError> {
        options.program = file(&options.program)
            .map_err(|error| DolphinError::Program { path: options.program.clone(), error })?;
        if let Some(path) = &options.iso {
            let iso =
                file(path).map_err(|error| DolphinError::Iso { path: path.clone(), error })?;
            options.iso = Some(iso);
        }
        if folder.to_str().is_none() {
            return Err(DolphinError::Folder(folder.to_owned()));
        }
        Ok(Self {
            options,
            comm: CommFile::create().map_err(DolphinError::Comm)?,
            playing: None,
            is_untold: false,
            process: Process::None,
            deaths: 0,
        })
    }

    pub(super) fn state(&self) -> DolphinState {
        match self.process {
            Process::None => DolphinState::Waiting,
            Process::Running { .. } => DolphinState::Running,
            Process::Dead { .. } => DolphinState::Restarting,
            Process::Closed => DolphinState::Closed,
        }
    }

    /// Plays `newest` if that is another file than before, and looks after the process.
    pub(super) fn turn(
        &mut self,
        newest: Option<&Path>,
        station: &str,
        now: Instant,
    ) -> Result<DolphinState, DolphinError> {
        if let Some(newest) = newest
            && self.playing.as_deref() != Some(newest)
        {
            self.play(newest, station);
        }
        match &mut self.process {
            Process::None if self.playing.is_some() => self.start(now)?,
            Process::Dead { restart_at } if now >= *restart_at => self.start(now)?,
            Process::Running { child, since } => {
                if now >= *since + STEADY_AFTER {
                    self.deaths = 0;
                }
                match child.try_wait() {
                    Ok(Some(status)) => self.ended(status, now)?,
                    Ok(None) => {}
                    Err(error) => tracing::debug!("Dolphin cannot be looked at: {error}"),
                }
            }
            _ => {}
        }
        Ok(self.state())
    }

    /// On Windows the file cannot be replaced while Dolphin reads it: then the next turn tries again.
    fn play(&mut self, replay: &Path, station: &str) {
        match self.comm.play(replay, station, self.options.realtime) {
            Ok(()) => {
                tracing::info!(file = %replay.display(), "Dolphin is told to play");
                (self.playing, self.is_untold) = (Some(replay.to_owned()), false);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_untold, true) {
                    let path = self.comm.path().display();
                    tracing::warn!("{path}: {error}; trying again to tell Dolphin what to play");
                }
            }
        }
    }

    fn start(&mut self, now: Instant) -> Result<(), DolphinError> {
        let mut command = Command::new(&self.options.program);
        command.arg("-i").arg(self.comm.path());
        if let Some(iso) = &self.options.iso {
            command.arg("-e").arg(iso);
        }
        // What it prints would tear whatever the terminal shows.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: Ctrl-C in the terminal is for us, and what Dolphin's own launcher
        // started ends with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| {
            let path = self.options.program.clone();
            DolphinError::Start { path, error }
        })?;
        tracing::info!("Dolphin was started (process {})", child.id());
        self.process = Process::Running { child, since: now };
        Ok(())
    }

    /// Whoever closes Dolphin has seen enough; one that fails is wanted back.
    fn ended(&mut self, status: ExitStatus, now: Instant) -> Result<(), DolphinError> {
        if status.success() {
            self.process = Process::Closed;
            return Ok(());
        }
        self.deaths += 1;
        if self.deaths > MAX_RESTARTS {
            self.process = Process::None;
            return Err(DolphinError::Died { last: status });
        }
        let wait = FIRST_WAIT * 2_u32.pow(self.deaths - 1);
        tracing::warn!("Dolphin died ({status}) and is started again in {} ms", wait.as_millis());
        self.process = Process::Dead { restart_at: now + wait };
        Ok(())
    }
}

impl Drop for Dolphin {
    fn drop(&mut self) {
        let Process::Running { child, .. } = &mut self.process else { return };
        ask_to_end(child);
        let deadline = Instant::now() + END_LIMIT;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(END_POLL);
        }
        // Nothing is left to do if that fails: it has ended, or cannot be ended.
        let _ = child.kill().and_then(|()| child.wait().map(drop));
    }
}

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Err(error) = kill_process_group(Pid::from_child(child), Signal::TERM) {
        tracing::debug!("Dolphin cannot be asked to end: {error}");
    }
}

/// There is no way to ask but to end it.
#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) {
    let _ = child.kill();
}

/// The whole path of a file that is there.
fn file(path: &Path) -> io::Result<PathBuf> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        let inside = path.join("Contents/MacOS");
        let hint = if inside.is_dir() { " (its program is in Contents/MacOS)" } else { "" };
        return Err(io::Error::other(format!("that is a folder{hint}")));
    }
    std::path::absolute(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let program = here.join("dolphin");
        let options = |program: &Path, iso: Option<PathBuf>| DolphinOptions {
            program: program.to_owned(),
            iso,
            realtime: false,
        };
        let error = |options| Dolphin::new(options, here).err().unwrap().to_string();
        assert!(error(options(&program, None)).starts_with("--dolphin "));
        assert!(error(options(here, None)).contains("that is a folder"));
        std::fs::write(&program, "").unwrap();
        let no_iso = options(&program, Some(here.join("melee.iso")));
        assert!(error(no_iso).starts_with("--iso "));
        let dolphin = Dolphin::new(options(&program, None), here).unwrap();
        assert_eq!(dolphin.state(), DolphinState::Waiting);
    }

    #[test]
    fn a_program_that_cannot_be_started_is_said_once_and_not_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("dolphin");
        std::fs::write(&program, "no program").unwrap();
        let options = DolphinOptions { program, iso: None, realtime: false };
        let mut dolphin = Dolphin::new(options, folder.path()).unwrap();
        let now = Instant::now();
        assert_eq!(dolphin.turn(None, "x", now).unwrap(), DolphinState::Waiting);
        let game = folder.path().join("Game.slp");
        let error = dolphin.turn(Some(&game), "x", now).unwrap_err();
        assert!(matches!(error, DolphinError::Start { .. }), "{error}");
    }
}

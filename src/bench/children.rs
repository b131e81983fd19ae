//! The processes of the bench. None is left behind: a child is killed when its handle is dropped,
//! and the hidden commands end by themselves when the process that started them is gone.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::JoinHandle;

use super::BenchError;
use crate::shutdown::{Reason, Shutdown};

/// The longest line that a child says: its figures.
const MAX_LINE: u64 = 4 * 1024 * 1024;

/// A process that runs until it has done its work or this is dropped.
pub(super) struct Child {
    name: &'static str,
    process: std::process::Child,
    lines: Receiver<String>,
    /// Gives the last line of standard error when that ends.
    errors: Option<JoinHandle<String>>,
}

impl Child {
    /// Starts `executable` with `args`. Its log shows warnings and errors only.
    pub(super) fn spawn<S: AsRef<OsStr>>(
        executable: &Path,
        name: &'static str,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Self, BenchError> {
        let refused = |error| BenchError::Spawn { name, error };
        let process = Command::new(executable)
            .args(args)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(refused)?;
        let (tell, lines) = channel();
        let mut child = Self { name, process, lines, errors: None };
        let said = child.process.stdout.take();
        let errors = child.process.stderr.take();
        let thread = || std::thread::Builder::new().name(format!("{name}'s output"));
        thread()
            .spawn(move || {
                // Nobody listens any more once the handle is dropped.
                each_line(said, |line| drop(tell.send(line)));
            })
            .map_err(refused)?;
        let last = thread().spawn(move || {
            let mut last = String::new();
            each_line(errors, |line| last = line);
            last
        });
        child.errors = Some(last.map_err(refused)?);
        Ok(child)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The next line that it said.
    ///
    /// # Errors
    /// If it ended, however well, and there is no other line.
    pub(super) fn line(&mut self) -> Result<Option<String>, BenchError> {
        match self.lines.try_recv() {
            Ok(line) => Ok(Some(line)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => {
                let status = self.process.wait()?;
                Err(self.ended(status))
            }
        }
    }

    /// Looks whether it failed.
    ///
    /// # Errors
    /// If so.
    pub(super) fn check(&mut self) -> Result<(), BenchError> {
        match self.process.try_wait()? {
            Some(status) if !status.success() => Err(self.ended(status)),
            _ => Ok(()),
        }
    }

    fn ended(&mut self, status: ExitStatus) -> BenchError {
        BenchError::Child { name: self.name, status: status.to_string(), words: self.last_words() }
    }

    /// Ends it and returns the last line that it wrote to standard error.
    pub(super) fn last_words(&mut self) -> String {
        self.kill();
        let last = self.errors.take().and_then(|errors| errors.join().ok());
        last.unwrap_or_default()
    }

    fn kill(&mut self) {
        // It fails only when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

fn each_line(output: Option<impl Read>, mut act: impl FnMut(String)) {
    let Some(output) = output else { return };
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        match output.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(1..) => act(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Ok(0) | Err(_) => return,
        }
    }
}

/// Asks for the shutdown when standard input ends, as it does when the process that started this
/// one is gone.
///
/// # Errors
/// If the system gives no thread.
pub fn end_with_parent(shutdown: &Shutdown) -> io::Result<()> {
    let shutdown = shutdown.clone();
    let wait = move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        shutdown.request(Reason::Finished);
    };
    std::thread::Builder::new().name("parent".into()).spawn(wait).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_whatever_they_hold() {
        let mut lines = Vec::new();
        each_line(Some(&b"one\r\n\xfftwo\n\nend"[..]), |line| lines.push(line));
        assert_eq!(lines, ["one", "\u{fffd}two", "", "end"]);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Child::spawn(Path::new("/no/such/program"), "relay", ["x"]).err();
        assert!(matches!(error, Some(BenchError::Spawn { name: "relay", .. })));
    }
}

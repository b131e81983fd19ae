//! The real clients, unmodified, at a relay that plays recordings: slippi-js of four generations on
//! all three ports, libmelee stepping from frame to frame, a web page in a real browser; and
//! slippi-js, py-slippi and peppi reading what the recorder saved. What they see is compared with the
//! source recording: its bytes, or its values as peppi reads them.
//!
//! Needs Node and the packages of `tests/clients` (`npm ci --prefix tests/clients`), Python with those
//! of `tests/clients/requirements.txt` in `target/libmelee`, and Chromium. What is missing is said
//! and passed over, unless ANDROSS_REQUIRE_CLIENTS is set.

mod common;

#[path = "clients/browser.rs"]
mod browser;
#[path = "clients/libmelee.rs"]
mod libmelee;
#[path = "clients/original.rs"]
mod original;
#[path = "clients/readers.rs"]
mod readers;
#[path = "clients/slippi_js.rs"]
mod slippi_js;
#[path = "clients/viewer.rs"]
mod viewer;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use andross::simulator::Recording;
use common::browser::{scripts, works};
use serde_json::Value;

fn load(path: &Path) -> Recording {
    Recording::load(path).unwrap()
}

/// The fixtures, and the real recordings where there are any.
fn playable() -> Vec<PathBuf> {
    [common::fixtures(), common::shared_replays()].concat()
}

/// A client that is not there: a failure where it must be, a word where it need not.
fn is_missing(what: &str, remedy: &str) {
    assert!(
        std::env::var_os("ANDROSS_REQUIRE_CLIENTS").is_none(),
        "the real clients are required, but there is no {what}: {remedy}"
    );
    eprintln!("skipped: no {what} ({remedy})");
}

/// Node with a script of ours, if there are Node and its packages.
fn node(script: &str) -> Option<Command> {
    let mut node = Command::new("node");
    if works(node.arg("--version")) && scripts().join("node_modules").is_dir() {
        let mut node = Command::new("node");
        node.arg("--no-warnings").arg(scripts().join(script));
        return Some(node);
    }
    is_missing("Node with its packages", "npm ci --prefix tests/clients");
    None
}

/// Python with a script of ours, if it has the module that the script is about.
fn python(script: &str, module: &str) -> Option<Command> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/libmelee");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if works(Command::new(&python).args(["-c", &format!("import {module}")])) {
        let mut python = Command::new(&python);
        python.arg(scripts().join(script));
        return Some(python);
    }
    is_missing(
        &format!("Python module {module}"),
        "tests/clients/requirements.txt says how to install it",
    );
    None
}

/// A script that runs and answers with a line of JSON now and then; killed when the test fails.
struct Script {
    child: Child,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Script {
    fn start<A: AsRef<OsStr>>(mut command: Command, args: impl IntoIterator<Item = A>) -> Self {
        let mut child = command.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, answers }
    }

    #[track_caller]
    fn next(&mut self) -> Value {
        let line = self.answers.next().expect("the client ended without an answer").unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The next answers, as many as are wanted.
    #[track_caller]
    fn take(&mut self, count: usize) -> Vec<Value> {
        (0..count).map(|_| self.next()).collect()
    }

    /// Waits until it ends, well.
    #[track_caller]
    fn end(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

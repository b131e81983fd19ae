//! A real `andross relay`, and what it logs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::wait_until;

/// A running `andross relay`; killed when it is dropped.
pub struct RelayProcess {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl RelayProcess {
    pub fn start<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_andross"))
            .arg("relay")
            .args(args)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = log.clone();
        thread::spawn(move || {
            for line in lines {
                sink.lock().unwrap().push(line.unwrap());
            }
        });
        Self { child, log }
    }

    /// The first line with `text` in it.
    pub fn wait_for_log(&self, text: &str) -> String {
        let mut found = None;
        wait_until(&format!("the log says {text:?}"), || {
            found = self.log.lock().unwrap().iter().find(|line| line.contains(text)).cloned();
            found.is_some()
        });
        found.unwrap()
    }

    /// Where the first station's spectators connect.
    pub fn spectators(&self) -> SocketAddr {
        self.address_behind(" spectators connect to ")
    }

    /// Where control calls are answered.
    pub fn http(&self) -> SocketAddr {
        self.address_behind("control calls are answered on http://")
    }

    fn address_behind(&self, text: &str) -> SocketAddr {
        let line = self.wait_for_log(text);
        let rest = &line[line.find(text).unwrap() + text.len()..];
        let end = rest.find([' ', '/']).unwrap_or(rest.len());
        rest[..end].parse().unwrap()
    }

    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; kills it, and fails, if that does not come.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the relay ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

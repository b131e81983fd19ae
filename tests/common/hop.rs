//! A relay in a chain of relays: the real binary, with a folder of its own.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;

use andross::slp::Metadata;
use tempfile::TempDir;

use super::process::RelayProcess;
use super::{ConsoleSpectator, RawSpectator, recorded, slp_files};

/// One relay of a chain.
pub struct Hop {
    pub process: RelayProcess,
    pub folder: TempDir,
    /// Where spectators of the console protocol connect, and the next relay.
    pub address: SocketAddr,
    source: SocketAddr,
    options: Vec<String>,
}

impl Hop {
    /// A relay whose source is at `source`, with more options if need be.
    pub fn start(source: SocketAddr, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let process = spawn(source, super::loopback(), &folder, &options);
        let address = address_after(&process, "INFO spectators connect to ");
        Self { process, folder, address, source, options }
    }

    /// Three relays in a row, the first of which has its source at `source`.
    pub fn chain(source: SocketAddr) -> [Self; 3] {
        let first = Self::start(source, &[]);
        let second = Self::start(first.address, &[]);
        let third = Self::start(second.address, &[]);
        [first, second, third]
    }

    /// Ends it with SIGKILL. [`Hop::restart`] brings it back.
    pub fn kill(&mut self) {
        self.process.signal("-KILL");
        self.process.wait();
    }

    /// Starts it again, where it listened before.
    pub fn restart(&mut self) {
        self.process = spawn(self.source, self.address, &self.folder, &self.options);
    }

    pub fn raw_address(&self) -> SocketAddr {
        address_after(&self.process, "raw spectators connect to ")
    }

    pub fn spectator(&self) -> ConsoleSpectator {
        ConsoleSpectator::connect(self.address)
    }

    pub fn raw_spectator(&self) -> RawSpectator {
        RawSpectator::connect(self.raw_address())
    }

    pub fn files(&self) -> Vec<PathBuf> {
        slp_files(self.folder.path())
    }

    /// Ends it in order; the event bytes of its files, oldest first, and what else they say.
    pub fn end(mut self) -> (Vec<Vec<u8>>, Vec<Metadata>) {
        self.process.signal("-TERM");
        assert_eq!(self.process.wait().code(), Some(0));
        let metadata = |path: &PathBuf| {
            let survey = andross::replay::survey(path).unwrap();
            assert!(survey.is_ok(), "{}", path.display());
            survey.metadata.unwrap()
        };
        (recorded(self.folder.path()), self.files().iter().map(metadata).collect())
    }
}

fn spawn(
    source: SocketAddr,
    listen: SocketAddr,
    folder: &TempDir,
    options: &[String],
) -> RelayProcess {
    let (source, listen) = (format!("chain={source}"), format!("--listen={listen}"));
    let args = [&*source, &listen, "--raw-listen=127.0.0.1:0", "--http=off", "--replays"];
    let args = args.into_iter().map(OsStr::new).chain([folder.path().as_os_str()]);
    RelayProcess::start(args.chain(options.iter().map(OsStr::new)))
}

fn address_after(process: &RelayProcess, words: &str) -> SocketAddr {
    let line = process.wait_for_log(words);
    let (_, rest) = line.split_once(words).unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

//! What the tests have in common: an evening of games, a venue that publishes it, edges and their
//! spectators.

use std::net::SocketAddr;
use std::time::Duration;

use andross::config::{NatsLogin, NatsServer};
use andross::protocol::Cursor;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Simulator};
use async_nats::{ConnectOptions, jetstream};

use super::common::process::RelayProcess;
use super::common::{ConsoleSpectator, assert_same_bytes, synthetic, wait_until};

/// Some games, and their bytes in a row.
pub struct Evening {
    pub options: Options,
    pub all: Vec<u8>,
    /// Behind the first game.
    pub first_end: usize,
}

/// A short game, a long one and a short one.
pub fn evening(fps: f64) -> Evening {
    evening_of(1_200, fps)
}

/// The same with so many frames in the long one.
pub fn evening_of(frames: i32, fps: f64) -> Evening {
    let games = vec![synthetic(1, 120, true), synthetic(2, frames, true), synthetic(3, 120, true)];
    let events: Vec<Vec<u8>> = games.iter().map(|game| game.events().to_vec()).collect();
    let pause = Duration::from_millis(300);
    let options = Options { recordings: games, fps, pause, ..Options::default() };
    Evening { options, first_end: events[0].len(), all: events.concat() }
}

impl Evening {
    /// Switches the console on.
    pub fn console(&self) -> Simulator {
        Simulator::start(self.options.clone(), &Shutdown::new()).unwrap()
    }
}

/// The relay beside the console. It listens, too: spectators there must notice nothing of NATS.
pub fn ingest(console: SocketAddr, publish: &str, more: &[&str]) -> RelayProcess {
    let source = format!("Stream={console}");
    let publish = format!("--publish={publish}");
    let args = ["--listen=127.0.0.1:0", "--raw-listen=off", "--http=off", "--replays=off"];
    let args = [&*source, &*publish].into_iter().chain(args).chain(more.iter().copied());
    RelayProcess::start(args)
}

/// A relay of `station` at a NATS server, and where its spectators connect.
pub fn edge(nats: &str, station: &str) -> (RelayProcess, SocketAddr) {
    edge_with(nats, station, &[])
}

/// The same with more options.
pub fn edge_with(nats: &str, station: &str, more: &[&str]) -> (RelayProcess, SocketAddr) {
    let source = format!("{nats}/{station}");
    let args = ["--listen=127.0.0.1:0", "--raw-listen=off", "--http=off", "--replays=off"];
    let args = [&*source].into_iter().chain(args).chain(more.iter().copied());
    let process = RelayProcess::start(args);
    let address = process.spectators();
    (process, address)
}

/// The same, once it has its station.
pub fn ready_edge(nats: &str) -> (RelayProcess, SocketAddr) {
    let (process, address) = edge(nats, "Stream");
    process.wait_for_log("connected to nats://127.0.0.1");
    process.wait_for_log("nick=andross");
    (process, address)
}

/// Asks or does something at the server as none of its relays does.
pub fn at<F: Future>(url: &str, act: impl FnOnce(jetstream::Context) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server: NatsServer = url.parse().unwrap();
    let options = match &server.login {
        NatsLogin::User(user, password) => {
            ConnectOptions::with_user_and_password(user.clone(), password.reveal().to_owned())
        }
        _ => ConnectOptions::new(),
    };
    runtime.block_on(async {
        let client = options.connect(server.to_string()).await.unwrap();
        act(jetstream::new(client)).await
    })
}

/// Reads until the last byte of the evening has come.
pub fn watch_to_end(spectator: &mut ConsoleSpectator, all: &[u8]) {
    // Who came when the first game was over begins with the second.
    let from = usize::try_from(spectator.start.0).unwrap();
    spectator.read_bytes(all.len() - from);
}

/// Everything from the start on came, once, and nobody was moved.
pub fn assert_watched(who: &str, spectator: &ConsoleSpectator, all: &[u8]) {
    let from = usize::try_from(spectator.start.0).unwrap();
    assert_same_bytes(who, &spectator.data, &all[from..]);
    assert_eq!(spectator.cursor, Cursor(all.len() as u64), "{who}");
    assert!(spectator.replays.iter().all(|(_, forced)| !forced), "{who} was moved");
}

/// Waits until `process` publishes its station.
pub fn wait_until_published(process: &RelayProcess) {
    process.wait_for_log("published to nats://");
}

/// Newcomers at both places are given the same token and the same start.
pub fn assert_same_greeting(a: SocketAddr, b: SocketAddr) {
    wait_until("both greet alike", || {
        let (a, b) = (ConsoleSpectator::connect(a), ConsoleSpectator::connect(b));
        (a.token, a.start, &a.nick) == (b.token, b.start, &b.nick)
    });
}

//! What the engine does while nobody listens.

use std::sync::mpsc::channel;

use andross::config::HttpConfig;
use andross::engine::Hooks;
use andross::relay::Relay;
use andross::shutdown::Shutdown;
use andross::simulator::{Options, Simulator};

use crate::common::{PATIENCE, loopback, named_source, synthetic, wait_until};
use crate::desk::{config, end, station, status};

/// Was: the HTTP server listened to all changes for ever, for the sake of the saved games, so that every
/// station's figures were copied four times a second though nobody wanted to see them.
#[test]
fn nothing_is_told_where_nobody_listens_though_http_is_on_and_games_are_saved() {
    let console = Options { recordings: vec![synthetic(1, 50_000, true)], ..Options::default() };
    let console = Simulator::start(console, &Shutdown::new()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(vec![named_source("Stream", console.local_addr())]);
    config.http = Some(HttpConfig { listen: loopback(), ..HttpConfig::default() });
    config.replays = Some(folder.path().to_owned());
    let (alive, signs_of_life) = channel();
    let on_alive = Box::new(move || _ = alive.send(()));
    let hooks = Hooks { on_alive: Some(on_alive), ..Hooks::default() };
    let shutdown = Shutdown::new();
    let relay = Relay::start_with(config, hooks, &shutdown).unwrap();
    wait_until("a game is recorded", || station(&relay, 1).recording.file.is_some());

    let before = status(&relay);
    let _ = signs_of_life.try_iter().count();
    // The engine looks four times as often.
    for _ in 0..2 {
        signs_of_life.recv_timeout(PATIENCE).unwrap();
    }
    let after = status(&relay);
    assert!(after.stations[0].totals.bytes > before.stations[0].totals.bytes, "the game goes on");
    assert_eq!(after.seq, before.seq);

    let mut listener = relay.engine().subscribe();
    wait_until("who listens is told", || listener.try_recv().is_ok());
    end(relay, &shutdown);
}

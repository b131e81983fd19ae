//! slippi-js, as Slippi Launcher and most overlays use it.

use std::path::Path;
use std::sync::Mutex;
use std::thread;

use andross::shutdown::Shutdown;
use andross::simulator::{Options, Recording};
use serde_json::Value;
use tempfile::TempDir;

use super::common::scripted::ScriptedConsole;
use super::common::{
    Venue, assert_same_bytes, events_of, fixtures, has_game_end, synthetic, wait_until,
};
use super::{Script, load, node, playable};

/// What `watch.cjs` starts: four versions, three ports each.
const CLIENTS: usize = 12;

/// More bytes than any frame of the recordings has.
const LONGEST_FRAME: usize = 2_000;

/// Evenings at the same time: clients mostly wait.
const WORKERS: usize = 2;

/// Every version on every port, greeted and known to the relay.
struct Watching {
    script: Script,
    greetings: Vec<Value>,
    folder: TempDir,
}

impl Watching {
    /// They say so when they have as many event bytes as each of `milestones`.
    fn start(venue: &Venue, milestones: &[usize]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let ports = [venue.console_address(), venue.raw_address(), venue.dolphin_address()];
        let milestones: Vec<_> = milestones.iter().map(usize::to_string).collect();
        let mut args = vec![folder.path().to_str().unwrap().to_owned(), milestones.join(",")];
        args.extend(ports.map(|address| address.port().to_string()));
        let mut script = Script::start(node("watch.cjs")?, args);
        let greetings = script.take(CLIENTS);
        // A raw client is connected before the relay has looked.
        wait_until("all are known", || venue.station().stats.clients() == CLIENTS as i64);
        Some(Self { script, greetings, folder })
    }

    /// Waits until all have passed the next milestone.
    fn wait(&mut self) {
        for answer in self.script.take(CLIENTS) {
            assert!(answer["has"].is_number(), "{answer}");
        }
    }

    /// Ends the relay; the files that the clients have written then, and the recorder's, must have the
    /// games' bytes.
    fn end(mut self, venue: Venue, games: &[Recording]) {
        let recorded = venue.end();
        assert_eq!(recorded.len(), games.len());
        for (file, game) in recorded.iter().zip(games) {
            assert_same_bytes(&format!("{}, the recorder", game.name()), file, game.events());
        }
        for answer in self.script.take(CLIENTS) {
            let client = answer["client"].as_str().unwrap();
            let files = answer["files"].as_array().unwrap();
            assert_eq!(files.len(), games.len(), "{client}");
            for (file, game) in files.iter().zip(games) {
                let written = events_of(Path::new(file.as_str().unwrap()));
                assert_same_bytes(&format!("{}, {client}", game.name()), &written, game.events());
            }
        }
        self.script.end();
        drop(self.folder);
    }
}

/// Each recording on its own, by a console that plays it fast.
#[test]
fn slippi_js_writes_what_the_recorder_writes() {
    if node("watch.cjs").is_none() {
        return;
    }
    let games = Mutex::new(playable().into_iter());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(path) = { games.lock().unwrap().next() } {
                    see(load(&path));
                }
            });
        }
    });
}

fn see(game: Recording) {
    let len = game.events().len();
    // All are greeted before the console is switched on: a short game would be over before Node
    // has started.
    let (mut venue, listen) = Venue::without_console(|_| {});
    // Dolphin's batches are frames: one that broke off comes with the relay's end.
    let mut watching = Watching::start(&venue, &[len - LONGEST_FRAME]).unwrap();
    let recordings = vec![game.clone()];
    venue.switch_on(Options { listen, recordings, fps: 1_000.0, ..Options::default() });
    venue.wait_for_bytes(len);
    watching.wait();
    watching.end(venue, &[game]);
}

/// All fixtures over one connection, each as soon as all have the one before: none is skipped.
#[test]
fn slippi_js_writes_an_evening_of_games() {
    let games: Vec<_> = fixtures().iter().map(|path| load(path)).filter(has_game_end).collect();
    let mut console = ScriptedConsole::new();
    let venue = Venue::relay(console.address(), Shutdown::new(), |_| {});
    console.accept();
    console.stay_alive();
    let ends = games.iter().scan(0, |end, game| {
        *end += game.events().len();
        Some(*end)
    });
    let Some(mut watching) = Watching::start(&venue, &ends.collect::<Vec<_>>()) else { return };
    for game in &games {
        console.say(game.events());
        watching.wait();
    }
    watching.end(venue, &games);
}

#[test]
fn slippi_js_is_told_the_consoles_own_name() {
    let options = Options {
        recordings: vec![synthetic(1, 100, true)],
        nick: "Bühne 1".to_owned(),
        version: "1.11.9".to_owned(),
        ..Options::default()
    };
    let venue = Venue::start(options, |_| {});
    venue.wait_for_bytes(1);
    let Some(watching) = Watching::start(&venue, &[usize::MAX]) else { return };
    for greeting in &watching.greetings {
        // A raw port tells no name.
        if !greeting["client"].as_str().unwrap().ends_with("raw") {
            assert_eq!(greeting["nick"], "Bühne 1", "{greeting}");
            assert_eq!(greeting["version"], "1.11.9", "{greeting}");
        }
    }
}

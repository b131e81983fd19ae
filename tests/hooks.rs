//! Commands that the relay runs: real ones, small shell scripts that write down what they are told.
#![cfg(unix)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use andross::config::value::command_line;
use andross::config::{Occasion, RelayConfig};
use andross::engine::Request;
use andross::session::StationId;
use andross::shutdown::Reason;
use andross::simulator::Options;
use common::process::RelayProcess;
use common::scripted::ScriptedConsole;
use common::{Venue, named_source, slp_files, synthetic, wait_until};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a script in it, and what runs of that script wrote there.
struct Notes {
    folder: TempDir,
}

/// One run of the script.
#[derive(Debug)]
struct Note {
    variables: Vec<String>,
    json: Value,
}

impl Note {
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find_map(|line| line.strip_prefix(&format!("{name}=")))
    }

    /// Such as `game-start 1`.
    fn what(&self) -> String {
        let event = self.variable("ANDROSS_EVENT").unwrap();
        match self.variable("ANDROSS_GAME") {
            Some(game) => format!("{event} {game}"),
            None => event.to_owned(),
        }
    }
}

impl Notes {
    /// Writes a note for every run; `first` is done before that.
    fn new(first: &str) -> Self {
        let notes = Self { folder: tempfile::tempdir().unwrap() };
        // A note is there whole or not at all, under the name of the shell's own number.
        let write = "cat > $$.json; env | grep ^ANDROSS_ > $$.env; mv $$.json done-$$.json";
        notes.script("note.sh", &format!("cd \"$(dirname \"$0\")\"; {first}\n{write}"));
        notes
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The command that runs a script through the shell: a file just written cannot always be
    /// executed while other threads start programs.
    fn command(&self, name: &str) -> String {
        format!("sh '{}'", self.path(name).display())
    }

    /// Lets the relay run the script on these occasions.
    fn on(&self, config: &mut RelayConfig, occasions: &[Occasion]) {
        for &occasion in occasions {
            let command = command_line(&self.command("note.sh")).unwrap();
            config.hooks.commands.insert(occasion, command);
        }
    }

    /// All notes so far.
    fn all(&self) -> Vec<Note> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let done = names
            .filter_map(|name| Some(name.strip_prefix("done-")?.strip_suffix(".json")?.to_owned()));
        let note = |id: String| {
            let read = |name: String| std::fs::read_to_string(self.path(&name)).unwrap();
            let variables = read(format!("{id}.env")).lines().map(str::to_owned).collect();
            let json = read(format!("done-{id}.json"));
            assert_eq!(json.lines().count(), 1, "one object, one line");
            Note { variables, json: serde_json::from_str(&json).unwrap() }
        };
        done.map(note).collect()
    }

    fn whats(&self) -> Vec<String> {
        let mut whats: Vec<String> = self.all().iter().map(Note::what).collect();
        whats.sort();
        whats
    }

    #[track_caller]
    fn wait_for(&self, what: &str) -> Note {
        let find = || self.all().into_iter().find(|note| note.what() == what);
        wait_until(&format!("a command is told {what}"), || find().is_some());
        find().unwrap()
    }
}

fn end(venue: Venue) -> TempDir {
    venue.shutdown.request(Reason::Finished);
    assert_eq!(venue.relay.run_to_end(), Ok(Reason::Finished));
    venue.folder
}

#[test]
fn commands_are_told_everything_in_variables_and_json() {
    let notes = Notes::new("");
    let nick = "Stream\u{1}Wii".to_owned();
    let recordings = vec![synthetic(1, 50, true)];
    let options = Options { recordings, fps: 2000.0, nick, ..Options::default() };
    let venue = Venue::start(options, |config| notes.on(config, &Occasion::ALL));
    let file = notes.wait_for("file 1");
    assert_eq!(file.variable("ANDROSS_STATION"), Some("test"));
    assert_eq!(file.variable("ANDROSS_STATION_ID"), Some("1"));
    assert_eq!(file.variable("ANDROSS_NICK"), Some("Stream Wii"), "no control characters");
    let console = venue.simulator().local_addr().to_string();
    assert_eq!(file.variable("ANDROSS_SOURCE"), Some(&*console));
    let [saved] = slp_files(venue.folder.path()).try_into().unwrap();
    assert_eq!(file.variable("ANDROSS_FILE").map(Path::new), Some(&*saved));
    assert!(common::is_complete(&saved));
    assert_eq!(file.json["event"], "file");
    assert_eq!(file.json["file"].as_str().map(Path::new), Some(&*saved));
    assert_eq!((&file.json["gameNumber"], &file.json["id"]), (&1.into(), &1.into()));
    assert_eq!(
        (&file.json["name"], &file.json["nick"]),
        (&"test".into(), &"Stream\u{1}Wii".into())
    );
    assert_eq!(file.json["time"].to_string(), file.variable("ANDROSS_TIME").unwrap());

    let connected = notes.wait_for("connected");
    assert_eq!(connected.json["connection"], "connected");
    assert_eq!(connected.variable("ANDROSS_FILE"), None);
    assert_eq!(connected.json["file"], Value::Null);
    notes.wait_for("game-start 1");
    notes.wait_for("game-end 1");
    let mut venue = venue;
    drop(venue.simulator.take());
    notes.wait_for("lost");
    end(venue);
    assert_eq!(notes.whats(), ["connected", "file 1", "game-end 1", "game-start 1", "lost"]);
}

#[test]
fn games_that_come_and_go_between_two_looks_are_all_told() {
    let notes = Notes::new("");
    let games: Vec<_> = (1..=12).map(|seed| synthetic(seed, 20, true)).collect();
    // All twelve in some milliseconds.
    let venue = Venue::start(
        Options { recordings: games, fps: 100_000.0, pause: Duration::ZERO, ..Options::default() },
        |config| notes.on(config, &[Occasion::GameStart, Occasion::GameEnd, Occasion::File]),
    );
    wait_until("every game is told three times", || notes.all().len() == 36);
    let folder = end(venue);
    let mut expected: Vec<String> = (1..=12)
        .flat_map(|game| ["file", "game-end", "game-start"].map(|what| format!("{what} {game}")))
        .collect();
    expected.sort();
    assert_eq!(notes.whats(), expected);
    let mut told: Vec<PathBuf> = notes
        .all()
        .iter()
        .filter_map(|note| note.variable("ANDROSS_FILE").map(Into::into))
        .collect();
    told.sort();
    assert_eq!(told, slp_files(folder.path()), "each file once");
}

#[test]
fn commands_start_in_order_and_eight_at_most_run_at_once() {
    // A command says when it begins and waits until it may go on.
    let notes = Notes::new(
        "me=\"$ANDROSS_EVENT $ANDROSS_GAME\"; echo $me >> begun; \
         while [ ! -e \"go $me\" ]; do sleep 0.01; done",
    );
    let games: Vec<_> = (1..=10).map(|seed| synthetic(seed, 20, true)).collect();
    let venue = Venue::start(
        Options { recordings: games, fps: 100_000.0, pause: Duration::ZERO, ..Options::default() },
        |config| notes.on(config, &[Occasion::GameStart, Occasion::GameEnd]),
    );
    let in_order: Vec<String> = (1..=10)
        .flat_map(|game| [format!("game-start {game}"), format!("game-end {game}")])
        .collect();
    let begun = || {
        let text = std::fs::read_to_string(notes.path("begun")).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for (ended, next) in in_order.iter().enumerate() {
        let may_run = (ended + 8).min(20);
        wait_until("as many run as may", || begun().len() >= may_run);
        let (mut begun, mut first) = (begun(), in_order[..may_run].to_vec());
        begun.sort();
        first.sort();
        assert_eq!(begun, first, "the first {may_run} when {ended} have ended");
        std::fs::write(notes.path(&format!("go {next}")), "").unwrap();
    }
    wait_until("all are done", || notes.all().len() == 20);
    end(venue);
}

/// Whether a process is there and not a mere entry in the system's list.
fn is_alive(pid: &str) -> bool {
    let output =
        std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(output.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[test]
fn what_takes_too_long_is_killed_with_all_that_it_started() {
    let notes = Notes::new("sleep 1000 & echo $! > child; echo $$ > parent; sleep 1000");
    let mut console = ScriptedConsole::new();
    let game = synthetic(1, 1, true);
    let folder = tempfile::tempdir().unwrap();
    let mut relay = RelayProcess::start([
        console.address().to_string(),
        "--listen=127.0.0.1:0".into(),
        "--raw-listen=off".into(),
        "--http=127.0.0.1:0".into(),
        format!("--replays={}", folder.path().display()),
        format!("--on-game-start={}", notes.command("note.sh")),
        "--hook-time=1".into(),
    ]);
    console.accept();
    console.say(game.events());
    let line = relay.wait_for_log("takes longer than 1 s: killed");
    assert!(line.contains("--on-game-start") && line.contains("--hook-time"), "{line}");
    for name in ["parent", "child"] {
        let pid = std::fs::read_to_string(notes.path(name)).unwrap();
        wait_until(&format!("the {name} is gone"), || !is_alive(pid.trim()));
    }
    assert_eq!(notes.all().len(), 0);
    assert_eq!(relay.shut_down(), Some(0));
}

#[test]
fn what_commands_say_and_how_they_fail_is_in_the_log() {
    let notes = Notes::new("");
    notes.script(
        "talk.sh",
        "echo 'on its way'; printf 'a\\033[31mb\\n' >&2; seq 500; printf %05000d 7; exit 3",
    );
    let mut console = ScriptedConsole::new();
    let folder = tempfile::tempdir().unwrap();
    let mut relay = RelayProcess::start([
        format!("Stream={}", console.address()),
        "--listen=127.0.0.1:0".into(),
        "--raw-listen=off".into(),
        "--http=127.0.0.1:0".into(),
        format!("--replays={}", folder.path().display()),
        format!("--on-connected={}", notes.command("talk.sh")),
        "--on-game-start=/no/such/program".into(),
        format!("--on-file={}", notes.command("note.sh")),
    ]);
    console.accept();
    let failed = relay.wait_for_log("of --on-connected failed: exit status: 3");
    assert!(failed.contains("Stream"), "{failed}");
    assert_eq!(relay.logs("on its way").len(), 1);
    assert_eq!(relay.logs("a [31mb").len(), 1, "no colours of its own");
    assert_eq!(relay.logs("more than 100 lines").len(), 1);
    assert!(relay.logs("hook=").len() <= 103 && relay.logs("0000000").is_empty());

    console.say(synthetic(1, 1, true).events());
    let line = relay.wait_for_log("`/no/such/program` cannot be started");
    assert!(line.contains("--on-game-start"), "{line}");
    notes.wait_for("file 1");
    assert_eq!(relay.shut_down(), Some(0));
}

#[test]
fn too_many_events_are_dropped_with_one_line() {
    let notes = Notes::new("");
    notes.script("hang.sh", "exec sleep 1000");
    let games = 300;
    let mut console = ScriptedConsole::new();
    let mut relay = RelayProcess::start([
        console.address().to_string(),
        "--listen=127.0.0.1:0".into(),
        "--raw-listen=off".into(),
        "--http=127.0.0.1:0".into(),
        "--replays=off".into(),
        format!("--on-game-end={}", notes.command("hang.sh")),
    ]);
    console.accept();
    for seed in 0..games {
        console.say(synthetic(seed as u8, 1, true).events());
    }
    relay.wait_for_log("events wait, and more are dropped");
    wait_until("all games are there", || {
        relay.stations()[0].0["game"]["number"].as_u64() == Some(games)
    });
    let asked = Instant::now();
    assert_eq!(relay.shut_down(), Some(0));
    assert!(asked.elapsed() < andross::relay::END_LIMIT, "hanging commands do not hold up the end");
    assert_eq!(relay.logs("more are dropped").len(), 1);
    relay.wait_for_log("8 commands that still run are killed, 256 do not start");
}

#[test]
fn files_that_the_end_completes_still_get_their_command() {
    let notes = Notes::new("");
    let venue = Venue::start(
        Options { recordings: vec![synthetic(1, 3000, false)], fps: 2000.0, ..Options::default() },
        |config| notes.on(config, &Occasion::ALL),
    );
    notes.wait_for("game-start 1");
    let folder = end(venue);
    assert_eq!(notes.whats(), ["connected", "file 1", "game-start 1"]);
    let file = &notes.wait_for("file 1");
    assert_eq!(file.variable("ANDROSS_FILE").map(Path::new), Some(&*slp_files(folder.path())[0]));
}

#[test]
fn a_station_that_is_removed_says_goodbye_with_its_file() {
    let notes = Notes::new("");
    let mut console = ScriptedConsole::new();
    let venue = Venue::relay(console.address(), Default::default(), |config| {
        config.stations[0].source = named_source("Side", console.address());
        notes.on(config, &Occasion::ALL);
    });
    console.accept();
    console.say(synthetic(1, 10, false).events());
    notes.wait_for("game-start 1");
    let id = StationId(1).0;
    venue.relay.engine().ask_blocking(|reply| Request::Remove(id, reply)).unwrap();
    notes.wait_for("file 1");
    notes.wait_for("lost");
    let end_of_game = notes.wait_for("game-end 1");
    assert_eq!(end_of_game.variable("ANDROSS_STATION"), Some("Side"));
    end(venue);
    assert_eq!(notes.whats(), ["connected", "file 1", "game-end 1", "game-start 1", "lost"]);
}

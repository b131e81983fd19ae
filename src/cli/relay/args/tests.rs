//! The command line and the file make one configuration.

use clap::{CommandFactory, Parser};

use super::*;

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    args: Args,
}

fn typed(words: &[&str]) -> Result<Args, clap::Error> {
    let words = ["relay"].iter().chain(words);
    Typed::try_parse_from(words).map(|typed| typed.args)
}

fn config(words: &[&str]) -> RelayConfig {
    read(&typed(words).unwrap()).unwrap()
}

fn error(words: &[&str]) -> String {
    format!("{:#}", read(&typed(words).unwrap()).unwrap_err())
}

/// A folder with an `andross.toml`, and the `--config` for it.
fn with_file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("andross.toml");
    std::fs::write(&path, text).unwrap();
    let config = format!("--config={}", path.display());
    (folder, config)
}

/// What cannot be in a file: these say which one, and what to do with it.
const ONLY_TYPED: [&str; 3] = ["config", "check-config", "help"];

#[test]
fn every_flag_has_its_key_and_every_key_its_flag() {
    let keys = file::keys();
    let mut command = Typed::command();
    command.build();
    let flags: Vec<&str> = command.get_arguments().filter_map(|arg| arg.get_long()).collect();
    assert!(flags.len() > 20, "{flags:?}");
    for flag in &flags {
        let in_file = keys.iter().any(|key| key == flag);
        assert!(in_file != ONLY_TYPED.contains(flag), "--{flag} and the file's keys: {keys:?}");
    }
    for key in keys {
        // The stations of the command line have no flag.
        assert!(key == "station" || flags.contains(&key.as_str()), "`{key}` has no flag");
    }
}

#[test]
fn flags_are_understood() {
    let config = config(&[
        "a=wii",
        "--http=off",
        "--replay-folders",
        "--delay=5",
        "--raw-delay=0",
        "--discover",
        "--discover-port=7",
        "--program",
        "--on-file=tell 'a file'",
        "--hook-time=5",
        "--obs=obs:7",
        "--obs-scene=a=Main",
        "--obs-scene=b=Other",
        "b=wii2",
    ]);
    assert_eq!(config.stations.len(), 2);
    assert!(config.http.is_none() && config.replay_folders);
    assert_eq!(config.delay.all, Some(Duration::from_secs(5)));
    assert_eq!((config.delay.console, config.delay.raw), (None, Some(Duration::ZERO)));
    let discovery = config.discovery.unwrap();
    assert_eq!(discovery.listen, "0.0.0.0:20582".parse().unwrap());
    assert_eq!(discovery.console_port, 7);
    assert_eq!(config.program, Some(ProgramConfig::default()));
    let obs = config.obs.unwrap();
    assert_eq!((obs.address.port, obs.scenes.len(), obs.source), (7, 2, None));
    let tell = HookCommand { program: "tell".into(), args: vec!["a file".into()] };
    assert_eq!(config.hooks.commands, BTreeMap::from([(Occasion::File, tell)]));
    assert_eq!(config.hooks.time, Duration::from_secs(5));
}

#[test]
fn the_command_line_wins_over_the_file_and_its_sources_come_first() {
    let (folder, file) = with_file(
        "listen = 'off'\nreplays = 'games'\nreplay-folders = true\nhttp-host = ['a', 'b']\n\
         discover = true\nmax-clients = 7\nconsole-delay = 3\n\
         [program]\nstation = 'file'\nraw-delay = 2\n[[station]]\nname = 'file'\nsource = 'wii'\n",
    );
    let plain = config(&[&file]);
    assert_eq!((plain.listen, plain.limits.total), (None, 7));
    assert_eq!(plain.replays, Some(folder.path().join("games")));
    assert!(plain.discovery.is_some() && plain.replay_folders);
    assert_eq!(plain.program.unwrap().station.as_deref(), Some("file"));

    let both = config(&[
        "typed=wii2",
        &file,
        "--listen=127.0.0.1:0",
        "--replays=here",
        "--replay-folders=false",
        "--http-host=c",
        "--discover=off",
        "--delay=1",
        "--program=typed",
    ]);
    let names: Vec<&str> = both.stations.iter().map(|s| s.source.name.as_str()).collect();
    assert_eq!(names, ["typed", "file"]);
    assert_eq!(both.listen, Some("127.0.0.1:0".parse().unwrap()));
    assert_eq!(both.replays, Some("here".into()), "from the current folder");
    assert!(!both.replay_folders && both.discovery.is_none());
    assert_eq!(both.http.unwrap().host_names, ["c"]);
    assert_eq!(both.delay.all, Some(Duration::from_secs(1)));
    assert_eq!(both.delay.console, Some(Duration::from_secs(3)));
    let program = both.program.unwrap();
    assert_eq!(program.station.as_deref(), Some("typed"));
    assert_eq!(program.delay.raw, Some(Duration::from_secs(2)));

    assert!(error(&["File=wii2", &file]).contains("two stations are called `file`"));
}

#[test]
fn it_can_be_read_again() {
    let (folder, file) = with_file("delay = 1");
    let args = typed(&["wii", &file]).unwrap();
    assert_eq!(read(&args).unwrap().delay.all, Some(Duration::from_secs(1)));
    std::fs::write(folder.path().join("andross.toml"), "delay = 2").unwrap();
    assert_eq!(read(&args.clone()).unwrap().delay.all, Some(Duration::from_secs(2)));
    std::fs::write(folder.path().join("andross.toml"), "delay = two").unwrap();
    assert!(read(&args).unwrap_err().to_string().contains("andross.toml:1:9: "));
}

#[test]
fn there_must_be_something_to_relay() {
    for words in [&[][..], &["--discover=off"], &["--program"]] {
        let error = error(words);
        assert!(error.contains("SOURCE") && error.contains("--discover"), "{words:?}: {error}");
        assert!(!error.contains('\n'));
    }
    assert!(config(&["--discover"]).stations.is_empty());
    let (_folder, file) = with_file("");
    assert!(config(&[&file]).stations.is_empty(), "they may be added later");
}

#[test]
fn wrong_flags_are_refused() {
    for words in [
        "--delay=901",
        "--console-delay=-1",
        "--away-limit=86401",
        "--consumers=65",
        "--discover-port=0",
        "--discover=here",
        "--http=51480",
        "--http-host=http://relay",
        "--program=program",
        "--replays=",
        "--replay-folders=maybe",
        "--on-file=",
        "--on-lost=tell 'me",
        "--hook-time=0",
        "--obs=obs:0",
        "--obs-source=",
        "--obs-scene=Main",
        "..=wii",
    ] {
        assert!(typed(&[words]).is_err(), "{words}");
    }
}

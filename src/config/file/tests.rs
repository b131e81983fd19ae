//! The file is understood, and what is wrong in it is named with its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::config::{DelaySettings, DiscoveryConfig, HookCommand, Occasion, OrOff};

fn understood(text: &str) -> Settings {
    parse(text, Path::new("conf/andross.toml")).unwrap()
}

fn error(text: &str) -> String {
    parse(text, Path::new("andross.toml")).unwrap_err().to_string()
}

fn seconds(n: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(n))
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(understood(""), Settings::default());
    assert_eq!(understood("\u{FEFF}# only a comment\r\n"), Settings::default());
}

#[test]
fn every_key_is_understood() {
    let settings = understood(
        r#"
        listen = "127.0.0.1:0"
        raw-listen = "off"
        http = "[::]:80"
        http-token-file = "token"
        http-host = ["Relay.example.org", "relay"]
        http-allow-origin = ["https://Overlay.example.org"]
        replays = "games/today"
        replay-folders = true
        away-limit = 1.5
        max-clients = 10
        max-clients-per-address = 2
        handshake-time = 3
        handshake-size = 100
        consumers = 4
        delay = 5
        console-delay = 0
        raw-delay = 7.25
        discover = "127.0.0.1:20583"
        discover-port = 8
        on-connected = ["a", "b c"]
        on-lost = ["hooks/lost"]
        on-game-start = ["d"]
        on-game-end = ["e"]
        on-file = ["f"]
        hook-time = 9
        obs = "studio:7"
        obs-password-file = "obs"
        obs-source = "Melee"
        obs-scene = ["Stream=Main", "Side=Other"]

        [program]
        station = "Side"
        delay = 1

        [[station]]
        source = "Stream=wii"

        [[station]]
        name = " Side "
        source = "raw:10.0.0.7:9"
        delay = 2
        console-delay = 3
        raw-delay = 4
        record = false
        "#,
    );
    assert_eq!(settings.listen, Some(OrOff::On("127.0.0.1:0".parse().unwrap())));
    assert_eq!(settings.raw_listen, Some(OrOff::Off));
    assert_eq!(settings.http, Some(OrOff::On("[::]:80".parse().unwrap())));
    assert_eq!(settings.http_token_file, Some(PathBuf::from("conf/token")));
    assert_eq!(settings.http_host.unwrap(), ["relay.example.org", "relay"]);
    assert_eq!(settings.http_allow_origin.unwrap(), ["https://overlay.example.org"]);
    assert_eq!(settings.replays, Some(OrOff::On("conf/games/today".into())));
    assert_eq!(settings.replay_folders, Some(true));
    assert_eq!((settings.away_limit, settings.handshake_time), (seconds(1.5), seconds(3.0)));
    assert_eq!((settings.max_clients, settings.max_clients_per_address), (Some(10), Some(2)));
    assert_eq!((settings.handshake_size, settings.consumers), (Some(100), Some(4)));
    let delay = DelaySettings {
        all: seconds(5.0),
        console: seconds(0.0),
        raw: seconds(7.25),
        ..DelaySettings::default()
    };
    assert_eq!(settings.delay, delay);
    assert_eq!(settings.discover, Some(OrOff::On("127.0.0.1:20583".parse().unwrap())));
    assert_eq!(settings.discover_port, Some(8));
    let hook = |occasion| settings.hooks.get(&occasion).unwrap().clone();
    let connected = HookCommand { program: "a".into(), args: vec!["b c".into()] };
    assert_eq!(hook(Occasion::Connected), connected);
    assert_eq!(hook(Occasion::Lost).program, Path::new("conf/hooks/lost"), "as all paths");
    assert_eq!(hook(Occasion::GameStart).program, Path::new("d"));
    assert_eq!(hook(Occasion::GameEnd).program, Path::new("e"));
    assert_eq!(hook(Occasion::File).program, Path::new("f"));
    assert_eq!(settings.hook_time, seconds(9.0));
    let Some(OrOff::On(obs)) = &settings.obs else { panic!("{:?}", settings.obs) };
    assert_eq!(
        (obs.to_string().as_str(), settings.obs_source.as_deref()),
        ("studio:7", Some("Melee"))
    );
    assert_eq!(settings.obs_password_file, Some("conf/obs".into()));
    let scenes = settings.obs_scene.unwrap();
    assert_eq!((scenes.len(), scenes[1].scene.as_str()), (2, "Other"));
    let program = settings.program.unwrap();
    assert_eq!((program.station.as_deref(), program.delay.all), (Some("Side"), seconds(1.0)));
    let [stream, side] = settings.stations.try_into().unwrap();
    assert_eq!((stream.source.name.as_str(), stream.record), ("Stream", true));
    assert_eq!(stream.delay, DelaySettings::default());
    assert_eq!((side.source.name.as_str(), side.record), ("Side", false));
    assert_eq!(side.source.to_string(), "raw:10.0.0.7:9");
    let delay = DelaySettings {
        all: seconds(2.0),
        console: seconds(3.0),
        raw: seconds(4.0),
        ..DelaySettings::default()
    };
    assert_eq!(side.delay, delay);
}

#[test]
fn discovery_is_on_or_off_or_somewhere() {
    let everywhere = OrOff::On(DiscoveryConfig::default().listen);
    for (value, meant) in [("true", everywhere), ("false", OrOff::Off), ("\"off\"", OrOff::Off)] {
        assert_eq!(understood(&format!("discover = {value}")).discover, Some(meant), "{value}");
    }
    assert!(error("discover = 1").starts_with("andross.toml:1:12: `discover`: "));
}

#[test]
fn a_program_table_alone_turns_the_program_output_on() {
    assert!(understood("[program]").program.is_some());
    assert!(understood("").program.is_none());
}

#[test]
fn absolute_paths_stay() {
    let here = std::env::temp_dir();
    let text = format!("replays = '{}'", here.display());
    assert_eq!(understood(&text).replays, Some(OrOff::On(here)));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let station = |rest: &str| format!("[[station]]\nsource = \"wii\"\n{rest}");
    for (text, expected) in [
        ("a\n".to_owned(), "1:2: "),
        ("listen = \"off\"\nlisten = \"off\"".into(), "2:1: this key is already"),
        ("\n  delya = 1".into(), "2:3: unknown key `delya`; did you mean `delay`?"),
        ("tempo = 1".into(), "1:1: unknown key `tempo`; there is listen, raw-listen"),
        (station("away-limit = 5"), "3:1: unknown key `away-limit`; it belongs above"),
        ("record = true".into(), "1:1: unknown key `record`; it belongs below a [["),
        ("\"a\\nb\" = 1".into(), "1:1: unknown key `a b`; "),
        ("delay = 900.5".into(), "1:9: `delay`: write a number of seconds from 0 to 900"),
        ("delay = \"5\"".into(), "1:9: `delay`: write a number of seconds"),
        ("away-limit = -1".into(), "1:14: `away-limit`: write a number of seconds"),
        ("handshake-time = nan".into(), "1:18: `handshake-time`: write a number"),
        ("max-clients = 1.5".into(), "1:15: `max-clients`: write a whole number"),
        ("consumers = 0".into(), "1:13: `consumers`: write a whole number from 1"),
        ("discover-port = 0".into(), "1:17: `discover-port`: write a number from 1"),
        (r#"replays = "D:\replays""#.into(), "1:11: `replays`: a backslash between"),
        (r#"replays = "D:\games""#.into(), "1:15: "),
        ("listen = 51441".into(), "1:10: `listen`: write it in quotes"),
        ("listen = \"51441\"".into(), "1:10: `listen`: write address:port"),
        ("replays = \"\"".into(), "1:11: `replays`: name a folder"),
        ("http-token-file = \"\"".into(), "1:19: `http-token-file`: name a file"),
        ("http-host = \"relay\"".into(), "1:13: `http-host`: write names in brackets"),
        ("http-host = [\"a b\"]".into(), "1:13: `http-host`: write a name without"),
        ("http-allow-origin = \"*\"".into(), "1:21: `http-allow-origin`: write origins in"),
        ("http-allow-origin = [\"a\"]".into(), "1:21: `http-allow-origin`: write an origin"),
        ("on-file = \"tell me\"".into(), "1:11: `on-file`: write a program and what"),
        ("on-lost = [\"tell\", 1]".into(), "1:11: `on-lost`: write a program and what"),
        ("on-lost = []".into(), "1:11: `on-lost`: name a program"),
        ("hook-time = 0".into(), "1:13: `hook-time`: write a number of seconds from 1"),
        ("obs = 4455".into(), "1:7: `obs`: write it in quotes"),
        ("obs = \"obs:x\"".into(), "1:7: `obs`: write host:port"),
        ("obs-scene = \"a=b\"".into(), "1:13: `obs-scene`: write stations and scenes in"),
        ("obs-scene = [\"a\"]".into(), "1:13: `obs-scene`: write station=scene"),
        ("replay-folders = \"yes\"".into(), "1:18: `replay-folders`: write true or"),
        (
            "program = \"Stream\"".into(),
            "1:11: invalid type: string \"Stream\", expected [program] on",
        ),
        ("[program]\nstation = \"program\"".into(), "2:11: `station`: a station cannot"),
        ("[program]\nname = \"x\"".into(), "2:1: unknown key `name`; it belongs below a"),
        ("[station]\nsource = \"wii\"".into(), "1:1: a station is a table of its own"),
        ("\n[[station]]\nname = \"a\"".into(), "2:1: this station has no `source`"),
        ("[[station]]\nsource = \"wii:0\"".into(), "2:10: `source`: `0` is not a port"),
        ("[[station]]\nsource = 5".into(), "2:10: `source`: write it in quotes"),
        (station("name = \"a/b\""), "3:8: `name`: the station's name `a/b` must have"),
        (station("name = \"ä\"\nsourcé = 1"), "4:"),
        (station("record = 0"), "3:10: `record`: write true or false"),
        (
            station("name = \"a\"") + "\n" + &station("name = \"A\""),
            "6:8: `name`: another station is called `A`",
        ),
        (station("") + &station(""), "4:10: `source`: another station is called `wii`"),
        (
            "[[station]]\nname = \"a\"\nsource = \"b=wii\"".into(),
            "3:10: `source`: this station has a `name`",
        ),
    ] {
        let error = error(&text);
        let expected = format!("andross.toml:{expected}");
        assert!(error.starts_with(&expected), "{text}\n{error}\n{expected}");
        assert!(!error.contains('\n'), "one line: {error}");
    }
}

#[test]
fn paths_of_windows_go_between_single_quotes() {
    let settings = understood(r"replays = 'D:\replays'");
    let folder = Path::new("conf").join(r"D:\replays");
    assert_eq!(settings.replays, Some(OrOff::On(folder)));
    let error = error(r#"replays = "D:\games""#);
    assert!(error.contains("between '...'"), "{error}");
}

#[test]
fn columns_are_characters() {
    let error = error("[program]\nstation = \"äöü\" # ä\n\"delay\" = \"ä\"");
    assert!(error.starts_with("andross.toml:3:11: `delay`"), "{error}");
    let error = super::parse("http-host = [\"ä\", ö]", Path::new("f")).unwrap_err().to_string();
    assert!(error.starts_with("f:1:19: "), "{error}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("andross.toml");
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("andross.toml") && error.contains("--config"), "{error}");
    std::fs::write(&path, b"# caf\xe9\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("andross.toml:1:6: this is not UTF-8"), "{error}");
    std::fs::write(&path, b"replays = 'games'").unwrap();
    assert_eq!(read(&path).unwrap().replays, Some(OrOff::On(folder.path().join("games"))));
}

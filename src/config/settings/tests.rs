//! Two places become one configuration.

use super::*;

fn stations(sources: &[&str]) -> Vec<StationConfig> {
    sources.iter().map(|source| StationConfig::new(source.parse().unwrap())).collect()
}

fn names(config: &RelayConfig) -> Vec<&str> {
    config.stations.iter().map(|station| station.source.name.as_str()).collect()
}

fn seconds(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n))
}

fn hooks(programs: &[(Occasion, &str)]) -> BTreeMap<Occasion, HookCommand> {
    let command = |program: &str| HookCommand { program: program.into(), args: Vec::new() };
    programs.iter().map(|(occasion, program)| (*occasion, command(program))).collect()
}

#[test]
fn with_nothing_said_the_defaults_hold() {
    let config = Settings::default().into_config().unwrap();
    assert_eq!(config.listen, Some("0.0.0.0:51441".parse().unwrap()));
    assert_eq!(config.raw_listen, Some("0.0.0.0:53742".parse().unwrap()));
    assert_eq!(config.http, Some(HttpConfig::default()));
    assert_eq!(config.replays, Some("replays".into()));
    assert!(!config.replay_folders);
    assert_eq!(config.away_limit, Duration::from_secs(60));
    assert_eq!((config.limits.total, config.limits.per_address), (4096, 256));
    assert_eq!(config.delay, DelaySettings::default());
    assert_eq!((config.discovery, config.program), (None, None));
    assert!(config.hooks.commands.is_empty());
}

#[test]
fn the_narrower_place_wins_key_by_key() {
    let narrow = Settings {
        stations: stations(&["a=wii1", "b=wii2"]),
        listen: Some(OrOff::Off),
        replay_folders: Some(false),
        max_clients: Some(1),
        delay: DelaySettings { all: seconds(1), console: None, raw: seconds(0), dolphin: None },
        hooks: hooks(&[(Occasion::File, "narrow")]),
        program: Some(ProgramConfig { station: Some("B".into()), ..ProgramConfig::default() }),
        ..Settings::default()
    };
    let wider = Settings {
        stations: stations(&["c=wii3"]),
        listen: Some(OrOff::On("1.2.3.4:5".parse().unwrap())),
        raw_listen: Some(OrOff::Off),
        http: Some(OrOff::On("1.2.3.4:6".parse().unwrap())),
        http_token_file: Some("token".into()),
        http_host: Some(vec!["relay.lan".into()]),
        http_allow_origin: Some(vec!["*".into()]),
        replays: Some(OrOff::Off),
        replay_folders: Some(true),
        max_clients: Some(2),
        hooks: hooks(&[(Occasion::File, "wide"), (Occasion::Lost, "wide")]),
        hook_time: seconds(4),
        handshake_size: Some(3),
        delay: DelaySettings {
            all: seconds(9),
            console: seconds(8),
            raw: seconds(7),
            dolphin: seconds(5),
        },
        program: Some(ProgramConfig {
            station: Some("c".into()),
            delay: DelaySettings { all: seconds(6), ..DelaySettings::default() },
        }),
        ..Settings::default()
    };
    let config = narrow.over(wider).into_config().unwrap();
    assert_eq!(names(&config), ["a", "b", "c"], "the narrower place's stations come first");
    assert_eq!((config.listen, config.raw_listen, config.replays), (None, None, None));
    let http = config.http.unwrap();
    assert_eq!(http.listen, "1.2.3.4:6".parse().unwrap());
    assert_eq!(http.token_file, Some("token".into()));
    assert_eq!(http.host_names, ["relay.lan"]);
    assert_eq!(http.allow_origins, ["*"]);
    assert!(!config.replay_folders);
    assert_eq!((config.limits.total, config.limits.handshake_len), (1, 3));
    let delay = DelaySettings {
        all: seconds(1),
        console: seconds(8),
        raw: seconds(0),
        dolphin: seconds(5),
    };
    assert_eq!(config.delay, delay);
    let both = hooks(&[(Occasion::File, "narrow"), (Occasion::Lost, "wide")]);
    assert_eq!((config.hooks.commands, config.hooks.time), (both, Duration::from_secs(4)));
    let program = config.program.unwrap();
    assert_eq!(program.station.as_deref(), Some("b"), "as the station writes it");
    assert_eq!(program.delay.all, seconds(6));
}

#[test]
fn a_name_in_both_places_is_refused_however_it_is_written() {
    let narrow = Settings { stations: stations(&["Stream=wii"]), ..Settings::default() };
    let wider = Settings { stations: stations(&["stream=wii:2"]), ..Settings::default() };
    let error = narrow.over(wider).into_config().unwrap_err();
    assert_eq!(error, SettingsError::SameName("stream".into()));
}

#[test]
fn one_console_is_one_station() {
    let settings = |sources| Settings { stations: stations(sources), ..Settings::default() };
    let error = settings(&["a=wii", "b=wii:51441"]).into_config().unwrap_err().to_string();
    assert!(error.contains("`b` and `a`") && error.contains("wii:51441"), "{error}");
    assert!(settings(&["a=wii", "b=wii:51442"]).into_config().is_ok());
}

#[test]
fn there_is_an_end_to_stations() {
    let many: Vec<String> = (0..=MAX_STATIONS).map(|k| format!("s{k}=wii{k}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let settings = |stations| Settings { stations, ..Settings::default() };
    assert!(settings(stations(&many[1..])).into_config().is_ok());
    let error = settings(stations(&many)).into_config().unwrap_err();
    assert_eq!(error, SettingsError::TooMany(MAX_STATIONS + 1));
}

#[test]
fn the_program_output_needs_a_station_that_can_be() {
    let program = ProgramConfig { station: Some("Sream".into()), delay: DelaySettings::default() };
    let mut settings = Settings {
        stations: stations(&["Stream=wii", "Side=wii2"]),
        program: Some(program),
        ..Settings::default()
    };
    let error = settings.clone().into_config().unwrap_err().to_string();
    assert!(error.contains("`Sream`") && error.contains("Stream, Side"), "{error}");
    settings.discover = Some(OrOff::On(DiscoveryConfig::default().listen));
    settings.discover_port = Some(7);
    let config = settings.into_config().unwrap();
    let heard = DiscoveryConfig { console_port: 7, ..DiscoveryConfig::default() };
    assert_eq!(config.discovery, Some(heard), "a discovered console may have the name");
}

#[test]
fn obs_needs_an_address_and_something_to_show() {
    let address = ObsAddress { host: "obs".into(), port: 1 };
    let source = Settings { obs_source: Some("Melee".into()), ..Settings::default() };
    assert_eq!(source.clone().into_config().unwrap_err(), SettingsError::NoObs);
    let alone = Settings { obs: Some(OrOff::On(address)), ..Settings::default() };
    assert_eq!(alone.clone().into_config().unwrap_err(), SettingsError::NothingForObs);
    let both = source.clone().over(alone);
    assert_eq!(both.clone().into_config().unwrap().obs.unwrap().address.to_string(), "obs:1");
    let off = Settings { obs: Some(OrOff::Off), ..Settings::default() };
    assert_eq!(off.over(both).into_config().unwrap().obs, None);
}

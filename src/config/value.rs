//! How single values are typed, on the command line and in the file alike.
//!
//! Each function takes the text and gives the value, or a sentence that says what to write.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{
    HookCommand, MAX_DELAY, NatsServer, OBS_PORT, ObsAddress, ObsScene, OrOff, check_station_name,
};

/// The longest time that can be asked for: a day.
const MAX_SECONDS: f64 = 86_400.0;

/// The most threads that serve spectators.
const MAX_CONSUMERS: u16 = 64;

/// The most servers that a JetStream stream can be kept by.
const MAX_REPLICAS: u8 = 5;

/// Seconds that something published is kept: less than a game would be no use to who comes late, and a
/// month is more than any tournament.
const MIN_AGE: f64 = 60.0;
const MAX_AGE: f64 = 31.0 * 86_400.0;

/// Bytes of what is published: a game has some ten million.
const MIN_BYTES: u64 = 1 << 20;
const MAX_BYTES: u64 = i64::MAX as u64;

/// The longest name of a computer.
const MAX_HOST_NAME: usize = 253;

/// An address to listen on, or `off`.
///
/// # Errors
/// What to write instead.
pub fn listen_address(text: &str) -> Result<OrOff<SocketAddr>, String> {
    if text == "off" {
        return Ok(OrOff::Off);
    }
    text.parse()
        .map(OrOff::On)
        .map_err(|_| "write address:port, such as 0.0.0.0:51441 or [::]:51441, or `off`".to_owned())
}

/// A folder, or `off`.
///
/// # Errors
/// What to write instead.
pub fn folder(path: PathBuf) -> Result<OrOff<PathBuf>, String> {
    match path.to_str() {
        Some("") => Err("name a folder, or write `off`".to_owned()),
        Some("off") => Ok(OrOff::Off),
        _ => Ok(OrOff::On(path)),
    }
}

/// Seconds, with a fraction if need be, up to a day.
///
/// # Errors
/// What to write instead.
pub fn seconds(text: &str) -> Result<Duration, String> {
    seconds_within(text, 0.0, MAX_SECONDS)
}

/// Seconds that a command may take: at least one, for none ends at once.
///
/// # Errors
/// What to write instead.
pub fn hook_time(text: &str) -> Result<Duration, String> {
    seconds_within(text, 1.0, MAX_SECONDS)
}

/// Seconds that spectators are behind, up to [`MAX_DELAY`].
///
/// # Errors
/// What to write instead.
pub fn delay(text: &str) -> Result<Duration, String> {
    seconds_within(text, 0.0, MAX_DELAY.as_secs_f64())
}

fn seconds_within(text: &str, least: f64, most: f64) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (least..=most).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("write a number of seconds from {least} to {most}, such as 2.5")),
    }
}

/// A number of things.
///
/// # Errors
/// What to write instead.
pub fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "write a whole number from 0 on, such as 256".to_owned())
}

/// A number of threads.
///
/// # Errors
/// What to write instead.
pub fn consumers(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(threads @ 1..=MAX_CONSUMERS) => Ok(threads),
        _ => Err(format!("write a whole number from 1 to {MAX_CONSUMERS}")),
    }
}

/// A TCP port that something answers on.
///
/// # Errors
/// What to write instead.
pub fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port @ 1..) => Ok(port),
        _ => Err("write a number from 1 to 65535, such as 51441".to_owned()),
    }
}

/// The name of a computer, as browsers know it; in small letters.
///
/// # Errors
/// What to write instead.
pub fn host_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() || text.len() > MAX_HOST_NAME || !text.chars().all(fits) {
        return Err("write a name without http:// and port, such as relay.example.org".to_owned());
    }
    Ok(text.to_ascii_lowercase())
}

/// Where web pages come from, as browsers write it, in small letters; `*` is everywhere.
///
/// # Errors
/// What to write instead.
pub fn origin(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    let place = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']');
    let is_place =
        place.is_some_and(|p| !p.is_empty() && p.len() <= MAX_HOST_NAME && p.chars().all(fits));
    if is_place || text == "*" {
        return Ok(text);
    }
    Err("write an origin without a path, such as https://overlay.example.org, or `*` for all, files that a \
         browser or OBS opens among them".to_owned())
}

/// The name of a station.
///
/// # Errors
/// What to write instead.
pub fn station_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    check_station_name(name).map_err(|error| error.to_string())?;
    Ok(name.to_owned())
}

/// A command as it would be typed into a shell, which it is not given to: spaces part words, quotes
/// hold them together.
///
/// # Errors
/// What to write instead.
pub fn command_line(text: &str) -> Result<HookCommand, String> {
    let words = shlex::split(text).ok_or_else(|| {
        "a quotation mark is missing; write a command and what it is given, such as \
         \"/usr/local/bin/tell 'a game'\""
            .to_owned()
    })?;
    command(words)
}

/// A command: the program, then what it is given.
///
/// # Errors
/// What to write instead.
pub fn command(words: Vec<String>) -> Result<HookCommand, String> {
    let mut words = words.into_iter();
    let program = words.next().filter(|program| !program.is_empty());
    let program = program.ok_or_else(|| "name a program to run".to_owned())?;
    let args: Vec<String> = words.collect();
    // Nothing like that can be given to a program.
    if program.contains('\0') || args.iter().any(|arg| arg.contains('\0')) {
        return Err("leave out the character NUL".to_owned());
    }
    Ok(HookCommand { program: program.into(), args })
}

/// Where OBS is, or `off`.
///
/// # Errors
/// What to write instead.
pub fn obs_address(text: &str) -> Result<OrOff<ObsAddress>, String> {
    if text == "off" {
        return Ok(OrOff::Off);
    }
    let (host, port) = match text.rsplit_once(':') {
        // The last part of an IPv6 address is no port.
        Some((host, digits)) if !digits.ends_with(']') => (host, port(digits).ok()),
        _ => (text, Some(OBS_PORT)),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_good = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host_name(host).is_ok(),
    };
    match port {
        Some(port) if is_good => Ok(OrOff::On(ObsAddress { host: host.to_owned(), port })),
        _ => Err(format!("write host:port, such as 127.0.0.1:{OBS_PORT}, or `off`")),
    }
}

/// A NATS server, or `off`.
///
/// # Errors
/// What to write instead.
pub fn nats_server(text: &str) -> Result<OrOff<NatsServer>, String> {
    match text {
        "off" => Ok(OrOff::Off),
        _ => text.parse::<NatsServer>().map(OrOff::On).map_err(|error| error.to_string()),
    }
}

/// Servers of a cluster that keep the same.
///
/// # Errors
/// What to write instead.
pub fn replicas(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(replicas @ 1..=MAX_REPLICAS) => Ok(replicas),
        _ => Err(format!("write a whole number from 1 to {MAX_REPLICAS}; usual are 1 and 3")),
    }
}

/// How long NATS keeps what is published.
///
/// # Errors
/// What to write instead.
pub fn publish_max_age(text: &str) -> Result<Duration, String> {
    seconds_within(text, MIN_AGE, MAX_AGE)
}

/// Bytes, from a mebibyte on; `K`, `M` and `G` stand for a power of 1024.
///
/// # Errors
/// What to write instead.
pub fn publish_max_bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match bytes {
        Some(bytes @ MIN_BYTES..=MAX_BYTES) => Ok(bytes),
        _ => Err("write a number of bytes from 1M on, such as 4G".to_owned()),
    }
}

/// A scene of OBS for a station: `STATION=SCENE`.
///
/// # Errors
/// What to write instead.
pub fn obs_scene(text: &str) -> Result<ObsScene, String> {
    let parts = text.split_once('=').filter(|(_, scene)| !scene.trim().is_empty());
    let (station, scene) =
        parts.ok_or_else(|| "write station=scene, such as Stream=Main".to_owned())?;
    Ok(ObsScene { station: station_name(station)?, scene: scene.trim().to_owned() })
}

/// What something in OBS is called.
///
/// # Errors
/// What to write instead.
pub fn obs_name(text: &str) -> Result<String, String> {
    match text {
        "" => Err("write the name as it stands in OBS".to_owned()),
        name => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_limits() {
        assert_eq!(seconds("86400"), Ok(Duration::from_secs(86_400)));
        assert_eq!(delay("900"), Ok(Duration::from_secs(900)));
        assert_eq!(delay("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["-1", "901", "NaN", "inf", "", "5s"] {
            assert!(delay(wrong).unwrap_err().contains("from 0 to 900"), "{wrong}");
        }
        assert!(seconds("86401").is_err() && seconds("-0.1").is_err());
        assert!(consumers("0").is_err() && consumers("65").is_err() && consumers("64") == Ok(64));
        assert!(port("0").is_err() && port("65536").is_err() && port("1") == Ok(1));
        assert!(hook_time("0.5").unwrap_err().contains("from 1 to 86400"));
        assert_eq!(hook_time("1"), Ok(Duration::from_secs(1)));
        assert!(count("-1").is_err() && count("1.5").is_err() && count("0") == Ok(0));
    }

    #[test]
    fn what_nats_keeps_has_limits() {
        assert_eq!(publish_max_bytes("4G"), Ok(4 << 30));
        assert_eq!(publish_max_bytes("1048576"), Ok(1 << 20));
        for wrong in ["", "G", "-1", "1023K", "4T", "99999999999G"] {
            assert!(publish_max_bytes(wrong).is_err(), "{wrong}");
        }
        assert!(replicas("0").is_err() && replicas("6").is_err() && replicas("3") == Ok(3));
        assert!(publish_max_age("59").is_err() && publish_max_age("7200").is_ok());
        assert_eq!(nats_server("off"), Ok(OrOff::Off));
        assert!(nats_server("hub:4222").is_err());
    }

    #[test]
    fn addresses_folders_and_names() {
        assert_eq!(listen_address("off"), Ok(OrOff::Off));
        assert_eq!(listen_address("[::]:1"), Ok(OrOff::On("[::]:1".parse().unwrap())));
        assert!(listen_address("51441").is_err() && listen_address("").is_err());
        assert_eq!(folder("off".into()), Ok(OrOff::Off));
        assert_eq!(folder("a/off".into()), Ok(OrOff::On("a/off".into())));
        assert!(folder(PathBuf::new()).is_err());
        assert_eq!(host_name("Relay.Example.org"), Ok("relay.example.org".into()));
        assert!(host_name("http://relay").is_err() && host_name("relay:80").is_err());
        assert_eq!(
            origin("HTTPS://Overlay.example:8080"),
            Ok("https://overlay.example:8080".into())
        );
        assert_eq!(origin("*"), Ok("*".into()));
        for wrong in ["", "null", "overlay.example", "https://", "https://a/b", "ftp://a", "*.a"] {
            assert!(origin(wrong).unwrap_err().contains("https://"), "{wrong}");
        }
        assert_eq!(station_name(" Stream "), Ok("Stream".into()));
        assert!(station_name("program").is_err() && station_name("").is_err());
    }

    #[test]
    fn commands_are_split_as_a_shell_would_and_that_is_all() {
        let command = command_line("tell 'a game' \"$HOME\" * # x").unwrap();
        assert_eq!(command.program, PathBuf::from("tell"));
        assert_eq!(command.args, ["a game", "$HOME", "*"]);
        assert!(command_line("tell 'a game").unwrap_err().contains("quotation mark"));
        for nothing in ["", "  ", "''", "# tell"] {
            assert!(command_line(nothing).unwrap_err().contains("name a program"), "{nothing}");
        }
        assert!(super::command(vec!["tell".into(), "\0".into()]).is_err());
    }

    #[test]
    fn obs_is_somewhere_and_its_scenes_belong_to_stations() {
        let on = |host: &str, port| Ok(OrOff::On(ObsAddress { host: host.into(), port }));
        assert_eq!(obs_address("studio.lan:7"), on("studio.lan", 7));
        assert_eq!(obs_address("127.0.0.1"), on("127.0.0.1", 4455));
        assert_eq!(obs_address("[::1]:8"), on("[::1]", 8));
        assert_eq!(obs_address("[::1]"), on("[::1]", 4455));
        assert_eq!(obs_address("off"), Ok(OrOff::Off));
        for wrong in ["", ":1", "a:0", "a:b", "::1", "ws://a:1", "[a]:1", "a b:1"] {
            assert!(obs_address(wrong).is_err(), "{wrong}");
        }
        let scene = ObsScene { station: "Stream".into(), scene: "Main=2".into() };
        assert_eq!(obs_scene("Stream = Main=2"), Ok(scene));
        assert!(obs_scene("Stream").is_err() && obs_scene("Stream=").is_err());
        assert!(obs_scene("=Main").is_err() && obs_name("").is_err());
    }
}

//! Where NATS is, and what relays say to each other through it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::check_station_name;

/// The port of a NATS server.
pub const NATS_PORT: u16 = 4222;

/// What all stations of a server are called in a source.
const ALL: &str = "*";

/// Something that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The words themselves.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What an address says about who is calling.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum NatsLogin {
    /// Nothing: a file may.
    #[default]
    Nobody,
    /// `nats://TOKEN@host`.
    Token(Secret),
    /// `nats://USER:PASSWORD@host`.
    User(String, Secret),
}

/// A NATS server, which names the others of its cluster itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NatsServer {
    /// A name or an address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether the connection must be encrypted, as `tls://` says.
    pub tls: bool,
    /// Who is calling.
    pub login: NatsLogin,
}

impl NatsServer {
    /// Whether both are the same place, whoever calls.
    pub fn is_same_place(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port
    }
}

impl fmt::Display for NatsServer {
    /// The address as it can be typed, but without what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        let scheme = if self.tls { "tls" } else { "nats" };
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

/// One station of a NATS server, or all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NatsSource {
    /// The server.
    pub server: NatsServer,
    /// The station's name at the relay that publishes it. `None`: every station, as they come.
    pub station: Option<String>,
}

impl fmt::Display for NatsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let station = self.station.as_deref().unwrap_or(ALL);
        write!(f, "{}/{}", self.server, station.replace(' ', "%20"))
    }
}

/// How every NATS server is called that the addresses say nothing about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NatsAccess {
    /// A credentials file: a JWT and its NKEY.
    pub creds: Option<PathBuf>,
    /// A file whose first line is an NKEY's seed.
    pub nkey: Option<PathBuf>,
    /// A file with certificates (PEM) that are trusted besides the system's.
    pub ca: Option<PathBuf>,
}

/// What is published, and for how long it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishConfig {
    /// Where to.
    pub server: NatsServer,
    /// Servers of the cluster that keep it, from 1 to 5.
    pub replicas: u8,
    /// How long it is kept.
    pub max_age: Duration,
    /// How many bytes of it are kept, all stations together.
    pub max_bytes: u64,
    /// Whether a station is taken over that another relay publishes, once that one is gone.
    pub standby: bool,
}

impl PublishConfig {
    /// Two hours, so that whoever comes late has the longest game from its start; 4 GiB, which is that
    /// of seven consoles at least: a frame has up to 1,000 bytes of events and 320 of headers, 60 times a
    /// second.
    pub fn new(server: NatsServer) -> Self {
        Self {
            server,
            replicas: 1,
            max_age: Duration::from_secs(2 * 60 * 60),
            max_bytes: 4 * 1024 * 1024 * 1024,
            standby: false,
        }
    }
}

/// An address of NATS that cannot be understood. It is not repeated: it may hold a password.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum NatsError {
    /// This program cannot speak it.
    #[error(
        "this andross was built without NATS; take a release of andross, or build it with \
         `cargo build --release --features nats`"
    )]
    NotBuilt,
    /// Neither `nats://` nor `tls://`.
    #[error("write nats://host[:port] or tls://host[:port]")]
    Scheme,
    /// Nothing where the host should be.
    #[error("the NATS address names no host; write nats://host[:port]")]
    NoHost,
    /// The port is not a number from 1 to 65535.
    #[error("the port of the NATS address is not a number from 1 to 65535")]
    Port,
    /// Something is behind the address that does not belong there.
    #[error("a NATS server's address ends behind its port; leave out what is behind `/`")]
    Path,
    /// No station is named.
    #[error(
        "name a station behind the NATS server, such as nats://host/Stream, or all: nats://host/*"
    )]
    NoStation,
    /// A station cannot be called so.
    #[error("the station behind the NATS server: {0}")]
    Station(String),
    /// `%` and something else than two hexadecimal digits.
    #[error(
        "a `%` in a NATS address is followed by two hexadecimal digits, such as %20 for a space"
    )]
    Percent,
}

/// Whether a source's or server's address is one of NATS.
pub(super) fn is_nats(text: &str) -> bool {
    text.starts_with("nats://") || text.starts_with("tls://")
}

impl FromStr for NatsServer {
    type Err = NatsError;

    fn from_str(text: &str) -> Result<Self, NatsError> {
        let (server, path) = split(text)?;
        if path.is_some_and(|path| !path.is_empty()) {
            return Err(NatsError::Path);
        }
        Ok(server)
    }
}

impl FromStr for NatsSource {
    type Err = NatsError;

    fn from_str(text: &str) -> Result<Self, NatsError> {
        let (server, path) = split(text)?;
        let path = decode(path.unwrap_or_default())?;
        let station = match path.as_str() {
            "" => return Err(NatsError::NoStation),
            ALL => None,
            name => {
                check_station_name(name).map_err(|error| NatsError::Station(error.to_string()))?;
                Some(name.to_owned())
            }
        };
        Ok(Self { server, station })
    }
}

/// The server of `scheme://[login@]host[:port][/path]`, and the path.
fn split(text: &str) -> Result<(NatsServer, Option<&str>), NatsError> {
    let (tls, rest) = match (text.strip_prefix("nats://"), text.strip_prefix("tls://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return Err(NatsError::Scheme),
    };
    if !cfg!(feature = "nats") {
        return Err(NatsError::NotBuilt);
    }
    // A password may have a `/` or an `@` in it only as %2F and %40.
    let (place, path) = match rest.split_once('/') {
        Some((place, path)) => (place, Some(path)),
        None => (rest, None),
    };
    let (login, place) = match place.rsplit_once('@') {
        Some((login, place)) => (login_of(login)?, place),
        None => (NatsLogin::Nobody, place),
    };
    let (host, port) = super::source::split_port(place).map_err(|_| NatsError::Port)?;
    if host.is_empty() {
        return Err(NatsError::NoHost);
    }
    let port = port.unwrap_or(NATS_PORT);
    Ok((NatsServer { host: host.to_owned(), port, tls, login }, path))
}

fn login_of(text: &str) -> Result<NatsLogin, NatsError> {
    Ok(match text.split_once(':') {
        Some((user, password)) => NatsLogin::User(decode(user)?, Secret(decode(password)?)),
        None => NatsLogin::Token(Secret(decode(text)?)),
    })
}

/// Takes `%20` and the like for what they stand for.
fn decode(text: &str) -> Result<String, NatsError> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).ok_or(NatsError::Percent)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NatsError::Percent);
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| NatsError::Percent)?);
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).map_err(|_| NatsError::Percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(feature = "nats"))]
    #[test]
    fn without_nats_one_line_says_so() {
        for text in ["nats://host/Stream", "tls://host/*"] {
            let error = text.parse::<crate::config::Source>().unwrap_err().to_string();
            assert!(error.contains("was built without NATS"), "{error}");
        }
        assert_eq!("nats://host".parse::<NatsServer>(), Err(NatsError::NotBuilt));
    }

    #[cfg(feature = "nats")]
    #[test]
    fn servers_and_stations_are_understood() {
        let source = |text: &str| text.parse::<NatsSource>().unwrap();
        let plain = source("nats://hub.example/Stream%201");
        assert_eq!((plain.server.host.as_str(), plain.server.port), ("hub.example", 4222));
        assert_eq!(plain.station.as_deref(), Some("Stream 1"));
        assert_eq!(plain.to_string(), "nats://hub.example:4222/Stream%201");
        assert_eq!(source("tls://[::1]:7/*").to_string(), "tls://[::1]:7/*");
        let user = source("nats://me:p%40ss%2F=@hub:9/*").server;
        assert_eq!(user.login, NatsLogin::User("me".into(), Secret("p@ss/=".into())));
        let token = "nats://s3cr3t@hub".parse::<NatsServer>().unwrap();
        assert_eq!(token.login, NatsLogin::Token(Secret("s3cr3t".into())));
    }

    #[cfg(feature = "nats")]
    #[test]
    fn what_is_secret_is_never_shown() {
        let server: NatsServer = "nats://me:hunter2@hub".parse().unwrap();
        assert!(!format!("{server} {server:?}").contains("hunter2"));
        for wrong in ["nats://me:hunter2@", "nats://me:hunter2@hub:x", "nats://a%zhunter2@hub"] {
            let error = wrong.parse::<NatsServer>().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[cfg(feature = "nats")]
    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<NatsSource>().unwrap_err();
        assert_eq!(error("nats://hub"), NatsError::NoStation);
        assert_eq!(error("nats:///x"), NatsError::NoHost);
        assert_eq!(error("nats://hub:0/x"), NatsError::Port);
        assert_eq!(error("nats://hub/%2"), NatsError::Percent);
        assert!(matches!(error("nats://hub/a%2Fb"), NatsError::Station(_)));
        assert_eq!("nats://hub/x".parse::<NatsServer>(), Err(NatsError::Path));
        assert_eq!("hub".parse::<NatsServer>(), Err(NatsError::Scheme));
    }
}

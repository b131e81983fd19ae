//! What the command line means, validated.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::protocol::console;

/// Everything a relay needs to know.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// The consoles, a station each, in order.
    pub sources: Vec<Source>,
    /// Where spectators of the console protocol connect: station k on port + k. `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Where raw spectators connect, likewise.
    pub raw_listen: Option<SocketAddr>,
    /// The folder that games are kept in. `None`: they are not.
    pub replays: Option<PathBuf>,
    /// How many threads serve spectators.
    pub consumers: usize,
    /// Limits on spectators.
    pub limits: ClientLimits,
    /// Patience with the console.
    pub timing: SourceTiming,
    /// How long a source may stay away before its game's file is completed.
    pub away_limit: Duration,
}

impl RelayConfig {
    /// The default settings for `sources`, with nothing listening and nothing recorded yet.
    pub fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            listen: None,
            raw_listen: None,
            replays: None,
            consumers: default_consumers(),
            limits: ClientLimits::default(),
            timing: SourceTiming::default(),
            away_limit: Duration::from_secs(60),
        }
    }
}

/// Half the cores: the other half has the kernel's share of the sending to do, and whatever else
/// runs on a venue's laptop. Measured on two cores, see `docs/performance.md`.
pub fn default_consumers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

/// How much spectators may take.
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    /// Connected at once, all stations together.
    pub total: usize,
    /// Connected at once from one address.
    pub per_address: usize,
    /// The longest handshake in bytes, its length excluded.
    pub handshake_len: usize,
    /// How long a spectator may take for its handshake.
    pub handshake_time: Duration,
}

impl Default for ClientLimits {
    /// As many in all as a laptop serves in time; from one address so many that a shared router is
    /// no trouble but one broken program cannot take every place; the console's own handshake
    /// limits.
    fn default() -> Self {
        Self {
            total: 4096,
            per_address: 256,
            handshake_len: console::MAX_HANDSHAKE_LEN,
            handshake_time: Duration::from_millis(console::HANDSHAKE_TIMEOUT_MS),
        }
    }
}

/// How patient the console thread is.
#[derive(Clone, Copy, Debug)]
pub struct SourceTiming {
    /// For a connection to be made.
    pub connect: Duration,
    /// For the answer to the handshake, before the console is called busy.
    pub busy_after: Duration,
    /// For the answer to the handshake, before the connection is made anew.
    pub give_up: Duration,
    /// Without a byte from a console, which sends a keep-alive every 0.5 s.
    pub silence: Duration,
    /// Without a byte from a raw source, which need not send any.
    pub raw_silence: Duration,
    /// The first and the longest wait before another attempt.
    pub back_off: (Duration, Duration),
}

impl Default for SourceTiming {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            busy_after: Duration::from_secs(3),
            give_up: Duration::from_secs(30),
            silence: Duration::from_secs(5),
            raw_silence: Duration::from_secs(20),
            back_off: (Duration::from_millis(250), Duration::from_secs(5)),
        }
    }
}

/// Where a station's games come from: `[name=]host[:port]` or `[name=]raw:host:port`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The station's name, by default the host.
    pub name: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Never say a handshake: it is a raw source. Otherwise its first bytes tell.
    pub raw: bool,
}

/// A source that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SourceError {
    /// Nothing where the host should be.
    #[error("`{0}` names no host; write [name=]host[:port], such as 192.168.1.20")]
    NoHost(String),
    /// The port is not a number from 1 to 65535.
    #[error("`{0}` is not a port; write a number from 1 to 65535")]
    Port(String),
    /// A raw source without a port.
    #[error("`{0}` needs a port; write raw:host:port, such as raw:192.168.1.5:53742")]
    RawPort(String),
    /// A name that cannot be part of a file's name.
    #[error("the station's name `{0}` may only have letters, digits, spaces, - and _")]
    Name(String),
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let (name, address) = match text.split_once('=') {
            Some((name, address)) => (Some(name.trim()), address),
            None => (None, text),
        };
        let (raw, address) = match address.strip_prefix("raw:") {
            Some(address) => (true, address),
            None => (false, address),
        };
        let (host, port) = split_port(address)?;
        if host.is_empty() {
            return Err(SourceError::NoHost(text.to_owned()));
        }
        let port = match port {
            Some(port) => port,
            None if raw => return Err(SourceError::RawPort(text.to_owned())),
            None => console::PORT,
        };
        let name = name.unwrap_or(host);
        let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ':');
        if name.is_empty() || !name.chars().all(fits) {
            return Err(SourceError::Name(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), host: host.to_owned(), port, raw })
    }
}

/// Splits `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
fn split_port(address: &str) -> Result<(&str, Option<u16>), SourceError> {
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').unwrap_or((rest, ""));
        (host, rest.strip_prefix(':'))
    } else {
        match address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (address, None),
        }
    };
    let port = match port {
        None => None,
        Some(text) => match text.parse() {
            Ok(port) if port != 0 => Some(port),
            _ => return Err(SourceError::Port(text.to_owned())),
        },
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, host: &str, port: u16, raw: bool) -> Source {
        Source { name: name.into(), host: host.into(), port, raw }
    }

    #[test]
    fn sources_are_understood() {
        let cases = [
            ("192.168.1.20", source("192.168.1.20", "192.168.1.20", 51441, false)),
            ("wii.lan:666", source("wii.lan", "wii.lan", 666, false)),
            ("Stream 1=10.0.0.7", source("Stream 1", "10.0.0.7", 51441, false)),
            ("raw:10.0.0.7:53742", source("10.0.0.7", "10.0.0.7", 53742, true)),
            ("a=raw:[::1]:53742", source("a", "::1", 53742, true)),
            ("::1", source("::1", "::1", 51441, false)),
            ("[fe80::2]:9", source("fe80::2", "fe80::2", 9, false)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<Source>().unwrap_err();
        assert_eq!(error("wii:0"), SourceError::Port("0".into()));
        assert_eq!(error("wii:port"), SourceError::Port("port".into()));
        assert_eq!(error("raw:wii"), SourceError::RawPort("raw:wii".into()));
        assert_eq!(error("x="), SourceError::NoHost("x=".into()));
        assert_eq!(error("../x=wii"), SourceError::Name("../x".into()));
    }
}

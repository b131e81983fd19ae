//! Where a station's games come from, as it is typed.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::nats::is_nats;
use super::{NatsError, NatsSource};
use crate::protocol::{console, spectator};

/// Where a station's games come from: `[name=]host[:port]`, `[name=]raw:host:port`,
/// `[name=]dolphin:host[:port]` or `[name=]nats://host[:port]/station`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The station's name, by default the host.
    pub name: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// TCP port; a Dolphin's is a UDP port.
    pub port: u16,
    /// What is spoken there. What is to be a console may be a raw source: its first bytes tell. A raw
    /// source is never said a handshake.
    pub protocol: SourceProtocol,
    /// If the console's stream comes from a NATS server, which is at `host` and `port`.
    pub nats: Option<Box<NatsSource>>,
}

/// What is spoken at a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceProtocol {
    /// The console protocol.
    Console,
    /// Raw event bytes.
    Raw,
    /// Dolphin's spectator protocol, over UDP.
    Dolphin,
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
    /// A name that cannot be part of a file's name, or is too long for one.
    #[error(
        "the station's name `{0}` must have 1 to {MAX_NAME} letters, digits, spaces, -, _, . or :"
    )]
    Name(String),
    /// The name of the program output.
    #[error("a station cannot be called `{PROGRAM}`: that is the program output")]
    Reserved,
    /// An address of NATS that makes no sense.
    #[error(transparent)]
    Nats(#[from] NatsError),
}

/// The longest name of a station, in characters: it becomes a part of file names.
const MAX_NAME: usize = 64;

/// What stands in front of a source's address that is no console.
const RAW: &str = "raw:";
const DOLPHIN: &str = "dolphin:";

/// What the program output is called, and nothing else.
const PROGRAM: &str = "program";

/// Checks what people want to call a station.
///
/// # Errors
/// [`SourceError::Name`] or [`SourceError::Reserved`].
pub fn check_station_name(name: &str) -> Result<(), SourceError> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ':');
    // Only dots would be a folder's own name, or the name of the one above.
    let empty = name.chars().all(|c| matches!(c, ' ' | '.'));
    if empty || name.chars().count() > MAX_NAME || !name.chars().all(fits) {
        return Err(SourceError::Name(name.chars().take(2 * MAX_NAME).collect()));
    }
    if name.eq_ignore_ascii_case(PROGRAM) {
        return Err(SourceError::Reserved);
    }
    Ok(())
}

/// Whether two stations cannot be called so at once. Large and small letters do not count: they are
/// one folder on some systems, and hard to tell apart on a busy day.
pub fn same_station_name(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

impl Source {
    /// Whether both are the same place, whatever they are called: a Dolphin's UDP port is another one
    /// than the TCP port of the same number.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let is_udp = |source: &Self| source.protocol == SourceProtocol::Dolphin;
        let station = |source: &Self| source.nats.as_ref().map(|nats| nats.station.clone());
        self.host == other.host
            && self.port == other.port
            && is_udp(self) == is_udp(other)
            && station(self) == station(other)
    }

    /// Whether it is every station of a NATS server, not one.
    pub fn is_all_of_nats(&self) -> bool {
        self.nats.as_ref().is_some_and(|nats| nats.station.is_none())
    }
}

impl fmt::Display for Source {
    /// The address without the name, as it can be typed again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nats) = &self.nats {
            return nats.fmt(f);
        }
        let scheme = match self.protocol {
            SourceProtocol::Console => "",
            SourceProtocol::Raw => RAW,
            SourceProtocol::Dolphin => DOLPHIN,
        };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{scheme}[{host}]:{port}")
        } else {
            write!(f, "{scheme}{host}:{port}")
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        // A password may have a `=` in it.
        let is_named = !is_nats(text);
        let (name, address) = match text.split_once('=').filter(|_| is_named) {
            Some((name, address)) => (Some(name.trim()), address),
            None => (None, text),
        };
        if is_nats(address) {
            let nats: NatsSource = address.parse()?;
            let name = name.or(nats.station.as_deref()).unwrap_or(&nats.server.host).to_owned();
            check_station_name(&name)?;
            let (host, port) = (nats.server.host.clone(), nats.server.port);
            let nats = Some(Box::new(nats));
            return Ok(Self { name, host, port, protocol: SourceProtocol::Console, nats });
        }
        let schemes = [(RAW, SourceProtocol::Raw), (DOLPHIN, SourceProtocol::Dolphin)];
        let spoken = |(scheme, protocol)| Some((protocol, address.strip_prefix(scheme)?));
        let (protocol, address) =
            schemes.into_iter().find_map(spoken).unwrap_or((SourceProtocol::Console, address));
        let (host, port) = split_port(address)?;
        if host.is_empty() {
            return Err(SourceError::NoHost(text.to_owned()));
        }
        let port = match (port, protocol) {
            (Some(port), _) => port,
            (None, SourceProtocol::Raw) => return Err(SourceError::RawPort(text.to_owned())),
            (None, SourceProtocol::Console) => console::PORT,
            (None, SourceProtocol::Dolphin) => spectator::PORT,
        };
        let name = name.unwrap_or(host);
        check_station_name(name)?;
        Ok(Self { name: name.to_owned(), host: host.to_owned(), port, protocol, nats: None })
    }
}

/// Splits `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
pub(super) fn split_port(address: &str) -> Result<(&str, Option<u16>), SourceError> {
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

    fn source(name: &str, host: &str, port: u16, protocol: SourceProtocol) -> Source {
        Source { name: name.into(), host: host.into(), port, protocol, nats: None }
    }

    #[test]
    fn sources_are_understood() {
        use SourceProtocol::{Console, Dolphin, Raw};
        let cases = [
            ("192.168.1.20", source("192.168.1.20", "192.168.1.20", 51441, Console)),
            ("wii.lan:666", source("wii.lan", "wii.lan", 666, Console)),
            ("Stream 1=10.0.0.7", source("Stream 1", "10.0.0.7", 51441, Console)),
            ("raw:10.0.0.7:53742", source("10.0.0.7", "10.0.0.7", 53742, Raw)),
            ("a=raw:[::1]:53742", source("a", "::1", 53742, Raw)),
            ("dolphin:10.0.0.9", source("10.0.0.9", "10.0.0.9", 51441, Dolphin)),
            ("PC=dolphin:pc.lan:51442", source("PC", "pc.lan", 51442, Dolphin)),
            ("dolphin:::1", source("::1", "::1", 51441, Dolphin)),
            // A host may be called so.
            ("dolphin", source("dolphin", "dolphin", 51441, Console)),
            ("::1", source("::1", "::1", 51441, Console)),
            ("[fe80::2]:9", source("fe80::2", "fe80::2", 9, Console)),
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
        assert_eq!(error("dolphin:pc:x"), SourceError::Port("x".into()));
        assert_eq!(error("x="), SourceError::NoHost("x=".into()));
        assert_eq!(error("dolphin:"), SourceError::NoHost("dolphin:".into()));
        assert_eq!(error("../x=wii"), SourceError::Name("../x".into()));
        assert_eq!(error("..=wii"), SourceError::Name("..".into()));
        assert_eq!(error("Program=wii"), SourceError::Reserved);
        assert!(matches!(error(&format!("{}=wii", "x".repeat(65))), SourceError::Name(_)));
    }

    #[test]
    fn a_source_reads_back_as_it_is_shown() {
        for text in ["192.168.1.20:51441", "raw:[::1]:53742", "wii.lan:666", "dolphin:pc:51441"] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
    }
}

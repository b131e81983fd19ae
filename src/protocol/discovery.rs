//! How a console without a client announces itself: SLIP_READY, broadcast over UDP.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The UDP port that consoles announce themselves on.
pub const PORT: u16 = 20582;

/// Length of the datagram: magic, MAC, nick.
pub const ANNOUNCEMENT_LEN: usize = 48;

/// Seconds between two announcements of a console.
pub const PERIOD_SECONDS: u64 = 10;

const MAGIC: &[u8; 10] = b"SLIP_READY";
const NICK_LEN: usize = 32;

/// The MAC address of a console's network interface: its identity, whatever its IP address and
/// nickname are today. Written `00:09:bf:01:02:03`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        // Padded as a whole, so that it can stand in a column.
        f.pad(&format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"))
    }
}

/// What was typed is no MAC address.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("`{0}` is no MAC address: write six pairs of hex digits, such as 00:09:bf:01:02:03")]
pub struct MacError(String);

impl FromStr for Mac {
    type Err = MacError;

    /// Reads six pairs of hex digits, upper or lower case, with `:` or, as Windows writes them, `-`
    /// between them.
    fn from_str(text: &str) -> Result<Self, MacError> {
        let wrong = || MacError(text.to_owned());
        let mut mac = [0; 6];
        let mut pairs = text.split([':', '-']);
        for byte in &mut mac {
            let pair = pairs.next().ok_or_else(wrong)?;
            // `from_str_radix` alone would take a sign and single digits, too.
            if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(wrong());
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        if pairs.next().is_some() { Err(wrong()) } else { Ok(Self(mac)) }
    }
}

/// One announcement.
///
/// Layout: 10 bytes `SLIP_READY`, 6 bytes MAC address of the console's network interface, 32 bytes
/// nickname, padded with NULs (Nintendont `SlippiNetworkBroadcast.c`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// The MAC address: the console's stable identity.
    pub mac: Mac,
    /// The console's nickname, at most 32 bytes of it.
    pub nick: String,
}

impl Announcement {
    /// The datagram. A nickname that is too long is cut at a character's boundary.
    pub fn encode(&self) -> [u8; ANNOUNCEMENT_LEN] {
        let mut out = [0; ANNOUNCEMENT_LEN];
        out[..10].copy_from_slice(MAGIC);
        out[10..16].copy_from_slice(&self.mac.0);
        let nick = &self.nick[..self.nick.floor_char_boundary(NICK_LEN)];
        out[16..16 + nick.len()].copy_from_slice(nick.as_bytes());
        out
    }

    /// Reads a datagram; `None` if it is something else.
    pub fn decode(datagram: &[u8]) -> Option<Self> {
        let rest = datagram.strip_prefix(MAGIC)?;
        let (mac, nick) = rest.split_first_chunk::<6>()?;
        let nick = nick.get(..NICK_LEN)?;
        let end = nick.iter().position(|&b| b == 0).unwrap_or(NICK_LEN);
        Some(Self { mac: Mac(*mac), nick: String::from_utf8_lossy(&nick[..end]).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_reads_back() {
        let ready = Announcement { mac: Mac([0, 9, 0xBF, 1, 2, 3]), nick: "Stream Wii".into() };
        let bytes = ready.encode();
        assert_eq!(&bytes[..16], b"SLIP_READY\x00\x09\xbf\x01\x02\x03");
        assert_eq!(Announcement::decode(&bytes), Some(ready));
        assert_eq!(Announcement::decode(&bytes[..47]), None);
        assert_eq!(Announcement::decode(b"SLIP_STEADY"), None);
    }

    #[test]
    fn a_long_nick_is_cut_at_a_character() {
        let ready = Announcement { mac: Mac([0; 6]), nick: format!("{}ü", "x".repeat(31)) };
        assert_eq!(Announcement::decode(&ready.encode()).unwrap().nick, "x".repeat(31));
    }

    #[test]
    fn a_mac_address_is_read_as_people_write_it_and_written_one_way() {
        let mac = Mac([0, 9, 0xBF, 1, 2, 0xFF]);
        for typed in ["00:09:bf:01:02:ff", "00-09-BF-01-02-FF", "00:09:Bf:01:02:fF"] {
            assert_eq!(typed.parse(), Ok(mac), "{typed}");
        }
        assert_eq!(mac.to_string(), "00:09:bf:01:02:ff");
        assert_eq!(format!("{mac:>19}|"), "  00:09:bf:01:02:ff|");
        for typed in [
            "",
            "00:09:bf:01:02",
            "00:09:bf:01:02:03:04",
            "0:9:bf:1:2:3",
            "00:09:bf:01:02:+3",
            "00:09:bf:01:02:zz",
            "0009bf010203",
            "00:09:bf:01:02:03 ",
            "0ü:09:bf:01:02:03",
        ] {
            let error = typed.parse::<Mac>().unwrap_err();
            assert!(error.to_string().contains("six pairs"), "{typed}");
        }
    }
}

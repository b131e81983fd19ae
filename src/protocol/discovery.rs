//! How a console without a client announces itself: SLIP_READY, broadcast over UDP.

/// The UDP port that consoles announce themselves on.
pub const PORT: u16 = 20582;

/// Length of the datagram: magic, MAC, nick.
pub const ANNOUNCEMENT_LEN: usize = 48;

/// Seconds between two announcements of a console.
pub const PERIOD_SECONDS: u64 = 10;

const MAGIC: &[u8; 10] = b"SLIP_READY";
const NICK_LEN: usize = 32;

/// One announcement.
///
/// Layout: 10 bytes `SLIP_READY`, 6 bytes MAC address of the console's network interface, 32 bytes
/// nickname, padded with NULs (Nintendont `SlippiNetworkBroadcast.c`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// The MAC address: the console's stable identity.
    pub mac: [u8; 6],
    /// The console's nickname, at most 32 bytes of it.
    pub nick: String,
}

impl Announcement {
    /// The datagram. A nickname that is too long is cut at a character's boundary.
    pub fn encode(&self) -> [u8; ANNOUNCEMENT_LEN] {
        let mut out = [0; ANNOUNCEMENT_LEN];
        out[..10].copy_from_slice(MAGIC);
        out[10..16].copy_from_slice(&self.mac);
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
        Some(Self { mac: *mac, nick: String::from_utf8_lossy(&nick[..end]).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_reads_back() {
        let ready = Announcement { mac: [0, 9, 0xBF, 1, 2, 3], nick: "Stream Wii".into() };
        let bytes = ready.encode();
        assert_eq!(&bytes[..16], b"SLIP_READY\x00\x09\xbf\x01\x02\x03");
        assert_eq!(Announcement::decode(&bytes), Some(ready));
        assert_eq!(Announcement::decode(&bytes[..47]), None);
        assert_eq!(Announcement::decode(b"SLIP_STEADY"), None);
    }

    #[test]
    fn a_long_nick_is_cut_at_a_character() {
        let ready = Announcement { mac: [0; 6], nick: format!("{}ü", "x".repeat(31)) };
        assert_eq!(Announcement::decode(&ready.encode()).unwrap().nick, "x".repeat(31));
    }
}

//! Whether a chain of relays is complete: asked in the words that relays have for each other.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::net::nonblocking;
use crate::protocol::RelayId;
use crate::protocol::console::{Handshake, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, split_message};

/// A client of the chain's last relay that says it is a relay, too, and is told by which way the
/// stream comes.
pub(super) struct Probe {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Probe {
    /// Connects to the relay at `address` and says the handshake.
    ///
    /// # Errors
    /// If it does not listen (yet).
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        let relay = Some(RelayId(fastrand::u64(..)));
        stream.write_all(&Handshake { relay, ..Handshake::default() }.encode())?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// How many relays the stream comes through, by the newest notice since the last call.
    ///
    /// # Errors
    /// If the relay hung up, or says what no relay says.
    pub(super) fn relays(&mut self) -> io::Result<Option<usize>> {
        let mut scratch = [0; 4096];
        while let Some(read) = nonblocking(|| self.stream.read(&mut scratch))? {
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.received.extend_from_slice(&scratch[..read]);
        }
        let mut relays = None;
        while let Some(body) =
            split_message(&self.received, MAX_MESSAGE_LEN).map_err(io::Error::other)?
        {
            if let Message::Notice(notice) = Message::decode(body).map_err(io::Error::other)? {
                relays = Some(notice.path.len());
            }
            let len = LENGTH_PREFIX + body.len();
            self.received.drain(..len);
        }
        Ok(relays)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::protocol::console::RelayNotice;

    #[test]
    fn the_newest_path_counts_and_a_relay_that_is_gone_is_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut probe = Probe::connect(listener.local_addr().unwrap()).unwrap();
        let (mut relay, _) = listener.accept().unwrap();
        assert_eq!(probe.relays().unwrap(), None);
        let notice = |relays| RelayNotice {
            nick: b""[..].into(),
            version: b""[..].into(),
            tokens: Vec::new(),
            path: (0..relays).map(RelayId).collect(),
        };
        let both = [notice(1).encode(), notice(3).encode()].concat();
        relay.write_all(&both).unwrap();
        drop(relay);
        // The end may come with the notices or behind them.
        let mut seen = Vec::new();
        let error = loop {
            match probe.relays() {
                Ok(relays) => seen.extend(relays),
                Err(error) => break error,
            }
        };
        assert!(seen.len() <= 2 && seen.iter().all(|relays| [1, 3].contains(relays)));
        assert!(
            [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset].contains(&error.kind())
        );
    }
}

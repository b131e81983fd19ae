//! Names to addresses, without making the console thread wait for a name server.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use crate::session::Doorbell;

/// A look-up under way, on a thread of its own that ends with it.
#[derive(Debug)]
pub(super) struct Lookup {
    answer: Receiver<io::Result<Vec<SocketAddr>>>,
}

impl Lookup {
    /// Asks for the addresses of `host`, and rings when it is there.
    pub(super) fn start(host: &str, port: u16, doorbell: Doorbell) -> io::Result<Self> {
        let (sender, answer) = channel();
        let host = host.to_owned();
        std::thread::Builder::new().name("resolver".into()).spawn(move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            // Nobody listens any more when the relay ends meanwhile.
            if sender.send(found).is_ok() {
                let _ = doorbell.wake();
            }
        })?;
        Ok(Self { answer })
    }

    /// The answer, once it is there.
    pub(super) fn poll(&self) -> Option<io::Result<Vec<SocketAddr>>> {
        match self.answer.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(io::Error::other("the look-up failed"))),
        }
    }
}

/// An address that needs no look-up.
pub(super) fn literal(host: &str, port: u16) -> Option<SocketAddr> {
    host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port))
}

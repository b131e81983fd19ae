//! The network between console and relay, as one can pull it: a proxy on a port of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A cable to `console`.
pub struct Cable {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// While set, nothing passes, and nobody is told.
    pulled: AtomicBool,
    /// Bytes from the console until the next cut; 0 means never.
    cut_after: AtomicUsize,
    /// Bytes handed on in one piece at most.
    piece: AtomicUsize,
    connections: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
}

impl Cable {
    pub fn to(console: SocketAddr) -> Self {
        Self::between(([127, 0, 0, 1], 0).into(), console)
    }

    /// A cable whose relay's end is at a certain address.
    pub fn between(address: SocketAddr, console: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        shared.piece.store(usize::MAX, Ordering::Relaxed);
        let accepting = shared.clone();
        // The thread ends with the test's process.
        thread::spawn(move || {
            for relay in listener.incoming() {
                let Ok(relay) = relay else { return };
                let Ok(console) = TcpStream::connect(console) else {
                    continue;
                };
                relay.set_nodelay(true).unwrap();
                console.set_nodelay(true).unwrap();
                let both = [relay.try_clone().unwrap(), console.try_clone().unwrap()];
                accepting.streams.lock().unwrap().extend(both);
                let up = (relay.try_clone().unwrap(), console.try_clone().unwrap());
                let (to_console, to_relay) = (accepting.clone(), accepting.clone());
                thread::spawn(move || to_console.forward(up.0, up.1, false));
                thread::spawn(move || to_relay.forward(console, relay, true));
                accepting.connections.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { address, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections made so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// From now on, what the console sends arrives in pieces of `len` bytes.
    pub fn fragment(&self, len: usize) {
        self.shared.piece.store(len, Ordering::Relaxed);
    }

    /// Hangs up on both ends once `bytes` more have come from the console.
    pub fn cut_after(&self, bytes: usize) {
        self.shared.cut_after.store(bytes, Ordering::Relaxed);
    }

    /// Hangs up on both ends.
    pub fn cut(&self) {
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Nothing passes any more, and nobody is told.
    pub fn pull(&self) {
        self.shared.pulled.store(true, Ordering::Relaxed);
    }

    /// Puts the cable back. The connections from before are dead: the console notices when its
    /// packets are answered with a reset.
    pub fn put_back(&self) {
        self.cut();
        self.shared.pulled.store(false, Ordering::Relaxed);
    }
}

impl Shared {
    fn forward(&self, mut from: TcpStream, mut to: TcpStream, from_console: bool) {
        from.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            while self.pulled.load(Ordering::Relaxed) {
                // Waits for the test, which puts the cable back or cuts it.
                thread::sleep(Duration::from_millis(1));
                if from.peer_addr().is_err() {
                    return;
                }
            }
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    continue;
                }
                Err(_) => break,
            };
            let mut bytes = &buffer[..read];
            if from_console {
                let left = self.cut_after.load(Ordering::Relaxed);
                if left > 0 {
                    bytes = &bytes[..read.min(left)];
                    self.cut_after.store(left - bytes.len(), Ordering::Relaxed);
                }
                let piece = self.piece.load(Ordering::Relaxed);
                if bytes.chunks(piece).any(|piece| to.write_all(piece).is_err()) {
                    break;
                }
                if left > 0 && left == bytes.len() {
                    break;
                }
            } else if to.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

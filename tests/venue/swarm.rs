//! Hundreds of spectators on one thread: each compares every byte with the truth as it comes.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use andross::protocol::console::{
    Handshake, LENGTH_PREFIX, MAX_MESSAGE_LEN, Message, split_message,
};
use andross::protocol::{Protocol, raw};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

const DOORBELL: Token = Token(usize::MAX);

/// What a console plays in all, from its first byte on.
pub type Truth = Arc<Vec<u8>>;

/// One spectator as the test sees it.
#[derive(Default)]
pub struct Seat {
    received: AtomicUsize,
    has_ended: AtomicBool,
    fault: Mutex<Option<String>>,
}

impl Seat {
    /// Bytes that were right and in their place. A spectator that saw others has a fault.
    pub fn received(&self) -> usize {
        if let Some(fault) = &*self.fault.lock().unwrap() {
            panic!("a spectator: {fault}");
        }
        self.received.load(Ordering::Acquire)
    }

    /// Whether it was hung up on.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }
}

/// The thread of the spectators; it ends with the swarm.
pub struct Swarm {
    newcomers: Sender<Spectator>,
    doorbell: Arc<Waker>,
}

impl Swarm {
    pub fn new() -> Self {
        let poll = Poll::new().unwrap();
        let doorbell = Arc::new(Waker::new(poll.registry(), DOORBELL).unwrap());
        let (newcomers, arriving) = channel();
        let kept = doorbell.clone();
        thread::spawn(move || watch(poll, &arriving, &kept));
        Self { newcomers, doorbell }
    }

    /// A spectator connects, and expects the whole of `truth`.
    pub fn join(&self, address: SocketAddr, protocol: Protocol, truth: &Truth) -> Arc<Seat> {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        if protocol == Protocol::Console {
            stream
                .write_all(&Handshake { realtime: true, ..Handshake::default() }.encode())
                .unwrap();
        }
        stream.set_nonblocking(true).unwrap();
        let seat = Arc::new(Seat::default());
        let spectator = Spectator {
            stream: TcpStream::from_std(stream),
            protocol,
            truth: truth.clone(),
            seat: seat.clone(),
            unread: Vec::new(),
            decoder: raw::Decoder::new(),
        };
        self.newcomers.send(spectator).unwrap();
        self.doorbell.wake().unwrap();
        seat
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        // The thread sees the newcomers' channel closed.
        let (closed, _) = channel();
        self.newcomers = closed;
        let _ = self.doorbell.wake();
    }
}

/// Reads for everybody until nobody can come any more. The doorbell must live as long as the poll.
fn watch(mut poll: Poll, arriving: &Receiver<Spectator>, _doorbell: &Waker) {
    let mut events = Events::with_capacity(1024);
    let mut spectators: Vec<Option<Spectator>> = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled.unwrap(),
        }
        for event in &events {
            if event.token() == DOORBELL {
                loop {
                    match arriving.try_recv() {
                        Ok(mut spectator) => {
                            let token = Token(spectators.len());
                            let stream = &mut spectator.stream;
                            poll.registry().register(stream, token, Interest::READABLE).unwrap();
                            spectators.push(Some(spectator));
                        }
                        Err(std::sync::mpsc::TryRecvError::Empty) => break,
                        Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
                    }
                }
            } else if let Some(place) = spectators.get_mut(event.token().0)
                && place.as_mut().is_some_and(|spectator| !spectator.read(&mut buffer))
            {
                *place = None;
            }
        }
    }
}

struct Spectator {
    stream: TcpStream,
    protocol: Protocol,
    truth: Truth,
    seat: Arc<Seat>,
    unread: Vec<u8>,
    decoder: raw::Decoder,
}

impl Spectator {
    /// Reads until there is no more; false at the end, or when something was wrong.
    fn read(&mut self, buffer: &mut [u8]) -> bool {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => break,
                Ok(len) => {
                    self.unread.extend_from_slice(&buffer[..len]);
                    if let Err(fault) = self.take() {
                        *self.seat.fault.lock().unwrap() = Some(fault);
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.seat.has_ended.store(true, Ordering::Release);
        false
    }

    /// Takes what is whole.
    fn take(&mut self) -> Result<(), String> {
        match self.protocol {
            Protocol::Raw => {
                let mut events = Vec::new();
                let decoded = self.decoder.decode(&self.unread, &mut events);
                if decoded.lost != 0 {
                    return Err(format!("{} raw bytes cannot be read", decoded.lost));
                }
                self.unread.drain(..decoded.consumed);
                compare(&self.seat, &self.truth, &events)
            }
            Protocol::Console => {
                let mut used = 0;
                let split = |rest| split_message(rest, MAX_MESSAGE_LEN).map_err(|e| e.to_string());
                while let Some(body) = split(&self.unread[used..])? {
                    used += LENGTH_PREFIX + body.len();
                    match Message::decode(body).map_err(|error| error.to_string())? {
                        Message::Replay(replay) => {
                            let expected = self.seat.received.load(Ordering::Relaxed) as u64;
                            if replay.force_pos || replay.pos.0 != expected {
                                return Err(format!("at {expected} came {}", replay.pos.0));
                            }
                            compare(&self.seat, &self.truth, replay.data)?;
                        }
                        Message::Reply(reply) if reply.pos.0 != 0 => {
                            return Err(format!("it begins at {}, not 0", reply.pos.0));
                        }
                        _ => {}
                    }
                }
                self.unread.drain(..used);
                Ok(())
            }
        }
    }
}

/// Counts what came if it is what comes next.
fn compare(seat: &Seat, truth: &[u8], came: &[u8]) -> Result<(), String> {
    let at = seat.received.load(Ordering::Relaxed);
    let expected = truth.get(at..at + came.len()).ok_or("more came than was played")?;
    if let Some(wrong) = came.iter().zip(expected).position(|(a, b)| a != b) {
        return Err(format!("the byte at {} is wrong", at + wrong));
    }
    seat.received.store(at + came.len(), Ordering::Release);
    Ok(())
}

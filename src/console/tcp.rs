//! The way to a console, a raw source or a relay: a TCP connection.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::event::Source as _;
use mio::net::TcpStream;
use mio::{Interest, Registry};

use super::connection::Context;
use super::intake::Intake;
use super::link::{Lost, Reading};
use crate::net::{Fill, nonblocking};

/// A TCP connection to a source.
pub(super) struct TcpLink {
    stream: TcpStream,
    /// The source is known to be a raw one.
    is_raw: bool,
}

impl TcpLink {
    pub(super) fn open(
        address: SocketAddr,
        is_raw: bool,
        context: &Context<'_>,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        context.registry.register(&mut stream, context.token, interest)?;
        Ok(Self { stream, is_raw })
    }

    /// Once the socket is connected, says the handshake; false while it is not.
    pub(super) fn greet(
        &mut self,
        intake: &mut Intake,
        context: &Context<'_>,
    ) -> Result<bool, Lost> {
        let stream = &mut self.stream;
        if let Some(error) = stream.take_error()? {
            return Err(error.into());
        }
        match stream.peer_addr() {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        stream.set_nodelay(true)?;
        // The handshake leaves at once and nothing else is ever sent.
        context.registry.reregister(stream, context.token, Interest::READABLE)?;
        let handshake = intake.begin(self.is_raw);
        if self.is_raw {
            return Ok(true);
        }
        let message = handshake.encode();
        // The console reads the length and then the rest; a new socket takes it all in one write.
        match nonblocking(|| stream.write(&message))? {
            Some(sent) if sent == message.len() => Ok(true),
            _ => Err(io::Error::from(io::ErrorKind::WriteZero).into()),
        }
    }

    pub(super) fn read(&mut self, intake: &mut Intake) -> Result<Reading, Lost> {
        let len = match intake.fill(&mut self.stream)? {
            Fill::Bytes(len) => len,
            Fill::WouldBlock => return Ok(Reading::default()),
            Fill::Closed => return Err(Lost::Closed),
        };
        let written = intake.decode(Instant::now())?;
        Ok(Reading { len, written, more: true })
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        // It is dropped right after; the poll forgets it then at the latest.
        let _ = self.stream.deregister(registry);
    }
}

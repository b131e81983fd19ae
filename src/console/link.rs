//! The way to a source, whatever it is made of.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::Registry;
use thiserror::Error;

use super::connection::Context;
use super::dolphin::DolphinLink;
use super::intake::{Intake, IntakeError};
use super::tcp::TcpLink;
use crate::config::{Source, SourceProtocol};
use crate::session::Written;

/// The way to one source, from the first attempt until it is closed.
pub(super) enum Link {
    /// To a console, a raw source, a relay.
    Tcp(TcpLink),
    /// To a Dolphin.
    Dolphin(Box<DolphinLink>),
}

/// What one reading gave.
#[derive(Default)]
pub(super) struct Reading {
    /// So many bytes came; none means that nothing was heard.
    pub(super) len: usize,
    pub(super) written: Written,
    /// There may be more.
    pub(super) more: bool,
}

/// Why a connection ended.
#[derive(Debug, Error)]
pub(super) enum Lost {
    #[error("{}", explain(.0))]
    Io(#[from] io::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("no answer (is the console on, and is this its address?)")]
    ConnectTimeout,
    #[error("connected, but no answer to the handshake")]
    NoAnswer,
    #[error("nothing came for {} s", .0.as_secs_f32())]
    Silent(Duration),
    #[error("no Dolphin there (does it run, with its spectator server on?)")]
    NoDolphin,
    #[error("no answer (does Dolphin run there, with its spectator server on and a place free?)")]
    DolphinTimeout,
    #[error("it hung up before it said anything (has it no place for another spectator?)")]
    DolphinRefused,
    #[error("connected, but it does not answer the request (is it a Dolphin?)")]
    NoReply,
    #[error(transparent)]
    Source(#[from] IntakeError),
}

/// The system's words for what goes wrong most often, with what to look at.
fn explain(error: &io::Error) -> String {
    let look_at = match error.kind() {
        io::ErrorKind::ConnectionRefused => "is the console on, with Slippi networking enabled?",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "is the console on, and on the same network as this computer?"
        }
        io::ErrorKind::TimedOut => "is the console on, and is this its address?",
        _ => return error.to_string(),
    };
    format!("{error} ({look_at})")
}

impl Link {
    /// Begins to connect.
    pub(super) fn open(
        source: &Source,
        address: SocketAddr,
        context: &Context<'_>,
    ) -> io::Result<Self> {
        Ok(match source.protocol {
            SourceProtocol::Console => Self::Tcp(TcpLink::open(address, false, context)?),
            SourceProtocol::Raw => Self::Tcp(TcpLink::open(address, true, context)?),
            SourceProtocol::Dolphin => {
                Self::Dolphin(Box::new(DolphinLink::open(address, context)?))
            }
        })
    }

    /// Once it is connected, says what `intake` has to say; false while it is not.
    pub(super) fn greet(
        &mut self,
        intake: &mut Intake,
        context: &Context<'_>,
    ) -> Result<bool, Lost> {
        match self {
            Self::Tcp(link) => link.greet(intake, context),
            Self::Dolphin(link) => link.greet(intake),
        }
    }

    /// Takes a piece of what has come into `intake`.
    pub(super) fn read(&mut self, intake: &mut Intake) -> Result<Reading, Lost> {
        match self {
            Self::Tcp(link) => link.read(intake),
            Self::Dolphin(link) => link.read(intake),
        }
    }

    /// When it is to be read also if nothing has come.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Tcp(_) => None,
            Self::Dolphin(link) => Some(link.due()),
        }
    }

    /// What it means that no connection is made.
    pub(super) fn timeout(&self) -> Lost {
        match self {
            Self::Tcp(_) => Lost::ConnectTimeout,
            Self::Dolphin(_) => Lost::DolphinTimeout,
        }
    }

    /// Hangs up.
    pub(super) fn close(&mut self, registry: &Registry) {
        match self {
            Self::Tcp(link) => link.close(registry),
            Self::Dolphin(link) => link.close(registry),
        }
    }
}

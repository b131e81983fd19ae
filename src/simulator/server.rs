//! The network thread of a console: one client at a time, a handshake, then the event stream.
//!
//! Source: Nintendont `kernel/SlippiNetwork.c`. It never reads again behind the handshake, so that a
//! client is gone is only seen when a send fails: the keep-alives are there for that.
//!
//! Not imitated: its blocking `recvfrom`, which waits without limit for the rest of a handshake
//! whose length has come (here the 5 seconds hold), and its turning in circles until they are over
//! when the client closes there (here that is the end).

use std::convert::Infallible;
use std::time::{Duration, Instant};

use byteorder::{BigEndian, ByteOrder};
use bytes::Bytes;

use super::link::{End, Link, Peer};
use super::ring::Trouble;
use super::state::Client;
use crate::protocol::console::{
    HANDSHAKE_TIMEOUT_MS, Handshake, HandshakeReply, KEEP_ALIVE, KEEP_ALIVE_MS, LENGTH_PREFIX,
    MAX_HANDSHAKE_LEN, MAX_REPLAY_DATA, Replay,
};
use crate::protocol::{ClientToken, Cursor};

/// How long a console stops for when a read gave trouble.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);

/// A handshake shorter than this has no type.
const MIN_HANDSHAKE_LEN: usize = 9;

/// How the event stream is dressed for a client.
pub(super) struct Manner {
    /// One piece of the stream.
    pub(super) message: fn(&Replay<'_>) -> Bytes,
    /// What is sent when there was nothing to send for `keep_alive_after`.
    pub(super) keep_alive: &'static [u8],
    pub(super) keep_alive_after: Duration,
    /// The pause behind a keep-alive.
    pub(super) keep_alive_pause: Duration,
}

const CONSOLE: Manner = Manner {
    message: |replay| replay.encode().0,
    keep_alive: &KEEP_ALIVE,
    keep_alive_after: Duration::from_millis(KEEP_ALIVE_MS),
    keep_alive_pause: Duration::ZERO,
};

/// Serves the console protocol until the console is switched off.
pub(super) fn run(link: Link, nick: &str, version: &str) {
    // One buffer for all clients: what a short handshake lacks is read from the one before.
    let mut buffer = [0; MAX_HANDSHAKE_LEN];
    link.serve_each(|link, peer| {
        let handshake = read_handshake(link, peer, &mut buffer)?;
        let cursor = greet(link, peer, &handshake, nick, version)?;
        transfer(link, peer, cursor, &CONSOLE)
    });
}

fn read_handshake(
    link: &mut Link,
    peer: &mut Peer,
    buffer: &mut [u8; MAX_HANDSHAKE_LEN],
) -> Result<Handshake, End> {
    let deadline = Instant::now() + Duration::from_millis(HANDSHAKE_TIMEOUT_MS);
    let mut prefix = [0; LENGTH_PREFIX];
    if link.recv(peer, &mut prefix, deadline)? != LENGTH_PREFIX {
        return Err(End::Refused("the handshake's length did not come in one piece"));
    }
    let len = usize::try_from(BigEndian::read_u32(&prefix)).unwrap_or(usize::MAX);
    let Some(body) = buffer.get_mut(..len) else {
        return Err(End::Refused("the handshake is longer than 1024 bytes"));
    };
    let mut filled = 0;
    while let Some(rest @ [_, ..]) = body.get_mut(filled..) {
        match link.recv(peer, rest, deadline)? {
            0 => return Err(End::Refused("it closed within the handshake")),
            more => filled += more,
        }
    }
    if len < MIN_HANDSHAKE_LEN {
        return Err(End::Refused("the message is too short for a handshake"));
    }
    Handshake::read_at_fixed_offsets(buffer).ok_or(End::Refused("the message is no handshake"))
}

/// Takes the client in and answers; where its stream begins.
fn greet(
    link: &mut Link,
    peer: &mut Peer,
    handshake: &Handshake,
    nick: &str,
    version: &str,
) -> Result<Cursor, End> {
    let (cursor, token) = link.shared().lock().greet(handshake, new_token);
    admit(link, peer, cursor, token)?;
    if handshake.realtime {
        peer.set_nodelay()?;
    }
    let reply = HandshakeReply {
        nick: nick.as_bytes().into(),
        version: version.as_bytes().into(),
        token,
        pos: cursor,
    };
    link.send(peer, &reply.encode())?;
    let how = if token == handshake.token {
        format!("resumes with token {token}")
    } else {
        format!("is new and gets token {token}")
    };
    tracing::info!("{} {how}; it starts at {cursor}", peer.addr);
    Ok(cursor)
}

/// Makes `peer` the one client.
pub(super) fn admit(
    link: &Link,
    peer: &Peer,
    cursor: Cursor,
    token: ClientToken,
) -> Result<(), End> {
    let client = Client { addr: peer.addr, cursor, token };
    let admitted = link.shared().change(|state| state.admit(peer.epoch, client));
    if admitted { Ok(()) } else { Err(End::HungUp) }
}

/// A random token that is neither none nor `last`.
fn new_token(last: ClientToken) -> ClientToken {
    loop {
        let token = ClientToken(fastrand::u32(1..));
        if token != last {
            return token;
        }
    }
}

/// Sends the event stream from `cursor` on, until the connection is over.
pub(super) fn transfer(
    link: &mut Link,
    peer: &mut Peer,
    mut cursor: Cursor,
    manner: &Manner,
) -> Result<Infallible, End> {
    let mut data = Vec::with_capacity(MAX_REPLAY_DATA);
    let mut force_pos = false;
    let mut last_sent = Instant::now();
    loop {
        let read = link.shared().lock().read(peer.epoch, cursor, &mut data);
        if let Err(trouble) = read.ok_or(End::HungUp)? {
            tell(peer, cursor, trouble);
            if let Trouble::Overflow(write_pos) = trouble {
                force_pos = true;
                cursor = write_pos;
                link.shared().sent(peer.epoch, cursor);
            }
            link.pause(peer, TROUBLE_PAUSE)?;
        }
        if !data.is_empty() {
            let replay = Replay { pos: cursor, force_pos, data: &data };
            link.send(peer, &(manner.message)(&replay))?;
            last_sent = Instant::now();
            cursor = replay.next_pos();
            force_pos = false;
            link.shared().sent(peer.epoch, cursor);
        }
        let keep_alive_at = last_sent + manner.keep_alive_after;
        if Instant::now() >= keep_alive_at {
            link.send(peer, manner.keep_alive)?;
            last_sent = Instant::now();
            link.pause(peer, manner.keep_alive_pause)?;
        } else if data.is_empty() {
            link.wait(peer, Some(keep_alive_at))?;
        }
    }
}

fn tell(peer: &Peer, cursor: Cursor, trouble: Trouble) {
    let addr = peer.addr;
    match trouble {
        Trouble::UnexpectedGame => {
            tracing::debug!("{addr}: a game without Game End is over; pausing for a second");
        }
        Trouble::MissingSize(code) => tracing::warn!(
            "{addr}: event {code} behind position {cursor} has no announced size; there is no way on"
        ),
        Trouble::Overflow(write_pos) => tracing::warn!(
            "{addr} is too far behind: the bytes from {cursor} to {write_pos} are lost to it"
        ),
    }
}

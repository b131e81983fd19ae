//! A console from before the console protocol: bare events, "HELO" when there are none.
//!
//! Source: Nintendont `kernel/SlippiNetwork.c` as of April 2019. Unlike it, and like Slippi
//! Launcher's relay, this starts a client with the current game, so that it can follow at once. What
//! clients say, such as slippi-js its handshake, is thrown away.

use std::time::Duration;

use bytes::Bytes;

use super::link::Link;
use super::server::{Manner, admit, transfer};
use crate::protocol::{ClientToken, raw};

/// An idle console says that it is alive every 2 seconds (`CHECK_ALIVE_S`), then waits a little so
/// that the next event does not come in the same packet.
const LEGACY: Manner = Manner {
    message: |replay| Bytes::copy_from_slice(replay.data),
    keep_alive: &raw::KEEP_ALIVE,
    keep_alive_after: Duration::from_secs(2),
    keep_alive_pause: Duration::from_millis(250),
};

/// Serves the bare stream until the console is switched off.
pub(super) fn run(link: Link) {
    link.serve_each(|link, peer| {
        peer.discards_input = true;
        peer.set_nodelay()?;
        let cursor = link.shared().lock().ring.fresh_start();
        admit(link, peer, cursor, ClientToken::NONE)?;
        tracing::info!("{} is connected; it starts at {cursor}", peer.addr);
        transfer(link, peer, cursor, &LEGACY)
    });
}

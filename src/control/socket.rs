//! What all WebSockets have in common: their limits, the pulse and the goodbye.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::problem::Problem;

/// How often a client is asked whether it is there.
const PING_PERIOD: Duration = Duration::from_secs(15);

/// Who has not been heard of for this long, three pings, is gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// The largest message from a client. Nothing but pongs is expected.
const MAX_MESSAGE: usize = 4 * 1024;

/// How long to wait for the last that is to be said, and then for the client's goodbye.
pub(super) const LAST_WORD: Duration = Duration::from_millis(500);

/// Whether the client is there.
#[derive(Debug)]
pub(super) struct Pulse {
    ping: Interval,
    heard: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let mut ping = interval_at(Instant::now() + PING_PERIOD, PING_PERIOD);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ping, heard: Instant::now() }
    }

    /// Hears the client and pings it, until it hangs up or has been silent for too long. Safe to give up
    /// waiting: a ping that is on its way goes with the next message.
    pub(super) async fn attend(
        &mut self,
        socket: &mut WebSocket,
    ) -> Result<CloseFrame, axum::Error> {
        loop {
            tokio::select! {
                // What the client says is looked at first, so that one that takes long for what it is
                // sent is not thought to be silent.
                biased;
                said = socket.recv() => match said {
                    Some(Ok(Message::Close(_))) | None => return Ok(goodbye()),
                    Some(Ok(_)) => self.heard = Instant::now(),
                    Some(Err(error)) => return Err(error),
                },
                _ = self.ping.tick() => {
                    if self.heard.elapsed() > SILENCE_LIMIT {
                        return Ok(goodbye());
                    }
                    socket.send(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }
}

/// A handshake with the limits of our WebSockets, or what is wrong with it. At most `max_waiting`
/// bytes wait for the client.
pub(super) fn accept(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    max_waiting: usize,
) -> Result<WebSocketUpgrade, Problem> {
    let upgrade =
        upgrade.map_err(|error| Problem::new(error.status(), "invalid", error.body_text()))?;
    Ok(upgrade
        .read_buffer_size(MAX_MESSAGE)
        .write_buffer_size(0)
        .max_write_buffer_size(max_waiting)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE))
}

pub(super) fn goodbye() -> CloseFrame {
    CloseFrame { code: close_code::AWAY, reason: "goodbye".into() }
}

pub(super) fn try_again() -> CloseFrame {
    CloseFrame { code: close_code::AGAIN, reason: "the relay is busy; try again".into() }
}

/// Says goodbye, and lets the client do so, too. One that takes nothing, or is gone, misses it.
pub(super) async fn close(mut socket: WebSocket, farewell: CloseFrame) {
    let goodbyes = async {
        if socket.send(Message::Close(Some(farewell))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(LAST_WORD, goodbyes).await;
}

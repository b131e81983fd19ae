//! What all WebSockets have in common: their limits, the pulse and the goodbye.

use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::problem::Problem;

/// How often a client is asked whether it is there.
pub(super) const PING_PERIOD: Duration = Duration::from_secs(15);

/// Who has not been heard of for this long, three pings, is gone.
pub(super) const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// The largest message from a client. Nothing but pongs is expected.
pub(super) const MAX_MESSAGE: usize = 4 * 1024;

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

    /// Waits until it is time for the next ping. Safe to give up waiting.
    pub(super) async fn beat(&mut self) {
        self.ping.tick().await;
    }

    /// The client said something, whatever it was.
    pub(super) fn hear(&mut self) {
        self.heard = Instant::now();
    }

    /// Whether it has been silent for too long.
    pub(super) fn is_gone(&self) -> bool {
        self.heard.elapsed() > SILENCE_LIMIT
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

/// Says goodbye, and lets the client do so, too.
pub(super) async fn close(socket: &mut WebSocket, farewell: CloseFrame) -> Result<(), axum::Error> {
    socket.send(Message::Close(Some(farewell))).await?;
    let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
    let _ = timeout(LAST_WORD, answered).await;
    Ok(())
}

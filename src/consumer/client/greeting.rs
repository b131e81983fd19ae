//! What a spectator says, and where its stream begins.

use std::io::Read;
use std::time::Instant;

use super::super::farewell::Farewell;
use super::Client;
use crate::net::nonblocking;
use crate::protocol::Dialect;
use crate::protocol::console::{Handshake, LENGTH_PREFIX, split_message};
use crate::session::{Horizon, Station};

/// What a spectator may send in its life, in bytes: it has one handshake to say, and nothing else.
const MAX_INPUT: usize = 64 * 1024;

impl Client {
    /// Begins a raw spectator's stream: there is no handshake to wait for.
    pub(in super::super) fn begin_raw(&mut self, station: &Station, horizon: Horizon) {
        let from = station.log.fresh(station.identity().start(), horizon);
        (self.next, self.expected) = (from.seq, from.pos);
        self.life.joined = joined(horizon);
    }

    /// Reads what the spectator says until the socket has no more. Greets it when its handshake is
    /// whole (true); ignores everything else up to a limit.
    pub(in super::super) fn read(
        &mut self,
        station: &Station,
        max_handshake: usize,
        horizon: Horizon,
    ) -> Result<bool, Farewell> {
        let mut scratch = [0; 2048];
        let mut greeted = false;
        while let Some(read) = nonblocking(|| self.stream.read(&mut scratch))? {
            if read == 0 {
                // A raw spectator may close its sending side, as `nc` does when its input ends. One
                // that is gone altogether shows at the next write.
                return if self.dialect == Dialect::Raw {
                    Ok(false)
                } else {
                    Err(Farewell::Closed)
                };
            }
            self.life.input += read;
            if self.life.input > MAX_INPUT {
                return Err(Farewell::Chatter);
            }
            if self.is_greeted {
                continue;
            }
            let greeting = &mut self.life.greeting;
            greeting.extend_from_slice(&scratch[..read]);
            if let Some(body) = split_message(greeting, max_handshake)? {
                let handshake = Handshake::decode(body)?;
                self.greet(station, handshake, horizon);
                greeted = true;
            } else if greeting.len() > LENGTH_PREFIX + max_handshake {
                return Err(Farewell::Chatter);
            }
        }
        Ok(greeted)
    }

    fn greet(&mut self, station: &Station, handshake: Handshake, horizon: Horizon) {
        let (from, mut reply) = station.greet(handshake, horizon);
        tracing::debug!(peer = %self.life.peer, pos = from.pos.0, "a spectator was greeted");
        (self.next, self.expected) = (from.seq, from.pos);
        self.is_greeted = true;
        self.life.greeting = Vec::new();
        self.life.joined = joined(horizon);
        self.is_inside = true;
        if handshake.relay.is_some() {
            self.life.is_relay = true;
            reply.extend(station.notice(horizon));
        }
        self.put(reply.into());
    }
}

/// Chunks that arrived since then count for the latency: earlier ones are history.
fn joined(horizon: Horizon) -> Instant {
    // So shortly after the machine's start that the clock cannot say when: nothing is older.
    horizon.newest().unwrap_or_else(Instant::now)
}

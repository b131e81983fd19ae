//! The commands that run, and the events that wait for one to end.

use std::collections::VecDeque;

use tokio::task::JoinSet;

use super::event::HookEvent;
use super::process::Process;
use crate::config::HooksConfig;

/// Commands that run at once.
const MAX_RUNNING: usize = 8;

/// Events that may wait: an evening's games at four stations that came at once.
const MAX_WAITING: usize = 256;

/// Starts commands in the order of the events, and not too many.
pub(super) struct Queue {
    config: HooksConfig,
    waiting: VecDeque<HookEvent>,
    running: JoinSet<()>,
    /// Whether it was said that events are dropped.
    is_full: bool,
}

impl Queue {
    pub(super) fn new(config: HooksConfig) -> Self {
        Self { config, waiting: VecDeque::new(), running: JoinSet::new(), is_full: false }
    }

    /// Runs the command for `event`, if there is one, as soon as it can be. Inside the runtime only.
    pub(super) fn push(&mut self, event: HookEvent) {
        if !self.config.commands.contains_key(&event.occasion) {
            return;
        }
        if self.waiting.len() >= MAX_WAITING {
            if !std::mem::replace(&mut self.is_full, true) {
                tracing::warn!(
                    "commands (--on-...) take too long: {MAX_WAITING} events wait, and more are \
                     dropped until they are done"
                );
            }
            return;
        }
        self.waiting.push_back(event);
        self.start();
    }

    fn start(&mut self) {
        while self.running.len() < MAX_RUNNING {
            let Some(event) = self.waiting.pop_front() else {
                self.is_full = false;
                return;
            };
            let command = &self.config.commands[&event.occasion];
            if let Some(process) = Process::start(command, event) {
                self.running.spawn(process.follow(self.config.time));
            }
        }
    }

    /// Waits until a command ends, and starts the next; for ever while none runs. Safe to give up
    /// waiting.
    pub(super) async fn turn(&mut self) {
        if self.running.join_next().await.is_none() {
            return std::future::pending().await;
        }
        self.start();
    }

    /// Waits until all is done. Safe to give up waiting.
    pub(super) async fn drain(&mut self) {
        while !self.is_done() {
            self.turn().await;
        }
    }

    fn is_done(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Kills what runs and forgets what waits.
    pub(super) async fn cut_off(&mut self) {
        if self.is_done() {
            return;
        }
        let (running, waiting) = (self.running.len(), self.waiting.len());
        tracing::warn!(
            "the relay ends: {running} commands that still run are killed, {waiting} do not start"
        );
        self.waiting.clear();
        self.running.shutdown().await;
    }
}

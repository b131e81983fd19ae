//! Plays recordings into the console's memory at the pace of the game.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use super::recording::Recording;
use super::state::{Playing, Shared, State};

/// How often the recordings are played, all of them in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// So many times.
    Times(u64),
    /// Until the console is switched off.
    Forever,
}

/// What is played, and how.
pub(super) struct Player {
    pub(super) shared: Arc<Shared>,
    pub(super) recordings: Vec<Recording>,
    pub(super) fps: f64,
    pub(super) repeat: Repeat,
    /// The time between two games, and between power-on and game behind a reboot.
    pub(super) pause: Duration,
    pub(super) wait_for_client: bool,
}

/// What came between the player and its game.
enum Interrupt {
    /// The console is switched off.
    Stopped,
    /// It rebooted: the game that ran must begin anew.
    Rebooted,
}

impl Player {
    /// The number of games, if it has an end.
    pub(super) fn game_count(&self) -> Option<u64> {
        match self.repeat {
            Repeat::Times(times) => Some(times.saturating_mul(self.recordings.len() as u64)),
            Repeat::Forever => None,
        }
    }

    /// Plays all games, then ends.
    pub(super) fn run(self) {
        let mut game = 0;
        let mut boots = 0;
        let mut pause = Duration::ZERO;
        let endless = self.recordings.iter().cycle().cloned();
        let mut recordings = endless.take(match self.game_count() {
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
            None => usize::MAX,
        });
        let mut next = recordings.next();
        while let Some(recording) = &next {
            match self.play(game + 1, recording, boots, pause) {
                Ok(()) => {
                    game += 1;
                    next = recordings.next();
                }
                Err(Interrupt::Stopped) => return,
                Err(Interrupt::Rebooted) => boots = self.shared.lock().boots,
            }
            pause = self.pause;
        }
        self.shared.change(|state| {
            state.playing = None;
            state.played = true;
        });
    }

    /// Pauses, waits for the first client since the boot, then plays one game.
    fn play(
        &self,
        game: u64,
        recording: &Recording,
        boots: u64,
        pause: Duration,
    ) -> Result<(), Interrupt> {
        let mut state = self.shared.lock();
        self.sleep_until(&mut state, boots, Instant::now().checked_add(pause))?;
        while self.wait_for_client && !state.met_client {
            check(&state, boots)?;
            self.shared.wait_for_change(&mut state, None);
        }
        drop(state);
        self.tell(game, recording);

        let start = Instant::now();
        for (step, events) in recording.steps().enumerate() {
            let mut state = self.shared.lock();
            self.sleep_until(&mut state, boots, Some(self.due(start, step)))?;
            state.playing = Some(Playing {
                game,
                name: Arc::clone(recording.name()),
                step: step + 1,
                steps: recording.step_count(),
            });
            state.ring.write(events);
            drop(state);
            self.shared.ring_doorbell();
        }
        Ok(())
    }

    /// Steps are due at absolute times, so that no delay adds up.
    fn due(&self, start: Instant, step: usize) -> Instant {
        start + Duration::from_secs_f64(step as f64 / self.fps)
    }

    /// Sleeps until `deadline`; without one, until an interrupt.
    fn sleep_until(
        &self,
        state: &mut MutexGuard<'_, State>,
        boots: u64,
        deadline: Option<Instant>,
    ) -> Result<(), Interrupt> {
        loop {
            check(state, boots)?;
            if deadline.is_some_and(|at| at <= Instant::now()) {
                return Ok(());
            }
            self.shared.wait_for_change(state, deadline);
        }
    }

    fn tell(&self, game: u64, recording: &Recording) {
        let name = recording.name();
        match self.game_count() {
            Some(count) => tracing::info!("game {game} of {count}: {name}"),
            None => tracing::info!("game {game}: {name}"),
        }
    }
}

fn check(state: &State, boots: u64) -> Result<(), Interrupt> {
    if state.stopping {
        Err(Interrupt::Stopped)
    } else if state.boots != boots {
        Err(Interrupt::Rebooted)
    } else {
        Ok(())
    }
}

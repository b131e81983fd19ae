//! Whether the data plane's threads still go round their loops.

use std::time::{Duration, Instant};

use crate::net::Pulse;

/// How often they are woken and looked at.
const EVERY: Duration = Duration::from_secs(1);

/// A thread that has not gone round for so long is stuck: a turn takes milliseconds, on a laptop that
/// is busy with a stream some tens of them.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// The threads that are watched. The recorder is none of them: a slow disk must not end the relay.
pub(super) struct Vitals {
    threads: Vec<Thread>,
    next: Instant,
}

struct Thread {
    name: String,
    pulse: Pulse,
    ring: Box<dyn Fn() + Send>,
    beats: u64,
    since: Instant,
    is_stuck: bool,
}

impl Vitals {
    pub(super) fn new(now: Instant) -> Self {
        Self { threads: Vec::new(), next: now }
    }

    /// Watches a thread that `ring` wakes.
    pub(super) fn watch(
        &mut self,
        name: impl Into<String>,
        pulse: Pulse,
        ring: impl Fn() + Send + 'static,
        now: Instant,
    ) {
        self.threads.push(Thread {
            name: name.into(),
            beats: pulse.beats(),
            pulse,
            ring: Box::new(ring),
            since: now,
            is_stuck: false,
        });
    }

    /// Looks at everyone if it is time to. True if it did and nobody is stuck.
    pub(super) fn check(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.next = now + EVERY;
        for thread in &mut self.threads {
            let beats = thread.pulse.beats();
            if beats != thread.beats {
                (thread.beats, thread.since) = (beats, now);
                if std::mem::replace(&mut thread.is_stuck, false) {
                    tracing::warn!("the thread `{}` goes on", thread.name);
                }
            } else if now > thread.since + STUCK_AFTER
                && !std::mem::replace(&mut thread.is_stuck, true)
            {
                let seconds = STUCK_AFTER.as_secs();
                tracing::error!("the thread `{}` is stuck for {seconds} s", thread.name);
            }
            (thread.ring)();
        }
        self.stuck().is_empty()
    }

    /// Who is stuck.
    pub(super) fn stuck(&self) -> Vec<String> {
        self.threads.iter().filter(|t| t.is_stuck).map(|t| t.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_does_not_go_round_is_named_until_it_does() {
        let mut now = Instant::now();
        let (well, ill) = (Pulse::default(), Pulse::default());
        let mut vitals = Vitals::new(now);
        let answers = well.clone();
        vitals.watch("well", well, move || answers.beat(), now);
        vitals.watch("ill", ill.clone(), || {}, now);
        let mut seconds = |vitals: &mut Vitals, n| {
            (0..n)
                .map(|_| {
                    now += EVERY;
                    vitals.check(now)
                })
                .last()
        };
        assert_eq!(seconds(&mut vitals, 5), Some(true));
        assert_eq!(seconds(&mut vitals, 5), Some(false));
        assert_eq!(vitals.stuck(), ["ill"]);
        ill.beat();
        assert_eq!(seconds(&mut vitals, 1), Some(true));
        assert_eq!(vitals.stuck(), Vec::<String>::new());
    }
}

//! The thread: listens to the engine until the relay ends, and a little longer.

use std::io;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::queue::Queue;
use super::stations::Stations;
use crate::config::HooksConfig;
use crate::engine::{Change, Event, Handle};
use crate::shutdown::Shutdown;

/// How often it is looked whether the last file of a station that is gone is complete.
const LEAVING_POLL: Duration = Duration::from_millis(250);

/// How long commands may take at the end, files included. Less than the relay gives its threads.
const LAST_TIME: Duration = Duration::from_secs(4);

/// The thread that runs commands, before it runs.
#[derive(Debug)]
pub struct HookThread {
    config: HooksConfig,
    engine: Handle,
    changes: Receiver<Event>,
    recorded: oneshot::Receiver<()>,
    shutdown: Shutdown,
    runtime: Runtime,
}

impl HookThread {
    /// Listens from now on. The other end of `recorded` is dropped when no file will be completed
    /// any more.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        config: HooksConfig,
        engine: Handle,
        recorded: oneshot::Receiver<()>,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let changes = engine.subscribe();
        Ok(Self { config, engine, changes, recorded, shutdown, runtime })
    }

    /// Runs commands until the relay has ended and the last of them, too, or the time is up.
    pub fn run(self) {
        let Self { config, engine, mut changes, recorded, shutdown, runtime } = self;
        runtime.block_on(async {
            let mut queue = Queue::new(config);
            let mut stations = Stations::new(engine);
            follow(&mut changes, &mut stations, &mut queue, &shutdown).await;

            let until = Instant::now() + LAST_TIME;
            // What the engine told last is still there; then it tells nothing more.
            while let Ok(event) = changes.try_recv() {
                stations.hear(event.change).await.into_iter().for_each(|event| queue.push(event));
            }
            let recorded = async {
                tokio::select! {
                    // It is dropped, not sent.
                    _ = recorded => {}
                    () = turns(&mut queue) => {}
                }
            };
            // The files that are complete by then are told, if others are not.
            let _ = timeout_at(until, recorded).await;
            stations.look_at_all().into_iter().for_each(|event| queue.push(event));
            let _ = timeout_at(until, queue.drain()).await;
            queue.cut_off().await;
        });
        // Nothing of ours is left in it.
        runtime.shutdown_background();
    }
}

/// Ends commands and starts those behind them, for ever.
async fn turns(queue: &mut Queue) {
    loop {
        queue.turn().await;
    }
}

/// Hears of changes and runs commands until the relay is to end.
async fn follow(
    changes: &mut Receiver<Event>,
    stations: &mut Stations,
    queue: &mut Queue,
    shutdown: &Shutdown,
) {
    let mut tick = interval(LEAVING_POLL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let events = tokio::select! {
            change = changes.recv() => match change {
                Ok(Event { change: Change::Shutdown { .. }, .. }) | Err(RecvError::Closed) => return,
                Ok(event) => stations.hear(event.change).await,
                Err(RecvError::Lagged(_)) => stations.catch_up().await,
            },
            () = queue.turn() => continue,
            _ = tick.tick(), if stations.any_leaves() => stations.look_at_leaving(),
            () = shutdown.requested() => return,
        };
        events.into_iter().for_each(|event| queue.push(event));
    }
}

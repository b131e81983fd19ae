//! The thread: what the engine tells becomes a wish, and OBS is told the newest one.

use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, timeout};

use super::late::Late;
use super::password::{self, PasswordError};
use super::remote::{Gone, Remote};
use super::stage::{Stage, Wish};
use crate::config::ObsConfig;
use crate::engine::{Event, Handle, Request};
use crate::shutdown::Shutdown;

/// How long to wait before OBS is tried again: at first, and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// A connection that ends sooner is a trouble like none at all: something accepts and hangs up.
const LASTING: Duration = Duration::from_secs(10);

/// How often OBS is asked whether it is there: a computer that was unplugged hangs up on nobody.
const PING_PERIOD: Duration = Duration::from_secs(15);

/// How long the engine may take for an answer.
const ENGINE_TIME: Duration = Duration::from_secs(5);

/// Why OBS cannot be told anything.
#[derive(Debug, Error)]
pub enum ObsError {
    /// OBS's password is not where it is said to be.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The system gives no poll.
    #[error("the system refuses a poll: {0}")]
    System(#[from] io::Error),
}

/// The thread that tells OBS, before it runs.
#[derive(Debug)]
pub struct ObsThread {
    config: ObsConfig,
    engine: Handle,
    changes: Receiver<Event>,
    shutdown: Shutdown,
    runtime: Runtime,
}

/// What OBS was told, and what people were told about it: nothing is said twice.
#[derive(Default)]
struct Told {
    /// The station whose scene was switched to: whoever chooses another scene by hand keeps it.
    scene: Option<u64>,
    lacks_source: bool,
}

impl ObsThread {
    /// Listens from now on; looks whether there is a password where it is said to be.
    ///
    /// # Errors
    /// [`ObsError`]
    pub fn new(config: ObsConfig, engine: Handle, shutdown: Shutdown) -> Result<Self, ObsError> {
        config.password_file.as_deref().map(password::read).transpose()?;
        let changes = engine.subscribe();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { config, engine, changes, shutdown, runtime })
    }

    /// Tells OBS what is on until the relay ends.
    pub fn run(self) {
        let Self { config, engine, changes, shutdown, runtime } = self;
        let (wish, wishes) = watch::channel(Wish::default());
        runtime.block_on(async {
            tokio::select! {
                () = follow(Stage::new(config.clone()), &engine, changes, &wish) => {}
                () = reach(&config, wishes) => {}
                () = shutdown.requested() => {}
            }
        });
        // The look-up of a name may still be on its way.
        runtime.shutdown_background();
    }
}

/// Turns what the engine tells into wishes, as late as spectators see it, until it tells nothing more.
async fn follow(
    mut stage: Stage,
    engine: &Handle,
    mut changes: Receiver<Event>,
    wish: &watch::Sender<Wish>,
) {
    let mut late = Late::default();
    let mut seq = catch_up(&mut stage, engine).await;
    loop {
        let now = Instant::now();
        late.push(now, stage.wish());
        if let Some(seen) = late.take(now, stage.delay()) {
            wish.send_if_modified(|old| std::mem::replace(old, seen.clone()) != seen);
        }
        let due = late.due(stage.delay());
        tokio::select! {
            change = changes.recv() => match change {
                // What is in the whole state already is older than it.
                Ok(event) if event.seq <= seq => {}
                Ok(event) => stage.hear(&event.change),
                Err(RecvError::Lagged(_)) => seq = catch_up(&mut stage, engine).await,
                Err(RecvError::Closed) => return,
            },
            () = sleep_until(due.unwrap_or(now).into()), if due.is_some() => {}
        }
    }
}

/// Takes the whole state; the number of the last change in it. If the engine is busy, the next
/// changes tell as well.
async fn catch_up(stage: &mut Stage, engine: &Handle) -> u64 {
    let Ok(Ok(status)) = timeout(ENGINE_TIME, engine.ask(Request::Status)).await else { return 0 };
    stage.set(&status);
    status.seq
}

/// Reaches OBS again and again, and tells it what is wanted while it is there.
async fn reach(config: &ObsConfig, mut wishes: watch::Receiver<Wish>) {
    let (mut told, mut retry) = (Told::default(), Retry::default());
    loop {
        let trouble = match Remote::connect(config).await {
            Ok(mut remote) => {
                if retry.connected() {
                    tracing::info!("connected to OBS at {}", config.address);
                }
                let mut serving = pin!(serve(config, &mut remote, &mut wishes, &mut told));
                let gone = match timeout(LASTING, serving.as_mut()).await {
                    Ok(gone) => gone,
                    Err(_) => {
                        if retry.lasted() {
                            tracing::info!("connected to OBS at {}", config.address);
                        }
                        serving.await
                    }
                };
                format!("OBS at {} is gone ({}): trying again", config.address, gone.0)
            }
            Err(trouble) => format!("{trouble}; trying again until it works"),
        };
        if retry.failed(&trouble) {
            tracing::warn!("{trouble}");
        }
        sleep(retry.wait()).await;
    }
}

/// When OBS is tried again, and which trouble people know of. An OBS that hangs up on each connection
/// is told of once.
#[derive(Debug, Default)]
struct Retry {
    trouble: Option<String>,
    /// Connections since one lasted.
    brief: u32,
    /// Whether people know of this connection.
    is_told: bool,
    /// Tries since one lasted.
    tries: u32,
}

impl Retry {
    /// There is a connection; whether that is to be told now, or once it lasts.
    fn connected(&mut self) -> bool {
        // One that was restarted comes back once.
        self.is_told = self.brief < 2;
        self.brief = self.brief.saturating_add(1);
        self.is_told
    }

    /// The connection lasts; whether that is news.
    fn lasted(&mut self) -> bool {
        (self.trouble, self.brief, self.tries) = (None, 0, 0);
        !std::mem::replace(&mut self.is_told, true)
    }

    /// There is no connection, or none any more; whether that is news.
    fn failed(&mut self, trouble: &str) -> bool {
        self.trouble.replace(trouble.to_owned()).as_deref() != Some(trouble)
    }

    /// How long to wait before the next try.
    fn wait(&mut self) -> Duration {
        let wait = BACK_OFF.0.saturating_mul(1 << self.tries.min(8)).min(BACK_OFF.1);
        self.tries = self.tries.saturating_add(1);
        wait
    }
}

/// Tells OBS each wish until it is gone.
async fn serve(
    config: &ObsConfig,
    remote: &mut Remote,
    wishes: &mut watch::Receiver<Wish>,
    told: &mut Told,
) -> Gone {
    let mut is_visible = None;
    loop {
        let wish = wishes.borrow_and_update().clone();
        if let Err(gone) = grant(config, remote, &wish, &mut is_visible, told).await {
            return gone;
        }
        tokio::select! {
            changed = wishes.changed() => if changed.is_err() {
                return Gone("the relay ends".to_owned());
            },
            () = remote.ended() => return Gone("it hung up".to_owned()),
            () = sleep(PING_PERIOD) => if let Err(gone) = remote.ping().await {
                return gone;
            },
        }
    }
}

/// Tells OBS what is different from what it was told on this connection.
async fn grant(
    config: &ObsConfig,
    remote: &mut Remote,
    wish: &Wish,
    is_visible: &mut Option<bool>,
    told: &mut Told,
) -> Result<(), Gone> {
    // The scene first: what is shown then appears in it.
    match &wish.scene {
        Some((station, scene)) if told.scene != Some(*station) => {
            match remote.switch(scene).await? {
                Ok(()) => tracing::info!("OBS shows the scene `{scene}`"),
                Err(why) => tracing::warn!("OBS does not show the scene `{scene}`: {why}"),
            }
            told.scene = Some(*station);
        }
        Some(_) => {}
        None => told.scene = None,
    }
    if let Some(source) = &config.source
        && *is_visible != Some(wish.is_visible)
    {
        let places = remote.show(source, wish.is_visible).await?;
        *is_visible = Some(wish.is_visible);
        if places > 0 {
            told.lacks_source = false;
            let (does, n) = (if wish.is_visible { "shows" } else { "hides" }, places);
            tracing::info!("OBS {does} `{source}` ({n} times)");
        } else if !std::mem::replace(&mut told.lacks_source, true) {
            tracing::warn!("no scene of OBS has a source `{source}`; --obs-source names it");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obs_that_hangs_up_again_and_again_is_told_of_once_and_tried_ever_later() {
        let mut retry = Retry::default();
        assert!(retry.connected() && retry.failed("gone"));
        let mut before = retry.wait();
        assert!(retry.connected() && !retry.failed("gone"));
        for _ in 0..20 {
            assert!(!retry.connected() && !retry.failed("gone"));
            let wait = retry.wait();
            assert!(wait > before || wait == BACK_OFF.1);
            before = wait;
        }
        assert_eq!(before, BACK_OFF.1);
        // Another trouble is news, and so is a connection that lasts.
        assert!(retry.failed("not there"));
        assert!(!retry.connected() && retry.lasted());
        assert!(retry.failed("gone"));
        assert_eq!(retry.wait(), BACK_OFF.0);
        assert!(retry.connected() && !retry.lasted());
    }
}

//! One command: started, told, listened to, and killed when it takes too long.

use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::event::HookEvent;
use super::output::Output;
use crate::config::HookCommand;

/// How long what a command left behind may go on talking: it may have started something that stays.
const TALK_TIME: Duration = Duration::from_secs(1);

/// A command that runs. Dropped, it is killed with all that it started.
pub(super) struct Process {
    child: Child,
    command: HookCommand,
    event: HookEvent,
}

impl Process {
    /// Starts `command`; nothing if that cannot be done, which is logged.
    pub(super) fn start(command: &HookCommand, event: HookEvent) -> Option<Self> {
        let mut process = Command::new(&command.program);
        process
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A group of its own: a Ctrl-C in the terminal is the relay's, and all of it can be killed.
        #[cfg(unix)]
        process.process_group(0);
        for (name, value) in event.variables() {
            match value {
                Some(value) => process.env(name, value),
                // andross itself may be a command of another andross.
                None => process.env_remove(name),
            };
        }
        match process.spawn() {
            Ok(child) => Some(Self { child, command: command.clone(), event }),
            Err(error) => {
                tracing::error!(
                    station = %event.station.name,
                    "`{}` cannot be started: {error}; --on-{} names it",
                    command.program.display(),
                    event.occasion.name()
                );
                None
            }
        }
    }

    /// Tells it what happened, logs what it says, and waits for its end, but no longer than `limit`.
    pub(super) async fn follow(mut self, limit: Duration) {
        let output = Output::new(self.event.occasion.name(), &self.event.station.name);
        let json = self.event.json();
        let stdin = self.child.stdin.take();
        let (said, complained) = (self.child.stdout.take(), self.child.stderr.take());
        let mut talk = pin!(async {
            tokio::join!(feed(stdin, &json), output.log(said), output.log(complained));
        });
        let ended = {
            let mut end = pin!(timeout(limit, self.child.wait()));
            let mut is_silent = false;
            loop {
                tokio::select! {
                    ended = &mut end => break ended,
                    () = &mut talk, if !is_silent => is_silent = true,
                }
            }
            .map(|ended| (ended, is_silent))
        };
        match ended {
            Ok((status, is_silent)) => {
                if !is_silent {
                    // What it said last may still be in the pipe.
                    let _ = timeout(TALK_TIME, talk).await;
                }
                self.judge(status);
            }
            Err(_) => {
                tracing::warn!(
                    station = %self.event.station.name,
                    "`{}` of --on-{} takes longer than {} s: killed (--hook-time)",
                    self.command.program.display(),
                    self.event.occasion.name(),
                    limit.as_secs_f64()
                );
                self.kill();
                // So that nothing of it stays in the system's list.
                let _ = self.child.wait().await;
            }
        }
    }

    fn judge(&self, status: std::io::Result<ExitStatus>) {
        let how = match status {
            Ok(status) if status.success() => return,
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            station = %self.event.station.name,
            "`{}` of --on-{} failed: {how}",
            self.command.program.display(),
            self.event.occasion.name()
        );
    }

    /// Kills it and, on Unix, all that it started. Without effect once its end was noticed: its
    /// number may be another's by then.
    fn kill(&mut self) {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process_group};
            let id = self.child.id().and_then(|id| i32::try_from(id).ok());
            if let Some(group) = id.and_then(Pid::from_raw) {
                // It may be gone already.
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A command need not listen.
async fn feed(stdin: Option<ChildStdin>, json: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(json).await;
    }
}

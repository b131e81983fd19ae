//! Tasks of the runtime whose panic is not lost.

use tokio::task::JoinHandle;

use crate::shutdown::Shutdown;

/// Does `work` beside everything else. Its panic asks everyone to stop, as that of a thread does: tokio
/// would keep it for whoever awaits the task, and nobody does.
pub(super) fn spawn(
    shutdown: &Shutdown,
    work: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(guarded(shutdown.clone(), work))
}

/// The same for who starts it otherwise.
pub(super) async fn guarded(shutdown: Shutdown, work: impl Future<Output = ()>) {
    let _guard = shutdown.guard("cluster");
    work.await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::Reason;

    #[tokio::test]
    async fn a_panic_asks_everyone_to_stop_and_an_end_nobody() {
        let shutdown = Shutdown::new();
        spawn(&shutdown, async {}).await.unwrap();
        let aborted = spawn(&shutdown, std::future::pending());
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        assert_eq!(shutdown.reason(), None);
        let task = spawn(&shutdown, async { panic!("on purpose") });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(shutdown.reason(), Some(Reason::Panic("cluster".into())));
    }
}

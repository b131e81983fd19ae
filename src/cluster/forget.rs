//! Takes away what a station left at a NATS server: for whoever published it only for a while.

use std::io;
use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use thiserror::Error;
use tokio::time::timeout;

use super::layout::find;
use super::link::Link;
use super::subject::{BUCKET, lease_key, subject, token};
use super::trouble::Trouble;
use crate::config::{NatsAccess, NatsServer};
use crate::shutdown::Shutdown;

/// How long all of it may take: a server that was there a moment ago answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why something stays there.
#[derive(Debug, Error)]
pub enum ForgetError {
    /// The system gives no poll.
    #[error("the system gives no poll: {0}")]
    Io(#[from] io::Error),
    /// The server does not answer.
    #[error("{0} does not answer")]
    Late(NatsServer),
    /// The server refuses.
    #[error("{0}: {1}")]
    Refused(NatsServer, String),
}

/// Removes the messages, facts and publisher of the station `name`. Nobody may publish it any more. Not
/// for a thread that is in a runtime: this one waits, some seconds at most.
///
/// # Errors
/// [`ForgetError`]; then something of it may still be there.
pub fn forget_station(server: &NatsServer, name: &str) -> Result<(), ForgetError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let forgotten = runtime.block_on(async {
        let link = Link::open(server.clone(), NatsAccess::default(), &Shutdown::new());
        timeout(PATIENCE, forget(&link, &token(name))).await
    });
    match forgotten {
        Ok(Ok(())) => Ok(()),
        Ok(Err(trouble)) => Err(ForgetError::Refused(server.clone(), trouble.to_string())),
        Err(_) => Err(ForgetError::Late(server.clone())),
    }
}

async fn forget(link: &Link, token: &str) -> Result<(), Trouble> {
    let session = link.session().await;
    let (stream, bucket) = find(&session.jetstream).await?;
    for key in [token.to_owned(), lease_key(token)] {
        // Whoever follows the stations is told first, then that goes, too.
        let told = bucket.purge(&key).await;
        told.map_err(|error| Trouble::call("what is known of the station stays")(&error))?;
        purge(&bucket.stream, &format!("$KV.{BUCKET}.{key}")).await?;
    }
    purge(&stream, &subject(token)).await
}

async fn purge(stream: &Stream, subject: &str) -> Result<(), Trouble> {
    let purged = stream.purge().filter(subject).await;
    purged.map(drop).map_err(|error| Trouble::call("what was published stays")(&error))
}

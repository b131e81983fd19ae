//! The messages of one subject, in order and none missing, as the server delivers them.
//!
//! The client library has such a consumer, too, but it notices only after ten seconds that the server
//! with the delivery is gone; a game is not to stand still for so long.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, push};
use async_nats::{Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::link::Session;
use super::subject::STREAM;
use super::trouble::Trouble;

/// A delivery that has nothing to say says so this often.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Without a word for so long, the delivery is over.
pub(super) const SILENCE: Duration = Duration::from_secs(2);

/// The server forgets a delivery that nobody listens to after this.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);

/// What a heartbeat says that was delivered last, and where to answer when the flow has stopped.
const LAST_DELIVERED: &str = "Nats-Last-Consumer";
const STALLED: &str = "Nats-Consumer-Stalled";

/// A delivery under way. Dropped, it ends.
pub(super) struct Delivery {
    session: Session,
    subscriber: Subscriber,
    /// Messages delivered so far.
    count: u64,
}

impl Delivery {
    /// Begins with the message of that sequence, or the first one kept; with the first at all if none
    /// is given.
    pub(super) async fn start(
        session: &Session,
        subject: &str,
        from: Option<u64>,
    ) -> Result<Self, Trouble> {
        let failed = Trouble::call("the delivery cannot be begun");
        let inbox = session.client.new_inbox();
        let subscriber =
            session.client.subscribe(inbox.clone()).await.map_err(|error| failed(&error))?;
        let deliver_policy = match from {
            Some(start_sequence) => DeliverPolicy::ByStartSequence { start_sequence },
            None => DeliverPolicy::All,
        };
        let config = push::Config {
            deliver_subject: inbox,
            deliver_policy,
            filter_subject: subject.to_owned(),
            ack_policy: AckPolicy::None,
            max_deliver: 1,
            flow_control: true,
            idle_heartbeat: HEARTBEAT,
            inactive_threshold: FORGOTTEN_AFTER,
            num_replicas: 1,
            memory_storage: true,
            ..push::Config::default()
        };
        session
            .jetstream
            .create_consumer_on_stream(config, STREAM)
            .await
            .map_err(|error| failed(&error))?;
        Ok(Self { session: session.clone(), subscriber, count: 0 })
    }

    /// The next message and its sequence in the stream. Safe to give up waiting.
    pub(super) async fn next(&mut self) -> Result<(u64, Message), Trouble> {
        loop {
            let message = match timeout(SILENCE, self.subscriber.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => return Err(Trouble::Interrupted),
                Err(_) => return Err(Trouble::Silent),
            };
            match message.status {
                None => return self.count(message),
                Some(StatusCode::IDLE_HEARTBEAT) => self.heed(&message).await?,
                // The delivery was deleted, its leader is gone, and the like.
                Some(_) => return Err(Trouble::Interrupted),
            }
        }
    }

    fn count(&mut self, message: Message) -> Result<(u64, Message), Trouble> {
        let message = jetstream::Message { context: self.session.jetstream.clone(), message };
        let sequences = message.info().map(|info| (info.consumer_sequence, info.stream_sequence));
        match sequences {
            Ok((count, sequence)) if count == self.count.saturating_add(1) => {
                self.count = count;
                Ok((sequence, message.message))
            }
            _ => Err(Trouble::Interrupted),
        }
    }

    /// A heartbeat, or the question whether what was sent has arrived. An answer that is given up is
    /// asked for again by the next heartbeat.
    async fn heed(&self, message: &Message) -> Result<(), Trouble> {
        let header = |name: &str| Some(message.headers.as_ref()?.get(name)?.as_str().to_owned());
        let asks = message.reply.as_ref().map(ToString::to_string).or_else(|| header(STALLED));
        if let Some(subject) = asks {
            let answered = self.session.client.publish(subject, Bytes::new()).await;
            answered.map_err(|error| Trouble::call("the delivery cannot go on")(&error))
        } else if let Some(last) = header(LAST_DELIVERED)
            && last.parse() != Ok(self.count)
        {
            Err(Trouble::Interrupted)
        } else {
            Ok(())
        }
    }
}

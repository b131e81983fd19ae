//! The stream and the bucket at a NATS server: made if they are not there, left alone if they are
//! somebody else's.

use async_nats::jetstream::context::{GetStreamErrorKind, KeyValueErrorKind};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{Context, ErrorCode, kv};
use std::time::Duration;

use super::subject::{BUCKET, STREAM, SUBJECTS};
use super::trouble::Trouble;
use crate::config::PublishConfig;

/// By this the stream is known to be ours.
const OURS: &str = "andross: the streams of Melee consoles";

/// For how long the server recognises a message that is sent again: many times as long as a publisher
/// waits for an acknowledgement.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// The stream and the bucket as a publisher wants them.
pub(super) async fn establish(
    context: &Context,
    wanted: &PublishConfig,
) -> Result<(Stream, kv::Store), Trouble> {
    Ok((stream(context, wanted).await?, bucket(context, wanted).await?))
}

async fn stream(context: &Context, wanted: &PublishConfig) -> Result<Stream, Trouble> {
    let config = config(wanted);
    let there = match context.get_stream(STREAM).await {
        Ok(stream) => stream,
        Err(error) if is_absent(error.kind()) => {
            return context
                .create_stream(config)
                .await
                .map_err(|error| Trouble::call("its stream `andross` cannot be made")(&error));
        }
        Err(error) => return Err(Trouble::call("JetStream does not answer")(&error)),
    };
    let now = &there.cached_info().config;
    if now.description.as_deref() != Some(OURS) {
        return Err(Trouble::Foreign(format!(
            "it has a stream `{STREAM}` that is not andross's (its subjects are {}); use another \
             account, or remove that stream",
            now.subjects.join(", ")
        )));
    }
    let as_wanted = stream::Config {
        max_bytes: config.max_bytes,
        max_age: config.max_age,
        num_replicas: config.num_replicas,
        duplicate_window: config.duplicate_window,
        ..now.clone()
    };
    if as_wanted != *now {
        tracing::info!("the stream `{STREAM}` at NATS gets other limits");
        context
            .update_stream(as_wanted)
            .await
            .map_err(|error| Trouble::call("its stream `andross` cannot be changed")(&error))?;
    }
    Ok(there)
}

fn config(wanted: &PublishConfig) -> stream::Config {
    stream::Config {
        name: STREAM.into(),
        description: Some(OURS.into()),
        subjects: vec![SUBJECTS.into()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_bytes: i64::try_from(wanted.max_bytes).unwrap_or(i64::MAX),
        max_age: wanted.max_age,
        num_replicas: wanted.replicas.into(),
        duplicate_window: DUPLICATE_WINDOW.min(wanted.max_age),
        ..stream::Config::default()
    }
}

fn is_absent(kind: GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The bucket is made as the stream that it is: the library asks more of a server before it makes one
/// than those before 2.10 can answer. And it is read from its leader only, never from a server that
/// may be behind: who publishes a station must be known for sure.
async fn bucket(context: &Context, wanted: &PublishConfig) -> Result<kv::Store, Trouble> {
    match context.get_key_value(BUCKET).await {
        Ok(bucket) => return Ok(bucket),
        Err(error) if error.kind() == KeyValueErrorKind::GetBucket => {}
        Err(error) => {
            return Err(Trouble::call("its bucket `andross-stations` is no use")(&error));
        }
    }
    let config = stream::Config {
        name: format!("KV_{BUCKET}"),
        description: Some(OURS.into()),
        subjects: vec![format!("$KV.{BUCKET}.>")],
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: 1,
        max_consumers: -1,
        allow_rollup: true,
        deny_delete: true,
        num_replicas: wanted.replicas.into(),
        ..stream::Config::default()
    };
    let failed = Trouble::call("its bucket `andross-stations` cannot be made");
    context.create_stream(config).await.map_err(|error| failed(&error))?;
    context.get_key_value(BUCKET).await.map_err(|error| failed(&error))
}

/// The stream and the bucket as an edge finds them.
pub(super) async fn find(context: &Context) -> Result<(Stream, kv::Store), Trouble> {
    let nothing = |error: &dyn std::fmt::Display| {
        Trouble::Absent(format!("nothing is published there yet ({error})"))
    };
    let stream = context.get_stream(STREAM).await.map_err(|error| nothing(&error))?;
    let bucket = context.get_key_value(BUCKET).await.map_err(|error| nothing(&error))?;
    Ok((stream, bucket))
}

//! The stream and the bucket at a NATS server: made if they are not there, left alone if they are
//! somebody else's.

use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{Context, ErrorCode, kv};

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
    let stream = ensure(context, stream_config(wanted), "its stream `andross`").await?;
    // A bucket is a stream by another name. The library's own way to make one asks more of a server
    // than those before 2.10 can answer.
    let what = "its bucket `andross-stations`";
    ensure(context, bucket_config(wanted), what).await?;
    let bucket = context.get_key_value(BUCKET).await;
    Ok((stream, bucket.map_err(|error| Trouble::call(what)(&error))?))
}

/// Makes the stream if it is not there, gives it the wanted limits and replicas if it is ours, and
/// leaves it alone if it is somebody else's. `what` it is called in errors.
async fn ensure(
    context: &Context,
    wanted: stream::Config,
    what: &'static str,
) -> Result<Stream, Trouble> {
    let failed = Trouble::call(what);
    let there = match context.get_stream(&wanted.name).await {
        Ok(stream) => stream,
        Err(error) if is_absent(error.kind()) => {
            return context.create_stream(wanted).await.map_err(|error| failed(&error));
        }
        Err(error) => return Err(Trouble::call("JetStream does not answer")(&error)),
    };
    let now = &there.cached_info().config;
    let as_wanted = adjust(now, &wanted)?;
    if as_wanted != *now {
        tracing::info!("the stream `{}` at NATS gets other settings", wanted.name);
        context.update_stream(as_wanted).await.map_err(|error| failed(&error))?;
    }
    Ok(there)
}

/// The stream that is there `now`, with what is `wanted` of it.
fn adjust(now: &stream::Config, wanted: &stream::Config) -> Result<stream::Config, Trouble> {
    if now.description != wanted.description {
        return Err(Trouble::Foreign(format!(
            "it has a stream `{}` that is not andross's (its subjects are {}); use another account, \
             or remove that stream",
            now.name,
            now.subjects.join(", ")
        )));
    }
    Ok(stream::Config {
        max_bytes: wanted.max_bytes,
        max_age: wanted.max_age,
        num_replicas: wanted.num_replicas,
        duplicate_window: wanted.duplicate_window,
        allow_direct: wanted.allow_direct,
        ..now.clone()
    })
}

fn stream_config(wanted: &PublishConfig) -> stream::Config {
    stream::Config {
        name: STREAM.into(),
        subjects: vec![SUBJECTS.into()],
        discard: DiscardPolicy::Old,
        max_messages_per_subject: -1,
        max_bytes: i64::try_from(wanted.max_bytes).unwrap_or(i64::MAX),
        max_age: wanted.max_age,
        duplicate_window: DUPLICATE_WINDOW.min(wanted.max_age),
        ..common_config(wanted)
    }
}

fn bucket_config(wanted: &PublishConfig) -> stream::Config {
    stream::Config {
        name: format!("KV_{BUCKET}"),
        subjects: vec![format!("$KV.{BUCKET}.>")],
        discard: DiscardPolicy::New,
        max_messages_per_subject: 1,
        max_bytes: -1,
        duplicate_window: DUPLICATE_WINDOW,
        allow_rollup: true,
        deny_delete: true,
        ..common_config(wanted)
    }
}

fn common_config(wanted: &PublishConfig) -> stream::Config {
    stream::Config {
        description: Some(OURS.into()),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        max_messages: -1,
        max_consumers: -1,
        num_replicas: wanted.replicas.into(),
        // Read from its leader only, never from a server that may be behind: who publishes a station
        // must be known for sure.
        allow_direct: false,
        ..stream::Config::default()
    }
}

fn is_absent(kind: GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(replicas: u8) -> PublishConfig {
        PublishConfig { replicas, ..PublishConfig::new("nats://hub".parse().unwrap()) }
    }

    #[test]
    fn what_is_ours_gets_the_wanted_settings_and_keeps_the_others() {
        for config in [stream_config, bucket_config] {
            let was = stream::Config {
                allow_direct: true,
                max_message_size: 500_000,
                ..config(&wanted(1))
            };
            let becomes = adjust(&was, &config(&wanted(3))).unwrap();
            assert_eq!((becomes.num_replicas, becomes.allow_direct), (3, false));
            assert_eq!(becomes.max_message_size, 500_000);
        }
    }

    #[test]
    fn what_is_somebody_elses_is_left_alone() {
        let films = stream::Config {
            name: STREAM.into(),
            subjects: vec!["films".into()],
            ..stream::Config::default()
        };
        let error = adjust(&films, &stream_config(&wanted(1))).unwrap_err().to_string();
        assert!(error.contains("not andross's") && error.contains("films"), "{error}");
    }
}

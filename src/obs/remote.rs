//! OBS, as far as it can be reached, and the few things that it is asked.

use std::time::Duration;

use futures_util::StreamExt;
use obws::client::{ConnectConfig, DEFAULT_BROADCAST_CAPACITY, HandshakeError};
use obws::error::Error;
use obws::events::EventStream;
use obws::requests::EventSubscription;
use obws::requests::scene_items::{Id, SetEnabled};
use obws::requests::scenes::SceneId;
use obws::responses::StatusCode;
use tokio::time::timeout;

use super::password;
use crate::config::ObsConfig;

/// How long OBS may take for the whole handshake.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long OBS may take for an answer. It needs milliseconds, but may be loading a scene.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// How often a source is looked for in one scene: OBS answers for one at a time.
const MAX_ITEMS: i32 = 64;

/// obs-websocket hangs up with this when the password is wrong or missing.
const AUTHENTICATION_FAILED: u16 = 4009;

/// OBS is gone, or does not answer any more: what it says.
#[derive(Debug)]
pub(super) struct Gone(pub(super) String);

/// OBS did not do one thing, but is there: why.
pub(super) type Refused = String;

/// A connection to OBS.
pub(super) struct Remote {
    client: obws::Client,
    /// Without any event it only tells the end.
    end: EventStream,
}

impl Remote {
    /// Connects and shows the password, which is read anew: it may have been put right.
    ///
    /// # Errors
    /// A sentence for people.
    pub(super) async fn connect(config: &ObsConfig) -> Result<Self, String> {
        let address = &config.address;
        let password = config.password_file.as_deref().map(password::read).transpose();
        let password = password.map_err(|error| error.to_string())?;
        let has_password = password.is_some();
        let connecting = obws::Client::connect_with_config(ConnectConfig {
            host: &address.host,
            port: address.port,
            password,
            event_subscriptions: Some(EventSubscription::NONE),
            broadcast_capacity: DEFAULT_BROADCAST_CAPACITY,
            connect_timeout: CONNECT_TIME,
            dangerous: None,
        });
        let client = match timeout(CONNECT_TIME, connecting).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(explain(config, has_password, &error)),
            Err(_) => return Err(format!("OBS at {address} does not answer")),
        };
        let end = client.events().map_err(|error| error.to_string())?;
        Ok(Self { client, end })
    }

    /// Waits until OBS hangs up. Safe to give up waiting.
    pub(super) async fn ended(&mut self) {
        while self.end.next().await.is_some() {}
    }

    /// Asks OBS something, so that a dead connection is noticed.
    pub(super) async fn ping(&self) -> Result<(), Gone> {
        answer(self.client.general().version()).await.map(drop)
    }

    /// Switches to a scene.
    pub(super) async fn switch(&self, scene: &str) -> Result<Result<(), Refused>, Gone> {
        answer(self.client.scenes().set_current_program_scene(SceneId::Name(scene))).await
    }

    /// Shows or hides a source wherever it is, in scenes and groups; in how many places that was.
    pub(super) async fn show(&self, source: &str, enabled: bool) -> Result<usize, Gone> {
        let scenes = match answer(self.client.scenes().list()).await? {
            Ok(list) => list.scenes.into_iter().map(|scene| scene.id.name).collect(),
            Err(_) => Vec::new(),
        };
        let groups = answer(self.client.scenes().list_groups()).await?.unwrap_or_default();
        let mut places = 0;
        for scene in scenes.into_iter().chain(groups) {
            places += self.show_in(&scene, source, enabled).await?;
        }
        Ok(places)
    }

    async fn show_in(&self, scene: &str, source: &str, enabled: bool) -> Result<usize, Gone> {
        let mut places = 0;
        let (scene, items) = (SceneId::Name(scene), self.client.scene_items());
        for skipped in 0..MAX_ITEMS {
            let search_offset = Some(skipped);
            let id = items.id(Id { scene, source, search_offset });
            // It says so when there is none, or no other.
            let Ok(item_id) = answer(id).await? else { break };
            let set = items.set_enabled(SetEnabled { scene, item_id, enabled });
            places += usize::from(answer(set).await?.is_ok());
        }
        Ok(places)
    }
}

/// Waits for an answer: what it is, or why not, as long as OBS is there.
async fn answer<T>(
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Refused>, Gone> {
    match timeout(ANSWER_TIME, asked).await {
        Ok(Ok(answer)) => Ok(Ok(answer)),
        Ok(Err(Error::Api { code, message })) => {
            Ok(Err(message.unwrap_or_else(|| describe(&code))))
        }
        Ok(Err(error)) => Err(Gone(whole(&error))),
        Err(_) => Err(Gone("it does not answer any more".to_owned())),
    }
}

fn describe(code: &StatusCode) -> String {
    format!("{code:?}")
}

/// Why OBS cannot be had, and what to do.
fn explain(config: &ObsConfig, has_password: bool, error: &Error) -> String {
    let address = &config.address;
    match error {
        Error::Handshake(HandshakeError::ConnectionClosed(Some(details)))
            if u16::from(details.code) == AUTHENTICATION_FAILED =>
        {
            match has_password {
                true => format!(
                    "OBS at {address} refuses the password; the first line of the file that \
                     --obs-password-file names must be the one in OBS's WebSocket settings"
                ),
                false => format!(
                    "OBS at {address} wants a password; --obs-password-file names the file it is in"
                ),
            }
        }
        Error::Connect(_) | Error::Timeout => format!(
            "OBS is not at {address} ({}); start it and enable the WebSocket server in its Tools menu",
            whole(error)
        ),
        error => format!("OBS at {address} cannot be used: {}", whole(error)),
    }
}

/// An error with its reasons, in one line.
fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    let mut reason = std::error::Error::source(error);
    while let Some(error) = reason {
        text = format!("{text}: {error}");
        reason = error.source();
    }
    text.replace(char::is_control, " ")
}

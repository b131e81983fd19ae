//! OBS, as far as it can be reached, and the few things that it is asked.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::password;
use super::wire::{Refused, Wire, WireError};
use crate::config::ObsConfig;

/// How long OBS may take for the whole handshake.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long OBS may take for an answer. It needs milliseconds, but may be loading a scene.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// How often a source is looked for in one scene: OBS answers for one at a time.
const MAX_ITEMS: u32 = 64;

/// Bytes of what OBS says that are told on: its comments are a sentence, and a message may have a
/// mebibyte.
const MAX_SAID: usize = 200;

/// OBS is gone, or does not answer any more: what it says.
#[derive(Debug)]
pub(super) struct Gone(pub(super) String);

/// A connection to OBS.
pub(super) struct Remote {
    wire: Wire,
}

impl Remote {
    /// Connects and shows the password, which is read anew: it may have been put right.
    ///
    /// # Errors
    /// A sentence for people.
    pub(super) async fn connect(config: &ObsConfig) -> Result<Self, String> {
        let address = &config.address;
        let password = config.password_file.as_deref().map(password::read_again).transpose();
        let password = password.map_err(|error| error.to_string())?;
        match timeout(CONNECT_TIME, Wire::connect(address, password.as_deref())).await {
            Ok(Ok(wire)) => Ok(Self { wire }),
            Ok(Err(error)) => Err(explain(config, password.is_some(), &error)),
            Err(_) => Err(format!("OBS at {address} does not answer")),
        }
    }

    /// Waits until OBS hangs up. Safe to give up waiting.
    pub(super) async fn ended(&mut self) {
        self.wire.ended().await;
    }

    /// Asks OBS something, so that a dead connection is noticed.
    pub(super) async fn ping(&mut self) -> Result<(), Gone> {
        self.ask("GetVersion", json!({})).await.map(drop)
    }

    /// Switches to a scene.
    pub(super) async fn switch(&mut self, scene: &str) -> Result<Result<(), Refused>, Gone> {
        let switched = self.ask("SetCurrentProgramScene", json!({ "sceneName": scene })).await?;
        Ok(switched.map(drop))
    }

    /// Shows or hides a source wherever it is, in scenes and groups; in how many places that was.
    pub(super) async fn show(&mut self, source: &str, enabled: bool) -> Result<usize, Gone> {
        let scenes = self.ask("GetSceneList", json!({})).await?.unwrap_or_default();
        let groups = self.ask("GetGroupList", json!({})).await?.unwrap_or_default();
        let scenes = list(&scenes["scenes"]).iter().map(|scene| &scene["sceneName"]);
        let mut places = 0;
        for scene in scenes.chain(list(&groups["groups"])).filter_map(Value::as_str) {
            places += self.show_in(scene, source, enabled).await?;
        }
        Ok(places)
    }

    async fn show_in(&mut self, scene: &str, source: &str, enabled: bool) -> Result<usize, Gone> {
        let mut places = 0;
        for skipped in 0..MAX_ITEMS {
            let place =
                json!({ "sceneName": scene, "sourceName": source, "searchOffset": skipped });
            // It says so when there is none, or no other.
            let Ok(item) = self.ask("GetSceneItemId", place).await? else { break };
            let id = &item["sceneItemId"];
            let wish =
                json!({ "sceneName": scene, "sceneItemId": id, "sceneItemEnabled": enabled });
            places += usize::from(self.ask("SetSceneItemEnabled", wish).await?.is_ok());
        }
        Ok(places)
    }

    /// Waits for an answer: what it is, or why not, as long as OBS is there.
    async fn ask(&mut self, kind: &str, data: Value) -> Result<Result<Value, Refused>, Gone> {
        match timeout(ANSWER_TIME, self.wire.ask(kind, data)).await {
            Ok(Ok(answer)) => Ok(answer.map_err(|why| one_line(&why))),
            Ok(Err(error)) => Err(Gone(one_line(&error.to_string()))),
            Err(_) => Err(Gone("it does not answer any more".to_owned())),
        }
    }
}

/// The items of a JSON array; none of anything else.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Why OBS cannot be had, and what to do.
fn explain(config: &ObsConfig, has_password: bool, error: &WireError) -> String {
    let address = &config.address;
    match error {
        WireError::Password if has_password => format!(
            "OBS at {address} refuses the password; the first line of the file that \
             --obs-password-file names must be the one in OBS's WebSocket settings"
        ),
        WireError::Password => format!(
            "OBS at {address} wants a password; --obs-password-file names the file it is in"
        ),
        WireError::Connect(error) => format!(
            "OBS is not at {address} ({}); start it and enable the WebSocket server in its Tools menu",
            one_line(&error.to_string())
        ),
        error => format!("OBS at {address} cannot be used: {}", one_line(&error.to_string())),
    }
}

/// What somebody else says, in one line that fits into a log.
fn one_line(text: &str) -> String {
    let mut line = text[..text.floor_char_boundary(MAX_SAID)].replace(char::is_control, " ");
    if text.len() > MAX_SAID {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_obs_says_fits_into_a_line() {
        assert_eq!(one_line("no\nsuch\u{1b}scene"), "no such scene");
        let long = one_line(&"é".repeat(500_000));
        assert!(long.len() <= MAX_SAID + 3 && long.ends_with("é…"), "{}", long.len());
    }
}

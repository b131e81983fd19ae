//! What happened, and how a command is told.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::config::Occasion;
use crate::engine::StationStatus;

/// Something that happened at a station.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct HookEvent {
    pub(super) occasion: Occasion,
    /// When it was noticed, Unix milliseconds.
    pub(super) time: i64,
    /// The number of the game that began, ended or was saved.
    pub(super) game: Option<u64>,
    /// The file that is complete.
    pub(super) file: Option<PathBuf>,
    /// The station as it was when that was noticed.
    pub(super) station: Arc<StationStatus>,
}

/// The JSON on a command's standard input.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
    event: &'static str,
    time: i64,
    game_number: Option<u64>,
    file: Option<String>,
    #[serde(flatten)]
    station: &'a StationStatus,
}

impl HookEvent {
    /// The same facts for programs: one object, one line.
    pub(super) fn json(&self) -> Vec<u8> {
        let facts = Facts {
            event: self.occasion.name(),
            time: self.time,
            game_number: self.game,
            file: self.file.as_ref().map(|path| absolute(path).to_string_lossy().into_owned()),
            station: &self.station,
        };
        // Nothing in there can fail to be JSON.
        let mut json = serde_json::to_vec(&facts).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// The variables of a command's environment; `None` is one that must not be there.
    pub(super) fn variables(&self) -> [(&'static str, Option<OsString>); 8] {
        let station = &*self.station;
        let text = |text: &str| Some(printable(text).into());
        [
            ("ANDROSS_EVENT", text(self.occasion.name())),
            ("ANDROSS_TIME", text(&self.time.to_string())),
            ("ANDROSS_STATION", text(&station.name)),
            ("ANDROSS_STATION_ID", text(&station.id.to_string())),
            ("ANDROSS_SOURCE", text(&station.source)),
            ("ANDROSS_NICK", text(&station.nick)),
            ("ANDROSS_GAME", self.game.map(|game| game.to_string().into())),
            ("ANDROSS_FILE", self.file.as_ref().map(|path| absolute(path).into_os_string())),
        ]
    }
}

/// A command may run elsewhere.
fn absolute(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}

/// A nickname comes over the network: NUL ends a variable, and the rest confuses scripts.
pub(super) fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

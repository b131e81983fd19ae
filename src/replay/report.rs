//! A survey in words: for people as lines of text, for programs as JSON.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Serialize;

use super::problem::Problem;
use super::survey::Survey;
use crate::slp::game::Player;
use crate::slp::metadata::PlayerMetadata;
use crate::slp::{EventCode, names};

/// What `andross replay info` tells about a file. [`fmt::Display`] gives lines of at most 80
/// columns for all but very long names; serde gives the JSON, in the metadata's own spelling.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `complete`, `unfinished` or `damaged`.
    pub state: &'static str,
    /// When the game started, as the metadata has it.
    pub start_at: Option<String>,
    /// `nintendont`, `dolphin`, `network`.
    pub played_on: Option<String>,
    /// The console's nickname.
    pub console_nick: Option<String>,
    /// The recorder's version, such as `3.18.0`.
    pub version: Option<String>,
    /// The stage.
    pub stage: Option<Named<u16>>,
    /// The players, by port.
    pub players: Vec<PlayerReport>,
    /// The last frame of which a character's state came; the first is -123.
    pub last_frame: Option<i32>,
    /// How many frames the game lasted.
    pub frames: u32,
    /// How many seconds those are.
    pub seconds: f64,
    /// How the game ended; `None` if nobody recorded it.
    pub end: Option<Named<u8>>,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of its whole events.
    pub events_length: u64,
    /// What the relay that recorded the game noted.
    pub andross: Option<Notes>,
    /// How many events of each code there are, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<BTreeMap<String, u64>>,
    /// What is wrong, and notes.
    pub problems: Vec<ProblemReport>,
}

/// One of Melee's numbers and what it means.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Named<T> {
    /// The number.
    pub id: T,
    /// Its name.
    pub name: String,
}

/// One player of a [`Report`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayerReport {
    /// 1 to 4.
    pub port: u8,
    /// `human`, `CPU`, `demo`.
    pub kind: String,
    /// Display name of Slippi Online.
    pub netplay: Option<String>,
    /// Connect code of Slippi Online.
    pub code: Option<String>,
    /// Name tag.
    pub name_tag: Option<String>,
    /// The character that was selected.
    pub character: Named<u8>,
    /// Costume index.
    pub costume: u8,
    /// Stocks at the start.
    pub stocks: u8,
    /// The characters that were on the stage, by internal id, and for how many frames each.
    pub played: Vec<Played>,
}

/// A character of which states came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Played {
    /// Internal character id.
    pub id: u8,
    /// Its name.
    pub name: String,
    /// Frames, those sent again by a rollback included.
    pub frames: u32,
}

/// The metadata's `andross` object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    /// How many times bytes were lost.
    pub gaps: u32,
    /// How many bytes were lost.
    pub lost_bytes: u64,
    /// Whether the file was completed after a crash.
    pub repaired: bool,
}

/// One [`Problem`] for programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProblemReport {
    /// [`Problem::kind`].
    pub kind: &'static str,
    /// [`Problem::is_note`].
    pub note: bool,
    /// [`Problem::at`].
    pub at: Option<u64>,
    /// The problem in words.
    pub message: String,
}

impl From<&Problem> for ProblemReport {
    fn from(problem: &Problem) -> Self {
        Self {
            kind: problem.kind(),
            note: problem.is_note(),
            at: problem.at(),
            message: problem.to_string(),
        }
    }
}

impl Report {
    /// Tells about `survey`, with the counts of events if `events` asks for them.
    pub fn new(survey: &Survey, events: bool) -> Self {
        let start = survey.summary.start.as_ref();
        let version = start.map(|start| start.version);
        let last_frame = survey.summary.last_frame;
        let of_events = survey.summary.metadata();
        let metadata = survey.metadata.clone().unwrap_or_default();
        Self {
            state: state(survey),
            start_at: metadata.start_at,
            played_on: metadata.played_on,
            console_nick: metadata.console_nick,
            version: version.map(|version| version.to_string()),
            stage: start
                .map(|start| Named { id: start.stage, name: names::stage(start.stage).into() }),
            players: start
                .into_iter()
                .flat_map(|start| &start.players)
                .map(|player| PlayerReport::new(player, of_events.players.get(&player.index)))
                .collect(),
            last_frame: last_frame.map(|frame| frame.0),
            frames: survey.summary.frames(),
            seconds: survey.summary.seconds(),
            end: survey.summary.end_method.map(|method| Named {
                id: method,
                name: names::end_method(method, version.unwrap_or_default()).into(),
            }),
            size: survey.file_len,
            events_length: survey.events_len,
            andross: metadata.recording.map(|notes| Notes {
                gaps: notes.gaps,
                lost_bytes: notes.lost_bytes,
                repaired: notes.repaired,
            }),
            events: events.then(|| {
                let counts = survey.event_counts.iter();
                counts.map(|(code, &n)| (code.to_string(), n)).collect()
            }),
            problems: survey.problems.iter().map(ProblemReport::from).collect(),
        }
    }
}

const UNFINISHED: &str = "unfinished";

/// One word for how the file is.
fn state(survey: &Survey) -> &'static str {
    match survey.announced_len {
        0 => UNFINISHED,
        _ if survey.is_ok() => "complete",
        _ => "damaged",
    }
}

impl PlayerReport {
    fn new(player: &Player, played: Option<&PlayerMetadata>) -> Self {
        let filled = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let characters = played.into_iter().flat_map(|played| &played.characters);
        Self {
            port: player.index + 1,
            kind: names::player_kind(player.kind).into(),
            netplay: filled(&player.display_name),
            code: filled(&player.connect_code),
            name_tag: filled(&Some(player.name_tag.clone())),
            character: Named {
                id: player.character,
                name: names::character(player.character).into(),
            },
            costume: player.costume,
            stocks: player.stocks,
            played: characters
                .map(|(&id, &frames)| Played {
                    id,
                    name: names::internal_character(id).into(),
                    frames,
                })
                .collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(start_at) = &self.start_at {
            row(f, "date", &date(start_at))?;
        }
        let console = self.console_nick.as_deref().filter(|nick| !nick.is_empty());
        let from = [console, self.played_on.as_deref()];
        let from: Vec<&str> = from.into_iter().flatten().collect();
        if !from.is_empty() {
            row(f, "played on", &from.join(", "))?;
        }
        if let Some(version) = &self.version {
            row(f, "recorder", version)?;
        }
        if let Some(stage) = &self.stage {
            row(f, "stage", &stage.name)?;
        }
        for player in &self.players {
            player.rows(f)?;
        }
        row(f, "length", &length(self.frames, self.seconds))?;
        let end = self.end.as_ref().map(|end| end.name.as_str());
        row(f, "end", end.unwrap_or("not recorded"))?;
        let size = format!("{} bytes, {} of events", self.size, self.events_length);
        row(f, "size", &size)?;
        if let Some(notes) = &self.andross {
            row(f, "recording", &notes.to_string())?;
        }
        for (code, count) in self.events.iter().flatten() {
            row(f, &format!("event {code}"), &event(code, *count))?;
        }
        // The problem of an unfinished file says so itself.
        let mut label = "state";
        if self.state != UNFINISHED {
            row(f, label, self.state)?;
            label = "";
        }
        for problem in &self.problems {
            row(f, label, &problem.message)?;
            label = "";
        }
        Ok(())
    }
}

impl PlayerReport {
    fn rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { costume, stocks, .. } = self;
        let stock = if *stocks == 1 { "stock" } else { "stocks" };
        let mut line = format!("{}, costume {costume}, {stocks} {stock}", self.character.name);
        if self.kind != "human" {
            line += &format!(", {}", self.kind);
        }
        let names = [&self.netplay, &self.code, &self.name_tag];
        for name in names.into_iter().flatten() {
            line += &format!(", {name}");
        }
        row(f, &format!("port {}", self.port), &line)?;
        // Zelda and Sheik change into each other, and recorders before 1.6.0 name the wrong one.
        let as_selected = match self.played.as_slice() {
            [] => true,
            [played] => played.name == self.character.name || played.name == "Popo",
            _ => false,
        };
        if !as_selected {
            let played = self.played.iter();
            let played: Vec<_> = played
                .map(|played| format!("{} for {} frames", played.name, played.frames))
                .collect();
            row(f, "", &format!("was {}", played.join(", ")))?;
        }
        Ok(())
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.gaps {
            0 => f.write_str("no gaps")?,
            1 => write!(f, "1 gap, {} bytes lost", self.lost_bytes)?,
            gaps => write!(f, "{gaps} gaps, {} bytes lost", self.lost_bytes)?,
        }
        if self.repaired {
            f.write_str(", repaired")?;
        }
        Ok(())
    }
}

/// One line: a label and what a file may have put into `text`. Control characters would let the
/// file write to the terminal as it likes.
fn row(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    writeln!(f, "  {label:<11} {text}")
}

/// An ISO 8601 time as people read it; anything else as it is.
fn date(start_at: &str) -> String {
    let format = "%Y-%m-%d %H:%M:%S";
    if let Ok(time) = start_at.parse::<Timestamp>() {
        return format!("{} UTC", time.strftime(format));
    }
    match start_at.parse::<DateTime>() {
        Ok(time) => format!("{}, by the console's own clock", time.strftime(format)),
        Err(_) => start_at.to_owned(),
    }
}

/// Minutes and seconds, and frames.
fn length(frames: u32, seconds: f64) -> String {
    let whole = seconds as u64;
    format!("{}:{:02}, {frames} frames", whole / 60, whole % 60)
}

/// How often an event came, and its name.
fn event(code: &str, count: u64) -> String {
    let number = code.strip_prefix("0x").and_then(|hex| u8::from_str_radix(hex, 16).ok());
    let name = number.and_then(|number| EventCode(number).name());
    match name {
        Some(name) => format!("{count:>8}  {name}"),
        None => format!("{count:>8}"),
    }
}

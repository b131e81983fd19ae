//! Commands that run when something happens.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How long a command may take where nothing else is said.
const HOOK_TIME: Duration = Duration::from_secs(30);

/// What a command can wait for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Occasion {
    /// A console's stream is on.
    Connected,
    /// A console's stream is off.
    Lost,
    /// A game has begun.
    GameStart,
    /// A game is over.
    GameEnd,
    /// A game's file is complete.
    File,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Connected, Self::Lost, Self::GameStart, Self::GameEnd, Self::File];

    /// What it is called in options (`--on-game-start`) and in what commands are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Lost => "lost",
            Self::GameStart => "game-start",
            Self::GameEnd => "game-end",
            Self::File => "file",
        }
    }
}

/// A command, run as it is: no shell reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HookCommand {
    /// The program; one without a folder is looked for as the system does.
    pub program: PathBuf,
    /// What it is given.
    pub args: Vec<String>,
}

/// Which commands run, and for how long they may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HooksConfig {
    /// The commands there are.
    pub commands: BTreeMap<Occasion, HookCommand>,
    /// What takes longer is killed.
    pub time: Duration,
}

impl Default for HooksConfig {
    fn default() -> Self {
        Self { commands: BTreeMap::new(), time: HOOK_TIME }
    }
}

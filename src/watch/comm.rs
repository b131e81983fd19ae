//! The file by which Playback Dolphin is told what to play (project-slippi/slippi-wiki, `COMM_SPEC.md`).

use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Serialize;
use tempfile::TempDir;

/// A communication file in a folder of its own, which goes with it.
pub(super) struct CommFile {
    folder: TempDir,
    path: PathBuf,
    /// Random, so that no other run's commands are the same.
    run: u64,
    commands: u64,
}

/// What Dolphin is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Command<'a> {
    mode: &'static str,
    replay: &'a str,
    is_real_time_mode: bool,
    /// Dolphin looks at the rest only when this is another one.
    command_id: String,
    game_station: &'a str,
}

impl CommFile {
    /// A place for the file, which only this user can look into; there is no command in it yet.
    pub(super) fn create() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("andross-watch-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        // Dolphin has a working directory of its own.
        let folder = builder.tempdir_in(std::path::absolute(env::temp_dir())?)?;
        let path = folder.path().join("comm.json");
        Ok(Self { folder, path, run: fastrand::u64(..), commands: 0 })
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells Dolphin to play `replay` from now on. It reads the file whenever it likes, and so finds
    /// the command before or this one, and never a part of one.
    pub(super) fn play(&mut self, replay: &Path, station: &str, realtime: bool) -> io::Result<()> {
        let replay = replay.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        let command = Command {
            mode: "mirror",
            replay,
            is_real_time_mode: realtime,
            command_id: format!("{:016x}-{}", self.run, self.commands + 1),
            game_station: station,
        };
        let whole = self.folder.path().join("comm.json.new");
        fs::write(&whole, serde_json::to_vec(&command)?)?;
        fs::rename(&whole, &self.path)?;
        self.commands += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(comm: &CommFile) -> Value {
        serde_json::from_slice(&fs::read(comm.path()).unwrap()).unwrap()
    }

    #[test]
    fn each_command_is_whole_and_another_one() {
        let mut comm = CommFile::create().unwrap();
        let folder = comm.folder.path().to_owned();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "nobody else's business");
        }
        let path = Path::new(r"C:\Users\Émile\replays\Game_x.slp");
        comm.play(path, "Stream \"1\"\u{1b}", false).unwrap();
        let first = read(&comm);
        let mut expected = json!({
            "mode": "mirror",
            "replay": r"C:\Users\Émile\replays\Game_x.slp",
            "isRealTimeMode": false,
            "commandId": first["commandId"],
            "gameStation": "Stream \"1\"\u{1b}",
        });
        assert_eq!(first, expected);
        comm.play(path, "b", true).unwrap();
        let second = read(&comm);
        assert_ne!(first["commandId"], second["commandId"]);
        expected["commandId"] = second["commandId"].clone();
        expected["isRealTimeMode"] = true.into();
        expected["gameStation"] = "b".into();
        assert_eq!(second, expected);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no part of a command is left");
        drop(comm);
        assert!(!folder.exists());
    }
}

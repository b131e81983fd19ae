//! The `metadata` element of a `.slp` file.

use std::collections::BTreeMap;

use super::file::METADATA_KEY;
use super::ubjson::write_len;

/// What a file says about its game beside the events (SPEC.md, "The `metadata` Element").
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metadata {
    /// When the game started: ISO 8601, UTC, such as `2018-06-22T07:52:59Z`.
    pub start_at: Option<String>,
    /// The last frame of the game.
    pub last_frame: Option<i32>,
    /// By port index, 0 to 3.
    pub players: BTreeMap<u8, PlayerMetadata>,
    /// `nintendont`, `dolphin` or `network`.
    pub played_on: Option<String>,
    /// The console's nickname.
    pub console_nick: Option<String>,
    /// What only the relay that recorded the game knows.
    pub recording: Option<RecordingNotes>,
}

/// One player of [`Metadata::players`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PlayerMetadata {
    /// Internal character id to the number of frames it was played: two entries for Zelda/Sheik.
    pub characters: BTreeMap<u8, u32>,
    /// Display name of Slippi Online; recorder 3.9.0 and later.
    pub netplay: Option<String>,
    /// Connect code of Slippi Online; recorder 3.9.0 and later.
    pub code: Option<String>,
}

/// The `andross` object in the metadata: this recording's own story. Other tools ignore it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecordingNotes {
    /// How many times bytes of the game were lost before they reached the relay.
    pub gaps: u32,
    /// How many bytes those were, as far as the console's positions tell.
    pub lost_bytes: u64,
    /// Whether the file was completed after a crash rather than by the recorder.
    pub repaired: bool,
}

/// What is known of a recording beside its events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// When the game started: ISO 8601, UTC.
    pub start_at: Option<String>,
    /// `nintendont`, `dolphin` or `network`.
    pub played_on: Option<String>,
    /// The console's nickname.
    pub console_nick: Option<String>,
    /// How the recording went; nothing is written of it if nothing was amiss.
    pub notes: RecordingNotes,
}

impl Metadata {
    /// The bytes that follow the events: the `metadata` element and the end of the file's object.
    ///
    /// Lengths of texts are byte lengths: slippi-js counts characters, which breaks its files when
    /// a nickname is not ASCII. They are written as `U` even below 128, as Dolphin, the console and
    /// slippi-js all do here: readers of metadata such as peppi know no other marker.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend(METADATA_KEY);
        out.push(b'{');
        if let Some(start_at) = &self.start_at {
            text(&mut out, "startAt", start_at);
        }
        if let Some(last_frame) = self.last_frame {
            int(&mut out, "lastFrame", last_frame);
        }
        if let Some(nick) = &self.console_nick {
            text(&mut out, "consoleNick", nick);
        }
        key(&mut out, "players");
        out.push(b'{');
        for (index, player) in &self.players {
            key(&mut out, &index.to_string());
            player.encode(&mut out);
        }
        out.push(b'}');
        if let Some(played_on) = &self.played_on {
            text(&mut out, "playedOn", played_on);
        }
        if let Some(recording) = &self.recording {
            key(&mut out, "andross");
            recording.encode(&mut out);
        }
        out.extend(b"}}");
        out
    }
}

impl PlayerMetadata {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        key(out, "characters");
        out.push(b'{');
        for (character, &frames) in &self.characters {
            int(out, &character.to_string(), i32::try_from(frames).unwrap_or(i32::MAX));
        }
        out.push(b'}');
        key(out, "names");
        out.push(b'{');
        if let Some(name) = &self.netplay {
            text(out, "netplay", name);
        }
        if let Some(code) = &self.code {
            text(out, "code", code);
        }
        out.extend(b"}}");
    }
}

impl RecordingNotes {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        int(out, "gaps", i32::try_from(self.gaps).unwrap_or(i32::MAX));
        int(out, "lostBytes", i32::try_from(self.lost_bytes).unwrap_or(i32::MAX));
        int(out, "repaired", i32::from(self.repaired));
        out.push(b'}');
    }
}

/// A member that is an int32. Always `l`: readers of metadata know no smaller integer.
fn int(out: &mut Vec<u8>, name: &str, value: i32) {
    key(out, name);
    out.push(b'l');
    out.extend(value.to_be_bytes());
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    out.push(b'S');
    len(out, value.len());
    out.extend(value.as_bytes());
}

fn key(out: &mut Vec<u8>, name: &str) {
    len(out, name.len());
    out.extend(name.as_bytes());
}

fn len(out: &mut Vec<u8>, len: usize) {
    match u8::try_from(len) {
        Ok(short) => out.extend([b'U', short]),
        Err(_) => write_len(out, len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slp::ubjson::Reader;

    #[test]
    fn reads_back_with_byte_lengths() {
        let fox = PlayerMetadata {
            characters: [(1, 5209)].into(),
            netplay: Some("マルス".into()),
            code: Some("ABCD#0".into()),
        };
        let metadata = Metadata {
            start_at: Some("2018-06-22T07:52:59Z".into()),
            last_frame: Some(5085),
            players: [(0, fox)].into(),
            played_on: Some("nintendont".into()),
            console_nick: Some("Bühne 1".into()),
            recording: Some(RecordingNotes { gaps: 1, lost_bytes: 9, repaired: true }),
        };
        let encoded = metadata.encode();
        let object = encoded.strip_prefix(&METADATA_KEY).unwrap();
        let mut reader = Reader::new(object);
        let value = reader.value().unwrap();
        assert_eq!(&object[reader.position()..], b"}", "only the end of the file's object follows");
        let text = |key: &str| value.get(key).unwrap().as_text().unwrap();
        assert_eq!(text("startAt"), "2018-06-22T07:52:59Z");
        assert_eq!(text("consoleNick"), "Bühne 1");
        assert_eq!(text("playedOn"), "nintendont");
        assert_eq!(value.get("lastFrame").unwrap().as_int(), Some(5085));
        let player = value.get("players").unwrap().get("0").unwrap();
        assert_eq!(player.get("characters").unwrap().get("1").unwrap().as_int(), Some(5209));
        let names = player.get("names").unwrap();
        assert_eq!(names.get("netplay").unwrap().as_text().as_deref(), Some("マルス"));
        assert_eq!(names.get("code").unwrap().as_text().as_deref(), Some("ABCD#0"));
        let notes = value.get("andross").unwrap();
        assert_eq!(notes.get("lostBytes").unwrap().as_int(), Some(9));
    }
}

//! What a recording says, as peppi reads it: the values that other clients must see.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use peppi::frame::immutable::Data;
use peppi::game::immutable::Game;
use serde_json::{Map, Value, json};

/// A recording, read by peppi.
pub struct Original(pub Game);

impl Original {
    /// None if peppi cannot read it: cut off inside an event, or a way to end that it does not know
    /// (break the targets).
    pub fn read(path: &Path) -> Option<Self> {
        let file = BufReader::new(File::open(path).unwrap());
        peppi::io::slippi::read(file, None).ok().map(Self)
    }

    /// Ports (from 0) and characters.
    pub fn players(&self) -> Value {
        let players = self.0.start.players.iter();
        players.map(|player| json!([player.port as u8, player.character])).collect()
    }

    /// How many frames there are; one that a rollback sent again counts once.
    pub fn frames(&self) -> usize {
        let ids = self.0.frames.id.values().iter();
        ids.collect::<std::collections::BTreeSet<_>>().len()
    }

    /// By port (from 0), the percent (as the bits of a float) and the stocks of whoever is in that
    /// frame, as it was sent last.
    pub fn stands(&self, frame: i64) -> Value {
        let at = self.0.frames.id.values().iter().rposition(|id| i64::from(*id) == frame);
        let at = at.unwrap_or_else(|| panic!("there is no frame {frame}"));
        let stands = self.0.frames.ports.iter().filter(|port| is_in(&port.leader, at));
        let stand = |data: &Data| {
            json!([data.post.percent.values()[at].to_bits(), data.post.stocks.values()[at]])
        };
        let stands = stands.map(|port| ((port.port as u8).to_string(), stand(&port.leader)));
        Value::Object(stands.collect())
    }

    /// Each frame as it was sent, rollbacks included: its number, and every character's place and
    /// damage (as the bits of floats) and stocks; `players` and `nanas` by port, from 1.
    pub fn states(&self) -> Vec<Value> {
        let frames = &self.0.frames;
        (0..frames.len())
            .map(|at| {
                let (mut players, mut nanas) = (Map::new(), Map::new());
                for port in &frames.ports {
                    let name = (port.port as u8 + 1).to_string();
                    let follower = port.follower.as_ref();
                    players.extend(character(&port.leader, at).map(|is| (name.clone(), is)));
                    nanas
                        .extend(follower.and_then(|nana| character(nana, at)).map(|is| (name, is)));
                }
                json!({ "frame": frames.id.values()[at], "players": players, "nanas": nanas })
            })
            .collect()
    }

    /// The states by frame; of a frame that was sent again, each.
    pub fn states_by_frame(&self) -> BTreeMap<i64, Vec<Value>> {
        let mut by_frame: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
        for mut state in self.states() {
            let frame = state["frame"].as_i64().unwrap();
            by_frame.entry(frame).or_default().push(state["players"].take());
        }
        by_frame
    }
}

fn is_in(data: &Data, at: usize) -> bool {
    data.validity.as_ref().is_none_or(|validity| validity.get_bit(at))
}

fn character(data: &Data, at: usize) -> Option<Value> {
    let post = &data.post;
    let floats = [&post.position.x, &post.position.y, &post.percent];
    let [x, y, percent] = floats.map(|floats| floats.values()[at].to_bits());
    is_in(data, at).then(|| json!([x, y, percent, post.stocks.values()[at]]))
}

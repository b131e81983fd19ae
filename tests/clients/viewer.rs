//! The match viewer's parser and clock, in Node: what its scripts say.

use super::{node, playable};

#[test]
fn the_viewer_has_every_frame_as_slippi_js_has_it() {
    let Some(mut node) = node("viewer.mjs") else { return };
    let output = node.args(playable()).env("ANDROSS_WINNERS", known_winners()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(&format!("viewer: {} files", playable().len())), "{said}");
}

/// Who won each game, as the library says.
fn known_winners() -> String {
    let won = playable().into_iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let entry = andross::library::read(path.parent().unwrap(), &name, false);
        (name, entry.winners().collect::<Vec<_>>())
    });
    serde_json::to_string(&won.collect::<std::collections::BTreeMap<_, _>>()).unwrap()
}

#[test]
fn the_viewer_s_clock_keeps_time() {
    let Some(mut node) = node("viewer-player.mjs") else { return };
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

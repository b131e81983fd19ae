//! The match viewer's parser and clock, in Node: what its scripts say.

use super::{node, playable};

#[test]
fn the_viewer_has_every_frame_as_slippi_js_has_it() {
    let Some(mut node) = node("viewer.mjs") else { return };
    let output = node.args(playable()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(&format!("viewer: {} files", playable().len())), "{said}");
}

#[test]
fn the_viewer_s_clock_keeps_time() {
    let Some(mut node) = node("viewer-player.mjs") else { return };
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

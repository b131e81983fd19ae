//! libmelee, which bots and analysis tools are made with.

use andross::simulator::Options;

use super::common::Venue;
use super::original::Original;
use super::{Script, load, playable, python};

/// From a station as from a Dolphin: every frame, and in each what the console sent, as peppi reads
/// it in the recording. libmelee knows no recorders before 3.0.
#[test]
fn libmelee_sees_every_frame() {
    if python("libmelee.py", "melee").is_none() {
        return;
    }
    let mut games = 0;
    for path in playable() {
        let Some(original) = Original::read(&path) else { continue };
        if original.0.start.slippi.version.0 < 3 {
            continue;
        }
        games += 1;
        let game = load(&path);
        let (name, expected) = (game.name().clone(), original.states());
        let (mut venue, listen) = Venue::without_console(|_| {});
        let port = venue.dolphin_address().port().to_string();
        let python = python("libmelee.py", "melee").unwrap();
        let mut script = Script::start(python, [port, expected.len().to_string()]);
        assert_eq!(script.next()["nick"], "test");
        let recordings = vec![game];
        venue.switch_on(Options { listen, recordings, fps: 3_000.0, ..Options::default() });
        let seen = script.next();
        let seen = seen.as_array().unwrap();
        for (n, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
            assert_eq!(seen, expected, "{name}: state {n}");
        }
        assert_eq!(seen.len(), expected.len(), "{name}");
        script.end();
    }
    assert!(games > 3);
}

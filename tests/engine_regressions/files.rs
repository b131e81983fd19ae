//! The disk fails.
#![cfg(unix)]

use std::fs;

use andross::engine::StationChange;

use crate::common::{synthetic, wait_until};
use crate::desk::{change, scripted, station};

/// Was: recording that was switched off while the disk failed went on trying to save what it had, and
/// kept everything that came since in memory.
#[test]
fn recording_that_is_switched_off_while_the_disk_fails_lets_go_of_the_log() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("replays");
    let (mut console, venue) = scripted(|config| config.replays = Some(folder.clone()));
    let relay = &venue.relay;
    let recording = || station(relay, 1).recording;
    let game = synthetic(1, 100, true);
    let len = game.events().len();
    console.say(&game.events()[..len / 2]);
    wait_until("its file is there", || recording().file.is_some());
    // The folder is gone, and a file has its name.
    fs::rename(&folder, outside.path().join("elsewhere")).unwrap();
    fs::write(&folder, "").unwrap();
    console.say(&game.events()[len / 2..]);
    wait_until("the disk fails", || recording().is_failing);
    for seed in 2..=6 {
        console.say(synthetic(seed, 100, true).events());
    }
    venue.wait_for_bytes(6 * len);
    assert!(venue.station().log.retained() >= 5 * len, "all is kept for better times");
    let off = StationChange { record: Some(false), ..StationChange::default() };
    change(relay, 1, off).unwrap();
    wait_until("nobody waits for the disk", || !recording().is_failing);
    console.say(synthetic(7, 100, true).events());
    venue.wait_for_bytes(7 * len);
    wait_until("two games are kept", || venue.station().log.retained() <= 3 * len);
}

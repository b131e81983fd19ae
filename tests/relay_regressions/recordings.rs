//! What is in the recordings, whatever console and disk do.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use andross::replay::survey;
use andross::session::SourceState;
use andross::shutdown::{Reason, Shutdown};

use crate::common::{Venue, assert_same_bytes, events_of, synthetic, wait_until};
use crate::{EndQuietly, FRAME, HEAD, Scripted, say, say_all};

/// Was: what comes after a gap between games is appended to the finished file of the game before.
#[test]
fn a_finished_recording_stays_as_it_is() {
    let (game, next) = (synthetic(2, 60, true), synthetic(3, 60, true));
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |_| {});
    let mut stream = console.accept(7, 0);
    say_all(&mut stream, 0, game.events());
    wait_until("the game is saved", || venue.station().stats.files.get() == 1);
    let path = venue.station().recording().unwrap();
    assert_same_bytes("saved", &events_of(&path), game.events());
    drop(stream);
    // While the relay's computer slept, the next game began and outgrew the console's 3 MiB.
    let end = game.events().len();
    let mut stream = console.accept(7, end);
    let missed = HEAD + 30 * FRAME;
    let mut pos = end + missed;
    for (n, frame) in next.events()[missed..].chunks(FRAME).enumerate() {
        say(&mut stream, pos, n == 0, frame);
        pos += frame.len();
    }
    venue.wait_for_bytes(end + next.events().len() - missed);
    let files = venue.station().stats.files.get();
    venue.shutdown.request(Reason::Finished);
    venue.relay.run_to_end().unwrap();
    assert_same_bytes("a finished game", &events_of(&path), game.events());
    assert_eq!(files, 1, "and it is counted once");
}

/// Was: no gap is noted in a file that was completed because the console stayed away.
#[test]
fn a_gap_after_a_long_absence_is_noted() {
    let game = synthetic(4, 60, true);
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |config| {
        config.away_limit = Duration::from_millis(50)
    });
    let mut stream = console.accept(7, 0);
    let before = HEAD + 20 * FRAME;
    say(&mut stream, 0, false, &game.events()[..before]);
    venue.wait_for_bytes(before);
    drop(stream);
    wait_until("the file is saved", || venue.station().stats.files.get() == 1);
    let path = venue.station().recording().unwrap();
    let mut stream = console.accept(7, before);
    let after = HEAD + 40 * FRAME;
    say(&mut stream, after, true, &game.events()[after..]);
    venue.wait_for_bytes(game.events().len() - (after - before));
    venue.shutdown.request(Reason::Finished);
    venue.relay.run_to_end().unwrap();
    let notes = survey(&path).unwrap().metadata.unwrap().recording;
    assert_eq!(
        notes.map(|notes| (notes.gaps, notes.lost_bytes)),
        Some((1, (after - before) as u64))
    );
}

/// Was: after the disk worked again the file is completed with "the console stayed away".
#[test]
fn a_disk_that_works_again_does_not_end_the_game() {
    let folder = tempfile::tempdir().unwrap();
    let replays = folder.path().join("replays");
    std::fs::write(&replays, "a file where the folder should be").unwrap();
    let game = synthetic(11, 60, true);
    let console = Scripted::new();
    let venue = Venue::relay(console.listener.local_addr().unwrap(), Shutdown::new(), |config| {
        config.replays = Some(replays.clone())
    });
    let mut stream = console.accept(7, 0);
    let half = HEAD + 30 * FRAME;
    say(&mut stream, 0, false, &game.events()[..half]);
    wait_until("the disk fails", || venue.station().stats.recorder_failing.get() == 1);
    std::fs::remove_file(&replays).unwrap();
    let alive = AtomicBool::new(true);
    let files = thread::scope(|scope| {
        // A console that has nothing to say says so.
        scope.spawn(|| {
            while alive.load(Ordering::Relaxed) {
                let _ = stream.write_all(&andross::protocol::console::KEEP_ALIVE);
                thread::sleep(Duration::from_millis(300));
            }
        });
        wait_until("the disk works", || venue.station().stats.recorder_failing.get() == 0);
        alive.store(false, Ordering::Relaxed);
        venue.station().stats.files.get()
    });
    assert_eq!(venue.station().source(), SourceState::Connected);
    assert_eq!(files, 0, "the game goes on, no file is complete");
    venue.end_quietly();
}

/// Was: a repair at the start that cannot be done now forgets its file for good.
#[test]
fn a_repair_that_failed_is_tried_again_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let game = synthetic(12, 60, false);
    let slp = folder.path().join("Game_20260101T000000.slp");
    let note = folder.path().join("Game_20260101T000000.slp.open");
    let mut bytes = b"{U\x03raw[$U#l\0\0\0\0".to_vec();
    bytes.extend(game.events());
    std::fs::write(&slp, bytes).unwrap();
    std::fs::write(&note, "{\"startAt\":\"2026-01-01T00:00:00Z\"}").unwrap();
    // Another program has it now: a virus scanner, `andross replay repair`; a full disk is the same.
    let other = std::fs::File::open(&slp).unwrap();
    other.lock().unwrap();
    let start = || {
        let path = folder.path().to_owned();
        let (venue, _) = Venue::without_console(|config| config.replays = Some(path));
        venue.end_quietly();
    };
    start();
    drop(other);
    start();
    assert_ne!(
        andross::slp::file::events_len(&std::fs::read(&slp).unwrap()),
        Ok(0),
        "the second start repairs it"
    );
}

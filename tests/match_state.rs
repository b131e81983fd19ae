//! The state of a match, compared at every frame with what peppi reads out of the same file.

mod common;

use std::io::Cursor;
use std::path::Path;

use andross::simulator::Recording;
use andross::slp::frame::FrameEnd;
use andross::slp::state::{Fighter, MatchReader, MatchState};
use andross::slp::{Event, FrameTracker, Scanner};
use common::{fixtures, shared_replays};
use peppi::frame::transpose::Post;
use peppi::game::Game as _;

/// Calls `check` with the state behind each frame, in the order of the file, and returns the last.
fn each_frame(events: &[u8], mut check: impl FnMut(usize, &MatchState)) -> MatchState {
    let (mut scanner, mut tracker, mut state) =
        (Scanner::new(), FrameTracker::new(), MatchState::new());
    let (mut rest, mut frames) = (events, 0);
    let mut at_end = |state: &MatchState| {
        check(frames, state);
        frames += 1;
    };
    while let Ok(Some(event)) = scanner.next(rest) {
        let end = tracker.observe(event);
        if let FrameEnd::Before(_) = end {
            at_end(&state);
        }
        state.observe(event);
        if let FrameEnd::Here(_) = end {
            at_end(&state);
        }
        rest = &rest[event.len()..];
    }
    state
}

fn compare(what: &str, ours: &Fighter, theirs: &Post) {
    let ours = (
        ours.percent,
        ours.stocks,
        ours.x,
        ours.y,
        ours.facing,
        ours.action_state,
        ours.shield,
        ours.character.as_ref().map(|character| character.id),
    );
    let theirs = (
        Some(theirs.percent),
        Some(theirs.stocks),
        Some(theirs.position.x),
        Some(theirs.position.y),
        Some(theirs.direction),
        Some(theirs.state),
        Some(theirs.shield),
        Some(u16::from(theirs.character)),
    );
    assert_eq!(ours, theirs, "{what}");
}

/// The number of characters compared, all frames together; `None` if peppi cannot read the file.
fn compare_file(path: &Path) -> Option<usize> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let bytes = std::fs::read(path).unwrap();
    let game = peppi::io::slippi::read(Cursor::new(&bytes), None).ok()?;
    let recording = Recording::load(path).unwrap();
    let mut compared = 0;
    let mut frames = 0;
    let mut with_follower = [0; 5];
    let state = each_frame(recording.events(), |at, state| {
        frames += 1;
        let frame = game.frame(at);
        assert_eq!(state.frame, Some(frame.id), "{name}: frame {at}");
        for (player, port) in state.players.iter().zip(&frame.ports) {
            assert_eq!(player.port, port.port as u8 + 1, "{name}");
            // After a frame without Nana, peppi 2.1 has her updates in frames too early.
            let together = &mut with_follower[usize::from(player.port)];
            let has_follower = player.follower.as_ref().is_some_and(|f| f.frame == frame.id);
            let is_aligned = has_follower && *together == at;
            *together += usize::from(has_follower);
            let follower = port.follower.as_ref().filter(|_| is_aligned);
            let fighters = [(&player.fighter, Some(&port.leader)), (&player.follower, follower)];
            for (ours, theirs) in fighters {
                // Who is out of the game stays as the last frame had it.
                let Some(ours) = ours.as_ref().filter(|ours| ours.frame == frame.id) else {
                    continue;
                };
                let Some(theirs) = theirs else { continue };
                let what = format!("{name}: port {} in frame {}", player.port, frame.id);
                compare(&what, ours, &theirs.post);
                compared += 1;
            }
        }
    });
    assert_eq!(frames, game.len(), "{name}: frames");
    let start = game.start();
    assert_eq!(state.stage.map(|stage| stage.id), Some(start.stage), "{name}");
    assert_eq!((state.is_pal, state.is_teams), (start.is_pal, Some(start.is_teams)), "{name}");
    assert_eq!(state.is_frozen_stadium, start.is_frozen_ps, "{name}");
    assert_eq!(state.timer.map(|timer| timer.starts_with), Some(start.timer), "{name}");
    for (ours, theirs) in state.players.iter().zip(&start.players) {
        assert_eq!(ours.character.id, u16::from(theirs.character), "{name}");
        assert_eq!(ours.team, theirs.team.as_ref().map(|team| team.color), "{name}");
    }
    Some(compared)
}

#[test]
fn peppi_agrees_at_every_frame_of_every_recording() {
    let (mut files, mut compared) = (0, 0);
    for path in [fixtures(), shared_replays()].concat() {
        // peppi does not know every way a game can end, and reads no file that is cut off.
        if let Some(some) = compare_file(&path) {
            assert!(some > 0, "{}", path.display());
            (files, compared) = (files + 1, compared + some);
        }
    }
    println!("{files} files, {compared} characters");
    assert!(files >= 5, "{files}");
}

/// However the stream is cut into whole events, the reader ends where the events lead.
#[test]
fn a_reader_sees_what_the_events_say() {
    for path in [fixtures(), shared_replays()].concat() {
        let recording = Recording::load(&path).unwrap();
        let events = recording.events();
        let expected = each_frame(events, |_, _| {});
        let (mut reader, mut scanner) = (MatchReader::new(), Scanner::new());
        let mut rest = &events[..];
        let mut piece = 0;
        for at in 1.. {
            match scanner.next(&rest[piece..]).ok().flatten().map(Event::len) {
                Some(len) => piece += len,
                None => break,
            }
            // Three events, then seven and so on: across frames as often as between them.
            if at % 10 == 3 || at % 10 == 0 {
                reader.feed(&rest[..piece]);
                (rest, piece) = (&rest[piece..], 0);
            }
        }
        reader.feed(&rest[..piece]);
        // A file that is cut off ends in the middle of a frame.
        if expected.end.is_some() {
            assert_eq!(reader.state(), &expected, "{}", path.display());
        }
    }
}

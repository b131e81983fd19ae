//! The state of a match, compared at every frame with what peppi reads out of the same file.

mod common;

use std::io::Cursor;
use std::path::Path;

use andross::simulator::Recording;
use andross::slp::frame::FrameEnd;
use andross::slp::state::{Fighter, Item, MatchReader, MatchState, MovingStage};
use andross::slp::{Event, FrameTracker, Scanner};
use common::{fixtures, shared_replays};
use peppi::frame::transpose::{self, Post};
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
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        let end = tracker.observe(event);
        if let FrameEnd::Before(_) = end {
            at_end(&state);
        }
        state.observe(event);
        if let FrameEnd::Here(_) = end {
            at_end(&state);
        }
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

/// What newer recorders tell as well.
fn compare_newer(what: &str, ours: &Fighter, theirs: &Post) {
    let in_hitstun = |flags: peppi::frame::transpose::StateFlags| flags.3 & 0x02 != 0;
    let hitstun = match theirs.state_flags.map(in_hitstun) {
        Some(true) => theirs.misc_as,
        Some(false) => Some(0.0),
        None => None,
    };
    let ours = (
        (ours.action_frame, ours.is_airborne, ours.jumps, ours.combo),
        (ours.hitstun, ours.hitlag, ours.hurtbox.as_ref().map(|hurtbox| hurtbox.id)),
        ours.last_hit_by,
    );
    let theirs = (
        (
            theirs.state_age,
            theirs.airborne.map(|airborne| airborne != 0),
            theirs.jumps,
            Some(theirs.combo_count),
        ),
        (hitstun, theirs.hitlag, theirs.hurtbox_state.map(u16::from)),
        (theirs.last_hit_by < 4).then(|| theirs.last_hit_by + 1),
    );
    assert_eq!(ours, theirs, "{what}");
}

fn compare_item(what: &str, ours: &Item, theirs: &transpose::Item) {
    let misc = theirs.misc;
    let expected = Item {
        id: theirs.id,
        kind: theirs.r#type,
        state: theirs.state,
        x: Some(theirs.position.x),
        y: Some(theirs.position.y),
        speed_x: Some(theirs.velocity.x),
        speed_y: Some(theirs.velocity.y),
        facing: Some(theirs.direction),
        damage: Some(theirs.damage),
        frames_left: Some(theirs.timer),
        missile: misc.map(|misc| misc.0),
        turnip_face: misc.map(|misc| misc.1),
        is_launched: misc.map(|misc| misc.2 != 0),
        charge: misc.map(|misc| misc.3),
        owner: theirs.owner.and_then(|owner| u8::try_from(owner).ok()).map(|owner| owner + 1),
    };
    assert_eq!(ours, &expected, "{what}");
}

/// What moved in this frame is where the event says; the last of several counts.
fn compare_stage(what: &str, ours: &MovingStage, theirs: &transpose::Frame) -> usize {
    let platforms = theirs.fod_platforms.as_deref().unwrap_or_default();
    for (platform, height) in [(0, ours.right_platform), (1, ours.left_platform)] {
        if let Some(last) = platforms.iter().rfind(|last| last.platform == platform) {
            assert_eq!(height, Some(last.height), "{what}");
        }
    }
    let whispys = theirs.dreamland_whispys.as_deref().unwrap_or_default();
    if let Some(last) = whispys.last() {
        assert_eq!(ours.whispy.as_ref().unwrap().id, u16::from(last.direction), "{what}");
    }
    let transformations = theirs.stadium_transformations.as_deref().unwrap_or_default();
    if let Some(last) = transformations.last() {
        let ours = ours.transformation.as_ref().unwrap();
        assert_eq!((ours.phase, ours.terrain.id), (last.event, last.r#type), "{what}");
    }
    platforms.len() + whispys.len() + transformations.len()
}

/// How much was compared, all frames together.
#[derive(Default, Debug)]
struct Compared {
    characters: usize,
    followers: usize,
    items: usize,
    moves: usize,
    names: usize,
}

/// Compares all of a file; `None` if peppi cannot read it.
fn compare_file(path: &Path, compared: &mut Compared) -> Option<()> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let bytes = std::fs::read(path).unwrap();
    let game = peppi::io::slippi::read(Cursor::new(&bytes), None).ok()?;
    let recording = Recording::load(path).unwrap();
    let mut frames = 0;
    let mut with_follower = [0; 5];
    let state = each_frame(recording.events(), |at, state| {
        frames += 1;
        let frame = game.frame(at);
        assert_eq!(state.frame, Some(frame.id), "{name}: frame {at}");
        let what = format!("{name}: frame {}", frame.id);
        let items = frame.items.as_deref().unwrap_or_default();
        assert_eq!(state.items.len(), items.len(), "{what}: items");
        for (ours, theirs) in state.items.iter().zip(items) {
            compare_item(&what, ours, theirs);
        }
        compared.items += items.len();
        compared.moves += compare_stage(&what, &state.moving_stage, &frame);
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
                compare_newer(&what, ours, &theirs.post);
                compared.characters += 1;
            }
            compared.followers += usize::from(follower.is_some());
        }
    });
    assert_eq!(frames, game.len(), "{name}: frames");
    let start = game.start();
    assert_eq!(state.stage.map(|stage| stage.id), Some(start.stage), "{name}");
    assert_eq!((state.is_pal, state.is_teams), (start.is_pal, Some(start.is_teams)), "{name}");
    assert_eq!(state.is_frozen_stadium, start.is_frozen_ps, "{name}");
    assert_eq!(state.timer.map(|timer| timer.starts_with), Some(start.timer), "{name}");
    assert_eq!(state.players.len(), start.players.len(), "{name}");
    for (ours, theirs) in state.players.iter().zip(&start.players) {
        assert_eq!(ours.character.id, u16::from(theirs.character), "{name}");
        assert_eq!(ours.kind.id, theirs.r#type as u16, "{name}");
        assert_eq!((ours.costume, ours.starting_stocks), (theirs.costume, theirs.stocks), "{name}");
        let team = theirs.team.as_ref().map(|team| u16::from(team.color));
        assert_eq!(ours.team.as_ref().map(|team| team.id), team, "{name}");
        let tag = theirs.name_tag.as_ref().map(|tag| tag.to_normalized());
        assert_eq!(ours.name_tag, tag.unwrap_or_default(), "{name}");
        let netplay = theirs.netplay.as_ref();
        let display_name = netplay.map(|netplay| netplay.name.to_normalized());
        let code = netplay.map(|netplay| netplay.code.to_normalized());
        assert_eq!(ours.display_name, display_name, "{name}");
        assert_eq!(ours.connect_code, code, "{name}");
        compared.names += usize::from(!ours.name.starts_with('P'));
    }
    Some(())
}

#[test]
fn peppi_agrees_at_every_frame_of_every_recording() {
    let (mut files, mut compared) = (0, Compared::default());
    for path in [fixtures(), shared_replays()].concat() {
        // peppi does not know every way a game can end, and reads no file that is cut off.
        let before = compared.characters;
        if compare_file(&path, &mut compared).is_some() {
            assert!(compared.characters > before, "{}", path.display());
            files += 1;
        }
    }
    println!("{files} files, {compared:?}");
    assert!(files >= 5, "{files}");
    // The fixtures alone have some of each.
    let Compared { followers, items, moves, names, .. } = compared;
    assert!(followers > 0 && items > 0 && moves > 0 && names > 0, "{compared:?}");
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
            match scanner.next(&rest[piece..]).ok().flatten().map(Event::size) {
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

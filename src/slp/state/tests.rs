use super::*;
use proptest::prelude::*;

/// Game Start of version 3.18.0 with a timer of eight minutes: Fox (port 1, team blue) and Ice Climbers
/// (port 3) on Battlefield.
fn game_start() -> Vec<u8> {
    let mut event = vec![0; 0x1A3];
    event[0] = 0x36;
    event[1..4].copy_from_slice(&[3, 18, 0]);
    event[INFO_BLOCK] = 2;
    event[INFO_BLOCK + 0x8] = 1;
    event[INFO_BLOCK + 0xF] = 31;
    event[INFO_BLOCK + 0x10..INFO_BLOCK + 0x14].copy_from_slice(&480_u32.to_be_bytes());
    for (port, character, kind, team) in [(0, 2, 0, 1), (1, 0, 3, 0), (2, 14, 1, 2), (3, 0, 3, 0)] {
        let block = INFO_BLOCK + 0x60 + 0x24 * port;
        event[block..block + 4].copy_from_slice(&[character, kind, 4, 1]);
        event[block + 9] = team;
    }
    event[0x1A2] = 1;
    event
}

fn post_frame(frame: i32, index: u8, follower: u8, percent: f32) -> Vec<u8> {
    let mut event = vec![0; 0x34];
    event[0] = 0x38;
    event[1..5].copy_from_slice(&frame.to_be_bytes());
    event[5..8].copy_from_slice(&[index, follower, 10 + follower]);
    event[0x8..0xA].copy_from_slice(&14_u16.to_be_bytes());
    event[0xA..0xE].copy_from_slice(&(-12.5_f32).to_be_bytes());
    event[0x16..0x1A].copy_from_slice(&percent.to_be_bytes());
    event[0x20..0x22].copy_from_slice(&[6, 3]);
    event
}

fn observe(state: &mut MatchState, bytes: &[u8]) {
    state.observe(Event::new(bytes).unwrap());
}

#[test]
fn game_start_says_who_plays_where() {
    let mut state = MatchState::new();
    observe(&mut state, &game_start());
    assert!(state.is_on && state.frame.is_none());
    assert_eq!(state.recorder.as_deref(), Some("3.18.0"));
    assert_eq!(state.stage.as_ref().unwrap().name, "Battlefield");
    assert_eq!(
        (state.is_teams, state.is_pal, state.is_frozen_stadium),
        (Some(true), Some(false), Some(true))
    );
    let [fox, climbers] = &state.players[..] else { panic!("{:?}", state.players) };
    assert_eq!((fox.port, fox.starting_stocks, fox.costume), (1, 4, 1));
    assert_eq!(fox.team, Some(Named { id: 1, name: "blue".into() }));
    assert_eq!((&*fox.character.name, &*climbers.character.name), ("Fox", "Ice Climbers"));
    assert_eq!((climbers.port, &*climbers.kind.name), (3, "CPU"));
    assert_eq!(climbers.team.as_ref().unwrap().name, "green");
    assert_eq!((fox.name.as_str(), &fox.fighter), ("P1", &None));
}

#[test]
fn the_timer_follows_the_frames() {
    let mut state = MatchState::new();
    observe(&mut state, &game_start());
    let left = |state: &MatchState| state.timer.clone().unwrap().frames_left.unwrap();
    assert_eq!(left(&state), 480 * 60);
    for (frame, frames) in [(-1, 28_800), (0, 28_800), (1, 28_799), (28_801, 0), (i32::MIN, 28_800)]
    {
        observe(&mut state, &post_frame(frame, 0, 0, 0.0));
        assert_eq!(left(&state), frames, "{frame}");
    }
    observe(&mut state, &post_frame(90, 0, 0, 0.0));
    let timer = state.timer.clone().unwrap();
    assert_eq!((timer.seconds_left, timer.frames_gone), (Some(478.5), 90));

    let mut up = game_start();
    up[INFO_BLOCK] = 3;
    observe(&mut state, &up);
    let timer = state.timer.clone().unwrap();
    assert_eq!((timer.kind, timer.frames_left), (TimerKind::Up, None));
}

/// What slippi-js 6.7.0's `frameToGameTimer` says.
#[test]
fn the_timer_shows_what_the_game_shows() {
    let shown = |kind, frame| {
        let mut start = game_start();
        start[INFO_BLOCK] = kind;
        let mut state = MatchState::new();
        observe(&mut state, &start);
        observe(&mut state, &post_frame(frame, 0, 0, 0.0));
        state.timer.unwrap().shown
    };
    let timer = |text: &str| Some(text.to_owned());
    assert_eq!([shown(2, -5), shown(2, 0)], [timer("08:00.00"), timer("08:00.00")]);
    assert_eq!([shown(2, 1), shown(2, 4095)], [timer("07:59.99"), timer("06:51.76")]);
    assert_eq!([shown(2, 28_799), shown(2, 30_000)], [timer("00:00.02"), timer("00:00.00")]);
    assert_eq!([shown(3, 2014), shown(3, 59)], [timer("00:33.57"), timer("00:00.99")]);
    assert_eq!(shown(0, 2014), None);
}

#[test]
fn characters_stand_where_the_newest_frame_has_them() {
    let mut state = MatchState::new();
    observe(&mut state, &game_start());
    observe(&mut state, &post_frame(5, 2, 0, 33.25));
    observe(&mut state, &post_frame(5, 2, 1, 7.0));
    // Nobody plays at port 2, and there is no port 256.
    observe(&mut state, &post_frame(9, 1, 0, 99.0));
    observe(&mut state, &post_frame(9, 255, 0, 99.0));
    assert_eq!(state.frame, Some(5));
    let climbers = state.players[1].clone();
    let popo = climbers.fighter.unwrap();
    assert_eq!(
        (popo.percent, popo.stocks, popo.x, popo.action_state),
        (Some(33.25), Some(3), Some(-12.5), Some(14))
    );
    assert_eq!((&*popo.character.unwrap().name, popo.last_hit_by), ("Popo", None));
    assert_eq!(&*climbers.follower.unwrap().character.unwrap().name, "Nana");
    // She is there until a frame goes by without her.
    observe(&mut state, &post_frame(6, 2, 0, 33.25));
    observe(&mut state, &post_frame(6, 2, 1, 7.0));
    observe(&mut state, &post_frame(7, 2, 0, 33.25));
    assert!(state.players[1].follower.is_some());
    observe(&mut state, &post_frame(8, 2, 0, 33.25));
    assert!(state.players[1].follower.is_none());
}

#[test]
fn zelda_and_sheik_change_and_popo_stays_the_ice_climbers() {
    let mut state = MatchState::new();
    observe(&mut state, &game_start());
    observe(&mut state, &post_frame(5, 2, 0, 0.0));
    assert_eq!(state.players[1].character_now(), "Ice Climbers");
    let mut sheik = post_frame(5, 0, 0, 0.0);
    sheik[0x7] = 7;
    assert_eq!(state.players[0].character_now(), "Fox");
    observe(&mut state, &sheik);
    assert_eq!(state.players[0].character_now(), "Sheik");
}

#[test]
fn hitstun_is_what_it_is_only_in_hitstun() {
    let mut event = post_frame(0, 0, 0, 0.0);
    event.resize(0x55, 0);
    event[0x2B..0x2F].copy_from_slice(&12.0_f32.to_be_bytes());
    event[0x34] = 2;
    let fighter = |event: &[u8]| Fighter::parse(Event::new(event).unwrap(), FrameIndex(0));
    assert_eq!((fighter(&event).hitstun, fighter(&event).hitlag), (Some(0.0), Some(0.0)));
    event[0x29] = 0x02;
    assert_eq!(fighter(&event).hitstun, Some(12.0));
    assert_eq!(fighter(&event).hurtbox.unwrap().name, "intangible");
    assert!(!fighter(&event).is_dying());
    event[0x9] = 0x0A;
    assert!(fighter(&event).is_dying());
    let old = fighter(&event[..0x22]);
    assert_eq!((old.action_frame, old.hitstun, old.hurtbox), (None, None, None));
}

fn frame_start(frame: i32) -> Vec<u8> {
    [&[0x3A][..], &frame.to_be_bytes(), &[0; 4]].concat()
}

fn item(frame: i32, id: u32, owner: u8) -> Vec<u8> {
    let mut event = vec![0; 0x2D];
    event[0] = 0x3B;
    event[1..5].copy_from_slice(&frame.to_be_bytes());
    event[0x5..0x8].copy_from_slice(&[0, 99, 2]);
    event[0x14..0x18].copy_from_slice(&(-20.5_f32).to_be_bytes());
    event[0x22..0x26].copy_from_slice(&id.to_be_bytes());
    event[0x27] = 7;
    event[0x2A] = owner;
    event
}

#[test]
fn items_are_those_of_the_frame_and_bounded() {
    let mut state = MatchState::new();
    observe(&mut state, &game_start());
    observe(&mut state, &frame_start(5));
    observe(&mut state, &item(5, 3, 2));
    observe(&mut state, &item(5, 4, 0xFF));
    let [turnip, other] = &state.items[..] else { panic!("{:?}", state.items) };
    assert_eq!((turnip.id, turnip.kind, turnip.state, turnip.x), (3, 99, 2, Some(-20.5)));
    assert_eq!((turnip.turnip_face, turnip.owner, other.owner), (Some(7), Some(3), None));
    // A rollback sends the frame again.
    observe(&mut state, &frame_start(5));
    observe(&mut state, &item(5, 3, 2)[..0x26]);
    assert_eq!((state.items.len(), state.items[0].turnip_face), (1, None));
    observe(&mut state, &item(5, 3, 2)[..0x25]);
    assert_eq!(state.items.len(), 1, "an item without a number is none");
    for id in 0..100 {
        observe(&mut state, &item(5, id, 0));
    }
    assert_eq!(state.items.len(), MAX_ITEMS);
    observe(&mut state, &frame_start(6));
    assert!(state.items.is_empty());
}

#[test]
fn stages_move_as_their_events_say() {
    let mut state = MatchState::new();
    observe(&mut state, &game_start());
    let height = 20.25_f32.to_be_bytes();
    observe(&mut state, &[&[0x3F, 0, 0, 0, 1, 0][..], &height].concat());
    observe(&mut state, &[&[0x3F, 0, 0, 0, 1, 2][..], &height].concat());
    observe(&mut state, &[0x3F, 0, 0, 0, 1, 1]);
    observe(&mut state, &[0x40, 0, 0, 0, 1, 1]);
    observe(&mut state, &[0x41, 0, 0, 0, 1, 0, 3, 0, 9]);
    observe(&mut state, &[0x41, 0, 0, 0, 1, 0, 5]);
    let stage = state.moving_stage;
    assert_eq!((stage.right_platform, stage.left_platform), (Some(20.25), None));
    assert_eq!(stage.whispy.unwrap().name, "left");
    let transformation = stage.transformation.unwrap();
    assert_eq!((transformation.phase, &*transformation.terrain.name), (3, "water"));
}

#[test]
fn the_end_is_told_in_the_words_of_the_version() {
    let mut state = MatchState::new();
    observe(&mut state, &game_start());
    observe(&mut state, &[0x39, 2, 0xFF, 0, 0xFF, 1, 0xFF]);
    assert!(!state.is_on);
    let end = state.end.clone().unwrap();
    assert_eq!((&*end.method.unwrap().name, end.left_by), ("GAME!", None));
    assert_eq!(end.placements, [Some(1), None, Some(2), None]);
    observe(&mut state, &[0x39, 7, 2]);
    assert_eq!(state.end.clone().unwrap().left_by, Some(3));
    observe(&mut state, &[0x35, 1]);
    assert_eq!(state, MatchState { is_on: true, ..MatchState::new() });
}

#[test]
fn short_events_leave_fields_empty() {
    let (start, post) = (game_start(), post_frame(3, 0, 0, 50.0));
    for cut in 1..start.len() {
        let mut state = MatchState::new();
        observe(&mut state, &start[..cut]);
        for cut in 1..post.len() {
            observe(&mut state, &post[..cut]);
        }
        observe(&mut state, &[0x39]);
        assert!(state.end.is_some_and(|end| end.method.is_none()));
    }
    let mut nan = post.clone();
    nan[0x16..0x1A].copy_from_slice(&f32::NAN.to_be_bytes());
    let mut state = MatchState::new();
    observe(&mut state, &start);
    observe(&mut state, &nan);
    assert_eq!(state.players[0].fighter.as_ref().unwrap().percent, None);
}

/// Sizes of the events above, with or without bookends.
fn sizes(bookend: bool) -> Vec<u8> {
    let (start, post) = (game_start().len() as u16 - 1, post_frame(0, 0, 0, 0.0).len() as u16 - 1);
    let mut table = vec![0x35, if bookend { 13 } else { 10 }];
    for (code, size) in [(0x36, start), (0x38, post), (0x39, 1)] {
        table.push(code);
        table.extend(size.to_be_bytes());
    }
    if bookend {
        table.extend([0x3C, 0, 8]);
    }
    table
}

fn bookend(frame: i32) -> Vec<u8> {
    [&[0x3C][..], &frame.to_be_bytes(), &frame.to_be_bytes()].concat()
}

#[test]
fn a_reader_goes_from_whole_frame_to_whole_frame() {
    let mut reader = MatchReader::new();
    reader.feed(&[sizes(true), game_start()].concat());
    assert_eq!(reader.state().players.len(), 2);
    reader.feed(&post_frame(0, 0, 0, 1.0));
    assert_eq!(reader.state().frame, None, "the frame is not whole");
    reader.feed(&[bookend(0), post_frame(1, 0, 0, 2.0)].concat());
    assert_eq!((reader.state().frame, reader.state().finalized_frame), (Some(0), Some(0)));
    reader.feed(&post_frame(1, 2, 0, 3.0));
    assert_eq!(reader.state().frame, Some(0));
    // A game that ends in the middle of a frame.
    reader.feed(&[0x39, 7]);
    assert_eq!((reader.state().frame, reader.state().is_on), (Some(1), false));

    reader.feed(&[sizes(false), game_start()].concat());
    reader.feed(&post_frame(0, 0, 0, 1.0));
    assert_eq!(reader.state().frame, Some(0), "without bookends nobody knows");
}

#[test]
fn a_frame_without_an_end_is_not_held_for_ever() {
    let mut reader = MatchReader::new();
    reader.feed(&[sizes(true), game_start()].concat());
    for _ in 0..2_000 {
        reader.feed(&post_frame(7, 0, 0, 1.0));
    }
    assert_eq!(reader.state().frame, Some(7));
}

proptest! {
    #[test]
    fn any_bytes_are_taken(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let mut reader = MatchReader::new();
        reader.feed(&[sizes(true), game_start()].concat());
        for piece in pieces {
            reader.feed(&piece);
            let mut state = MatchState::new();
            if let Some(event) = Event::new(&piece) {
                state.observe(event);
            }
        }
        prop_assert!(serde_json::to_string(reader.state()).is_ok());
    }
}

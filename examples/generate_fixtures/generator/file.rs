//! Plays a game to its end and writes the file.

use andross::slp::file::{EVENTS_AT, HEADER, LENGTH_AT};
use andross::slp::{EventCode, Metadata, Scanner, Summary};

use super::battle::{Battle, FIRST_FRAME, Frame};
use super::brain::Brain;
use super::events::{Builder, Recorder};
use super::game_start::{Player, Setup};
use super::pad::Pad;
use super::{gecko, netplay};

/// A game that is not over after this many frames needs another seed: fixtures are to be short.
const MAX_FRAMES: usize = 2_000;

/// Where the unfinished file is cut: some seconds into the game.
const UNFINISHED_FRAMES: usize = 200;

/// A fixture: how the match is set up and how it is recorded.
pub struct Game {
    pub recorder: &'static Recorder,
    pub setup: Setup,
    /// Bytes of the gecko list, for recorders that write one.
    pub gecko_len: usize,
    pub ending: Ending,
    pub start_at: &'static str,
    pub played_on: &'static str,
    pub console_nick: Option<&'static str>,
}

/// How a game ends.
pub enum Ending {
    /// Only one player has stocks left.
    Stocks,
    /// A player quits with L+R+A+Start in this frame.
    Quit { frame: i32, port: u8 },
    /// The stream stops after this frame.
    None { frame: i32 },
}

/// The complete file.
pub fn write(game: &Game) -> Vec<u8> {
    let events = events(game);
    let mut file = HEADER.to_vec();
    file[LENGTH_AT..EVENTS_AT].copy_from_slice(&(events.len() as u32).to_be_bytes());
    file.extend(&events);
    file.extend(metadata(game, &events).encode());
    file
}

/// What is left of the file when the recorder crashes: no length, and the last event half written.
pub fn write_unfinished(game: &Game) -> Vec<u8> {
    let frames = play(game);
    let mut events = start(game);
    for (frame, finalized) in &frames[..UNFINISHED_FRAMES] {
        game.recorder.write_frame(&mut events, frame, *finalized);
    }
    // The bookend and half of the last Post-Frame.
    let cut = events.len() - 9 - 36;
    [HEADER.as_slice(), &events[..cut]].concat()
}

fn start(game: &Game) -> Vec<u8> {
    let list = gecko::list(game.gecko_len, game.setup.seed);
    // A u16 has no more room for it: the real recorder lets it overflow as well.
    let mut events = game.recorder.payload_sizes(list.len() as u16);
    game.setup.write(game.recorder, &mut events);
    gecko::write(game.recorder, &mut events, &list);
    events
}

fn events(game: &Game) -> Vec<u8> {
    let frames = play(game);
    let mut events = start(game);
    for (frame, finalized) in &frames {
        game.recorder.write_frame(&mut events, frame, *finalized);
    }
    let is_first = game.recorder.version < (2, 0, 0);
    let (method, quitter) = match game.ending {
        Ending::Stocks if is_first => (3, 0xFF),
        Ending::Stocks => (2, 0xFF),
        Ending::Quit { port, .. } => (7, port),
        Ending::None { .. } => return events,
    };
    let end = Builder::new(EventCode::GAME_END).u8(method).u8(quitter);
    game.recorder.write(&mut events, end.bytes(&placements(&game.setup.players, &frames)));
    events
}

/// The frames as recorded, each with the latest frame that is final by then.
fn play(game: &Game) -> Vec<(Frame, i32)> {
    let setup = &game.setup;
    let entrants: Vec<_> = setup.players.iter().map(|player| player.entrant).collect();
    let start = Battle::new(setup.stage, &entrants, setup.stocks, setup.seed, setup.is_online());
    let mut brains: Vec<_> =
        entrants.iter().map(|entrant| Brain::new(entrant.port, setup.seed)).collect();
    let mut battle = start.clone();
    let mut all_pads: Vec<Vec<Pad>> = Vec::new();
    let mut frames = Vec::new();
    while !is_over(&game.ending, &battle) {
        let pads: Vec<Pad> = brains.iter_mut().flat_map(|brain| brain.pads(&battle)).collect();
        let frame = battle.step(&pads);
        frames.push((frame.clone(), frame.index));
        all_pads.push(pads);
        assert!(frames.len() < MAX_FRAMES, "no end in sight");
    }
    if setup.is_online() {
        frames = netplay::record(&start, &all_pads, &[1]);
    }
    frames
}

fn is_over(ending: &Ending, battle: &Battle) -> bool {
    match *ending {
        Ending::Stocks => battle.is_over(),
        Ending::Quit { frame, .. } | Ending::None { frame } => battle.next_frame() > frame,
    }
}

/// By port: 0 for the winner, then by who kept a stock the longest, -1 where nobody plays.
fn placements(players: &[Player], frames: &[(Frame, i32)]) -> [u8; 4] {
    let last_with_stock = |port: u8| {
        let stood = |frame: &Frame| {
            let mut fighters = frame.after.iter();
            fighters.any(|fighter| fighter.port == port && fighter.stocks > 0)
        };
        let index = frames.iter().rev().find(|(frame, _)| stood(frame));
        index.map_or(FIRST_FRAME - 1, |(frame, _)| frame.index)
    };
    let mut ports: Vec<u8> = players.iter().map(|player| player.entrant.port).collect();
    ports.sort_by_key(|&port| -last_with_stock(port));
    let mut placements = [0xFF; 4];
    for (place, port) in ports.into_iter().enumerate() {
        placements[usize::from(port)] = place as u8;
    }
    placements
}

fn metadata(game: &Game, events: &[u8]) -> Metadata {
    let mut scanner = Scanner::new();
    let mut summary = Summary::new();
    let mut rest = events;
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        summary.observe(event);
    }
    // The first recorders said no more than when and where.
    let mut metadata =
        if game.recorder.version < (1, 0, 0) { Metadata::default() } else { summary.metadata() };
    metadata.start_at = Some(game.start_at.into());
    metadata.played_on = Some(game.played_on.into());
    metadata.console_nick = game.console_nick.map(Into::into);
    metadata
}

//! A match as one side of a netplay game records it: with the other side's pads guessed first.

use super::battle::{Battle, FIRST_FRAME, Frame};
use super::pad::Pad;

/// The farthest that Slippi goes back.
const MAX_ROLLBACK: usize = 7;

/// How many frames late the other side's pads arrive: from which frame, how many.
const DELAY: [(i32, usize); 9] =
    [(-60, 1), (40, 3), (95, 0), (150, 2), (215, 7), (260, 1), (300, 4), (330, 0), (420, 2)];

/// Plays the pads of every frame again, as they were known at the time. `remote` are the fighters
/// whose pads come over the network. Each frame comes with the latest frame that is final by then.
///
/// The last frames are played without delay: the recorder ends a game only when its end is certain.
pub fn record(start: &Battle, pads: &[Vec<Pad>], remote: &[usize]) -> Vec<(Frame, i32)> {
    let mut recorded = Vec::new();
    // The state before each frame, as last played.
    let mut states = vec![start.clone()];
    let mut known = 0;
    // What was assumed for the frames that are not known.
    let mut assumed: Vec<Vec<Pad>> = Vec::new();
    for at in 0..pads.len() {
        let now = (at + 1).saturating_sub(delay(at, pads.len())).max(known);
        let wrong = (known..now.min(at)).find(|&frame| assumed[frame] != pads[frame]);
        known = now;
        let from = wrong.unwrap_or(at);
        assert!(at - from <= MAX_ROLLBACK, "a rollback of {} frames", at - from);
        states.truncate(from + 1);
        assumed.truncate(from);
        for frame in from..=at {
            let mut battle = states[frame].clone();
            let guess = guess(pads, frame, known, remote);
            let made = battle.step(&guess);
            assumed.push(guess);
            states.push(battle);
            let latest = FIRST_FRAME - 1 + known as i32;
            recorded.push((made.clone(), latest.min(made.index)));
        }
    }
    recorded
}

/// The pads of a frame of which the first `known` frames are known: the others hold what they held
/// last.
fn guess(pads: &[Vec<Pad>], frame: usize, known: usize, remote: &[usize]) -> Vec<Pad> {
    let mut guess = pads[frame].clone();
    if frame >= known {
        for &fighter in remote {
            guess[fighter] =
                known.checked_sub(1).map_or_else(Pad::default, |last| pads[last][fighter]);
        }
    }
    guess
}

fn delay(at: usize, frames: usize) -> usize {
    let frame = FIRST_FRAME + at as i32;
    let since = DELAY.iter().rev().find(|(from, _)| *from <= frame);
    match since {
        Some((_, delay)) if at + 10 < frames => *delay,
        _ => 0,
    }
}

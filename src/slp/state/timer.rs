//! The match timer. Nobody sends it: it follows from Game Start's settings and the frame's number,
//! for frames do not go on while the game is paused.

use serde::Serialize;
use utoipa::ToSchema;

use super::{INFO_BLOCK, running_frames};
use crate::slp::{Event, FrameIndex};

/// Frames that the timer takes for a second, though the console shows 59.94 in one.
const FRAMES_A_SECOND: u32 = 60;

/// Which way the timer counts (SPEC.md, "Game Bitfield 1").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TimerKind {
    /// There is none.
    None,
    /// Down to zero, which ends the game.
    Down,
    /// Up, without an end.
    Up,
}

/// The match timer.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timer {
    /// Which way it counts.
    pub kind: TimerKind,
    /// Seconds that it starts with if it counts down, as the settings say.
    pub starts_with: u32,
    /// Frames that are left, at 60 a second; `None` unless it counts down.
    pub frames_left: Option<u32>,
    /// The same in seconds; `None` unless it counts down.
    pub seconds_left: Option<f64>,
    /// Frames since the timer started, 0 before that.
    pub frames_gone: u32,
    /// What the game shows, such as `06:41.57`; `None` if it shows no timer.
    pub shown: Option<String>,
}

impl Timer {
    pub(super) fn parse(event: Event<'_>) -> Option<Self> {
        let kind = match event.u8(INFO_BLOCK)? & 0x03 {
            2 => TimerKind::Down,
            3 => TimerKind::Up,
            _ => TimerKind::None,
        };
        let starts_with = event.u32(INFO_BLOCK + 0x10)?;
        let mut timer = Self {
            kind,
            starts_with,
            frames_left: None,
            seconds_left: None,
            frames_gone: 0,
            shown: None,
        };
        timer.set(FrameIndex::FIRST);
        Some(timer)
    }

    pub(super) fn set(&mut self, frame: FrameIndex) {
        self.frames_gone = running_frames(frame);
        if self.kind == TimerKind::Down {
            let all = self.starts_with.saturating_mul(FRAMES_A_SECOND);
            let left = all.saturating_sub(self.frames_gone);
            self.frames_left = Some(left);
            self.seconds_left = Some(f64::from(left) / f64::from(FRAMES_A_SECOND));
        }
        // The game spreads a second's 60 frames over 0 to 99, up or down to whole hundredths (slippi-js,
        // `gameTimer.ts`).
        let part = |frames: u32| frames % FRAMES_A_SECOND * 99;
        let hundredths = match self.kind {
            TimerKind::Down => part(self.frames()).div_ceil(59),
            TimerKind::Up => part(self.frames()) / 59,
            TimerKind::None => return,
        };
        let seconds = self.seconds();
        self.shown = Some(format!("{:02}:{:02}.{hundredths:02}", seconds / 60, seconds % 60));
    }

    /// Whole seconds of what is left if it counts down, else of what has passed.
    pub fn seconds(&self) -> u32 {
        self.frames() / FRAMES_A_SECOND
    }

    fn frames(&self) -> u32 {
        self.frames_left.unwrap_or(self.frames_gone)
    }
}

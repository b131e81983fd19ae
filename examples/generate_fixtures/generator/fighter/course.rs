//! The course of each action.

use super::super::actions::Action;
use super::super::pad::{Pad, SMASH, X};
use super::super::stages::Ground;
use super::Fighter;

/// Frames of invulnerability after leaving the platform.
const REBIRTH_INVULNERABLE: i32 = 120;

impl Fighter {
    /// What the action turns into, by its age or by the pad.
    pub(super) fn act(&mut self, ground: &Ground) {
        let attributes = self.character;
        match self.action {
            Action::Entry if self.age >= 6 + 5 * i32::from(self.port) => {
                self.settle(Action::EntryStart);
            }
            Action::EntryStart if self.age >= 29 => self.settle(Action::EntryEnd),
            Action::EntryStart => self.y += 0.045,
            Action::EntryEnd if self.age >= 30 => self.settle(Action::Fall),
            Action::Entry | Action::EntryEnd => {}

            Action::Wait | Action::Walk(_) => self.control_on_ground(ground),
            Action::Turn => self.turn(ground),
            Action::Dash => self.dash(ground),
            Action::Run => {
                self.ground_x = attributes.run * self.facing;
                if !self.act_out_of_dash() && !self.holds_forward() {
                    self.settle(Action::RunBrake);
                }
            }
            Action::RunBrake if self.age >= 15 => self.settle(Action::Wait),
            Action::RunBrake if self.pressed(X) => self.begin(Action::KneeBend),
            Action::RunBrake => {}
            Action::KneeBend if self.age >= attributes.jump_squat => self.jump(),
            Action::KneeBend => {}

            Action::JumpForward | Action::JumpBackward | Action::DoubleJump if self.age >= 35 => {
                self.settle(Action::Fall);
            }
            Action::Pass if self.age >= 30 => self.settle(Action::Fall),
            Action::JumpForward
            | Action::JumpBackward
            | Action::DoubleJump
            | Action::Fall
            | Action::Pass => self.control_in_air(),
            Action::DamageFall if self.pressed(X) || self.previous_pad.x == 0 => {
                self.control_in_air();
            }
            Action::DamageFall => {}

            Action::Attack(attack) if self.age > attack.facts().length => self.relax(),
            Action::Shoot if self.age > self.shot_length() => self.relax(),
            Action::Attack(_) | Action::Shoot => {}
            Action::Landing if self.age >= 4 => self.settle(Action::Wait),
            Action::Landing => {}
            // The lag was halved by starting later.
            Action::LandingAttack(attack) if self.age >= attack.facts().landing_lag => {
                self.settle(Action::Wait);
            }
            Action::LandingAttack(_) => {}

            Action::GuardOn if self.age >= 8 => self.begin(Action::Guard),
            Action::Guard if !self.pad.shields() => self.begin(Action::GuardOff),
            Action::GuardOn | Action::Guard => self.shield -= 0.28,
            Action::GuardOff if self.age >= 15 => self.settle(Action::Wait),
            Action::GuardStun if self.age >= self.guard_stun => self.begin(Action::Guard),
            Action::GuardOff | Action::GuardStun => {}

            Action::DamageGround(_) | Action::DamageAir(_) | Action::Fly(_) => self.recover(),
            Action::DownBound if self.age >= 26 => self.settle(Action::DownWait),
            Action::DownWait if self.pad.y >= SMASH => self.begin(Action::DownStand),
            Action::DownBound | Action::DownWait => {}
            Action::DownStand if self.age >= 30 => self.settle(Action::Wait),
            Action::Tech if self.age >= 26 => self.settle(Action::Wait),
            Action::DownStand | Action::Tech => self.invulnerable = self.invulnerable.max(1),

            Action::CliffCatch if self.age >= 7 => self.settle(Action::CliffWait),
            Action::CliffWait if self.pad.y >= SMASH || self.age >= 200 => {
                self.begin(Action::CliffClimb);
            }
            Action::CliffCatch | Action::CliffWait => self.invulnerable = self.invulnerable.max(1),
            Action::CliffClimb => self.climb(ground),

            // The match settles what comes next.
            Action::Dead(_) => {}
            Action::Rebirth => {
                self.y -= (self.rebirth.0 - self.rebirth.1) / 60.0;
                if self.age >= 59 {
                    self.y = self.rebirth.1;
                    self.settle(Action::RebirthWait);
                }
            }
            Action::RebirthWait if self.pad != Pad::default() || self.age >= 300 => {
                self.invulnerable = REBIRTH_INVULNERABLE;
                self.settle(Action::Fall);
            }
            Action::RebirthWait => {}
        }
    }

    /// Up beside the edge, then onto the stage.
    fn climb(&mut self, ground: &Ground) {
        const FRAMES: i32 = 34;
        let floor = ground.stage.floor;
        self.invulnerable = self.invulnerable.max(1);
        self.y += (floor.y - self.y) / (FRAMES + 1 - self.age) as f32;
        if self.age >= FRAMES {
            self.x = (floor.right - 4.0) * -self.facing;
            self.land(floor);
            self.settle(Action::Wait);
        }
    }

    fn shot_length(&self) -> i32 {
        self.character.gun.map_or(0, |gun| gun.ground.iter().map(|part| part.2).sum())
    }

    /// Nothing more to do: stands or falls.
    fn relax(&mut self) {
        self.settle(if self.on.is_some() { Action::Wait } else { Action::Fall });
    }

    fn recover(&mut self) {
        self.hitstun = (self.hitstun - 1).max(0);
        if self.hitstun == 0 {
            match self.action {
                Action::Fly(_) if self.on.is_none() => self.settle(Action::DamageFall),
                _ => self.relax(),
            }
        }
    }

    pub(super) fn holds_forward(&self) -> bool {
        f32::from(self.pad.x) * self.facing >= f32::from(SMASH)
    }
}

//! Where a fighter goes: on the ground, through the air, back to the ground.

use super::super::actions::Action;
use super::super::stages::{Ground, Surface};
use super::{Fighter, direction};

/// Frames in which a press of L before landing halves the lag.
const L_CANCEL_WINDOW: i32 = 7;

/// Frames in which a press of L before the ground makes a tech.
const TECH_WINDOW: i32 = 20;

/// How fast knockback fades, in units a frame.
const KNOCKBACK_DECAY: f32 = 0.051;

/// How far Whispy pushes who stands, in units a frame.
const WIND: f32 = 0.12;

impl Fighter {
    /// A frame on this surface.
    pub(super) fn move_on(&mut self, surface: Surface, ground: &Ground) {
        let goes =
            matches!(self.action, Action::Walk(_) | Action::Dash | Action::Run | Action::KneeBend);
        if goes {
            // Who sets off no longer slides from the last blow.
            self.knock_x = 0.0;
        } else {
            let slide = self.character.friction.min(self.ground_x.abs());
            self.ground_x -= slide * direction(self.ground_x);
        }
        self.x += self.ground_x + self.knock_x + WIND * ground.wind;
        self.fade_knockback();
        self.y = surface.y;
        if surface.holds(self.x) {
            return;
        }
        let runs_off = matches!(self.action, Action::Dash | Action::Run) || self.action.is_damage();
        if runs_off {
            self.take_off();
            if !self.action.is_damage() {
                self.settle(Action::Fall);
            }
        } else {
            self.x = self.x.clamp(surface.left, surface.right);
            self.ground_x = 0.0;
        }
    }

    /// A frame in the air, perhaps down to a surface.
    pub(super) fn move_in_air(&mut self, ground: &Ground) {
        self.fall();
        let from_y = self.y;
        let from_x = self.x;
        self.x += self.air_x + self.knock_x;
        self.y += self.speed_y + self.knock_y;
        self.fade_knockback();
        let passing = self.passing;
        let met = ground.surfaces().find(|surface| {
            Some(surface.id) != passing
                && self.y <= surface.y
                && from_y >= surface.y
                && surface.holds(self.x)
        });
        if let Some(surface) = met {
            self.land(surface);
        } else {
            self.stay_outside(from_x, ground);
        }
        let passed = self.passing.and_then(|id| ground.surface(id));
        if passed.is_some_and(|surface| self.y < surface.y - 5.0) {
            self.passing = None;
        }
    }

    fn fall(&mut self) {
        let limit =
            if self.is_fast_falling { self.character.fast_fall } else { self.character.terminal };
        self.speed_y = (self.speed_y - self.character.gravity).max(-limit);
        if self.hitstun > 0 {
            return;
        }
        let may_fast_fall = self.speed_y < 0.0 && self.action != Action::DamageFall;
        if self.tapped_down() && may_fast_fall {
            self.is_fast_falling = true;
            self.speed_y = -self.character.fast_fall;
        }
        let target = self.character.air_speed * self.pad.stick_x();
        let change = (target - self.air_x).clamp(-0.06, 0.06);
        self.air_x += if self.pad.x == 0 { change * 0.3 } else { change };
    }

    /// The stage is solid below its floor: one cannot drift into it from the side, but take hold of
    /// its ledge.
    fn stay_outside(&mut self, from_x: f32, ground: &Ground) {
        let edge = ground.stage.floor.right;
        let side = direction(self.x);
        let below = ground.stage.floor.y - self.y;
        let is_falling =
            matches!(self.action, Action::Fall | Action::DoubleJump) && self.speed_y < 0.0;
        let reaches = (edge - 1.0..edge + 8.0).contains(&self.x.abs())
            && (10.0..24.0).contains(&below)
            && !ground.taken[usize::from(side > 0.0)];
        if is_falling && reaches {
            self.stop();
            self.x = (edge + 2.0) * side;
            self.y = ground.stage.floor.y - 17.0;
            self.facing = -side;
            self.jumps_left = 1;
            return self.begin(Action::CliffCatch);
        }
        if self.y < ground.stage.floor.y && self.x.abs() < edge && from_x.abs() >= edge {
            self.x = edge * direction(from_x);
            self.air_x = 0.0;
        }
    }

    pub(super) fn land(&mut self, surface: Surface) {
        self.y = surface.y;
        self.on = Some(surface.id);
        self.last_ground = surface.id;
        self.ground_x = self.air_x;
        (self.air_x, self.speed_y, self.knock_y) = (0.0, 0.0, 0.0);
        self.is_fast_falling = false;
        self.passing = None;
        self.jumps_left = 2;
        match self.action {
            Action::Fly(_) | Action::DamageFall => {
                self.hitstun = 0;
                if self.since_l < TECH_WINDOW {
                    self.begin(Action::Tech);
                } else {
                    self.settle(Action::DownBound);
                }
                self.ground_x *= 0.5;
            }
            // Flinching goes on with both feet on the ground.
            Action::DamageAir(severity) if self.hitstun > 0 => {
                self.begin(Action::DamageGround(severity));
            }
            Action::Attack(attack) if attack.is_aerial() => {
                self.settle(Action::LandingAttack(attack));
                self.l_cancel = 2;
                if self.since_l < L_CANCEL_WINDOW {
                    self.l_cancel = 1;
                    self.age = attack.facts().landing_lag / 2;
                }
            }
            _ => self.settle(Action::Landing),
        }
    }

    fn fade_knockback(&mut self) {
        // The larger component stands for the length: it needs no root, and near enough.
        let length = self.knock_x.abs().max(self.knock_y.abs());
        if length <= KNOCKBACK_DECAY {
            (self.knock_x, self.knock_y) = (0.0, 0.0);
        } else {
            let keep = 1.0 - KNOCKBACK_DECAY / length;
            self.knock_x *= keep;
            self.knock_y *= keep;
        }
    }
}

//! What a fighter that is free does with its pad.

use super::super::actions::{Action, Attack};
use super::super::pad::{A, B, SMASH, X};
use super::super::stages::Ground;
use super::Fighter;

/// Deflection from which the stick walks.
const WALK: i8 = 24;

impl Fighter {
    pub(super) fn control_on_ground(&mut self, ground: &Ground) {
        let pad = self.pad;
        if self.act_out_of_dash() {
            return;
        }
        let platform = self.on.and_then(|id| ground.surface(id));
        if let Some(surface) = platform.filter(|s| s.is_platform && self.tapped_down()) {
            self.passing = Some(surface.id);
            self.take_off();
            self.speed_y = -0.5;
            return self.begin(Action::Pass);
        }
        let side = pad.stick_x();
        let pushed_at_once = pad.x.abs() >= SMASH && self.previous_pad.x.abs() < SMASH;
        if pad.x.abs() < WALK {
            if self.action != Action::Wait {
                self.settle(Action::Wait);
            }
        } else if side * self.facing < 0.0 {
            self.begin(Action::Turn);
        } else if pushed_at_once {
            self.begin(Action::Dash);
        } else {
            self.walk(side);
        }
    }

    /// What can also be done while dashing or running: jump, shield, attack.
    pub(super) fn act_out_of_dash(&mut self) -> bool {
        let pad = self.pad;
        let is_standing = matches!(self.action, Action::Wait | Action::Walk(_));
        let next = if self.pressed(X) {
            Action::KneeBend
        } else if is_standing && pad.shields() {
            Action::GuardOn
        } else if is_standing && self.pressed(B) && self.character.gun.is_some() {
            Action::Shoot
        } else if let Some(attack) = self.ground_attack(is_standing) {
            Action::Attack(attack)
        } else {
            return false;
        };
        self.begin(next);
        true
    }

    fn ground_attack(&mut self, is_standing: bool) -> Option<Attack> {
        let pad = self.pad;
        let side = if is_standing && pad.c_x != 0 { pad.c_x } else { pad.x };
        let attack = if is_standing && pad.c_y > 0 {
            Attack::UpSmash
        } else if is_standing && pad.c_y < 0 {
            Attack::DownSmash
        } else if is_standing && pad.c_x != 0 {
            Attack::ForwardSmash
        } else if !self.pressed(A) {
            return None;
        } else if !is_standing {
            Attack::Dash
        } else if pad.y >= WALK {
            Attack::UpTilt
        } else if pad.y <= -WALK {
            Attack::DownTilt
        } else if pad.x.abs() >= WALK {
            Attack::ForwardTilt
        } else {
            Attack::Jab
        };
        if matches!(attack, Attack::ForwardSmash | Attack::ForwardTilt) {
            self.facing = f32::from(side.signum());
        }
        Some(attack)
    }

    fn walk(&mut self, side: f32) {
        let limit = self.character.walk * side.abs();
        let speed = (self.ground_x * self.facing + 0.1 + self.character.friction).min(limit);
        self.ground_x = speed * self.facing;
        let pace = match speed / self.character.walk {
            share if share < 0.35 => 0,
            share if share < 0.75 => 1,
            _ => 2,
        };
        if self.action != Action::Walk(pace) {
            self.begin(Action::Walk(pace));
        }
    }

    pub(super) fn turn(&mut self, ground: &Ground) {
        let side = f32::from(self.pad.x);
        if self.age == 2 && self.pad.x.abs() >= SMASH && side * self.facing < 0.0 {
            self.facing = -self.facing;
            self.ground_x = 0.0;
            self.begin(Action::Dash);
        } else if self.age == 5 {
            self.facing = -self.facing;
        } else if self.age > 5 && self.pressed(X) {
            self.begin(Action::KneeBend);
        } else if self.age >= 11 {
            self.settle(Action::Wait);
            self.control_on_ground(ground);
        }
    }

    pub(super) fn dash(&mut self, ground: &Ground) {
        self.ground_x = self.character.dash * self.facing;
        if self.act_out_of_dash() {
            return;
        }
        if f32::from(self.pad.x) * self.facing <= -f32::from(SMASH) {
            self.begin(Action::Turn);
        } else if self.age > 11 {
            if self.holds_forward() {
                self.settle(Action::Run);
            } else {
                self.settle(Action::Wait);
                self.control_on_ground(ground);
            }
        }
    }

    pub(super) fn jump(&mut self) {
        let side = self.pad.stick_x();
        self.take_off();
        let limit = self.character.air_speed;
        self.air_x = (0.8 * self.air_x + 0.6 * side).clamp(-1.5 * limit, 1.5 * limit);
        self.speed_y = if self.pad.buttons & X != 0 {
            self.character.full_hop
        } else {
            self.character.short_hop
        };
        self.settle(if side * self.facing < 0.0 {
            Action::JumpBackward
        } else {
            Action::JumpForward
        });
    }

    pub(super) fn control_in_air(&mut self) {
        let pad = self.pad;
        let smashes = pad.c_x != 0 || pad.c_y != 0;
        if self.pressed(X) && self.jumps_left > 0 {
            self.jumps_left -= 1;
            self.speed_y = self.character.double_jump;
            self.air_x = self.character.air_speed * pad.stick_x();
            self.is_fast_falling = false;
            self.begin(Action::DoubleJump);
        } else if smashes || self.pressed(A) {
            self.begin(Action::Attack(match f32::from(pad.c_x) * self.facing {
                _ if pad.c_y > 0 => Attack::UpAir,
                _ if pad.c_y < 0 => Attack::DownAir,
                forward if forward > 0.0 => Attack::ForwardAir,
                forward if forward < 0.0 => Attack::BackAir,
                _ => Attack::NeutralAir,
            }));
        } else if self.pressed(B) && self.character.gun.is_some() {
            self.begin(Action::Shoot);
        } else if self.action == Action::DamageFall && pad.x != 0 {
            self.settle(Action::Fall);
        }
    }
}

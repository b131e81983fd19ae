//! One fighter: what it is and shows. What it does is in the rooms below: the course of each action,
//! the player's control, and motion.

mod control;
mod course;
mod motion;

use super::actions::Action;
use super::characters::Character;
use super::pad::{Pad, SMASH};
use super::stages::Ground;

/// Who hit last, while nobody did.
pub const NOBODY: u8 = 6;

/// A whole shield.
const SHIELD: f32 = 60.0;

#[derive(Clone)]
pub struct Fighter {
    pub port: u8,
    pub is_follower: bool,
    pub character: &'static Character,
    /// Nobody who holds a controller: its inputs are the game's own.
    pub is_cpu: bool,
    pub stocks: u8,
    /// Whether the game still processes it.
    pub is_present: bool,

    pub action: Action,
    /// Frames since the action began.
    pub age: i32,
    /// The action began in this frame.
    pub is_new_action: bool,
    pub x: f32,
    pub y: f32,
    /// 1 right, -1 left.
    pub facing: f32,
    /// The surface it stands on; `None` in the air.
    pub on: Option<u16>,
    pub last_ground: u16,
    pub air_x: f32,
    pub speed_y: f32,
    pub ground_x: f32,
    pub knock_x: f32,
    pub knock_y: f32,
    pub is_fast_falling: bool,
    pub jumps_left: u8,

    pub percent: f32,
    pub shield: f32,
    /// Frames frozen by a hit, and whether it is the one that was hit.
    pub hitlag: i32,
    pub is_struck: bool,
    pub hitstun: i32,
    pub guard_stun: i32,
    /// Frames in which nothing hits.
    pub invulnerable: i32,
    /// The move of the last hit landed.
    pub last_attack: u8,
    pub combo: u8,
    pub last_hit_by: u8,
    /// 0 none, 1 successful, 2 not; only in the frame of the landing.
    pub l_cancel: u8,
    /// This attack has hit already.
    pub has_hit: bool,
    /// The shot of this special has left.
    pub has_shot: bool,
    pub instance: u16,
    pub hit_by_instance: u16,

    pub pad: Pad,
    previous_pad: Pad,
    /// Frames since L was pressed.
    since_l: i32,
    /// The surface that it drops through.
    passing: Option<u16>,
    rebirth: (f32, f32),
}

impl Fighter {
    pub fn new(port: u8, character: &'static Character, stocks: u8, ground: &Ground) -> Self {
        let (x, y) = ground.stage.spawns[usize::from(port)];
        Self {
            port,
            is_follower: false,
            character,
            is_cpu: false,
            stocks,
            is_present: true,
            action: Action::Entry,
            age: 0,
            is_new_action: false,
            x,
            y,
            facing: if x > 0.0 { -1.0 } else { 1.0 },
            on: None,
            last_ground: u16::MAX,
            air_x: 0.0,
            speed_y: 0.0,
            ground_x: 0.0,
            knock_x: 0.0,
            knock_y: 0.0,
            is_fast_falling: false,
            jumps_left: 1,
            percent: 0.0,
            shield: SHIELD,
            hitlag: 0,
            is_struck: false,
            hitstun: 0,
            guard_stun: 0,
            invulnerable: 0,
            last_attack: 0,
            combo: 0,
            last_hit_by: NOBODY,
            l_cancel: 0,
            has_hit: false,
            has_shot: false,
            instance: 0,
            hit_by_instance: 0,
            pad: Pad::default(),
            previous_pad: Pad::default(),
            since_l: 1000,
            passing: None,
            rebirth: ground.stage.rebirth,
        }
    }

    /// The one who follows this fighter, if there is one.
    pub fn partner(&self) -> Option<Self> {
        let mut partner = self.clone();
        partner.character = self.character.partner?;
        partner.is_follower = true;
        partner.x -= 5.0 * self.facing;
        Some(partner)
    }

    /// Whether something that hits here would hurt.
    pub fn can_be_hit(&self) -> bool {
        self.is_present && !self.action.is_away() && self.invulnerable == 0
    }

    /// Units a frame, to the right and up.
    pub fn velocity(&self) -> (f32, f32) {
        let own = if self.on.is_some() { self.ground_x } else { self.air_x };
        (own + self.knock_x, self.speed_y + self.knock_y)
    }

    /// Action state id, animation index and the frame count, as Post-Frame shows them.
    pub fn shown(&self) -> (u16, u32, f32) {
        if let (Action::Shoot, Some(gun)) = (self.action, self.character.gun) {
            let mut start = 0;
            let parts = if self.on.is_some() { gun.ground } else { gun.air };
            for (state, animation, length) in parts {
                if self.age <= start + length {
                    return (state, animation, (self.age - start) as f32);
                }
                start += length;
            }
        }
        let (state, animation) = self.action.state();
        let count = if self.action.is_uncounted() { -1.0 } else { self.age as f32 };
        (state, animation, count)
    }

    /// SPEC.md, "State Bit Flags", 1 to 5.
    pub fn flags(&self) -> [u8; 5] {
        let is_frozen = self.hitlag > 0;
        let is_guarding = self.action.is_guard();
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let is_gone = matches!(self.action, Action::Dead(_));
        [
            0,
            bit(is_guarding, 0x01)
                | bit(self.invulnerable > 0, 0x04)
                | bit(self.is_fast_falling, 0x08)
                | bit(is_frozen && self.is_struck, 0x10)
                | bit(is_frozen, 0x20),
            bit(is_guarding, 0x80),
            bit(self.hitstun > 0, 0x02),
            bit(self.is_follower, 0x08)
                | bit(is_gone || self.action == Action::Entry, 0x40)
                | bit(is_gone || self.action == Action::Rebirth, 0x80),
        ]
    }

    /// 0 vulnerable, 1 invulnerable, 2 intangible.
    pub fn hurtbox(&self) -> u8 {
        match self.action {
            Action::Rebirth | Action::RebirthWait => 2,
            _ => u8::from(self.invulnerable > 0),
        }
    }

    /// Takes the pad of this frame.
    pub fn take_pad(&mut self, pad: Pad) {
        self.previous_pad = self.pad;
        self.pad = pad;
        self.since_l =
            if pad.shields() && !self.previous_pad.shields() { 0 } else { self.since_l + 1 };
    }

    /// Lets a frame pass.
    pub fn step(&mut self, ground: &Ground) {
        self.is_new_action = false;
        self.l_cancel = 0;
        if self.hitlag > 0 {
            self.hitlag -= 1;
            return;
        }
        self.is_struck = false;
        self.age += 1;
        self.invulnerable = (self.invulnerable - 1).max(0);
        if !self.action.is_guard() {
            self.shield = (self.shield + 0.07).min(SHIELD);
        }
        self.act(ground);
        if !self.action.is_away() && !self.action.is_hanging() {
            match self.on.and_then(|id| ground.surface(id)) {
                Some(surface) => self.move_on(surface, ground),
                None => self.move_in_air(ground),
            }
        }
    }

    /// Begins an action out of the pad or a hit: it counts from 1. See [`Self::settle`].
    pub fn begin(&mut self, action: Action) {
        self.action = action;
        self.age = 1;
        self.is_new_action = true;
        self.has_hit = false;
        self.has_shot = false;
    }

    /// Begins an action that follows from another by itself, such as a landing: it counts from 0.
    fn settle(&mut self, action: Action) {
        self.begin(action);
        self.age = 0;
    }

    /// Leaves the ground, if it stands on it.
    pub fn take_off(&mut self) {
        if self.on.take().is_some() {
            self.air_x = self.ground_x;
            self.ground_x = 0.0;
            self.jumps_left = 1;
        }
    }

    /// Loses a stock; `way` is as in [`Action::Dead`].
    pub fn die(&mut self, way: u8) {
        self.begin(Action::Dead(way));
        self.take_off();
        self.stop();
        self.hitstun = 0;
        self.hitlag = 0;
        if !self.is_follower {
            self.stocks -= 1;
        }
    }

    /// Whether it was lost so long ago that it now comes in again, or leaves for good.
    pub fn has_been_dead(&self) -> bool {
        const FRAMES: i32 = 60;
        matches!(self.action, Action::Dead(_)) && self.age >= FRAMES
    }

    /// Comes in on the platform with a new stock, before the pads of the frame count. A follower
    /// comes beside its leader.
    pub fn revive(&mut self) {
        self.begin(Action::Rebirth);
        self.age = -1;
        self.is_present = true;
        self.take_off();
        self.stop();
        self.x = if self.is_follower { 5.0 } else { 0.0 };
        if self.character.partner.is_some() {
            self.x = -5.0;
        }
        self.y = self.rebirth.0;
        self.facing = -1.0;
        self.percent = 0.0;
        self.shield = SHIELD;
        self.hitstun = 0;
        self.hitlag = 0;
        self.last_attack = 0;
        self.combo = 0;
        self.last_hit_by = NOBODY;
        self.hit_by_instance = 0;
        self.jumps_left = 1;
    }

    fn stop(&mut self) {
        (self.air_x, self.speed_y, self.ground_x) = (0.0, 0.0, 0.0);
        (self.knock_x, self.knock_y) = (0.0, 0.0);
        self.is_fast_falling = false;
    }

    fn pressed(&self, button: u16) -> bool {
        self.pad.buttons & button != 0 && self.previous_pad.buttons & button == 0
    }

    /// The stick was pushed down at once.
    fn tapped_down(&self) -> bool {
        self.pad.y <= -SMASH && self.previous_pad.y > -SMASH
    }
}

/// -1, 0 or 1. `f32::signum` has no 0.
pub fn direction(value: f32) -> f32 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }
}

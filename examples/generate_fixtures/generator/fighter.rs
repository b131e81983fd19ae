//! One fighter: what it does with its pad, frame by frame.

use super::actions::{Action, Attack};
use super::characters::Character;
use super::pad::{A, B, Pad, SMASH, X};
use super::stages::{Ground, Surface};

/// Who hit last, while nobody did.
pub const NOBODY: u8 = 6;

/// A whole shield.
const SHIELD: f32 = 60.0;

/// Frames in which a press of L before landing halves the lag.
const L_CANCEL_WINDOW: i32 = 7;

/// Frames in which a press of L before the ground makes a tech.
const TECH_WINDOW: i32 = 20;

/// Frames of invulnerability after leaving the platform.
const REBIRTH_INVULNERABLE: i32 = 120;

/// Deflection from which the stick walks.
const WALK: i8 = 24;

/// How fast knockback fades, in units a frame.
const KNOCKBACK_DECAY: f32 = 0.051;

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
        let count = if self.action.is_uncounted() {
            -1.0
        } else {
            self.age as f32
        };
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
        self.since_l = if pad.shields() && !self.previous_pad.shields() {
            0
        } else {
            self.since_l + 1
        };
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

    /// Comes in on the platform with a new stock. A follower comes beside its leader.
    pub fn revive(&mut self) {
        self.settle(Action::Rebirth);
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

    /// The action's own course: what it turns into by age or pad.
    fn act(&mut self, ground: &Ground) {
        let attributes = self.character;
        match self.action {
            Action::Entry if self.age >= 5 + 5 * i32::from(self.port) => {
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

            Action::Dead(_) => self.be_dead(),
            Action::Rebirth => {
                self.y -= (self.rebirth.0 - self.rebirth.1) / 60.0;
                if self.age >= 60 {
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

    fn be_dead(&mut self) {
        if self.age <= 60 {
            return;
        }
        if self.stocks > 0 && !self.is_follower {
            self.revive();
        } else {
            // Without a stock, or as a follower whose leader lives on.
            self.is_present = false;
        }
    }

    fn shot_length(&self) -> i32 {
        self.character
            .gun
            .map_or(0, |gun| gun.ground.iter().map(|part| part.2).sum())
    }

    /// Nothing more to do: stands or falls.
    fn relax(&mut self) {
        self.settle(if self.on.is_some() {
            Action::Wait
        } else {
            Action::Fall
        });
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

    fn holds_forward(&self) -> bool {
        f32::from(self.pad.x) * self.facing >= f32::from(SMASH)
    }

    fn control_on_ground(&mut self, ground: &Ground) {
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
    fn act_out_of_dash(&mut self) -> bool {
        let pad = self.pad;
        let is_standing = matches!(self.action, Action::Wait | Action::Walk(_));
        let smashes = pad.c_x != 0 || pad.c_y != 0;
        let attack = match () {
            () if self.pressed(X) => {
                self.begin(Action::KneeBend);
                return true;
            }
            () if pad.shields() && is_standing => {
                self.begin(Action::GuardOn);
                return true;
            }
            () if self.pressed(B) && is_standing && self.character.gun.is_some() => {
                self.begin(Action::Shoot);
                return true;
            }
            () if smashes && is_standing && pad.c_y > 0 => Attack::UpSmash,
            () if smashes && is_standing && pad.c_y < 0 => Attack::DownSmash,
            () if smashes && is_standing => {
                self.facing = f32::from(pad.c_x.signum());
                Attack::ForwardSmash
            }
            () if !self.pressed(A) => return false,
            () if !is_standing => Attack::Dash,
            () if pad.y >= WALK => Attack::UpTilt,
            () if pad.y <= -WALK => Attack::DownTilt,
            () if pad.x.abs() >= WALK => {
                self.facing = f32::from(pad.x.signum());
                Attack::ForwardTilt
            }
            () => Attack::Jab,
        };
        self.begin(Action::Attack(attack));
        true
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

    fn turn(&mut self, ground: &Ground) {
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

    fn dash(&mut self, ground: &Ground) {
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

    fn jump(&mut self) {
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

    fn control_in_air(&mut self) {
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

    fn move_on(&mut self, surface: Surface, ground: &Ground) {
        if !matches!(
            self.action,
            Action::Walk(_) | Action::Dash | Action::Run | Action::KneeBend
        ) {
            let slide = self.character.friction.min(self.ground_x.abs());
            self.ground_x -= slide * direction(self.ground_x);
        }
        let push = if self.hitlag == 0 { 0.12 * ground.wind } else { 0.0 };
        self.x += self.ground_x + self.knock_x + push;
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

    fn move_in_air(&mut self, ground: &Ground) {
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
        if let Some(surface) = self.passing.and_then(|id| ground.surface(id)) {
            if self.y < surface.y - 5.0 {
                self.passing = None;
            }
        }
    }

    fn fall(&mut self) {
        let limit = if self.is_fast_falling {
            self.character.fast_fall
        } else {
            self.character.terminal
        };
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
        let is_free = matches!(self.action, Action::Fall | Action::DoubleJump);
        let reaches = (edge - 1.0..edge + 8.0).contains(&self.x.abs());
        if is_free && reaches && (10.0..24.0).contains(&below) && self.speed_y < 0.0 {
            if !ground.taken[usize::from(side > 0.0)] {
                self.stop();
                self.x = (edge + 2.0) * side;
                self.y = ground.stage.floor.y - 17.0;
                self.facing = -side;
                self.jumps_left = 1;
                return self.begin(Action::CliffCatch);
            }
        }
        if self.y < ground.stage.floor.y && self.x.abs() < edge && from_x.abs() >= edge {
            self.x = edge * direction(from_x);
            self.air_x = 0.0;
        }
    }

    fn land(&mut self, surface: Surface) {
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

//! A player: looks at the match and decides what to hold next.

use std::collections::VecDeque;

use super::actions::Action;
use super::battle::Battle;
use super::fighter::Fighter;
use super::pad::{A, B, L, Pad, X};
use super::random::Random;

/// Frames that Nana lags behind Popo.
const FOLLOWER_LAG: usize = 6;

/// Distance from which Nana walks towards Popo instead of doing what he did.
const FOLLOWER_STRAYS: f32 = 25.0;

/// The stick pushed as far as it goes.
const FULL: i8 = 80;

/// The decisions of one port.
pub struct Brain {
    port: u8,
    random: Random,
    /// What will be held in the next frames.
    plan: VecDeque<Pad>,
    /// What the leader held in the last frames, for a follower.
    held: VecDeque<Pad>,
}

impl Brain {
    pub fn new(port: u8, seed: u32) -> Self {
        Self {
            port,
            random: Random(seed.wrapping_mul(31).wrapping_add(u32::from(port) * 7919)),
            plan: VecDeque::new(),
            held: VecDeque::from([Pad::default(); FOLLOWER_LAG]),
        }
    }

    /// The pads of this port's fighters in the coming frame: the leader's, then the follower's.
    pub fn pads(&mut self, battle: &Battle) -> Vec<Pad> {
        let fighters = battle.fighters.iter();
        let mine: Vec<&Fighter> = fighters.filter(|f| f.port == self.port).collect();
        let leader = self.think(battle, mine[0]);
        self.held.push_back(leader);
        let late = self.held.pop_front().unwrap_or_default();
        let mut pads = vec![leader];
        if let Some(follower) = mine.get(1) {
            pads.push(follow(follower, mine[0], late));
        }
        pads
    }

    fn think(&mut self, battle: &Battle, me: &Fighter) -> Pad {
        if battle.next_frame() < -30 || !me.is_present {
            return Pad::default();
        }
        if me.action.is_damage() || me.hitlag > 0 {
            self.plan.clear();
        }
        if let Some(pad) = self.plan.pop_front() {
            return pad;
        }
        let Some(foe) = nearest_foe(battle, me) else {
            return Pad::default();
        };
        match me.action {
            Action::RebirthWait if self.random.chance(20) => Pad::default().at_height(-FULL),
            Action::DownWait | Action::CliffWait if self.random.chance(12) => {
                Pad::default().at_height(FULL)
            }
            Action::DownWait | Action::CliffCatch | Action::CliffWait => Pad::default(),
            action if action.is_away() => Pad::default(),
            action if action.is_damage() || action == Action::DamageFall => self.suffer(battle, me),
            Action::Guard | Action::GuardOn => self.shield(foe, me),
            _ if me.on.is_none() => self.fly(battle, me, foe),
            Action::Wait | Action::Walk(_) | Action::Dash | Action::Run => {
                self.fight(battle, me, foe);
                self.next()
            }
            _ => Pad::default(),
        }
    }

    fn hold(&mut self, pad: Pad, frames: usize) {
        self.plan.extend(std::iter::repeat_n(pad, frames));
    }

    fn next(&mut self) -> Pad {
        self.plan.pop_front().unwrap_or_default()
    }

    /// Launched: steers towards the stage and tries to land on the feet.
    fn suffer(&mut self, battle: &Battle, me: &Fighter) -> Pad {
        let home = Pad::toward(-me.x, FULL);
        let will_land = me.y < 18.0 && me.speed_y + me.knock_y < -1.0;
        let is_over_stage = battle.ground.stage.floor.holds(me.x);
        let is_falling = me.action == Action::DamageFall;
        if will_land && is_over_stage && self.random.chance(12) {
            self.hold(home.with(L), 4);
        } else if is_falling && (!is_over_stage || self.random.chance(10)) {
            // Wiggles out, so that it can jump.
            self.hold(Pad::default(), 1);
            self.hold(home, 2);
        } else {
            self.hold(home, 1);
        }
        self.next()
    }

    fn shield(&mut self, foe: &Fighter, me: &Fighter) -> Pad {
        let threatened = matches!(foe.action, Action::Attack(_)) && (foe.x - me.x).abs() < 25.0;
        if (threatened || self.random.chance(80)) && me.shield > 25.0 {
            Pad::default().with(L)
        } else {
            Pad::default()
        }
    }

    /// In the air: comes back to the stage, or strikes from above or below.
    fn fly(&mut self, battle: &Battle, me: &Fighter, foe: &Fighter) -> Pad {
        let floor = battle.ground.stage.floor;
        let edge = floor.right - 6.0;
        let (dx, dy) = ahead(foe, me);
        let drift = if me.x.abs() > edge { -me.x } else { dx };
        let toward = Pad::toward(drift, FULL);
        if !floor.holds(me.x) && me.y < floor.y - 4.0 && me.speed_y < 0.0 && me.jumps_left > 0 {
            self.hold(toward, 1);
            self.hold(toward.with(X), 2);
            return self.next();
        }
        if matches!(me.action, Action::Attack(_) | Action::Shoot) {
            let will_land = me.speed_y < 0.0 && me.y + 4.0 * me.speed_y < floor.y;
            if will_land && self.random.chance(30) {
                self.hold(toward.with(L), 3);
            } else {
                self.hold(toward, 1);
            }
            return self.next();
        }
        let is_near = dx.abs() < 16.0 && (-16.0..26.0).contains(&dy) && !foe.action.is_away();
        if is_near && self.random.chance(75) {
            let attack = if dy > 8.0 {
                toward.c_stick(0.0, 1.0)
            } else if dy < -8.0 {
                toward.c_stick(0.0, -1.0)
            } else if self.random.chance(25) {
                Pad::default().with(A)
            } else {
                toward.c_stick(dx, 0.0)
            };
            self.hold(attack, 2);
        } else if me.speed_y < -0.5 && floor.holds(me.x) && self.random.chance(8) {
            self.hold(toward.at_height(-FULL), 2);
        } else if me.jumps_left > 0 && dy > 20.0 && me.speed_y < 0.0 && self.random.chance(20) {
            self.hold(toward.with(X), 2);
        } else {
            self.hold(toward, 1);
        }
        self.next()
    }

    /// Free and on the ground.
    fn fight(&mut self, battle: &Battle, me: &Fighter, foe: &Fighter) {
        let floor = battle.ground.stage.floor;
        let (dx, dy) = ahead(foe, me);
        let has_gun = me.character.gun.is_some();
        if foe.action.is_away() || foe.invulnerable > 60 {
            self.keep_away(battle, me, foe);
        } else if dx * me.facing < 0.0 {
            self.hold(Pad::default(), 1);
            self.hold(Pad::toward(dx, FULL), 2);
        } else if dx.abs() < 14.0 && (-4.0..8.0).contains(&dy) {
            self.strike(me, foe);
        } else if dx.abs() < 22.0 && dy >= 8.0 {
            self.reach_up(dx, dy);
        } else if dy < -15.0 && me.on != Some(floor.id) {
            self.hold(Pad::default(), 1);
            self.hold(Pad::default().at_height(-FULL), 2);
        } else if dx.abs() > 38.0 && has_gun && self.random.chance(55) {
            self.hold(Pad::default(), 1);
            self.hold(Pad::default().with(B), 2);
            self.hold(Pad::default(), 25);
        } else if !floor.holds(foe.x) && me.x.abs() > floor.right - 25.0 {
            // Waits at the edge for a foe that is off the stage.
            self.hold(Pad::default(), 4);
        } else if dx.abs() < 34.0 && self.random.chance(50) {
            self.leap_in(dx);
        } else {
            self.approach(dx);
        }
    }

    fn keep_away(&mut self, battle: &Battle, me: &Fighter, foe: &Fighter) {
        let edge = battle.ground.stage.floor.right;
        let away = if me.x.abs() > 0.6 * edge { -me.x } else { me.x - foe.x };
        let side = if away == 0.0 { 1.0 } else { away };
        if self.random.chance(35) {
            // A dash dance: there and back.
            self.hold(Pad::toward(side, FULL), 7);
            self.hold(Pad::toward(-side, FULL), 8);
        } else if self.random.chance(40) {
            self.hold(Pad::toward(side, 50), 14);
        }
        let rest = 6 + self.random.below(12) as usize;
        self.hold(Pad::default(), rest);
    }

    /// Close enough for any attack.
    fn strike(&mut self, me: &Fighter, foe: &Fighter) {
        let side = me.facing;
        self.hold(Pad::default(), 1);
        let dice = self.random.below(100);
        let is_ripe = foe.percent > 55.0;
        match dice {
            0..10 => self.hold(Pad::default().with(L), 12),
            10..20 => self.hold(Pad::default().with(A), 2),
            20..45 if is_ripe => self.hold(Pad::default().c_stick(side, 0.0), 2),
            45..60 if is_ripe => self.hold(Pad::default().c_stick(0.0, 1.0), 2),
            60..70 if is_ripe => self.hold(Pad::default().c_stick(0.0, -1.0), 2),
            20..40 => self.hold(Pad::toward(side, 40).with(A), 2),
            40..58 => self.hold(Pad::default().at_height(40).with(A), 2),
            58..75 => self.hold(Pad::default().at_height(-40).with(A), 2),
            _ => self.leap_in(side),
        }
    }

    /// The foe is above.
    fn reach_up(&mut self, dx: f32, dy: f32) {
        self.hold(Pad::default(), 1);
        if dy < 20.0 && self.random.chance(50) {
            self.hold(Pad::default().at_height(40).with(A), 2);
        } else {
            let rise = if dy > 25.0 { 12 } else { 3 };
            self.hold(Pad::toward(dx, 40).with(X), rise);
        }
    }

    /// A jump at the foe with an aerial attack.
    fn leap_in(&mut self, side: f32) {
        let toward = Pad::toward(side, FULL);
        self.hold(Pad::default(), 1);
        let hop = if self.random.chance(70) { 1 } else { 6 };
        self.hold(toward.with(X), hop);
        self.hold(toward, 7);
        self.hold(toward.c_stick(side, 0.0), 2);
    }

    fn approach(&mut self, dx: f32) {
        let toward = Pad::toward(dx, FULL);
        match self.random.below(100) {
            0..55 => {
                self.hold(Pad::default(), 1);
                self.hold(toward, 12);
            }
            55..72 => {
                self.hold(Pad::default(), 1);
                self.hold(toward, 9);
                self.hold(toward.with(A), 2);
            }
            72..90 => self.hold(Pad::toward(dx, 60), 10),
            _ => self.hold(Pad::default(), 5),
        }
    }
}

/// Nana does what Popo did, unless she strays.
fn follow(me: &Fighter, leader: &Fighter, late: Pad) -> Pad {
    let distance = leader.x - me.x;
    let can_walk = me.on.is_some() && !me.action.is_away();
    if !me.is_present {
        Pad::default()
    } else if can_walk && distance.abs() > FOLLOWER_STRAYS && !leader.action.is_away() {
        Pad::toward(distance, 60)
    } else {
        late
    }
}

/// Where the foe will be from here, if both go on as they do for the frames that an attack takes to
/// come out.
fn ahead(foe: &Fighter, me: &Fighter) -> (f32, f32) {
    const FRAMES: f32 = 6.0;
    let (foe_x, foe_y) = foe.velocity();
    let (my_x, my_y) = me.velocity();
    let dx = foe.x - me.x + FRAMES * (foe_x - my_x);
    let dy = foe.y - me.y + FRAMES * (foe_y - my_y);
    (dx, dy)
}

fn nearest_foe<'a>(battle: &'a Battle, me: &Fighter) -> Option<&'a Fighter> {
    let foes = battle.fighters.iter();
    let foes = foes.filter(|foe| foe.port != me.port && foe.is_present && foe.stocks > 0);
    foes.min_by(|a, b| distance(a, me).total_cmp(&distance(b, me)))
}

fn distance(a: &Fighter, b: &Fighter) -> f32 {
    (a.x - b.x).abs() + (a.y - b.y).abs() + if a.action.is_away() { 1000.0 } else { 0.0 }
}

//! Hits: whether one lands, how hard, and what it does to both.

use super::actions::Action;
use super::fighter::{Fighter, direction};

/// How wide and high a fighter is to be hit, from the middle of its feet.
const HALF_WIDTH: f32 = 5.0;
const HEIGHT: f32 = 14.0;

/// Knockback from which a fighter is launched and tumbles.
const LAUNCH: f32 = 80.0;

/// Speed of a launch, in units a frame for one unit of knockback.
const LAUNCH_SPEED: f32 = 0.03;

/// Frames of hitstun for one unit of knockback.
const HITSTUN: f32 = 0.4;

/// A hit that lands.
#[derive(Clone, Copy)]
pub struct Hit {
    /// Who did it.
    pub port: u8,
    pub attack_id: u8,
    pub instance: u16,
    pub damage: f32,
    /// Cosine and sine of the launch angle, away from the attacker.
    pub launch: (f32, f32),
    pub base: f32,
    pub growth: f32,
}

/// The hit that `attacker` lands on `victim` in this frame, if there is one.
pub fn attack(attacker: &Fighter, victim: &Fighter) -> Option<Hit> {
    let Action::Attack(kind) = attacker.action else {
        return None;
    };
    let facts = kind.facts();
    let is_active = (facts.first..=facts.last).contains(&attacker.age);
    let is_free = attacker.is_present && attacker.hitlag == 0 && !attacker.has_hit;
    if !is_active || !is_free || attacker.port == victim.port || !victim.can_be_hit() {
        return None;
    }
    let [back, front, bottom, top] = facts.reach;
    let stretch = attacker.character.reach;
    let (near, far) = (back * stretch * attacker.facing, front * stretch * attacker.facing);
    let overlaps = attacker.x + near.min(far) <= victim.x + HALF_WIDTH
        && attacker.x + near.max(far) >= victim.x - HALF_WIDTH
        && attacker.y + bottom <= victim.y + HEIGHT
        && attacker.y + top >= victim.y;
    let (cosine, sine) = facts.launch;
    overlaps.then_some(Hit {
        port: attacker.port,
        attack_id: facts.id,
        instance: attacker.instance,
        damage: facts.damage,
        launch: (cosine * attacker.facing, sine),
        base: facts.knockback.0,
        growth: facts.knockback.1,
    })
}

/// Whether a point lies in the room a fighter takes.
pub fn covers(fighter: &Fighter, x: f32, y: f32) -> bool {
    (fighter.x - HALF_WIDTH..=fighter.x + HALF_WIDTH).contains(&x)
        && (fighter.y..=fighter.y + HEIGHT).contains(&y)
}

/// Lets `victim` take the hit.
pub fn apply(hit: &Hit, victim: &mut Fighter) {
    victim.hitlag = hitlag(hit.damage);
    if victim.action.is_guard() {
        victim.shield = (victim.shield - 0.7 * hit.damage).max(1.0);
        victim.guard_stun = ((hit.damage + 4.45) * 0.447) as i32;
        victim.ground_x = 0.05 * hit.damage * direction(hit.launch.0);
        victim.begin(Action::GuardStun);
        return;
    }
    victim.percent += hit.damage;
    victim.last_hit_by = hit.port;
    victim.hit_by_instance = hit.instance;
    if hit.growth == 0.0 && hit.base == 0.0 {
        victim.hitlag = 0;
        return;
    }
    let knockback = knockback(hit, victim);
    victim.is_struck = true;
    victim.hitstun = (knockback * HITSTUN) as i32;
    victim.facing = if hit.launch.0 > 0.0 { -1.0 } else { 1.0 };
    victim.is_fast_falling = false;
    let (cosine, sine) = hit.launch;
    let speed = LAUNCH_SPEED * knockback;
    victim.knock_x = speed * cosine;
    victim.knock_y = speed * sine;
    let severity = if knockback < 25.0 { 0 } else { u8::from(knockback >= 50.0) + 1 };
    // A weak blow to the side only slides one that stands.
    let stays = victim.on.is_some() && knockback < LAUNCH && sine < 0.8;
    if stays {
        victim.knock_y = 0.0;
        victim.ground_x = 0.0;
        victim.begin(Action::DamageGround(severity));
        return;
    }
    victim.take_off();
    victim.air_x = 0.0;
    victim.speed_y = 0.0;
    victim.begin(if knockback < LAUNCH {
        Action::DamageAir(severity)
    } else {
        Action::Fly(match sine {
            steep if steep > 0.95 => 2,
            high if high > 0.8 => 1,
            _ => 0,
        })
    });
}

/// Notes a hit with the one who landed it; `is_direct` if by its own body.
pub fn credit(hit: &Hit, attacker: &mut Fighter, was_stunned: bool, is_direct: bool) {
    attacker.last_attack = hit.attack_id;
    attacker.combo = if was_stunned { attacker.combo.saturating_add(1) } else { 1 };
    if is_direct {
        attacker.has_hit = true;
        attacker.hitlag = attacker.hitlag.max(hitlag(hit.damage));
    }
}

/// Frames both are frozen.
fn hitlag(damage: f32) -> i32 {
    (damage / 3.0) as i32 + 3
}

/// Melee's own formula, without staling: the percent counts after the hit.
fn knockback(hit: &Hit, victim: &Fighter) -> f32 {
    let percent = victim.percent;
    let strength = 0.1 * percent + 0.05 * percent * hit.damage;
    let weight = 200.0 / (victim.character.weight + 100.0);
    (strength * weight * 1.4 + 18.0) * hit.growth * 0.01 + hit.base
}

//! Projectiles.

use super::actions::Action;
use super::characters::Gun;
use super::combat::{self, Hit};
use super::fighter::Fighter;

/// A projectile in flight.
#[derive(Clone)]
pub struct Item {
    pub gun: &'static Gun,
    pub spawn_id: u32,
    pub owner: u8,
    pub instance: u16,
    pub facing: f32,
    pub x: f32,
    pub y: f32,
    /// Frames left.
    pub life: f32,
}

impl Item {
    /// The shot that leaves the fighter's gun in this frame, if one does.
    pub fn shot_by(fighter: &mut Fighter, spawn_id: u32) -> Option<Self> {
        let gun = fighter.character.gun?;
        let parts = if fighter.on.is_some() { gun.ground } else { gun.air };
        let is_due = fighter.action == Action::Shoot && fighter.age == parts[0].2 + 1;
        if !is_due || fighter.has_shot || !fighter.is_present {
            return None;
        }
        fighter.has_shot = true;
        Some(Self {
            gun,
            spawn_id,
            owner: fighter.port,
            instance: fighter.instance,
            facing: fighter.facing,
            x: fighter.x + 12.0 * fighter.facing,
            y: fighter.y + gun.muzzle,
            life: gun.life,
        })
    }

    /// Units a frame, to the right.
    pub fn speed(&self) -> f32 {
        self.gun.speed * self.facing
    }

    /// Lets a frame pass; false when the projectile is gone.
    pub fn step(&mut self, [left, right, ..]: &[f32; 4]) -> bool {
        self.x += self.speed();
        self.life -= 1.0;
        self.life > 0.0 && (*left..=*right).contains(&self.x)
    }

    /// Whether it meets this fighter on the way of this frame, tried at its end and its middle.
    pub fn touches(&self, victim: &Fighter) -> bool {
        victim.port != self.owner
            && victim.can_be_hit()
            && (combat::covers(victim, self.x, self.y)
                || combat::covers(victim, self.x - 0.5 * self.speed(), self.y))
    }

    /// What it does when it meets someone.
    pub fn hit(&self) -> Hit {
        let growth = if self.gun.flinch { 100.0 } else { 0.0 };
        Hit {
            port: self.owner,
            attack_id: self.gun.attack_id,
            instance: self.instance,
            damage: self.gun.damage,
            launch: (0.97 * self.facing, 0.24),
            base: 0.0,
            growth,
        }
    }
}

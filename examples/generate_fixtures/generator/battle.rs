//! A match: steps every fighter and projectile by a frame and settles who hit whom.

use super::actions::Action;
use super::characters::Character;
use super::combat::{self, Hit};
use super::fighter::Fighter;
use super::items::Item;
use super::pad::Pad;
use super::random::Random;
use super::stages::{Ground, Stage};

/// The first frame of every game.
pub const FIRST_FRAME: i32 = -123;

/// The first frame in which a pad does anything.
const FIRST_CONTROL: i32 = -39;

/// Something that the recorder says about the stage.
#[derive(Clone, Copy, Debug)]
pub enum StageEvent {
    /// Fountain of Dreams: 0 right, 1 left.
    Platform { platform: u8, height: f32 },
    /// Dream Land: 0 nowhere, 1 left, 2 right.
    Wind(u8),
    /// Pokémon Stadium.
    Transformation { event: u16, kind: u16 },
}

/// All that happened in one frame.
#[derive(Clone)]
pub struct Frame {
    pub index: i32,
    /// The random seed at its start.
    pub seed: u32,
    /// Frames since the scene began.
    pub scene_counter: u32,
    /// The fighters before their pads took effect, and afterwards.
    pub before: Vec<Fighter>,
    pub after: Vec<Fighter>,
    pub stage: Vec<StageEvent>,
    pub items: Vec<Item>,
}

/// One who plays: port, character, and whether it is a computer.
#[derive(Clone, Copy)]
pub struct Entrant {
    pub port: u8,
    pub character: &'static Character,
    pub is_cpu: bool,
}

/// The state of a match between two frames. A copy of it can be taken up again: that is how
/// rollbacks are made.
#[derive(Clone)]
pub struct Battle {
    pub ground: Ground,
    /// In the order of their events: by port, a follower after its leader.
    pub fighters: Vec<Fighter>,
    pub items: Vec<Item>,
    next_frame: i32,
    random: Random,
    /// Netplay: the seed is this, with the frame counter above it.
    online_seed: Option<u16>,
    next_item: u32,
    next_instance: u16,
}

impl Battle {
    pub fn new(
        stage: &'static Stage,
        entrants: &[Entrant],
        stocks: u8,
        seed: u32,
        is_online: bool,
    ) -> Self {
        let ground = Ground::new(stage);
        let mut fighters = Vec::new();
        for entrant in entrants {
            let mut fighter = Fighter::new(entrant.port, entrant.character, stocks, &ground);
            fighter.is_cpu = entrant.is_cpu;
            let partner = fighter.partner();
            fighters.push(fighter);
            fighters.extend(partner);
        }
        Self {
            ground,
            fighters,
            items: Vec::new(),
            next_frame: FIRST_FRAME,
            random: Random(seed),
            online_seed: is_online.then_some(seed as u16),
            next_item: 0,
            next_instance: 1,
        }
    }

    /// The number of the frame that [`Self::step`] will make.
    pub fn next_frame(&self) -> i32 {
        self.next_frame
    }

    /// Whether at most one player has stocks left.
    pub fn is_over(&self) -> bool {
        let leaders = self.fighters.iter().filter(|fighter| !fighter.is_follower);
        leaders.filter(|fighter| fighter.stocks > 0).count() <= 1
    }

    /// Makes one frame out of the pads, one for each of [`Self::fighters`].
    pub fn step(&mut self, pads: &[Pad]) -> Frame {
        let index = self.next_frame;
        let scene_counter = (index - FIRST_FRAME) as u32;
        if let Some(low) = self.online_seed {
            self.random.0 = (scene_counter << 16) | u32::from(low);
        }
        let seed = self.random.0;
        self.come_and_go();
        for (fighter, &pad) in self.fighters.iter_mut().zip(pads) {
            fighter.take_pad(if index < FIRST_CONTROL { Pad::default() } else { pad });
        }
        let before = self.present();

        let stage = self.ground.step(index);
        self.ground.taken = [-1.0, 1.0].map(|side| {
            let mut fighters = self.fighters.iter();
            fighters.any(|fighter| fighter.action.is_hanging() && fighter.x * side > 0.0)
        });
        for fighter in &mut self.fighters {
            if fighter.is_present {
                fighter.step(&self.ground);
                if fighter.action == Action::CliffCatch {
                    self.ground.taken[usize::from(fighter.x > 0.0)] = true;
                }
            }
        }
        self.move_items();
        self.settle_hits();
        self.lose_stocks();
        self.number_actions();
        self.random.next();
        self.next_frame += 1;
        Frame {
            index,
            seed,
            scene_counter,
            before,
            after: self.present(),
            stage,
            items: self.items.clone(),
        }
    }

    fn present(&self) -> Vec<Fighter> {
        let fighters = self.fighters.iter();
        fighters.filter(|fighter| fighter.is_present).cloned().collect()
    }

    /// Between two frames those who were lost come in again, and a follower with its leader. Who has
    /// no stock left, or follows one who is still there, is no longer processed.
    fn come_and_go(&mut self) {
        let mut revives = false;
        for fighter in &mut self.fighters {
            if fighter.is_follower && revives {
                fighter.revive();
            } else if fighter.has_been_dead() {
                fighter.is_present = false;
            }
            revives = fighter.has_been_dead() && !fighter.is_follower && fighter.stocks > 0;
            if revives {
                fighter.revive();
            }
        }
    }

    fn move_items(&mut self) {
        let blast = self.ground.stage.blast;
        self.items.retain_mut(|item| item.step(&blast));
        for fighter in &mut self.fighters {
            if let Some(item) = Item::shot_by(fighter, self.next_item) {
                self.items.push(item);
                self.next_item += 1;
            }
        }
    }

    /// All hits of a frame are found before the first takes effect, so that two can trade.
    fn settle_hits(&mut self) {
        let mut hits: Vec<(Option<usize>, usize, Hit)> = Vec::new();
        for (by, attacker) in self.fighters.iter().enumerate() {
            for (at, victim) in self.fighters.iter().enumerate() {
                if let Some(hit) = combat::attack(attacker, victim) {
                    hits.push((Some(by), at, hit));
                }
            }
        }
        let fighters = &self.fighters;
        self.items.retain(|item| {
            let struck = fighters.iter().position(|victim| item.touches(victim));
            hits.extend(struck.map(|at| (None, at, item.hit())));
            struck.is_none()
        });
        for (by, at, hit) in hits {
            let was_stunned = self.fighters[at].hitstun > 0;
            combat::apply(&hit, &mut self.fighters[at]);
            let attacker = by.or_else(|| {
                let leads = |f: &Fighter| f.port == hit.port && !f.is_follower;
                self.fighters.iter().position(leads)
            });
            if let Some(attacker) = attacker {
                combat::credit(&hit, &mut self.fighters[attacker], was_stunned, by.is_some());
            }
        }
    }

    fn lose_stocks(&mut self) {
        let [left, right, top, bottom] = self.ground.stage.blast;
        for fighter in &mut self.fighters {
            if fighter.action.is_away() || !fighter.is_present {
                continue;
            }
            let (x, y) = (fighter.x, fighter.y);
            let way = if y < bottom {
                0
            } else if x < left {
                1
            } else if x > right {
                2
            } else if y > top && fighter.knock_y > 0.0 {
                // Who jumped that high comes down again.
                3
            } else {
                continue;
            };
            fighter.die(way);
        }
        // A follower shows its leader's stocks.
        let mut stocks = 0;
        for fighter in &mut self.fighters {
            if fighter.is_follower {
                fighter.stocks = stocks;
            }
            stocks = fighter.stocks;
        }
    }

    fn number_actions(&mut self) {
        for fighter in &mut self.fighters {
            if matches!(fighter.action, Action::Dead(_)) {
                fighter.instance = 0;
            } else if fighter.is_new_action {
                fighter.instance = self.next_instance;
                self.next_instance += 1;
            }
        }
    }
}

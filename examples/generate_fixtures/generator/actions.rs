//! What a fighter can be doing, and the attacks.

/// No animation: the fighter is not to be seen, or the game builds its pose another way.
const NO_ANIMATION: u32 = u32::MAX;

/// What a fighter does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Before the game: not there yet, rising from the trophy stand, waiting.
    Entry,
    EntryStart,
    EntryEnd,
    Wait,
    /// 0 slow, 1 middle, 2 fast.
    Walk(u8),
    Turn,
    Dash,
    Run,
    RunBrake,
    KneeBend,
    JumpForward,
    JumpBackward,
    DoubleJump,
    Fall,
    /// Dropping through a platform.
    Pass,
    Landing,
    Attack(Attack),
    /// Landing out of an aerial attack.
    LandingAttack(Attack),
    /// The gun special; its parts are the character's.
    Shoot,
    GuardOn,
    Guard,
    GuardOff,
    /// Holding the shield against a hit.
    GuardStun,
    /// Flinching; the number is the severity, 0 to 2.
    DamageGround(u8),
    DamageAir(u8),
    /// Launched: sideways, up, straight up.
    Fly(u8),
    /// Tumbling after a launch.
    DamageFall,
    /// Fallen flat, lying, getting up.
    DownBound,
    DownWait,
    DownStand,
    /// Landed on the feet.
    Tech,
    /// Catching the ledge, hanging there, climbing up.
    CliffCatch,
    CliffWait,
    CliffClimb,
    /// Lost below, to the left, to the right, above.
    Dead(u8),
    /// Coming in on the platform, waiting on it.
    Rebirth,
    RebirthWait,
}

impl Action {
    /// Action state id and animation index, as Post-Frame shows them. The parts of a gun special
    /// are the character's and not known here.
    pub fn state(self) -> (u16, u32) {
        match self {
            Self::Entry => (0x142, NO_ANIMATION),
            Self::EntryStart => (0x143, 0xEE),
            Self::EntryEnd => (0x144, NO_ANIMATION),
            Self::Wait => (0x0E, 0x02),
            Self::Walk(speed) => (0x0F + u16::from(speed), 0x07 + u32::from(speed)),
            Self::Turn => (0x12, 0x0A),
            Self::Dash => (0x14, 0x0C),
            Self::Run => (0x15, 0x0D),
            Self::RunBrake => (0x17, 0x0E),
            Self::KneeBend => (0x18, 0x0F),
            Self::JumpForward => (0x19, 0x10),
            Self::JumpBackward => (0x1A, 0x11),
            Self::DoubleJump => (0x1B, 0x12),
            Self::Fall => (0x1D, 0x14),
            Self::Pass => (0xF4, 0xD1),
            Self::Landing => (0x2A, 0x23),
            Self::Attack(attack) => (attack.facts().state, attack.facts().animation),
            Self::LandingAttack(attack) => (attack.facts().state + 5, attack.facts().animation + 5),
            Self::Shoot => (0, 0),
            Self::GuardOn => (0xB2, NO_ANIMATION),
            Self::Guard => (0xB3, NO_ANIMATION),
            Self::GuardOff => (0xB4, 0x27),
            Self::GuardStun => (0xB5, 0x28),
            Self::DamageGround(severity) => {
                (0x4E + u16::from(severity), 0xA8 + u32::from(severity))
            }
            Self::DamageAir(severity) => (0x54 + u16::from(severity), 0xAE + u32::from(severity)),
            Self::Fly(way) => ([0x58, 0x57, 0x5A][way as usize], [0xB2, 0xB1, 0xB4][way as usize]),
            Self::DamageFall => (0x26, 0x1D),
            Self::DownBound => (0xB7, 0xB7),
            Self::DownWait => (0xB8, 0xB8),
            Self::DownStand => (0xBA, 0xBA),
            Self::Tech => (0xC7, 0xC7),
            Self::CliffCatch => (0xFC, 0xD8),
            Self::CliffWait => (0xFD, 0xD9),
            Self::CliffClimb => (0xFF, 0xDC),
            Self::Dead(way) => (u16::from(way), NO_ANIMATION),
            Self::Rebirth => (0x0C, 0x02),
            Self::RebirthWait => (0x0D, 0x02),
        }
    }

    /// Whether the state has no frame count; Post-Frame shows -1 then.
    pub fn is_uncounted(self) -> bool {
        self.state().1 == NO_ANIMATION
    }

    /// In the middle of being hit: no control until hitstun ends.
    pub fn is_damage(self) -> bool {
        matches!(self, Self::DamageGround(_) | Self::DamageAir(_) | Self::Fly(_))
    }

    /// Holding up the shield.
    pub fn is_guard(self) -> bool {
        matches!(self, Self::GuardOn | Self::Guard | Self::GuardStun)
    }

    /// At the ledge, where neither gravity nor speed counts.
    pub fn is_hanging(self) -> bool {
        matches!(self, Self::CliffCatch | Self::CliffWait | Self::CliffClimb)
    }

    /// Not on the stage, and not to be hit or followed.
    pub fn is_away(self) -> bool {
        matches!(
            self,
            Self::Entry
                | Self::EntryStart
                | Self::EntryEnd
                | Self::Dead(_)
                | Self::Rebirth
                | Self::RebirthWait
        )
    }
}

/// The attacks that every character has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attack {
    Jab,
    Dash,
    ForwardTilt,
    UpTilt,
    DownTilt,
    ForwardSmash,
    UpSmash,
    DownSmash,
    NeutralAir,
    ForwardAir,
    BackAir,
    UpAir,
    DownAir,
}

/// One attack's facts. The box and the launch are as if the attacker faced right.
#[derive(Clone, Copy, Debug)]
pub struct AttackFacts {
    pub state: u16,
    pub animation: u32,
    /// The id that slippi-js knows the move by.
    pub id: u8,
    /// Frames in which it hits.
    pub first: i32,
    pub last: i32,
    /// Frames until the attacker is free again.
    pub length: i32,
    /// Left, right, bottom, top of what it reaches, seen from the attacker's feet.
    pub reach: [f32; 4],
    pub damage: f32,
    /// Cosine and sine of the launch angle.
    pub launch: (f32, f32),
    /// Knockback: base and growth.
    pub knockback: (f32, f32),
    /// Frames of landing lag; 0 for attacks on the ground.
    pub landing_lag: i32,
}

impl Attack {
    pub fn is_aerial(self) -> bool {
        self.facts().landing_lag > 0
    }

    #[rustfmt::skip] // A table.
    pub fn facts(self) -> AttackFacts {
        const SIDE: (f32, f32) = (0.77, 0.64);
        const HIGH: (f32, f32) = (0.5, 0.87);
        const UP: (f32, f32) = (0.17, 0.985);
        let (state, animation, id, [first, last, length], reach, damage, launch, knockback, landing_lag) = match self {
            Self::Jab => (0x2C, 0x2E, 2, [3, 4, 17], [2.0, 10.0, 4.0, 11.0], 5.0, SIDE, (0.0, 90.0), 0),
            Self::Dash => (0x32, 0x34, 6, [5, 12, 36], [0.0, 11.0, 2.0, 10.0], 11.0, HIGH, (35.0, 90.0), 0),
            Self::ForwardTilt => (0x35, 0x37, 7, [6, 9, 28], [3.0, 14.0, 4.0, 10.0], 11.0, SIDE, (10.0, 100.0), 0),
            Self::UpTilt => (0x38, 0x3A, 8, [5, 11, 24], [-6.0, 8.0, 6.0, 24.0], 11.0, UP, (25.0, 120.0), 0),
            Self::DownTilt => (0x39, 0x3B, 9, [7, 9, 30], [3.0, 14.0, 0.0, 6.0], 12.0, UP, (25.0, 125.0), 0),
            Self::ForwardSmash => (0x3C, 0x3E, 10, [12, 16, 40], [4.0, 18.0, 4.0, 13.0], 20.0, SIDE, (30.0, 108.0), 0),
            Self::UpSmash => (0x3F, 0x42, 11, [7, 13, 42], [-8.0, 8.0, 6.0, 26.0], 19.0, UP, (35.0, 112.0), 0),
            Self::DownSmash => (0x40, 0x43, 12, [6, 10, 44], [-14.0, 14.0, 0.0, 7.0], 17.0, SIDE, (25.0, 105.0), 0),
            Self::NeutralAir => (0x41, 0x44, 13, [4, 20, 40], [-6.0, 8.0, 0.0, 12.0], 12.0, SIDE, (15.0, 100.0), 15),
            Self::ForwardAir => (0x42, 0x45, 14, [6, 9, 36], [2.0, 15.0, 1.0, 14.0], 13.0, HIGH, (20.0, 95.0), 20),
            Self::BackAir => (0x43, 0x46, 15, [4, 8, 38], [-15.0, -1.0, 3.0, 12.0], 15.0, (-0.77, 0.64), (15.0, 105.0), 20),
            Self::UpAir => (0x44, 0x47, 16, [5, 9, 36], [-8.0, 8.0, 8.0, 24.0], 13.0, UP, (30.0, 100.0), 18),
            Self::DownAir => (0x45, 0x48, 17, [8, 16, 45], [-5.0, 6.0, -8.0, 5.0], 14.0, HIGH, (20.0, 95.0), 24),
        };
        AttackFacts { state, animation, id, first, last, length, reach, damage, launch, knockback, landing_lag }
    }
}

//! The fighters' attributes.
//!
//! Speeds are units a frame; they are near Melee's own, so that distances look right.

/// What makes a character move and hit the way it does.
#[derive(Clone, Copy)]
pub struct Character {
    /// Id in Game Start.
    pub external: u8,
    /// Id in Post-Frame.
    pub internal: u8,
    pub walk: f32,
    pub dash: f32,
    pub run: f32,
    /// Speed lost on the ground in a frame.
    pub friction: f32,
    /// Frames of the crouch before a jump.
    pub jump_squat: i32,
    pub full_hop: f32,
    pub short_hop: f32,
    pub double_jump: f32,
    pub air_speed: f32,
    pub gravity: f32,
    pub terminal: f32,
    pub fast_fall: f32,
    pub weight: f32,
    /// Stretches the reach of every attack.
    pub reach: f32,
    pub gun: Option<&'static Gun>,
    /// Who follows: Nana.
    pub partner: Option<&'static Character>,
}

/// A special move that makes a projectile.
#[derive(Clone, Copy)]
pub struct Gun {
    /// Type id of the item.
    pub item: u16,
    /// State of the item while it flies.
    pub state: u8,
    pub speed: f32,
    /// Frames it flies.
    pub life: f32,
    pub damage: f32,
    /// Whether a hit makes the victim flinch.
    pub flinch: bool,
    /// Attack id of the hit.
    pub attack_id: u8,
    /// Height at which it leaves.
    pub muzzle: f32,
    /// On the ground: action state, animation and length of each part. The shot leaves with the
    /// first frame of the second.
    pub ground: [(u16, u32, i32); 3],
    /// The same in the air.
    pub air: [(u16, u32, i32); 3],
}

/// Fox's blaster: fast, many, no flinch.
static BLASTER: Gun = Gun {
    item: 0x36,
    state: 0,
    speed: 7.0,
    life: 35.0,
    damage: 3.0,
    flinch: false,
    attack_id: 18,
    muzzle: 8.1,
    ground: [(0x155, 0x127, 9), (0x156, 0x128, 10), (0x157, 0x129, 14)],
    air: [(0x158, 0x12A, 6), (0x159, 0x12B, 10), (0x15A, 0x12C, 14)],
};

/// Falco's: slower, and one feels it.
static FALCO_BLASTER: Gun = Gun {
    item: 0x37,
    state: 0,
    speed: 5.0,
    life: 100.0,
    flinch: true,
    ground: [(0x155, 0x127, 20), (0x156, 0x128, 12), (0x157, 0x129, 14)],
    air: [(0x158, 0x12A, 12), (0x159, 0x12B, 12), (0x15A, 0x12C, 14)],
    ..BLASTER
};

/// Samus's missile.
static MISSILE: Gun = Gun {
    item: 0x5F,
    state: 1,
    speed: 1.3,
    life: 110.0,
    damage: 8.0,
    flinch: true,
    attack_id: 19,
    muzzle: 11.6,
    ground: [(0x15E, 0x130, 20), (0x15E, 0x130, 20), (0x15E, 0x130, 18)],
    air: [(0x160, 0x132, 20), (0x160, 0x132, 20), (0x160, 0x132, 18)],
};

pub static FOX: Character = Character {
    external: 2,
    internal: 1,
    walk: 1.6,
    dash: 2.02,
    run: 2.2,
    friction: 0.08,
    jump_squat: 3,
    full_hop: 3.68,
    short_hop: 2.1,
    double_jump: 4.42,
    air_speed: 0.83,
    gravity: 0.23,
    terminal: 2.8,
    fast_fall: 3.4,
    weight: 75.0,
    reach: 1.0,
    gun: Some(&BLASTER),
    partner: None,
};

pub static FALCO: Character = Character {
    external: 20,
    internal: 22,
    walk: 1.4,
    dash: 1.9,
    run: 1.5,
    jump_squat: 5,
    full_hop: 4.1,
    short_hop: 1.9,
    double_jump: 3.85,
    gravity: 0.17,
    terminal: 3.1,
    fast_fall: 3.5,
    weight: 80.0,
    gun: Some(&FALCO_BLASTER),
    ..FOX
};

pub static MARTH: Character = Character {
    external: 9,
    internal: 18,
    walk: 1.6,
    dash: 1.5,
    run: 1.8,
    friction: 0.06,
    jump_squat: 4,
    full_hop: 2.4,
    short_hop: 1.5,
    double_jump: 2.11,
    air_speed: 0.9,
    gravity: 0.085,
    terminal: 2.2,
    fast_fall: 2.5,
    weight: 87.0,
    reach: 1.25,
    gun: None,
    partner: None,
};

pub static SHEIK: Character = Character {
    external: 19,
    internal: 7,
    walk: 1.2,
    dash: 1.7,
    run: 1.8,
    friction: 0.08,
    jump_squat: 3,
    full_hop: 2.8,
    short_hop: 2.1,
    double_jump: 2.8,
    air_speed: 0.8,
    gravity: 0.12,
    terminal: 2.13,
    fast_fall: 3.0,
    weight: 90.0,
    reach: 1.05,
    ..MARTH
};

pub static CAPTAIN_FALCON: Character = Character {
    external: 0,
    internal: 2,
    walk: 0.85,
    dash: 2.0,
    run: 2.3,
    friction: 0.08,
    jump_squat: 4,
    full_hop: 3.1,
    short_hop: 1.9,
    double_jump: 2.79,
    air_speed: 1.12,
    gravity: 0.13,
    terminal: 2.9,
    fast_fall: 3.5,
    weight: 104.0,
    reach: 1.1,
    ..MARTH
};

pub static PEACH: Character = Character {
    external: 12,
    internal: 9,
    walk: 0.85,
    dash: 1.1,
    run: 1.3,
    friction: 0.1,
    jump_squat: 5,
    full_hop: 2.4,
    short_hop: 1.5,
    double_jump: 2.2,
    air_speed: 1.1,
    gravity: 0.08,
    terminal: 1.5,
    fast_fall: 2.0,
    weight: 90.0,
    reach: 1.05,
    ..MARTH
};

pub static SAMUS: Character = Character {
    external: 16,
    internal: 13,
    walk: 1.0,
    dash: 1.86,
    run: 1.4,
    jump_squat: 3,
    full_hop: 2.1,
    short_hop: 1.4,
    double_jump: 1.85,
    air_speed: 0.89,
    gravity: 0.066,
    terminal: 1.4,
    fast_fall: 2.3,
    weight: 110.0,
    reach: 1.1,
    gun: Some(&MISSILE),
    ..MARTH
};

pub static ICE_CLIMBERS: Character = Character {
    external: 14,
    internal: 10,
    walk: 0.85,
    dash: 1.4,
    run: 1.4,
    friction: 0.035,
    jump_squat: 3,
    full_hop: 2.4,
    short_hop: 1.5,
    double_jump: 2.3,
    air_speed: 0.7,
    gravity: 0.1,
    terminal: 1.6,
    fast_fall: 2.0,
    weight: 88.0,
    reach: 1.1,
    partner: Some(&NANA),
    ..MARTH
};

static NANA: Character = Character { internal: 11, partner: None, ..ICE_CLIMBERS };

//! The stages of the fixtures: what one stands on, and where one is lost.

use super::battle::StageEvent;

/// Something to stand on.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    pub left: f32,
    pub right: f32,
    pub y: f32,
    /// What Post-Frame calls the ground's id.
    pub id: u16,
    /// One may jump up through it and drop down through it.
    pub is_platform: bool,
}

impl Surface {
    pub fn holds(&self, x: f32) -> bool {
        self.left <= x && x <= self.right
    }
}

/// A stage's fixed facts. Lengths are in Melee's units.
pub struct Stage {
    /// Stage id of the Game Info Block.
    pub id: u16,
    pub floor: Surface,
    /// Left, right, top.
    pub platforms: &'static [Surface],
    /// Left, right, top, bottom: beyond, a stock is lost.
    pub blast: [f32; 4],
    /// Where each port begins.
    pub spawns: [(f32, f32); 4],
    /// Where a lost fighter comes in, and the height at which the platform then waits.
    pub rebirth: (f32, f32),
}

const fn floor(edge: f32, y: f32, id: u16) -> Surface {
    Surface { left: -edge, right: edge, y, id, is_platform: false }
}

const fn platform(left: f32, right: f32, y: f32, id: u16) -> Surface {
    Surface { left, right, y, id, is_platform: true }
}

pub static BATTLEFIELD: Stage = Stage {
    id: 31,
    floor: floor(68.4, 0.0, 1),
    platforms: &[
        platform(-57.6, -20.0, 27.2, 2),
        platform(20.0, 57.6, 27.2, 4),
        platform(-18.8, 18.8, 54.4, 3),
    ],
    blast: [-224.0, 224.0, 200.0, -108.8],
    spawns: [(-38.8, 35.2), (38.8, 35.2), (0.0, 8.0), (0.0, 62.4)],
    rebirth: (150.0, 80.0),
};

pub static YOSHIS_STORY: Stage = Stage {
    id: 8,
    floor: floor(56.0, 0.0, 3),
    platforms: &[
        platform(-59.5, -28.0, 23.45, 1),
        platform(28.0, 59.5, 23.45, 5),
        platform(-15.75, 15.75, 42.0, 4),
    ],
    blast: [-175.7, 173.6, 168.0, -91.0],
    spawns: [(-42.0, 26.6), (42.0, 28.0), (0.0, 46.9), (0.0, 4.9)],
    rebirth: (118.3, 52.5),
};

pub static FINAL_DESTINATION: Stage = Stage {
    id: 32,
    floor: floor(85.57, 0.0, 1),
    platforms: &[],
    blast: [-246.0, 246.0, 188.0, -140.0],
    spawns: [(-60.0, 10.0), (60.0, 10.0), (-20.0, 10.0), (20.0, 10.0)],
    rebirth: (150.0, 80.0),
};

pub static FOUNTAIN_OF_DREAMS: Stage = Stage {
    id: 2,
    floor: floor(63.35, 0.0, 5),
    platforms: &[
        platform(-49.5, -14.0, 16.125, 0),
        platform(14.0, 49.5, 22.125, 1),
        platform(-14.25, 14.25, 42.75, 2),
    ],
    blast: [-198.75, 198.75, 202.5, -146.25],
    spawns: [(-41.25, 21.0), (41.25, 27.0), (0.0, 5.25), (0.0, 48.0)],
    rebirth: (112.5, 63.75),
};

pub static DREAM_LAND: Stage = Stage {
    id: 28,
    floor: floor(77.27, 0.009, 4),
    platforms: &[
        platform(-61.4, -31.7, 30.24, 0),
        platform(31.7, 63.1, 30.24, 1),
        platform(-19.0, 19.0, 51.43, 2),
    ],
    blast: [-255.0, 255.0, 250.0, -123.0],
    spawns: [(-46.6, 37.0), (47.389, 37.0), (0.0, 7.0), (0.0, 58.5)],
    rebirth: (190.0, 84.22),
};

pub static POKEMON_STADIUM: Stage = Stage {
    id: 3,
    floor: floor(87.75, 0.0, 2),
    platforms: &[platform(-55.0, -25.0, 25.0, 0), platform(25.0, 55.0, 25.0, 1)],
    blast: [-230.0, 230.0, 180.0, -111.0],
    spawns: [(-40.0, 32.0), (40.0, 32.0), (70.0, 7.0), (-70.0, 7.0)],
    rebirth: (136.0, 80.0),
};

/// When Fountain of Dreams moves a platform: first frame, platform as in its event (0 right, 1
/// left), the height it goes to, and how far it goes in a frame.
const FOUNTAIN: [(i32, usize, f32, f32); 4] =
    [(90, 0, 22.5, -0.1), (210, 1, 26.0, 0.15), (330, 0, 27.0, 0.15), (480, 1, 18.5, -0.1)];

/// When Whispy begins and stops to blow, and to which side: 1 left, 2 right.
const WHISPY: [(i32, i32, u8); 2] = [(120, 394, 1), (440, 714, 2)];

/// When Pokémon Stadium announces what comes next. The fixture ends before the ground changes.
const STADIUM: [(i32, u16, u16); 2] = [(180, 2, 4), (240, 3, 4)];

/// A stage and what changes about it during a game.
#[derive(Clone)]
pub struct Ground {
    pub stage: &'static Stage,
    /// Fountain of Dreams: heights of the right and the left platform, as its events count them.
    heights: [f32; 2],
    /// Dream Land: where Whispy blows to, -1 to 1.
    pub wind: f32,
    /// Whether someone hangs at the left and at the right ledge.
    pub taken: [bool; 2],
}

impl Ground {
    pub fn new(stage: &'static Stage) -> Self {
        Self { stage, heights: [28.0, 20.0], wind: 0.0, taken: [false; 2] }
    }

    /// Everything to stand on; the floor comes last, so that platforms above it are met first.
    pub fn surfaces(&self) -> impl Iterator<Item = Surface> {
        let heights = self.heights;
        let moves = std::ptr::eq(self.stage, &FOUNTAIN_OF_DREAMS);
        let platforms = self.stage.platforms.iter().enumerate();
        platforms
            .map(move |(at, surface)| match at {
                0 | 1 if moves => Surface {
                    // What the event's height means in the stage's own coordinates, measured from
                    // fighters that stand on it.
                    y: 0.75 * heights[1 - at] + 1.125,
                    ..*surface
                },
                _ => *surface,
            })
            .chain([self.stage.floor])
    }

    /// The surface with this id.
    pub fn surface(&self, id: u16) -> Option<Surface> {
        self.surfaces().find(|surface| surface.id == id)
    }

    /// Lets a frame pass; returns what the recorder says about the stage.
    pub fn step(&mut self, frame: i32) -> Vec<StageEvent> {
        match self.stage.id {
            2 => self.move_platforms(frame),
            28 => self.blow(frame).into_iter().collect(),
            3 => STADIUM
                .iter()
                .filter(|(at, ..)| *at == frame)
                .map(|&(_, event, kind)| StageEvent::Transformation { event, kind })
                .collect(),
            _ => Vec::new(),
        }
    }

    fn move_platforms(&mut self, frame: i32) -> Vec<StageEvent> {
        let mut events = Vec::new();
        for &(start, platform, target, step) in &FOUNTAIN {
            let height = &mut self.heights[platform];
            let arrived = if step > 0.0 { *height >= target } else { *height <= target };
            if frame >= start && frame < start + 120 && !arrived {
                *height += step;
                events.push(StageEvent::Platform { platform: platform as u8, height: *height });
            }
        }
        events
    }

    fn blow(&mut self, frame: i32) -> Option<StageEvent> {
        let (_, stop, side) =
            *WHISPY.iter().find(|(start, stop, _)| *start == frame || *stop == frame)?;
        let direction = if frame == stop { 0 } else { side };
        self.wind = [0.0, -1.0, 1.0][usize::from(direction)];
        Some(StageEvent::Wind(direction))
    }
}

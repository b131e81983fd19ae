//! One frame of a controller.

/// Button bits as in SPEC.md, "Physical Buttons".
pub const L: u16 = 0x0040;
pub const A: u16 = 0x0100;
pub const B: u16 = 0x0200;
pub const X: u16 = 0x0400;

/// Deflection that the game takes for a full one, as for a dash or a drop through a platform.
pub const SMASH: i8 = 64;

/// Deflection from which the game shows a direction among the processed buttons.
const DIRECTION: i8 = 28;

/// Full deflection of a stick; the game's 1.0.
const FULL: i8 = 80;

/// What a player holds during one frame. Sticks are in the game's own steps of 1/80.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pad {
    pub x: i8,
    pub y: i8,
    pub c_x: i8,
    pub c_y: i8,
    pub buttons: u16,
}

impl Pad {
    /// The control stick pushed to a side: `direction` is -1, 0 or 1.
    pub fn toward(direction: f32, amount: i8) -> Self {
        Self { x: amount * side(direction), ..Self::default() }
    }

    /// The same with these buttons held as well.
    pub fn with(self, buttons: u16) -> Self {
        Self { buttons: self.buttons | buttons, ..self }
    }

    /// The same with the control stick at this height.
    pub fn at_height(self, y: i8) -> Self {
        Self { y, ..self }
    }

    /// The same with the C-stick pushed fully.
    pub fn c_stick(self, x: f32, y: f32) -> Self {
        Self { c_x: FULL * side(x), c_y: FULL * side(y), ..self }
    }

    /// The deflection to the right as the game processes it, -1 to 1.
    pub fn stick_x(self) -> f32 {
        level(self.x)
    }

    /// Whether the shoulder button is held.
    pub fn shields(self) -> bool {
        self.buttons & L != 0
    }

    /// The trigger's analog value: the digital press stands at its end.
    pub fn trigger(self) -> f32 {
        if self.shields() { 1.0 } else { 0.0 }
    }

    /// SPEC.md, "Processed Buttons".
    pub fn processed(self) -> u32 {
        let directions = [
            (self.y, 0x0001_0000, 0x0002_0000),
            (-self.x, 0x0004_0000, 0x0008_0000),
            (self.c_y, 0x0010_0000, 0x0020_0000),
            (-self.c_x, 0x0040_0000, 0x0080_0000),
        ];
        let mut bits = u32::from(self.buttons);
        for (value, positive, negative) in directions {
            if value >= DIRECTION {
                bits |= positive;
            } else if value <= -DIRECTION {
                bits |= negative;
            }
        }
        if self.shields() {
            bits |= 0x8000_0000;
        }
        bits
    }
}

/// A stick's position as the game's float.
pub fn level(value: i8) -> f32 {
    f32::from(value) / f32::from(FULL)
}

fn side(direction: f32) -> i8 {
    if direction > 0.0 {
        1
    } else if direction < 0.0 {
        -1
    } else {
        0
    }
}

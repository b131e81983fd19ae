//! Random numbers that are the same on every machine.

/// Melee's own generator, also used for the players' decisions: a 32-bit linear congruential
/// generator whose upper half is taken as the result.
#[derive(Clone, Copy, Debug)]
pub struct Random(pub u32);

impl Random {
    /// The next number, 0 to 65535.
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(214_013).wrapping_add(2_531_011);
        self.0 >> 16
    }

    /// A number from 0 up to, but not including, `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        (self.next() * end) >> 16
    }

    /// True in `percent` of all cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

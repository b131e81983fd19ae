//! andross
fn main() {}

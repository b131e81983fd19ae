//! Writes the synthetic games of `fixtures/`: the same bytes on every machine.
//!
//! ```text
//! cargo run --example generate_fixtures
//! ```

mod generator;

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    fs::create_dir_all(&folder)?;
    for fixture in generator::all() {
        fs::write(folder.join(fixture.name), &fixture.bytes)?;
        println!("{:>7} {}", fixture.bytes.len(), fixture.name);
    }
    Ok(())
}

//! Writes the synthetic games of `fixtures/`: the same bytes on every machine.
//!
//! ```text
//! cargo run --example generate_fixtures
//! ```

mod generator;

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    if std::env::args().nth(1).is_some() { let a: Vec<String> = std::env::args().collect(); if a.len() > 2 { fs::write("/tmp/fx/dump.slp", generator::dump(a[2].parse().unwrap(), u32::from_str_radix(&a[3], 16).unwrap()))?; } else { generator::tune(); } return Ok(()); }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    fs::create_dir_all(&folder)?;
    for fixture in generator::all() {
        fs::write(folder.join(fixture.name), &fixture.bytes)?;
        println!("{:>7} {}", fixture.bytes.len(), fixture.name);
    }
    Ok(())
}

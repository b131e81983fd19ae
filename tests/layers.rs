//! Holds the house to its plan: imports point down only (docs/architecture.md, "Layers").

use std::fs;
use std::path::{Path, PathBuf};

/// Modules that may use all in the rows below, and none beside them.
const LAYERS: &[&[&str]] = &[
    &["demo", "bench", "watch"],
    &["relay"],
    &["cluster", "control", "hooks", "obs"],
    &["engine"],
    &["console", "consumer", "discovery", "recorder", "simulator", "spectator"],
    &["audience", "library"],
    &["session", "replay"],
    &["net", "stats", "shutdown", "config", "unix_time"],
    &["protocol"],
    &["slp"],
];

/// Crates that would bring a socket, a file, a thread or a clock into the pure rooms.
const IMPURE: &[&str] =
    &["std::net", "std::fs", "std::thread", "std::time", "std::io", "mio", "parking_lot", "bus"];

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|row| row.contains(&module))
        .unwrap_or_else(|| panic!("the module `{module}` has no place in tests/layers.rs"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file: no comments, no test module at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_point_down_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for path in files {
        let inside = path.strip_prefix(&src).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if matches!(module, "main" | "lib" | "cli") || is_test {
            continue;
        }
        let text = code(&path);
        for used in text.match_indices("crate::").map(|(at, found)| &text[at + found.len()..]) {
            let used: String =
                used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if used != module && !used.is_empty() && layer(&used) <= layer(module) {
                wrong.push(format!("{} uses {used}", inside.display()));
            }
        }
        if matches!(module, "slp" | "protocol") {
            for name in IMPURE {
                if text.contains(&format!("use {name}")) {
                    wrong.push(format!("{} uses {name}, but is to be pure", inside.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

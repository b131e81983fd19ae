//! The browser of the tests of pages: Chromium, driven by Node with Playwright.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What Chromium is called, from system to system.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Where the scripts of pages and clients are.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Whether a program runs to a good end.
pub fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|out| out.status.success())
}

/// Chromium: what the variable CHROMIUM names, else what is on the path. Scripts are told by the same variable,
/// see `tests/clients/chromium.cjs`.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .filter(|file| file.is_file());
    named.into_iter().chain(on_path).find(|file| works(Command::new(file).arg("--version")))
}

//! A panic on demand, for the test of how the program ends. Not in release builds.

use std::path::PathBuf;
use std::sync::OnceLock;

/// `THREAD=FILE`: the thread of that name panics in its next turn once the file exists.
const VARIABLE: &str = "ANDROSS_PANIC";

/// Panics if that was asked of this thread.
///
/// # Panics
/// That is what it is for.
pub(super) fn panic_if_asked() {
    static ASKED: OnceLock<Option<(String, PathBuf)>> = OnceLock::new();
    let asked = ASKED.get_or_init(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let (thread, file) = text.split_once('=')?;
        Some((thread.to_owned(), file.into()))
    });
    if let Some((thread, file)) = asked
        && std::thread::current().name() == Some(thread)
        && file.exists()
    {
        panic!("{VARIABLE} asks for it");
    }
}

//! OBS shows what is on: a source while a game is played, a scene for the station that the program
//! output shows.
//!
//! This is a client of the engine and a client of obs-websocket 5, on a thread of its own: one half
//! listens to the engine and says what is wanted (`stage`), the other half reaches OBS and tells it
//! (`remote`, in the words of `wire`). OBS may be absent, slow or gone: only what is wanted last waits
//! for it.

mod late;
mod password;
mod remote;
mod stage;
mod thread;
mod wire;

pub use password::PasswordError;
pub use thread::{ObsError, ObsThread};

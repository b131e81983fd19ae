//! Who watches, whatever they speak: the places there are, and who has one.

mod admission;
mod client;
mod gallery;

pub use admission::{Admission, Place, Refusal};
pub use client::{ClientId, ClientInfo};
pub use gallery::{Dismissal, Dismissed, Gallery, MAX_WEB_SPECTATORS, Seat};

//! Who watches, whatever they speak: the places there are, and who has one.

mod admission;
mod client;

pub use admission::{Admission, Place, Refusal};
pub use client::{ClientId, ClientInfo};

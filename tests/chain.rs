//! Relays whose source is another relay: in a row they are as one, in a circle they notice.

mod common;

#[path = "chain/hostile.rs"]
mod hostile;
#[path = "chain/loops.rs"]
mod loops;
#[cfg(unix)]
#[path = "chain/restart.rs"]
mod restart;
#[cfg(unix)]
#[path = "chain/streams.rs"]
mod streams;
#[path = "chain/words.rs"]
mod words;

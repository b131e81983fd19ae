//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::client_key::client_key;

/// Connections at once: some hundred dashboards and tools, and a small part of the files that the
/// system lets a program have, which spectators need.
const MAX_CONNECTIONS: usize = 256;

/// Connections at once from one address: a dozen browsers on the operator's computer.
const MAX_PER_ADDRESS: usize = 96;

/// All places.
#[derive(Clone, Debug)]
pub(super) struct Places {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    total: watch::Sender<usize>,
}

/// A connection's place. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    key: IpAddr,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { taken: Arc::default(), total: watch::Sender::new(0) }
    }

    /// A place for a connection from `address`, if there is one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let key = client_key(address);
        let mut taken = self.taken.lock();
        let own = taken.get(&key).copied().unwrap_or(0);
        if own >= MAX_PER_ADDRESS || *self.total.borrow() >= MAX_CONNECTIONS {
            return None;
        }
        taken.insert(key, own + 1);
        self.total.send_modify(|total| *total += 1);
        Some(Place { places: self.clone(), key })
    }

    /// Waits until all are free.
    pub(super) async fn emptied(&self) {
        // The sender is our own: this cannot fail.
        let _ = self.total.subscribe().wait_for(|&total| total == 0).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        if let Some(own) = taken.get_mut(&self.key) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.key);
            }
        }
        self.places.total.send_modify(|total| *total -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn nobody_takes_all_places() {
        let places = Places::new();
        let from = |n: u32| places.take(Ipv4Addr::from_bits(n).into());
        let mine: Vec<_> = std::iter::from_fn(|| from(1)).collect();
        assert_eq!(mine.len(), MAX_PER_ADDRESS);
        let others: Vec<_> = (2..).map_while(from).collect();
        assert_eq!(others.len(), MAX_CONNECTIONS - MAX_PER_ADDRESS);
        drop(mine);
        assert!(from(1).is_some());
        drop(others);
        assert!(places.taken.lock().is_empty() && *places.total.borrow() == 0);
    }
}

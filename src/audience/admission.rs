//! Who may come in: a number of places in all, and for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use thiserror::Error;

use super::ClientId;

/// Counts the places taken.
#[derive(Debug)]
pub struct Admission {
    total: AtomicUsize,
    per_address: AtomicUsize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    /// Only addresses with at least one place, so at most as many as places.
    by_address: HashMap<IpAddr, usize>,
    /// How many were let in so far.
    admitted: u64,
}

/// Why somebody was not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// All places are taken.
    #[error("all {0} places are taken; --max-clients sets how many there are")]
    Full(usize),
    /// All places of this address are taken.
    #[error(
        "{0} clients of this address are connected; --max-clients-per-address sets how many may be"
    )]
    AddressFull(usize),
    /// All places of web spectators are taken.
    #[error("{0} web spectators watch already, and no more may")]
    WebFull(usize),
}

impl Admission {
    /// `total` places, of which one address may take `per_address`.
    pub fn new(total: usize, per_address: usize) -> Arc<Self> {
        Arc::new(Self {
            total: AtomicUsize::new(total),
            per_address: AtomicUsize::new(per_address),
            taken: Mutex::default(),
        })
    }

    /// Changes how many places there are from now on. Nobody who is in has to leave.
    pub fn set_limits(&self, total: usize, per_address: usize) {
        self.total.store(total, Ordering::Relaxed);
        self.per_address.store(per_address, Ordering::Relaxed);
    }

    /// How many places there are.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// Takes a place for a client from `address`; it is free again when the [`Place`] is dropped.
    ///
    /// # Errors
    /// If there is none.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Place, Refusal> {
        let address = address.to_canonical();
        let mut taken = self.taken.lock();
        let (total, per_address) = (self.total(), self.per_address.load(Ordering::Relaxed));
        if taken.total >= total {
            return Err(Refusal::Full(total));
        }
        let here = taken.by_address.get(&address).copied().unwrap_or(0);
        if here >= per_address {
            return Err(Refusal::AddressFull(per_address));
        }
        taken.by_address.insert(address, here + 1);
        taken.total += 1;
        taken.admitted += 1;
        let client = ClientId(taken.admitted);
        Ok(Place { admission: self.clone(), address, client })
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.taken.lock().total
    }
}

/// A client's place.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    address: IpAddr,
    client: ClientId,
}

impl Place {
    /// The number of the client that has it.
    pub fn client(&self) -> ClientId {
        self.client
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.admission.taken.lock();
        taken.total -= 1;
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let admission = Admission::new(3, 2);
        let (a, b): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let first = admission.admit(a).unwrap();
        let _second = admission.admit("::ffff:10.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(admission.admit(a).unwrap_err(), Refusal::AddressFull(2));
        let _third = admission.admit(b).unwrap();
        assert_eq!(admission.admit(b).unwrap_err(), Refusal::Full(3));
        drop(first);
        assert_eq!(admission.taken(), 2);
        assert!(admission.admit(a).is_ok());
    }
}

//! How often one address may call.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::client_key::client_key;

/// Addresses that are remembered at once: more than any venue has, and together under a megabyte.
const MAX_ADDRESSES: usize = 4096;

/// Changes a second, and at once: no operator or button box is quicker. It also bounds how many
/// tokens can be tried.
const CHANGES: (NonZeroU32, NonZeroU32) = quota(20, 60);

/// Refused calls a second, and at once: what comes more often is not even told why.
const REFUSALS: (NonZeroU32, NonZeroU32) = quota(1, 30);

/// Reads a second, and at once: many dashboards behind one address.
const READS: (NonZeroU32, NonZeroU32) = quota(200, 1000);

const fn quota(rate: u32, burst: u32) -> (NonZeroU32, NonZeroU32) {
    match (NonZeroU32::new(rate), NonZeroU32::new(burst)) {
        (Some(rate), Some(burst)) => (rate, burst),
        _ => panic!("a quota is not 0"),
    }
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Read,
    Change,
    Refusal,
}

type Limiter = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>;

/// The counts of all addresses.
pub(super) struct Rates {
    reads: Limiter,
    changes: Limiter,
    refusals: Limiter,
}

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rates")
    }
}

impl Rates {
    pub(super) fn new() -> Self {
        let limiter = |(rate, burst)| Limiter::hashmap(Quota::per_second(rate).allow_burst(burst));
        Self { reads: limiter(READS), changes: limiter(CHANGES), refusals: limiter(REFUSALS) }
    }

    /// Whether `address` may do so once more now.
    pub(super) fn allows(&self, kind: Kind, address: IpAddr) -> bool {
        let limiter = match kind {
            Kind::Read => &self.reads,
            Kind::Change => &self.changes,
            Kind::Refusal => &self.refusals,
        };
        if limiter.len() >= MAX_ADDRESSES {
            // Those that have been quiet for a while are as good as new.
            limiter.retain_recent();
            if limiter.len() >= MAX_ADDRESSES {
                return false;
            }
        }
        limiter.check_key(&client_key(address)).is_ok()
    }

    /// Forgets the addresses that have been quiet.
    pub(super) fn prune(&self) {
        for limiter in [&self.reads, &self.changes, &self.refusals] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn each_address_has_its_own_share() {
        let rates = Rates::new();
        let (a, b) = (Ipv4Addr::new(10, 0, 0, 1).into(), Ipv4Addr::new(10, 0, 0, 2).into());
        // More come back while this runs, but not this many.
        let allowed = (0..1000).filter(|_| rates.allows(Kind::Refusal, a)).count();
        assert!((30..500).contains(&allowed), "{allowed}");
        assert!(rates.allows(Kind::Refusal, b) && rates.allows(Kind::Change, a));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let rates = Rates::new();
        for n in 0..2 * MAX_ADDRESSES as u32 {
            rates.allows(Kind::Refusal, Ipv4Addr::from_bits(n).into());
        }
        assert!(rates.refusals.len() <= MAX_ADDRESSES);
    }
}

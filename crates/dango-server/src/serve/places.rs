//! How many connections there are, in all and from each address; one too many is none.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

use crate::limits::Limits;

/// The places of one listener.
pub(super) struct Places {
    limits: Limits,
    /// Networks that stand for many clients.
    trusted: Vec<IpNet>,
    taken: Mutex<Taken>,
    left: Notify,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place that is taken until it is dropped.
pub(super) struct PlaceHeld {
    places: Arc<Places>,
    /// Counted for it, where addresses count.
    address: Option<IpAddr>,
}

impl Places {
    pub(super) fn new(limits: Limits, trusted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            trusted,
            taken: Mutex::default(),
            left: Notify::new(),
        })
    }

    /// Takes a place; the error is why there is none.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Result<PlaceHeld, &'static str> {
        let peer = peer.to_canonical();
        let address = (!self.trusted.iter().any(|network| network.contains(&peer))).then(|| household(peer));
        let mut taken = self.lock();
        if taken.all >= self.limits.connections.get() {
            return Err("all");
        }
        if let Some(address) = address {
            let of_address = taken.by_address.entry(address).or_default();
            if *of_address >= self.limits.connections_per_address.get() {
                return Err("address");
            }
            *of_address += 1;
        }
        taken.all += 1;
        Ok(PlaceHeld {
            places: Arc::clone(self),
            address,
        })
    }

    /// Waits until nobody has a place.
    pub(super) async fn all_left(&self) {
        loop {
            let left = self.left.notified();
            if self.lock().all == 0 {
                return;
            }
            left.await;
        }
    }

    /// How many are taken.
    pub(super) fn count(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PlaceHeld {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(address) = self.address
            && let Some(count) = taken.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
        drop(taken);
        self.places.left.notify_waiters();
    }
}

/// One customer of a network: an IPv4 address, or the 64 bits that one has of IPv6.
fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn places(all: usize, by_address: usize) -> Arc<Places> {
        let number = |number| NonZeroUsize::new(number).expect("not zero");
        let limits = Limits {
            connections: number(all),
            connections_per_address: number(by_address),
            ..Limits::default()
        };
        Places::new(limits, vec!["10.0.0.0/8".parse().expect("a network")])
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_takes_no_more_than_its_share_and_gives_it_back() {
        let places = places(10, 2);
        let one = places.take(address("192.0.2.1")).ok();
        let _two = places.take(address("::ffff:192.0.2.1")).expect("the second");
        assert_eq!(places.take(address("192.0.2.1")).err(), Some("address"));
        assert!(places.take(address("192.0.2.2")).is_ok());
        drop(one);
        assert!(places.take(address("192.0.2.1")).is_ok());
        let _six = [places.take(address("2001:db8::1")), places.take(address("2001:db8::ffff:1"))];
        assert_eq!(places.take(address("2001:db8::2")).err(), Some("address"));
        assert!(places.take(address("2001:db8:0:1::2")).is_ok());
    }

    #[test]
    fn all_addresses_together_take_no_more_than_all_and_a_proxy_only_that() {
        let places = places(3, 1);
        let held: Vec<_> = (0..3).map(|_| places.take(address("10.1.2.3")).expect("a proxy")).collect();
        assert_eq!(places.take(address("192.0.2.1")).err(), Some("all"));
        assert_eq!(places.count(), 3);
        drop(held);
        assert_eq!(places.count(), 0);
        assert!(places.lock().by_address.is_empty());
    }
}

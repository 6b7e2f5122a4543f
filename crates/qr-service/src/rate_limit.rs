//! Token buckets for addresses and sessions, in a bounded table.
//!
//! An own one rather than `governor`: it needs the world's clock, and a bound on its keys that an attacker with many
//! addresses cannot pass.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::Rate;

/// Buckets at once. When all are in use the rest share one, which is hard on newcomers and harmless to the service.
const BUCKETS_MAX: usize = 20_000;
/// A full table is searched for idle buckets at most this often.
const SEARCH_EVERY: Duration = Duration::from_secs(1);

/// What a limit says about one request.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) is_allowed: bool,
    /// Whole requests left now.
    pub(crate) remaining: u32,
    /// Seconds until there is room again (0 when there is), rounded up.
    pub(crate) retry_after_s: u64,
    pub(crate) rate: Rate,
}

/// Limits by key.
pub(crate) struct Limiter<K> {
    rate: Rate,
    table: Mutex<Table<K>>,
}

struct Table<K> {
    buckets: HashMap<K, Bucket>,
    shared: Bucket,
    searched: Duration,
}

#[derive(Copy, Clone)]
struct Bucket {
    tokens: f64,
    filled: Duration,
}

impl<K: Hash + Eq> Limiter<K> {
    pub(crate) fn new(rate: Rate) -> Limiter<K> {
        Limiter {
            rate,
            table: Mutex::new(Table {
                buckets: HashMap::new(),
                shared: Bucket {
                    tokens: f64::from(rate.burst),
                    filled: Duration::ZERO,
                },
                searched: Duration::ZERO,
            }),
        }
    }

    /// Takes one token for a request of `key`; `None` when there is no limit. `now` is any time that never goes back.
    pub(crate) fn take(&self, key: K, now: Duration) -> Option<Verdict> {
        if self.rate.per_second <= 0.0 {
            return None;
        }
        let burst = f64::from(self.rate.burst.max(1));
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = table.bucket(key, now, self.rate.per_second, burst);
        let passed = now.saturating_sub(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.rate.per_second).min(burst);
        bucket.filled = now;
        let is_allowed = bucket.tokens >= 1.0;
        if is_allowed {
            bucket.tokens -= 1.0;
        }
        let missing = (1.0 - bucket.tokens).max(0.0);
        Some(Verdict {
            is_allowed,
            remaining: bucket.tokens as u32,
            retry_after_s: (missing / self.rate.per_second).ceil() as u64,
            rate: self.rate,
        })
    }
}

impl<K: Hash + Eq> Table<K> {
    fn bucket(&mut self, key: K, now: Duration, per_second: f64, burst: f64) -> &mut Bucket {
        let is_known = self.buckets.contains_key(&key);
        if !is_known && self.buckets.len() >= BUCKETS_MAX {
            if now.saturating_sub(self.searched) >= SEARCH_EVERY {
                self.searched = now;
                // A bucket that is full again knows nothing that a new one would not.
                self.buckets.retain(|_, bucket| {
                    let passed = now.saturating_sub(bucket.filled).as_secs_f64();
                    bucket.tokens + passed * per_second < burst
                });
            }
            if self.buckets.len() >= BUCKETS_MAX {
                return &mut self.shared;
            }
        }
        self.buckets.entry(key).or_insert(Bucket {
            tokens: burst,
            filled: now,
        })
    }
}

/// What of an address one limit counts for: all of IPv4, the network of IPv6, because one household has 2^64 of those.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 2.0,
        burst: 3,
    };

    #[test]
    fn a_burst_then_the_rate() {
        let limiter = Limiter::new(RATE);
        let check = |at_ms: u64, expect: (bool, u32, u64)| {
            let verdict = limiter.take("a", Duration::from_millis(at_ms)).unwrap();
            assert_eq!(
                (verdict.is_allowed, verdict.remaining, verdict.retry_after_s),
                expect,
                "{at_ms}"
            );
        };
        check(0, (true, 2, 0));
        check(0, (true, 1, 0));
        check(0, (true, 0, 1));
        check(0, (false, 0, 1));
        check(400, (false, 0, 1));
        check(500, (true, 0, 1));
        check(10_000, (true, 2, 0));
        assert!(limiter.take("b", Duration::ZERO).unwrap().is_allowed);
    }

    #[test]
    fn the_table_is_bounded() {
        let limiter = Limiter::new(RATE);
        for key in 0..BUCKETS_MAX * 2 {
            limiter.take(key, Duration::from_millis(10));
        }
        assert_eq!(limiter.table.lock().unwrap().buckets.len(), BUCKETS_MAX);
        let outsider = || limiter.take(usize::MAX, Duration::from_millis(20)).unwrap();
        assert!(!outsider().is_allowed, "the shared bucket is empty");
        let later = limiter.take(usize::MAX, Duration::from_secs(60)).unwrap();
        assert!(later.is_allowed, "idle buckets made room");
    }

    #[test]
    fn no_rate_no_limit() {
        let none = Rate {
            per_second: 0.0,
            burst: 1,
        };
        assert!(Limiter::new(none).take(1, Duration::ZERO).is_none());
    }

    #[test]
    fn networks() {
        let check = |address: &str, expect: &str| {
            assert_eq!(
                network(address.parse().unwrap()),
                expect.parse::<IpAddr>().unwrap()
            );
        };
        check("192.0.2.1", "192.0.2.1");
        check("::ffff:192.0.2.1", "192.0.2.1");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    }
}

//! The fault switch: breaks the service on purpose, so that alerts and responders can be tried.
//!
//! It exists only when the service was started with it, answers loopback only (with the admin token, where
//! there is one), and breaks the API alone: what a monitor
//! asks stays honest.

use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use world::World;

/// The longest delay that may be asked for; a longer one would only pile up requests.
const SLOW_MS_MAX: u64 = 60_000;
/// The most memory that may be taken.
const LEAK_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// The most evictions a second.
const EVICTIONS_PER_SECOND_MAX: f64 = 100_000.0;

/// What is broken. All zero and false: nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSet {
    /// Share of API requests that fail with 500, from 0 to 1.
    pub error_share: f64,
    /// Share of API requests that are delayed.
    pub slow_share: f64,
    /// By how much, in milliseconds.
    pub slow_ms: u64,
    /// Share of cache look-ups that miss whatever is there.
    pub cache_miss_share: f64,
    /// Images thrown out of the cache each second.
    pub cache_evict_per_second: f64,
    /// Memory taken and held, in bytes.
    pub leak_bytes: u64,
    /// The database does not answer.
    pub database_down: bool,
    /// The cache neither takes nor gives.
    pub cache_down: bool,
}

impl FaultSet {
    /// What is wrong with the figures, if anything: the field and its rule.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let shares = [
            ("error_share", self.error_share),
            ("slow_share", self.slow_share),
            ("cache_miss_share", self.cache_miss_share),
        ];
        for (name, value) in shares {
            if !share(value) {
                return Some((name, "must be from 0 to 1".to_owned()));
            }
        }
        if self.slow_ms > SLOW_MS_MAX {
            return Some(("slow_ms", format!("must be at most {SLOW_MS_MAX}")));
        }
        if !(0.0..=EVICTIONS_PER_SECOND_MAX).contains(&self.cache_evict_per_second) {
            let rule = format!("must be from 0 to {EVICTIONS_PER_SECOND_MAX}");
            return Some(("cache_evict_per_second", rule));
        }
        if self.leak_bytes > LEAK_BYTES_MAX {
            return Some(("leak_bytes", format!("must be at most {LEAK_BYTES_MAX}")));
        }
        None
    }
}

/// Which faults change, and to what.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FaultChange {
    error_share: Option<f64>,
    slow_share: Option<f64>,
    slow_ms: Option<u64>,
    cache_miss_share: Option<f64>,
    cache_evict_per_second: Option<f64>,
    leak_bytes: Option<u64>,
    database_down: Option<bool>,
    cache_down: Option<bool>,
}

impl FaultChange {
    /// The faults with this change.
    pub(crate) fn applied_to(&self, before: FaultSet) -> FaultSet {
        FaultSet {
            error_share: self.error_share.unwrap_or(before.error_share),
            slow_share: self.slow_share.unwrap_or(before.slow_share),
            slow_ms: self.slow_ms.unwrap_or(before.slow_ms),
            cache_miss_share: self.cache_miss_share.unwrap_or(before.cache_miss_share),
            cache_evict_per_second: self
                .cache_evict_per_second
                .unwrap_or(before.cache_evict_per_second),
            leak_bytes: self.leak_bytes.unwrap_or(before.leak_bytes),
            database_down: self.database_down.unwrap_or(before.database_down),
            cache_down: self.cache_down.unwrap_or(before.cache_down),
        }
    }
}

/// The switch.
pub(crate) struct Faults {
    is_there: bool,
    set: RwLock<FaultSet>,
    leak: Mutex<Vec<u8>>,
    /// Held from reading the faults to setting them.
    changing: tokio::sync::Mutex<()>,
}

impl Faults {
    pub(crate) fn new(is_there: bool) -> Faults {
        Faults {
            is_there,
            set: RwLock::default(),
            leak: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Keeps others from changing what is read now and set after.
    pub(crate) async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Whether the service was started with the switch.
    pub(crate) fn is_there(&self) -> bool {
        self.is_there
    }

    pub(crate) fn get(&self) -> FaultSet {
        // Without the switch nothing can have been set: spare every request the lock.
        match self.is_there {
            true => self
                .set
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            false => FaultSet::default(),
        }
    }

    /// Sets all faults at once. Blocking: taking memory touches every page of it.
    pub(crate) fn set(&self, set: FaultSet) {
        let mut leak = self.leak.lock().unwrap_or_else(PoisonError::into_inner);
        if leak.len() as u64 != set.leak_bytes {
            *leak = Vec::new();
            // A byte that is not zero, because pages of zeros need not exist.
            *leak = vec![0xA5; set.leak_bytes as usize];
            telemetry::allocator::purge_now();
        }
        drop(leak);
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
    }

    /// Ends the fault that a restart of the cache cures, and says whether it was set. The others stay: a restart cures
    /// neither look-ups that miss nor evictions.
    pub(crate) fn end_cache_down(&self) -> bool {
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut set.cache_down)
    }

    /// How long this request is delayed.
    pub(crate) fn delay(&self, world: &World) -> Option<Duration> {
        let set = self.get();
        falls_in(set.slow_share, world).then(|| Duration::from_millis(set.slow_ms))
    }

    /// Whether this request fails.
    pub(crate) fn is_error_due(&self, world: &World) -> bool {
        falls_in(self.get().error_share, world)
    }

    /// Whether this look-up misses.
    pub(crate) fn is_miss_due(&self, world: &World) -> bool {
        falls_in(self.get().cache_miss_share, world)
    }

    pub(crate) fn is_database_down(&self) -> bool {
        self.get().database_down
    }
}

fn falls_in(share: f64, world: &World) -> bool {
    if share <= 0.0 {
        return false;
    }
    let mut bytes = [0; 4];
    world.entropy.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX) < share || share >= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_checked() {
        let check = |text: &str, expect: Option<&str>| {
            let set: FaultSet = serde_json::from_str(text).unwrap();
            assert_eq!(set.problem().map(|(field, _)| field), expect, "{text}");
        };
        check("{}", None);
        check(r#"{"error_share":1,"leak_bytes":1000}"#, None);
        check(r#"{"error_share":1.1}"#, Some("error_share"));
        check(r#"{"slow_share":-0.1}"#, Some("slow_share"));
        check(r#"{"slow_ms":60001}"#, Some("slow_ms"));
        check(
            r#"{"cache_evict_per_second":1e9}"#,
            Some("cache_evict_per_second"),
        );
        check(r#"{"leak_bytes":99999999999}"#, Some("leak_bytes"));
        assert!(serde_json::from_str::<FaultSet>(r#"{"eror_share":1}"#).is_err());
    }

    #[test]
    fn a_change_leaves_the_rest() {
        let before = FaultSet {
            error_share: 0.5,
            leak_bytes: 7,
            ..FaultSet::default()
        };
        let change: FaultChange = serde_json::from_str(r#"{"error_share":0}"#).unwrap();
        let after = change.applied_to(before);
        assert_eq!((after.error_share, after.leak_bytes), (0.0, 7));
        assert!(serde_json::from_str::<FaultChange>(r#"{"eror_share":1}"#).is_err());
    }

    #[test]
    fn without_the_switch_nothing_can_be_set() {
        let faults = Faults::new(false);
        faults.set(FaultSet {
            database_down: true,
            ..FaultSet::default()
        });
        assert!(!faults.is_database_down());
    }
}

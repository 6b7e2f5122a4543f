//! Images that were made before, bounded in bytes.
//!
//! `quick_cache`, because its bound is strict and a hit costs some tens of nanoseconds. An image never expires: equal
//! requests give equal bytes for one version of the program, and the version is part of the key.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};
use world::Clock;

use crate::hit_rate::HitRate;
use crate::metrics::{CacheOperation, Metrics};

/// What an entry costs beside its bytes: key, value handle, queue and map slots.
const ENTRY_OVERHEAD_BYTES: u64 = 192;
/// The typical image, for sizing the map: an SVG of a short address.
const IMAGE_BYTES_TYPICAL: u64 = 2048;
/// A shard gets at least this much, so that an image of ordinary size fits in a small cache too.
const SHARD_BYTES_MIN: u64 = 4 * 1024 * 1024;
const SHARDS_MAX: usize = 16;
/// How often the sentinel is tried: another request may push it out of a tiny cache between put and get.
const SENTINEL_TRIES: usize = 3;

/// What an image is found by: a digest of everything that shapes it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageKey(pub(crate) [u8; 32]);

impl std::hash::Hash for ImageKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// An image and what is said about it.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) bytes: Bytes,
    /// Version of the symbol, 1 to 40.
    pub(crate) version: u8,
    /// The level that the symbol got: at least the one asked for.
    pub(crate) ec_level: &'static str,
}

/// The cache did not do what it was asked. Go on without it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheError;

/// The cache.
pub(crate) struct ImageCache {
    images: Cache<ImageKey, Image, ByBytes, KeyPrefix, CountEvictions>,
    capacity: u64,
    hit_rate: HitRate,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    /// Set by the fault switch.
    is_down: AtomicBool,
}

impl ImageCache {
    pub(crate) fn new(capacity: u64, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> ImageCache {
        let shards = (capacity / SHARD_BYTES_MIN).clamp(1, SHARDS_MAX as u64) as usize;
        // Rounded down, so that the shards together never hold more than the bound.
        let shards = 1 << shards.ilog2();
        let items = (capacity / IMAGE_BYTES_TYPICAL).clamp(64, 1 << 20) as usize;
        let options = OptionsBuilder::new()
            .weight_capacity(capacity / shards as u64 * shards as u64)
            .estimated_items_capacity(items)
            .shards(shards)
            .build()
            .expect("both capacities are given");
        ImageCache {
            images: Cache::with_options(
                options,
                ByBytes,
                KeyPrefix,
                CountEvictions(metrics.clone()),
            ),
            capacity,
            hit_rate: HitRate::default(),
            metrics,
            clock,
            is_down: AtomicBool::new(false),
        }
    }

    /// Looks an image up. `forget` makes the look-up miss: the fault switch asks for that.
    pub(crate) fn get(&self, key: &ImageKey, forget: bool) -> Result<Option<Image>, CacheError> {
        self.check_up()?;
        let start = self.clock.monotonic();
        let found = match forget {
            true => None,
            false => self.images.get(key),
        };
        let now = self.clock.monotonic();
        let cache = &self.metrics.cache;
        cache.observe(CacheOperation::Get, now.saturating_sub(start));
        match found.is_some() {
            true => cache.hits.inc(),
            false => cache.misses.inc(),
        }
        self.hit_rate.count(now, found.is_some());
        Ok(found)
    }

    /// Keeps an image. One that is too large for the cache is not kept: `false`.
    pub(crate) fn put(&self, key: ImageKey, image: Image) -> Result<bool, CacheError> {
        self.check_up()?;
        if weight(&image) > self.images.shard_capacity() {
            return Ok(false);
        }
        let start = self.clock.monotonic();
        self.images.insert(key, image);
        let length = self.clock.monotonic().saturating_sub(start);
        self.metrics.cache.observe(CacheOperation::Put, length);
        Ok(true)
    }

    /// Puts a sentinel and gets it back: whether the cache works.
    pub(crate) fn probe(&self) -> Result<(), CacheError> {
        let start = self.clock.monotonic();
        let result = self.probe_once_or_more();
        let length = self.clock.monotonic().saturating_sub(start);
        self.metrics.cache.observe(CacheOperation::Probe, length);
        result
    }

    fn probe_once_or_more(&self) -> Result<(), CacheError> {
        self.check_up()?;
        // No request has this key: it would be a digest of all zeros.
        let key = ImageKey([0; 32]);
        for _ in 0..SENTINEL_TRIES {
            self.images.insert(
                key,
                Image {
                    bytes: Bytes::from_static(b"sentinel"),
                    version: 0,
                    ec_level: "",
                },
            );
            let found = self.images.remove(&key);
            if found.is_some_and(|(_, image)| image.bytes.as_ref() == b"sentinel") {
                return Ok(());
            }
        }
        self.metrics.cache.errors.inc();
        Err(CacheError)
    }

    /// Throws `count` images out, making small ones first where there are too few: for drills of the eviction alert.
    pub(crate) fn evict_for_drill(&self, count: usize) {
        let present: Vec<ImageKey> = self.images.iter().take(count).map(|(key, _)| key).collect();
        let filler = (present.len()..count).map(|number| {
            let mut digest = [0xFF; 32];
            digest[..8].copy_from_slice(&(number as u64).to_le_bytes());
            let key = ImageKey(digest);
            self.images.insert(
                key,
                Image {
                    bytes: Bytes::new(),
                    version: 0,
                    ec_level: "",
                },
            );
            key
        });
        let filler: Vec<ImageKey> = filler.collect();
        for key in present.iter().chain(&filler) {
            if self.images.remove(key).is_some() {
                self.metrics.cache.evictions.inc();
                self.metrics.cache.evicted_fault.inc();
            }
        }
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// Over the last five minutes; NaN without look-ups.
    pub(crate) fn hit_rate(&self) -> f64 {
        self.hit_rate.rate(self.clock.monotonic())
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.images.weight()
    }

    pub(crate) fn entries(&self) -> usize {
        self.images.len()
    }

    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.capacity
    }

    fn check_up(&self) -> Result<(), CacheError> {
        if self.is_down.load(Ordering::Relaxed) {
            self.metrics.cache.errors.inc();
            return Err(CacheError);
        }
        Ok(())
    }
}

fn weight(image: &Image) -> u64 {
    image.bytes.len() as u64 + ENTRY_OVERHEAD_BYTES
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<ImageKey, Image> for ByBytes {
    fn weight(&self, _: &ImageKey, image: &Image) -> u64 {
        weight(image)
    }
}

#[derive(Clone)]
struct CountEvictions(Arc<Metrics>);

impl Lifecycle<ImageKey, Image> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: ImageKey, _: Image) {
        self.0.cache.evictions.inc();
        self.0.cache.evicted_capacity.inc();
    }
}

/// Takes the first bytes of the key as its hash: they come from SHA-256. Without a random state, so that a simulation
/// evicts the same images every time.
#[derive(Clone)]
struct KeyPrefix;

impl BuildHasher for KeyPrefix {
    type Hasher = PrefixHasher;

    fn build_hasher(&self) -> PrefixHasher {
        PrefixHasher(0)
    }
}

struct PrefixHasher(u64);

impl Hasher for PrefixHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(prefix) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*prefix);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};
    use telemetry::Registry;
    use world::SystemClock;

    fn cache(capacity: u64) -> ImageCache {
        let metrics = Arc::new(Metrics::declare(&Registry::new()));
        ImageCache::new(capacity, metrics, Arc::new(SystemClock::default()))
    }

    fn key(number: u64) -> ImageKey {
        ImageKey(Sha256::digest(number.to_le_bytes()).into())
    }

    fn image(bytes: usize) -> Image {
        Image {
            bytes: vec![7; bytes].into(),
            version: 1,
            ec_level: "M",
        }
    }

    #[test]
    fn the_bound_is_never_passed_and_evictions_are_counted() {
        for capacity in [20_000, 100_000, 9_000_000] {
            let cache = cache(capacity);
            for number in 0..3000 {
                cache
                    .put(key(number), image(number as usize % 5000))
                    .unwrap();
                assert!(cache.size_bytes() <= capacity, "{capacity}");
            }
            let evicted = cache.metrics.cache.evictions.get();
            assert_eq!(cache.entries() as u64 + evicted, 3000, "{capacity}");
        }
    }

    #[test]
    fn an_image_larger_than_the_cache_is_not_kept() {
        let cache = cache(10_000);
        assert_eq!(cache.put(key(1), image(20_000)), Ok(false));
        assert_eq!(cache.metrics.cache.evictions.get(), 0);
        assert!(cache.get(&key(1), false).unwrap().is_none());
    }

    #[test]
    fn hits_misses_and_forgetting() {
        let cache = cache(100_000);
        cache.put(key(1), image(10)).unwrap();
        assert!(cache.get(&key(1), false).unwrap().is_some());
        assert!(cache.get(&key(1), true).unwrap().is_none());
        assert_eq!(cache.hit_rate(), 0.5);
        assert_eq!(cache.probe(), Ok(()));
        assert_eq!(cache.hit_rate(), 0.5, "probes are no look-ups");
        cache.set_down(true);
        assert_eq!(cache.probe(), Err(CacheError));
        assert!(cache.get(&key(1), false).is_err());
        assert_eq!(cache.metrics.cache.errors.get(), 2);
    }

    #[test]
    fn a_drill_evicts_even_from_an_empty_cache() {
        let cache = cache(100_000);
        cache.put(key(1), image(10)).unwrap();
        cache.evict_for_drill(5);
        assert_eq!(cache.metrics.cache.evictions.get(), 5);
        assert_eq!(cache.entries(), 0);
    }
}

//! Images that were made before, bounded in bytes.
//!
//! `quick_cache`, because its bound is strict and a hit costs some tens of nanoseconds. An image never expires: equal
//! requests give equal bytes for one version of the program, and the version is part of the key.
//!
//! An operator may restart the cache or give it another bound while it is used. The map is therefore replaced as a
//! whole: whoever uses it holds the one it found, and what is put into a map that was just replaced is forgotten.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
/// The bound that an operator may set: below it hardly an image of ordinary size stays until it is asked for again.
pub(crate) const CACHE_BYTES_MIN: u64 = 1024 * 1024;
/// Codes that are asked for twice never fill this; a slip of the keyboard must not promise the whole machine.
pub(crate) const CACHE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Images whose checksum one look compares, spread over the whole cache: a millisecond's work.
const SAMPLE_MAX: usize = 256;
/// Bytes that one look reads at most, where images are large.
const SAMPLE_BYTES_MAX: usize = 64 * 1024 * 1024;

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

/// What a restart threw away.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) entries: usize,
    pub(crate) bytes: u64,
    /// Whether the cache had stopped working.
    pub(crate) was_down: bool,
}

/// What a look at some of the images found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) checked: usize,
    /// Images that are not what was put there.
    pub(crate) damaged: usize,
}

type Images = Cache<ImageKey, Kept, ByBytes, KeyPrefix, CountEvictions>;

/// An image as it lies in the cache.
#[derive(Clone)]
struct Kept {
    image: Image,
    /// Of the key and everything in the image, taken when it was put.
    checksum: u32,
}

impl Kept {
    fn new(key: &ImageKey, image: Image) -> Kept {
        Kept {
            checksum: checksum(key, &image),
            image,
        }
    }

    fn is_intact(&self, key: &ImageKey) -> bool {
        checksum(key, &self.image) == self.checksum
    }
}

/// The cache.
pub(crate) struct ImageCache {
    images: RwLock<Arc<Images>>,
    /// Held by who restarts, resizes or verifies, so that these come one after the other.
    changing: Mutex<()>,
    capacity: AtomicU64,
    hit_rate: HitRate,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    /// Set by the fault switch.
    is_down: AtomicBool,
}

impl ImageCache {
    pub(crate) fn new(capacity: u64, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> ImageCache {
        ImageCache {
            images: RwLock::new(Arc::new(open(capacity, &metrics))),
            changing: Mutex::default(),
            capacity: AtomicU64::new(capacity),
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
            false => self.images().get(key).map(|kept| kept.image),
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
        let images = self.images();
        if weight(&image) > images.shard_capacity() {
            return Ok(false);
        }
        let start = self.clock.monotonic();
        // Two requests may have made the same image. The one that is there is as good, and to put the other in its place
        // would count as an eviction.
        if !images.contains_key(&key) {
            images.insert(key, Kept::new(&key, image));
        }
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
        let images = self.images();
        for _ in 0..SENTINEL_TRIES {
            let sentinel = Image {
                bytes: Bytes::from_static(b"sentinel"),
                version: 0,
                ec_level: "",
            };
            images.insert(key, Kept::new(&key, sentinel));
            let found = images.remove(&key);
            if found.is_some_and(|(_, kept)| kept.image.bytes.as_ref() == b"sentinel") {
                return Ok(());
            }
        }
        self.metrics.cache.errors.inc();
        Err(CacheError)
    }

    /// Empties the cache and opens it anew, which also ends whatever made it stop working. What is dropped is not counted
    /// as evicted: the alert on evictions means a cache that is too small.
    pub(crate) fn restart(&self) -> Dropped {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.replace(open(self.capacity_bytes(), &self.metrics));
        let was_down = self.is_down.swap(false, Ordering::Relaxed);
        self.metrics.cache.restarts.inc();
        Dropped {
            entries: old.len(),
            bytes: old.weight(),
            was_down,
        }
    }

    /// Sets the bound and answers the one of before. A smaller one throws out at once what no longer fits, the images
    /// least asked for first; a bound that calls for another number of shards moves the rest into a new map.
    pub(crate) fn set_capacity(&self, capacity: u64) -> u64 {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let images = self.images();
        let shards = images.num_shards();
        images.set_capacity(whole_shards(capacity, shards));
        if shards_for(capacity) != shards {
            let moved = open(capacity, &self.metrics);
            for (key, kept) in images.iter() {
                moved.insert(key, kept);
            }
            self.replace(moved);
        }
        self.capacity.swap(capacity, Ordering::Relaxed)
    }

    /// Compares some of the images, from all over the cache, with the checksums they came with.
    pub(crate) fn check_sample(&self) -> Sample {
        let images = self.images();
        let step = (images.len() / SAMPLE_MAX).max(1);
        let mut sample = Sample {
            checked: 0,
            damaged: 0,
        };
        let mut bytes = 0;
        for (key, kept) in images.iter().step_by(step).take(SAMPLE_MAX) {
            sample.checked += 1;
            sample.damaged += usize::from(!kept.is_intact(&key));
            bytes += kept.image.bytes.len();
            if bytes > SAMPLE_BYTES_MAX {
                break;
            }
        }
        sample
    }

    /// The size and the bound, neither of which changes hands between the two readings.
    pub(crate) fn size_and_capacity(&self) -> (u64, u64) {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        (self.size_bytes(), self.capacity_bytes())
    }

    /// Throws `count` images out, making small ones first where there are too few: for drills of the eviction alert.
    pub(crate) fn evict_for_drill(&self, count: usize) {
        let images = self.images();
        let present: Vec<ImageKey> = images.iter().take(count).map(|(key, _)| key).collect();
        let filler = (present.len()..count).map(|number| {
            let mut digest = [0xFF; 32];
            digest[..8].copy_from_slice(&(number as u64).to_le_bytes());
            let key = ImageKey(digest);
            let image = Image {
                bytes: Bytes::new(),
                version: 0,
                ec_level: "",
            };
            images.insert(key, Kept::new(&key, image));
            key
        });
        let filler: Vec<ImageKey> = filler.collect();
        for key in present.iter().chain(&filler) {
            if images.remove(key).is_some() {
                self.metrics.cache.evictions.inc();
                self.metrics.cache.evicted_fault.inc();
            }
        }
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    pub(crate) fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }

    /// Over the last five minutes; NaN without look-ups.
    pub(crate) fn hit_rate(&self) -> f64 {
        self.hit_rate.rate(self.clock.monotonic())
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.images().weight()
    }

    pub(crate) fn entries(&self) -> usize {
        self.images().len()
    }

    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.capacity.load(Ordering::Relaxed)
    }

    /// The largest image that is kept, with its overhead.
    pub(crate) fn entry_bytes_max(&self) -> u64 {
        self.images().shard_capacity()
    }

    fn images(&self) -> Arc<Images> {
        let images = self.images.read().unwrap_or_else(PoisonError::into_inner);
        images.clone()
    }

    /// Puts another map in the place of this one, and answers the old one.
    fn replace(&self, images: Images) -> Arc<Images> {
        let mut place = self.images.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, Arc::new(images))
    }

    fn check_up(&self) -> Result<(), CacheError> {
        if self.is_down() {
            self.metrics.cache.errors.inc();
            return Err(CacheError);
        }
        Ok(())
    }
}

fn open(capacity: u64, metrics: &Arc<Metrics>) -> Images {
    let shards = shards_for(capacity);
    let items = (capacity / IMAGE_BYTES_TYPICAL).clamp(64, 1 << 20) as usize;
    let options = OptionsBuilder::new()
        .weight_capacity(whole_shards(capacity, shards))
        .estimated_items_capacity(items)
        .shards(shards)
        .build()
        .expect("both capacities are given");
    Cache::with_options(options, ByBytes, KeyPrefix, CountEvictions(metrics.clone()))
}

fn shards_for(capacity: u64) -> usize {
    let shards = (capacity / SHARD_BYTES_MIN).clamp(1, SHARDS_MAX as u64) as usize;
    // Rounded down, so that each has its least.
    1 << shards.ilog2()
}

/// The bound in whole shards: rounded down, so that the shards together never hold more than the bound.
fn whole_shards(capacity: u64, shards: usize) -> u64 {
    capacity / shards as u64 * shards as u64
}

fn checksum(key: &ImageKey, image: &Image) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&key.0);
    hasher.update(&[image.version]);
    hasher.update(image.ec_level.as_bytes());
    hasher.update(&image.bytes);
    hasher.finalize()
}

fn weight(image: &Image) -> u64 {
    image.bytes.len() as u64 + ENTRY_OVERHEAD_BYTES
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<ImageKey, Kept> for ByBytes {
    fn weight(&self, _: &ImageKey, kept: &Kept) -> u64 {
        weight(&kept.image)
    }
}

#[derive(Clone)]
struct CountEvictions(Arc<Metrics>);

impl Lifecycle<ImageKey, Kept> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: ImageKey, _: Kept) {
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
    fn the_same_image_again_is_no_eviction() {
        let cache = cache(100_000);
        for _ in 0..3 {
            assert_eq!(cache.put(key(1), image(10)), Ok(true));
        }
        assert_eq!(cache.entries(), 1);
        assert_eq!(cache.metrics.cache.evictions.get(), 0);
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
    #[test]
    fn a_restart_empties_it_and_ends_a_wedge() {
        let cache = cache(100_000);
        for number in 0..10 {
            cache.put(key(number), image(10)).unwrap();
        }
        cache.set_down(true);
        let dropped = cache.restart();
        assert_eq!((dropped.entries, dropped.was_down), (10, true));
        assert!(dropped.bytes > 100, "{dropped:?}");
        assert_eq!((cache.entries(), cache.size_bytes()), (0, 0));
        assert_eq!(
            cache.metrics.cache.evictions.get(),
            0,
            "none was pushed out"
        );
        assert_eq!(cache.probe(), Ok(()));
        assert_eq!(cache.put(key(1), image(10)), Ok(true));
        assert!(cache.get(&key(1), false).unwrap().is_some());
        assert!(!cache.restart().was_down);
    }

    #[test]
    fn the_bound_moves_both_ways_and_holds() {
        let cache = cache(1 << 20);
        let fill = |to: u64| {
            for number in 0..to {
                cache.put(key(number), image(2000)).unwrap();
                assert!(cache.size_bytes() <= cache.capacity_bytes());
            }
        };
        fill(400);
        assert_eq!(cache.entries(), 400);
        // From one shard to sixteen: all images move.
        assert_eq!(cache.set_capacity(64 << 20), 1 << 20);
        assert_eq!(cache.entry_bytes_max(), 4 << 20);
        assert_eq!(cache.entries(), 400);
        assert!(cache.get(&key(7), false).unwrap().is_some());
        fill(10_000);
        assert_eq!(cache.entries(), 10_000);
        assert_eq!(cache.metrics.cache.evictions.get(), 0);
        // The same shards, half as much.
        assert_eq!(cache.set_capacity(128 << 20), 64 << 20);
        assert_eq!(cache.set_capacity(16 << 20), 128 << 20);
        assert!(cache.size_bytes() <= 16 << 20);
        // Back to one shard: an image larger than a sixteenth still fits.
        assert_eq!(cache.set_capacity(1 << 20), 16 << 20);
        assert!(cache.size_bytes() <= 1 << 20);
        assert!(cache.entries() > 300, "{}", cache.entries());
        assert_eq!(
            cache.entries() as u64 + cache.metrics.cache.evictions.get(),
            10_000,
            "whatever is not there any more was counted"
        );
        assert_eq!(cache.put(key(1), image(1 << 19)), Ok(true));
        fill(3000);
        // Within one shard nothing moves, and the bound holds all the same.
        assert_eq!(cache.set_capacity(2 << 20), 1 << 20);
        fill(3000);
        assert!(cache.size_bytes() > 1 << 20);
        assert_eq!(cache.set_capacity(1 << 20), 2 << 20);
        assert!(cache.size_bytes() <= 1 << 20);
    }

    #[test]
    fn a_damaged_image_is_found() {
        let cache = cache(1 << 20);
        assert_eq!(cache.check_sample().checked, 0);
        for number in 0..300 {
            cache.put(key(number), image(10)).unwrap();
        }
        let sample = cache.check_sample();
        assert_eq!((sample.checked, sample.damaged), (256, 0));
        let damage = |kept: Kept| {
            cache.images().clear();
            cache.images().insert(key(1), kept);
            cache.check_sample().damaged
        };
        assert_eq!(damage(Kept::new(&key(1), image(10))), 0);
        assert_eq!(damage(Kept::new(&key(2), image(10))), 1, "another's image");
        let mut kept = Kept::new(&key(1), image(10));
        kept.image.bytes = Bytes::from_static(b"other");
        assert_eq!(damage(kept), 1, "other bytes");
    }
}

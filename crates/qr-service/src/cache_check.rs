//! Whether the cache is well and sensibly set: the step "verify cache configuration" of the plan's procedure.
//!
//! It changes nothing that a user could notice: the sentinel comes and goes, images are only read.

use crate::cache::{CACHE_BYTES_MAX, CACHE_BYTES_MIN, ImageCache};
use crate::faults::FaultSet;

/// The share of the memory limit that the cache may be given: the rest is for drawing, sign-ins and the allocator, and the
/// plan's alert on memory comes at nine tenths.
const CACHE_SHARE_OF_MEMORY_MAX: f64 = 0.5;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) is_ok: bool,
    pub(crate) detail: String,
}

/// What the cache is compared with.
pub(crate) struct Surroundings {
    pub(crate) capacity_at_start: u64,
    pub(crate) memory_limit: Option<u64>,
    /// `None` where the service was started without the switch.
    pub(crate) faults: Option<FaultSet>,
}

/// The most that the cache may be given on this machine.
pub(crate) fn capacity_max(memory_limit: Option<u64>) -> u64 {
    let share = memory_limit.map_or(CACHE_BYTES_MAX, |limit| {
        (limit as f64 * CACHE_SHARE_OF_MEMORY_MAX) as u64
    });
    share.clamp(CACHE_BYTES_MIN, CACHE_BYTES_MAX)
}

/// Tries the cache and looks at its settings.
pub(crate) fn verify(cache: &ImageCache, around: &Surroundings) -> Vec<Finding> {
    let mut findings = vec![sentinel(cache), size(cache), entries(cache)];
    findings.extend(settings(cache.capacity_bytes(), around));
    findings.extend(around.faults.as_ref().map(fault_switch));
    findings
}

fn finding(check: &'static str, is_ok: bool, detail: impl Into<String>) -> Finding {
    Finding {
        check,
        is_ok,
        detail: detail.into(),
    }
}

fn sentinel(cache: &ImageCache) -> Finding {
    match cache.probe() {
        Ok(()) => finding(
            "sentinel",
            true,
            "what was put into the cache came back from it",
        ),
        Err(_) => finding(
            "sentinel",
            false,
            "the cache does not give back what it took: POST /admin/cache/restart opens it anew",
        ),
    }
}

fn size(cache: &ImageCache) -> Finding {
    let (size, capacity) = cache.size_and_capacity();
    let detail = format!("{size} of at most {capacity} bytes");
    finding("size", size <= capacity, detail)
}

fn entries(cache: &ImageCache) -> Finding {
    let sample = cache.check_sample();
    let detail = match sample.damaged {
        0 => format!(
            "{} images compared with their checksums, all intact",
            sample.checked
        ),
        damaged => format!(
            "{damaged} of {} images are not what was put there: POST /admin/cache/restart drops them; suspect the machine's memory",
            sample.checked
        ),
    };
    finding("entries", sample.damaged == 0, detail)
}

fn settings(capacity: u64, around: &Surroundings) -> [Finding; 3] {
    let range = format!(
        "{capacity} bytes; sensible is {CACHE_BYTES_MIN} to {CACHE_BYTES_MAX}: PUT /admin/capacity, or --cache-bytes at the next start"
    );
    let most = capacity_max(around.memory_limit);
    let memory = match around.memory_limit {
        Some(limit) => format!("{capacity} bytes; memory of {limit} bytes leaves room for {most}"),
        None => "the memory limit is not known".to_owned(),
    };
    let at_start = around.capacity_at_start;
    let changed = match capacity == at_start {
        true => format!("{capacity} bytes since the start"),
        false => {
            format!("{at_start} bytes at the start, {capacity} now; the next start takes the first")
        }
    };
    [
        finding(
            "capacity_range",
            (CACHE_BYTES_MIN..=CACHE_BYTES_MAX).contains(&capacity),
            range,
        ),
        finding("capacity_fits_memory", capacity <= most, memory),
        // A change is worth knowing, and no fault.
        finding("capacity_since_start", true, changed),
    ]
}

fn fault_switch(faults: &FaultSet) -> Finding {
    let mut set = Vec::new();
    if faults.cache_down {
        set.push("cache_down (POST /admin/cache/restart ends it)".to_owned());
    }
    if faults.cache_miss_share > 0.0 {
        set.push(format!("cache_miss_share {}", faults.cache_miss_share));
    }
    if faults.cache_evict_per_second > 0.0 {
        set.push(format!(
            "cache_evict_per_second {}",
            faults.cache_evict_per_second
        ));
    }
    match set.is_empty() {
        true => finding("fault_switch", true, "no fault of the cache is set"),
        false => finding(
            "fault_switch",
            false,
            format!(
                "broken on purpose, PUT /admin/faults ends it: {}",
                set.join(", ")
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_on_settings() {
        const GIB: u64 = 1 << 30;
        let check = |capacity: u64, limit: Option<u64>, expect: &[&str]| {
            let around = Surroundings {
                capacity_at_start: 1,
                memory_limit: limit,
                faults: None,
            };
            let bad: Vec<&str> = settings(capacity, &around)
                .iter()
                .filter(|finding| !finding.is_ok)
                .map(|finding| finding.check)
                .collect();
            assert_eq!(bad, expect, "{capacity} {limit:?}");
        };
        check(64 << 20, Some(2 * GIB), &[]);
        check(64 << 20, None, &[]);
        check(GIB, Some(2 * GIB), &[]);
        check(GIB + 1, Some(2 * GIB), &["capacity_fits_memory"]);
        check(1000, Some(2 * GIB), &["capacity_range"]);
        check(17 * GIB, None, &["capacity_range", "capacity_fits_memory"]);
    }

    #[test]
    fn faults_are_named() {
        let faults = FaultSet {
            cache_miss_share: 0.5,
            ..FaultSet::default()
        };
        let found = fault_switch(&faults);
        assert!(!found.is_ok && found.detail.contains("cache_miss_share 0.5"));
        assert!(fault_switch(&FaultSet::default()).is_ok);
    }
}

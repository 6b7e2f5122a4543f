//! What the allocator did: jemalloc's statistics, where jemalloc is the program's allocator.
//!
//! Rust has no garbage collector. The nearest thing to a collection is a purge pass, in which jemalloc gives unused pages
//! back to the operating system; a plan that asks for collections gets these, and HELP says so.

use std::sync::Mutex;

use tikv_jemalloc_ctl::{background_thread, epoch, raw, stats};

use crate::Collected;

/// jemalloc's index for "all arenas together" (`MALLCTL_ARENAS_ALL`).
const DIRTY_PASSES: &[u8] = b"stats.arenas.4096.dirty_npurge\0";
const MUZZY_PASSES: &[u8] = b"stats.arenas.4096.muzzy_npurge\0";

/// Statistics are a copy that `epoch` renews; two threads that renew at once would only do the work twice.
static RENEWING: Mutex<()> = Mutex::new(());

/// Figures of one moment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AllocatorStats {
    /// Bytes that the program holds.
    pub allocated: u64,
    /// Bytes of pages that the allocator holds in memory.
    pub resident: u64,
    /// Purge passes so far (dirty and muzzy): counts up only.
    pub purge_passes: u64,
}

/// Reads the allocator's figures: 15 to 40 µs, so once for each scrape. `None` when jemalloc is not the allocator.
pub fn stats() -> Option<AllocatorStats> {
    let _one_at_a_time = RENEWING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    epoch::advance().ok()?;
    let allocated = stats::allocated::read().ok()? as u64;
    // Linked but unused: every byte of the program comes from elsewhere.
    if allocated == 0 {
        return None;
    }
    Some(AllocatorStats {
        allocated,
        resident: stats::resident::read().ok()? as u64,
        purge_passes: passes(DIRTY_PASSES)? + passes(MUZZY_PASSES)?,
    })
}

/// Lets jemalloc purge from a thread of its own, so that memory goes back in idle times and requests do not pay for it.
/// Returns whether that is now so.
pub fn purge_in_background() -> bool {
    background_thread::write(true).is_ok()
}

/// Purges everything that can be given back now. Returns whether the allocator did.
pub fn purge_now() -> bool {
    #[expect(
        unsafe_code,
        reason = "mallctl without values has no safe wrapper: raw::write silently does nothing"
    )]
    // SAFETY: the name is a valid, NUL-terminated mallctl name that takes no value and returns none; all pointers may be
    // null then.
    let result = unsafe {
        tikv_jemalloc_sys::mallctl(
            c"arena.4096.purge".as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
        )
    };
    result == 0
}

/// Shows the allocator's figures beside `gc_collections_total`.
pub fn collect(collected: &mut Collected) {
    let Some(stats) = stats() else {
        return;
    };
    collected.gauge(
        "allocator_allocated_bytes",
        "Bytes that the program holds, as the allocator counts them.",
        stats.allocated as f64,
    );
    collected.gauge(
        "allocator_resident_bytes",
        "Bytes of pages that the allocator keeps in memory.",
        stats.resident as f64,
    );
}

fn passes(name: &[u8]) -> Option<u64> {
    #[expect(unsafe_code, reason = "these statistics have no typed wrapper")]
    // SAFETY: both names end in NUL and name statistics of type uint64_t (jemalloc's manual), which is what is read.
    let value = unsafe { raw::read::<u64>(name) };
    value.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

    #[test]
    fn a_purge_is_counted() {
        let before = stats().expect("jemalloc is the allocator of this test");
        let blocks: Vec<Vec<u8>> = (0..2000).map(|_| vec![1; 16 * 1024]).collect();
        drop(blocks);
        assert!(purge_now());
        let after = stats().expect("jemalloc is the allocator of this test");
        assert!(
            after.purge_passes > before.purge_passes,
            "{before:?} then {after:?}"
        );
    }
}

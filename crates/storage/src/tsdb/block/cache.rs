//! Indexes of blocks in memory, bounded: a year has thousands of blocks, and most are never asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::index::Index;

struct Entry {
    index: Arc<Index>,
    used: u64,
}

#[derive(Default)]
struct State {
    entries: HashMap<u64, Entry>,
    bytes: usize,
    uses: u64,
}

/// The most recently used indexes, by block number, within a number of bytes.
pub(in crate::tsdb) struct IndexCache {
    state: Mutex<State>,
    bytes_max: usize,
}

impl IndexCache {
    /// An empty cache.
    pub(in crate::tsdb) fn new(bytes_max: usize) -> IndexCache {
        IndexCache {
            state: Mutex::default(),
            bytes_max,
        }
    }

    /// A cached index.
    pub(super) fn get(&self, block: u64) -> Option<Arc<Index>> {
        let mut state = self.lock();
        state.uses += 1;
        let uses = state.uses;
        let entry = state.entries.get_mut(&block)?;
        entry.used = uses;
        Some(entry.index.clone())
    }

    /// Keeps an index, at the cost of those that were used longest ago. One that is larger than everything is not kept.
    pub(super) fn put(&self, block: u64, index: Arc<Index>) {
        if index.bytes() > self.bytes_max {
            return;
        }
        let mut state = self.lock();
        state.uses += 1;
        let used = state.uses;
        state.bytes += index.bytes();
        if let Some(before) = state.entries.insert(block, Entry { index, used }) {
            state.bytes -= before.index.bytes();
        }
        while state.bytes > self.bytes_max {
            let oldest = state
                .entries
                .iter()
                .min_by_key(|(_, entry)| entry.used)
                .map(|(block, _)| *block);
            let Some(oldest) = oldest else { break };
            state.remove(oldest);
        }
    }

    /// Forgets the index of a block that is gone.
    pub(in crate::tsdb) fn remove(&self, block: u64) {
        self.lock().remove(block);
    }

    /// Bytes in use.
    pub(in crate::tsdb) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl State {
    fn remove(&mut self, block: u64) {
        if let Some(entry) = self.entries.remove(&block) {
            self.bytes -= entry.index.bytes();
        }
    }
}

//! Since when each hole is known: a state machine over reports, so that it can be stored and restored.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;

use super::report::{Hole, HoleKind, Since};

/// Holes that are seen so soon after the start were there before it, unless it is remembered when they began: first scrapes,
/// probes and looks are through by then.
const FIRST_LOOKS: Duration = Duration::from_secs(60);

/// For how long a hole that closed is still told as closed: longer than queries look back.
const TOLD_AFTER_END: Duration = Duration::from_secs(10 * 60);

/// The most holes that are remembered. A plan with more has one hole.
const REMEMBERED_MAX: usize = 1_000;

/// What tells holes apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HoleKey {
    /// What kind.
    pub kind: HoleKind,
    /// What it is about.
    pub about: String,
    /// Which of several places.
    pub place: String,
}

/// Remembers holes from one report to the next.
#[derive(Clone, Debug)]
pub struct HoleMemory {
    started_at: Timestamp,
    open: BTreeMap<HoleKey, Since>,
    ended: BTreeMap<HoleKey, Timestamp>,
}

impl HoleMemory {
    /// Begins with the holes that were open when the last run ended.
    pub fn new(started_at: Timestamp, open: BTreeMap<HoleKey, Since>) -> HoleMemory {
        HoleMemory {
            started_at,
            open,
            ended: BTreeMap::new(),
        }
    }

    /// Fills in since when each hole is known, and remembers.
    pub fn step(&mut self, holes: &mut [Hole], now: Timestamp) {
        let mut open = BTreeMap::new();
        for hole in holes.iter_mut() {
            let key = key_of(hole);
            let since = self.open.get(&key).copied().or(hole.since);
            let since = since.unwrap_or(Since {
                at: now,
                or_earlier: now.since(self.started_at) <= FIRST_LOOKS,
            });
            hole.since = Some(since);
            if open.len() < REMEMBERED_MAX {
                open.insert(key, since);
            }
        }
        for key in std::mem::replace(&mut self.open, open).into_keys() {
            if !self.open.contains_key(&key) && self.ended.len() < REMEMBERED_MAX {
                self.ended.insert(key, now);
            }
        }
        let open = &self.open;
        self.ended
            .retain(|key, ended| !open.contains_key(key) && now.since(*ended) <= TOLD_AFTER_END);
    }

    /// Holes with the time since which they are known, and for a while those that closed, with `None`.
    pub fn told(&self) -> impl Iterator<Item = (&HoleKey, Option<Timestamp>)> {
        let open = self.open.iter().map(|(key, since)| (key, Some(since.at)));
        open.chain(self.ended.keys().map(|key| (key, None)))
    }
}

fn key_of(hole: &Hole) -> HoleKey {
    HoleKey {
        kind: hole.kind,
        about: hole.about.clone(),
        place: hole.place.clone(),
    }
}

//! The last answers of every probe. Unknown after three missed intervals: the last green is never shown as if it were now.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use model::Timestamp;
use plan::{Probe, ProbeKind};

use super::answer::{Dependency, Verdict};

/// How many recent outcomes are kept for the board.
const RECENT_MAX: usize = 60;

/// How a probe stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// It answered so.
    Known(Verdict),
    /// Not probed yet, or not for three intervals.
    Unknown,
}

impl ProbeState {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            ProbeState::Known(verdict) => verdict.as_str(),
            ProbeState::Unknown => "unknown",
        }
    }
}

/// What is known about one probe.
#[derive(Clone, Debug)]
pub struct ProbeStatus {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub kind: ProbeKind,
    /// The address.
    pub url: String,
    /// How often it is asked.
    pub interval: Duration,
    /// When it was asked last.
    pub last_at: Option<Timestamp>,
    /// What came.
    pub verdict: Verdict,
    /// How long it took.
    pub latency: Duration,
    /// The status code, if there was an answer.
    pub http_status: Option<u16>,
    /// A sentence about it.
    pub output: String,
    /// Dependencies that the answer names.
    pub dependencies: Vec<Dependency>,
    /// Recent outcomes, the oldest first.
    pub recent: VecDeque<(Timestamp, bool)>,
}

impl ProbeStatus {
    pub(super) fn new(probe: &Probe) -> ProbeStatus {
        ProbeStatus {
            name: probe.name.clone(),
            kind: probe.kind,
            url: probe.url.clone(),
            interval: probe.interval,
            last_at: None,
            verdict: Verdict::Fail,
            latency: Duration::ZERO,
            http_status: None,
            output: String::new(),
            dependencies: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    /// How it stands at a time.
    pub fn state(&self, now: Timestamp) -> ProbeState {
        match self.last_at {
            Some(last) if counts_still(last, self.interval, now) => ProbeState::Known(self.verdict),
            _ => ProbeState::Unknown,
        }
    }
}

/// Whether what a probe said at `last` still counts: it has missed three intervals at most.
pub(crate) fn counts_still(last: Timestamp, interval: Duration, now: Timestamp) -> bool {
    now.since(last) <= 3 * interval
}

/// What is known about all probes.
#[derive(Default)]
pub struct ProbeBoard {
    probes: Mutex<BTreeMap<String, ProbeStatus>>,
}

impl ProbeBoard {
    /// All probes, by name.
    pub fn probes(&self) -> Vec<ProbeStatus> {
        self.probes
            .lock()
            .expect("no code panics while it holds this lock")
            .values()
            .cloned()
            .collect()
    }

    /// Whether every probe got an answer, good or bad, within its last three intervals.
    pub fn all_answered(&self, now: Timestamp) -> bool {
        let answered = |probe: &ProbeStatus| {
            probe.state(now) != ProbeState::Unknown && probe.http_status.is_some()
        };
        self.probes
            .lock()
            .expect("no code panics while it holds this lock")
            .values()
            .all(answered)
    }

    /// Writes an outcome down, keeping the recent ones.
    pub(super) fn update(&self, mut status: ProbeStatus) {
        let mut probes = self
            .probes
            .lock()
            .expect("no code panics while it holds this lock");
        if let Some(before) = probes.remove(&status.name) {
            status.recent = before.recent;
        }
        if let Some(at) = status.last_at {
            status
                .recent
                .push_back((at, status.verdict != Verdict::Fail));
        }
        while status.recent.len() > RECENT_MAX {
            status.recent.pop_front();
        }
        probes.insert(status.name.clone(), status);
    }

    /// Forgets probes that are not among these (after a reload).
    pub fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.probes
            .lock()
            .expect("no code panics while it holds this lock")
            .retain(|name, _| keep(name));
    }
}

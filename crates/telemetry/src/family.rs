//! One name, several label sets.
//!
//! A family either declares all its label sets at the start or has a bound on their number, because a label fed from
//! outside (a path, a user agent) otherwise grows the process and the monitor without end. Callers resolve a handle once
//! and keep it; resolving takes a lock and compares strings, updating does neither.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::instrument::{Counter, Instrument, Reading};

/// Which label sets a family may have.
#[derive(Copy, Clone, Debug)]
pub enum Children<'a> {
    /// Exactly these, all present from the start (counters at 0). Each entry has one value for each label.
    Closed(&'a [&'a [&'a str]]),
    /// Whatever is asked for, up to this many.
    AtMost(usize),
}

/// Instruments of one kind that differ in their labels' values.
#[derive(Clone)]
pub struct Family<T>(Arc<Inner<T>>);

struct Inner<T> {
    name: &'static str,
    labels: &'static [&'static str],
    children_max: usize,
    make: Box<dyn Fn() -> T + Send + Sync>,
    children: Mutex<BTreeMap<Vec<String>, T>>,
    refused: Counter,
}

#[expect(
    private_bounds,
    reason = "the set of instruments is closed: the three of this crate"
)]
impl<T: Instrument> Family<T> {
    pub(crate) fn new(
        name: &'static str,
        labels: &'static [&'static str],
        children: Children<'_>,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Family<T> {
        let (declared, children_max): (&[&[&str]], usize) = match children {
            Children::Closed(declared) => (declared, declared.len()),
            Children::AtMost(bound) => (&[], bound),
        };
        let family = Family(Arc::new(Inner {
            name,
            labels,
            children_max,
            make: Box::new(make),
            children: Mutex::default(),
            refused: Counter::detached(),
        }));
        for values in declared {
            family.handle(values);
        }
        family
    }

    /// The instrument of these label values, made if there is room for it. Otherwise the refusal is counted and the
    /// handle that comes back works but is shown nowhere, so that callers need no second path.
    ///
    /// # Panics
    /// When the number of values is not the number of labels: a mistake in the program.
    pub fn handle(&self, values: &[&str]) -> T {
        assert_eq!(
            values.len(),
            self.0.labels.len(),
            "one value for each label of {}",
            self.0.name
        );
        let key: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let mut children = self.lock();
        if let Some(child) = children.get(&key) {
            return child.clone();
        }
        let child = (self.0.make)();
        if children.len() >= self.0.children_max {
            self.0.refused.inc();
        } else {
            children.insert(key, child.clone());
        }
        child
    }

    /// The instrument of these label values if it exists: for tests and for reading back.
    pub fn get(&self, values: &[&str]) -> Option<T> {
        let key: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        self.lock().get(&key).cloned()
    }

    /// How many label sets were refused for want of room.
    pub fn refused(&self) -> u64 {
        self.0.refused.get()
    }

    pub(crate) fn refused_counter(&self) -> Counter {
        self.0.refused.clone()
    }

    pub(crate) fn read(&self) -> Vec<(Vec<String>, Reading)> {
        self.lock()
            .iter()
            .map(|(values, child)| (values.clone(), child.read()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<String>, T>> {
        // A panic of another thread leaves the map whole: an insert is the last thing done under the lock.
        self.0
            .children
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_family_refuses_and_counts() {
        let family = Family::new("things", &["kind"], Children::AtMost(2), Counter::detached);
        family.handle(&["a"]).inc();
        family.handle(&["b"]).inc();
        let outsider = family.handle(&["c"]);
        outsider.inc();
        family.handle(&["a"]).inc();
        assert_eq!(family.get(&["a"]).map(|child| child.get()), Some(2));
        assert!(family.get(&["c"]).is_none());
        assert_eq!(family.refused(), 1);
    }

    #[test]
    fn a_closed_family_starts_complete() {
        let family = Family::new(
            "things",
            &["kind"],
            Children::Closed(&[&["x"], &["y"]]),
            Counter::detached,
        );
        assert_eq!(family.read().len(), 2);
        family.handle(&["z"]);
        assert_eq!((family.read().len(), family.refused()), (2, 1));
    }
}

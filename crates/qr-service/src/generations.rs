//! How many codes are drawn at once, changeable while they are drawn.
//!
//! A semaphore gives its permits in the order of asking, but it cannot take back one that is in use. What a smaller bound
//! takes away beyond the free permits is therefore owed: the next turns that end, or begin, pay it. No running work is
//! touched, and no new work begins until fewer run than the new bound.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Without one nothing is ever drawn.
pub const WORKERS_MIN: usize = 1;
/// Far more than a machine has cores: beyond, drawing gains nothing, and each may take a few megabytes.
pub const WORKERS_MAX: usize = 64;

/// The turns to draw.
pub(crate) struct Generations {
    semaphore: Arc<Semaphore>,
    counts: Mutex<Counts>,
}

struct Counts {
    limit: usize,
    /// Permits that are in use and will not come back.
    owed: usize,
    running: usize,
    waiting: usize,
}

/// How many run and wait.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) limit: usize,
    pub(crate) running: usize,
    pub(crate) waiting: usize,
}

/// The right to draw one code, until it is dropped.
pub(crate) struct Turn {
    generations: Arc<Generations>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Generations {
    pub(crate) fn new(limit: usize) -> Arc<Generations> {
        Arc::new(Generations {
            semaphore: Arc::new(Semaphore::new(limit)),
            counts: Mutex::new(Counts {
                limit,
                owed: 0,
                running: 0,
                waiting: 0,
            }),
        })
    }

    /// Waits for a turn.
    pub(crate) async fn turn(self: &Arc<Self>) -> Turn {
        let _waiting = Waiting::begin(self);
        loop {
            let permit = self.semaphore.clone().acquire_owned().await;
            let permit = permit.expect("this semaphore is never closed");
            let mut counts = self.counts();
            if counts.owed == 0 {
                counts.running += 1;
                return Turn {
                    generations: self.clone(),
                    permit: Some(permit),
                };
            }
            // It came back past `Turn`: from a waiter that was given it and left.
            counts.owed -= 1;
            permit.forget();
        }
    }

    /// Sets the bound and answers the one of before.
    pub(crate) fn resize(&self, limit: usize) -> usize {
        let mut counts = self.counts();
        let old = std::mem::replace(&mut counts.limit, limit);
        if limit > old {
            let grown = limit - old;
            // What is still owed need not be paid, and so is there already.
            let kept = grown.min(counts.owed);
            counts.owed -= kept;
            self.semaphore.add_permits(grown - kept);
        } else {
            let shrunk = old - limit;
            counts.owed += shrunk - self.semaphore.forget_permits(shrunk);
        }
        old
    }

    pub(crate) fn load(&self) -> Load {
        let counts = self.counts();
        Load {
            limit: counts.limit,
            running: counts.running,
            waiting: counts.waiting,
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.generations.counts();
        counts.running -= 1;
        let permit = self.permit.take();
        if counts.owed > 0 {
            counts.owed -= 1;
            permit.expect("a turn has its permit until here").forget();
        } else {
            // Given back before the counts are free: a smaller bound then finds it, instead of counting it as owed.
            drop(permit);
        }
    }
}

/// Someone in the queue; also one who leaves it early is counted out.
struct Waiting<'a>(&'a Generations);

impl Waiting<'_> {
    fn begin(generations: &Generations) -> Waiting<'_> {
        generations.counts().waiting += 1;
        Waiting(generations)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.counts().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt;

    use super::*;

    /// A queue of waiters and the turns they got, moved by hand.
    struct Scene {
        generations: Arc<Generations>,
        waiting: Vec<Pin<Box<dyn Future<Output = Turn>>>>,
        running: Vec<Turn>,
    }

    impl Scene {
        fn new(limit: usize) -> Scene {
            Scene {
                generations: Generations::new(limit),
                waiting: Vec::new(),
                running: Vec::new(),
            }
        }

        fn ask(&mut self, count: usize) {
            for _ in 0..count {
                let generations = self.generations.clone();
                let asking = async move { generations.turn().await };
                self.waiting.push(Box::pin(asking));
            }
            self.poll();
        }

        fn poll(&mut self) {
            let mut index = 0;
            while index < self.waiting.len() {
                match self.waiting[index].as_mut().now_or_never() {
                    Some(turn) => {
                        self.running.push(turn);
                        drop(self.waiting.remove(index));
                    }
                    None => index += 1,
                }
            }
        }

        fn end(&mut self, count: usize) {
            self.running.truncate(self.running.len() - count);
            self.poll();
        }

        #[track_caller]
        fn expect(&self, limit: usize, running: usize, waiting: usize) {
            let expect = Load {
                limit,
                running,
                waiting,
            };
            assert_eq!(self.generations.load(), expect);
            assert_eq!(self.running.len(), running);
        }
    }

    #[test]
    fn growing_lets_waiters_in() {
        let mut scene = Scene::new(2);
        scene.ask(5);
        scene.expect(2, 2, 3);
        assert_eq!(scene.generations.resize(4), 2);
        scene.poll();
        scene.expect(4, 4, 1);
        scene.end(4);
        scene.expect(4, 1, 0);
    }

    #[test]
    fn shrinking_leaves_running_work_and_lets_none_in_before_its_time() {
        let mut scene = Scene::new(4);
        scene.ask(6);
        assert_eq!(scene.generations.resize(1), 4);
        scene.poll();
        scene.expect(1, 4, 2);
        for running in [3, 2, 1] {
            scene.end(1);
            scene.expect(1, running, 2);
        }
        // Now one place is free each time one ends.
        scene.end(1);
        scene.expect(1, 1, 1);
        scene.end(1);
        scene.expect(1, 1, 0);
    }

    #[test]
    fn free_places_are_taken_away_at_once() {
        let mut scene = Scene::new(8);
        scene.ask(1);
        scene.generations.resize(2);
        scene.ask(5);
        scene.expect(2, 2, 4);
    }

    #[test]
    fn growing_back_before_the_debt_is_paid() {
        let mut scene = Scene::new(4);
        scene.ask(6);
        scene.generations.resize(1);
        scene.generations.resize(3);
        scene.expect(3, 4, 2);
        scene.end(1);
        scene.expect(3, 3, 2);
        scene.end(1);
        scene.expect(3, 3, 1);
        scene.generations.resize(5);
        scene.poll();
        scene.expect(5, 4, 0);
    }

    #[test]
    fn a_place_given_to_one_who_left_is_not_one_too_many() {
        let mut scene = Scene::new(2);
        scene.ask(3);
        // The place goes to the waiter, which has not looked yet when the bound shrinks and it leaves.
        scene.running.pop();
        scene.generations.resize(1);
        scene.waiting.clear();
        scene.expect(1, 1, 0);
        scene.ask(1);
        scene.expect(1, 1, 1);
        scene.end(1);
        scene.expect(1, 1, 0);
    }
}

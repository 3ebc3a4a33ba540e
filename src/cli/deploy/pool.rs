//! Threads that work beside the one that watches.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::api::cancellation::{Cancellation, POLL_INTERVAL};

/// More threads would only wait for each other.
pub const MAX_THREADS: usize = 64;

/// Takes work, has it done beside its owner or, without threads, at once, and hands back what came of it.
pub struct Pool<'a, W, R> {
    work: &'a (dyn Fn(W) -> R + Sync),
    queue: &'a Queue<W, R>,
    has_threads: bool,
    cancellation: &'a Cancellation,
}

/// Work that waits for a thread, and results that wait for the owner.
struct Queue<W, R> {
    state: Mutex<State<W, R>>,
    /// There is work. Each piece wakes up one thread, where a channel behind a lock would wake up two.
    more: Condvar,
    /// There are results that the owner has to see.
    told: Condvar,
}

struct State<W, R> {
    work: VecDeque<(usize, W)>,
    done: Vec<(usize, R)>,
    /// Threads that are at work.
    busy: usize,
    is_closed: bool,
    /// Nothing is taken until the owner has seen a result.
    is_withheld: bool,
}

/// When a thread takes no more by itself.
pub struct Limits<'a, R> {
    /// The owner has given all there is, and need not hear of each result: to wake it up between two posts takes as long
    /// as a post does where the engine has all processors busy.
    pub is_ahead: bool,
    /// Whether a result has to be seen by the owner before anything else is begun.
    pub withholds: &'a (dyn Fn(&R) -> bool + Sync),
    /// Whether anything may still be begun.
    pub may_begin: &'a (dyn Fn() -> bool + Sync),
}

impl<W: Send, R: Send> Pool<'_, W, R> {
    /// Runs `own` with a pool of so many threads; with 0 or 1 the work is done by its owner.
    pub fn run<T>(
        threads: usize,
        cancellation: &Cancellation,
        limits: &Limits<R>,
        work: &(dyn Fn(W) -> R + Sync),
        own: impl FnOnce(&Pool<W, R>) -> T,
    ) -> T {
        let state =
            State { work: VecDeque::new(), done: Vec::new(), busy: 0, is_closed: false, is_withheld: false };
        let queue = &Queue { state: Mutex::new(state), more: Condvar::new(), told: Condvar::new() };
        let pool = Pool { work, queue, has_threads: threads > 1, cancellation };
        if !pool.has_threads {
            return own(&pool);
        }
        thread::scope(|scope| {
            // Also where the owner does not come to its end: the threads are waited for.
            let _closing = Closing(queue);
            for _ in 0..threads.min(MAX_THREADS) {
                scope.spawn(move || {
                    while let Some((key, item)) = queue.next(limits.may_begin) {
                        queue.put(key, work(item), limits);
                    }
                });
            }
            own(&pool)
        })
    }

    /// Has them done.
    pub fn give(&self, items: impl IntoIterator<Item = (usize, W)>) {
        if !self.has_threads {
            let done: Vec<_> = items.into_iter().map(|(key, item)| (key, (self.work)(item))).collect();
            return self.queue.state().done.extend(done);
        }
        let mut state = self.queue.state();
        let before = state.work.len();
        state.work.extend(items);
        match state.work.len() - before {
            0 => {}
            1 => self.queue.more.notify_one(),
            _ => self.queue.more.notify_all(),
        }
    }

    /// What was given and is not begun: nobody begins it now.
    pub fn take_back(&self) -> Vec<(usize, W)> {
        self.queue.state().work.drain(..).collect()
    }

    /// The results are seen that withheld the rest.
    pub fn go_on(&self) {
        if std::mem::take(&mut self.queue.state().is_withheld) {
            self.queue.more.notify_all();
        }
    }

    /// What has been done: at least one result, unless the time comes before, or a signal where a time is given.
    pub fn take(&self, until: Option<Instant>) -> Vec<(usize, R)> {
        let mut state = self.queue.state();
        while state.done.is_empty() {
            let left = until.map_or(POLL_INTERVAL, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || (until.is_some() && self.cancellation.signal().is_some()) {
                break;
            }
            let waited = self.queue.told.wait_timeout(state, left.min(POLL_INTERVAL / 2));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut state.done)
    }
}

impl<W, R> Queue<W, R> {
    /// The next piece; `None` when there will be none.
    fn next(&self, may_begin: &dyn Fn() -> bool) -> Option<(usize, W)> {
        let is_idle = |state: &mut State<W, R>| {
            !state.is_closed && (state.is_withheld || state.work.is_empty() || !may_begin())
        };
        let state = self.more.wait_while(self.state(), is_idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let next = if state.is_closed { None } else { state.work.pop_front() };
        state.busy += usize::from(next.is_some());
        next
    }

    fn put(&self, key: usize, result: R, limits: &Limits<R>) {
        let withholds = (limits.withholds)(&result);
        let mut state = self.state();
        state.is_withheld |= withholds;
        state.done.push((key, result));
        state.busy -= 1;
        let is_last = state.busy == 0 && (state.is_withheld || state.work.is_empty());
        drop(state);
        if !limits.is_ahead || withholds || is_last {
            self.told.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends the threads home.
struct Closing<'a, W, R>(&'a Queue<W, R>);

impl<W, R> Drop for Closing<'_, W, R> {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nothing_is_begun_behind_a_result_that_withholds_until_the_owner_says_so() {
        let limits = Limits { is_ahead: true, withholds: &|i| *i == 0, may_begin: &|| true };
        Pool::run(2, &Cancellation::default(), &limits, &|i: usize| i, |pool| {
            pool.give((0..3).map(|key| (key, 0)));
            let mut seen = pool.take(None).len();
            let left = pool.take_back();
            // The other thread may have been at it.
            while seen + left.len() < 3 {
                seen += pool.take(None).len();
            }
            assert!(!left.is_empty());
            pool.go_on();
            pool.give(left.into_iter().map(|(key, _)| (key, 7)));
            assert_eq!(pool.take(None)[0].1, 7);
        });
    }

    #[test]
    fn what_may_not_be_begun_is_left() {
        let limits = Limits { is_ahead: true, withholds: &|_| false, may_begin: &|| false };
        Pool::run(2, &Cancellation::default(), &limits, &|i: usize| i, |pool| {
            pool.give([(0, 1)]);
            assert!(pool.take(Some(Instant::now() + Duration::from_millis(50))).is_empty());
            assert_eq!(pool.take_back(), [(0, 1)]);
        });
    }
}

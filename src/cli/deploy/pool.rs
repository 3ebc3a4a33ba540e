//! A thread pool for the requests of a batch.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::api::cancellation::{Cancellation, POLL_INTERVAL};

/// Maximum number of threads. More would only wait for each other.
pub const MAX_THREADS: usize = 64;

/// The queue is shrunk only if its capacity is greater than this.
const MIN_SHRUNK: usize = 256;

/// Runs work on threads, or on the caller's thread if there are none, and returns the results to the caller.
pub struct Pool<'a, W, R> {
    work: &'a (dyn Fn(W) -> R + Sync),
    queue: &'a Queue<W, R>,
    has_threads: bool,
    cancellation: &'a Cancellation,
}

/// Work that waits for a thread, and results that wait for the caller.
struct Queue<W, R> {
    state: Mutex<State<W, R>>,
    /// Signaled when there is work. One item wakes one thread; a channel behind a mutex would wake two.
    work_available: Condvar,
    /// Signaled when there are results that the caller must see.
    results_available: Condvar,
}

struct State<W, R> {
    work: VecDeque<(usize, W)>,
    done: Vec<(usize, R)>,
    /// Number of threads that are working.
    busy: usize,
    is_closed: bool,
    /// Whether threads must wait until the caller has seen a result.
    is_paused: bool,
}

/// When threads may start work, and when they wake the caller.
pub struct Limits<'a, R> {
    /// Whether the caller has submitted everything and need not see each result. Waking the caller between two
    /// updates takes as long as an update if the engine uses all processors.
    pub queues_everything: bool,
    /// Whether the caller must see this result before further work is started.
    pub pauses_pool: &'a (dyn Fn(&R) -> bool + Sync),
    /// Whether further work may be started.
    pub may_start: &'a (dyn Fn() -> bool + Sync),
}

impl<W: Send, R: Send> Pool<'_, W, R> {
    /// Runs `body` with a pool of this number of threads. With 0 or 1, the caller's thread does the work.
    pub fn run<T>(
        threads: usize,
        cancellation: &Cancellation,
        limits: &Limits<R>,
        work: &(dyn Fn(W) -> R + Sync),
        body: impl FnOnce(&Pool<W, R>) -> T,
    ) -> T {
        let state =
            State { work: VecDeque::new(), done: Vec::new(), busy: 0, is_closed: false, is_paused: false };
        let queue = &Queue {
            state: Mutex::new(state),
            work_available: Condvar::new(),
            results_available: Condvar::new(),
        };
        let pool = Pool { work, queue, has_threads: threads > 1, cancellation };
        if !pool.has_threads {
            return body(&pool);
        }
        thread::scope(|scope| {
            // Closes the queue even if `body` panics, because the scope waits for the threads.
            let _close = CloseOnDrop(queue);
            for _ in 0..threads.min(MAX_THREADS) {
                scope.spawn(move || {
                    while let Some((key, item)) = queue.next(limits.may_start) {
                        queue.finish(key, work(item), limits);
                    }
                });
            }
            body(&pool)
        })
    }

    /// Submits work. Without threads, the work is done before the method returns.
    pub fn submit(&self, items: impl IntoIterator<Item = (usize, W)>) {
        if !self.has_threads {
            let done: Vec<_> = items.into_iter().map(|(key, item)| (key, (self.work)(item))).collect();
            return self.queue.state().done.extend(done);
        }
        let mut state = self.queue.state();
        let before = state.work.len();
        state.work.extend(items);
        match state.work.len() - before {
            0 => {}
            1 => self.queue.work_available.notify_one(),
            _ => self.queue.work_available.notify_all(),
        }
    }

    /// Removes from the queue the work that has not been started, and returns it.
    pub fn cancel_pending(&self) -> Vec<(usize, W)> {
        self.queue.state().work.drain(..).collect()
    }

    /// Lets the threads continue after a result that paused the pool.
    pub fn resume(&self) {
        if std::mem::take(&mut self.queue.state().is_paused) {
            self.queue.work_available.notify_all();
        }
    }

    /// Waits for results and returns them. With a time, the wait also ends at this time and after a signal, even
    /// if there are no results.
    pub fn wait_for_results(&self, until: Option<Instant>) -> Vec<(usize, R)> {
        let mut state = self.queue.state();
        while state.done.is_empty() {
            let left = until.map_or(POLL_INTERVAL, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || (until.is_some() && self.cancellation.signal().is_some()) {
                break;
            }
            let waited = self.queue.results_available.wait_timeout(state, left.min(POLL_INTERVAL / 2));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut state.done)
    }
}

impl<W, R> Queue<W, R> {
    /// Returns the next item of work; `None` if the pool is closed.
    fn next(&self, may_start: &dyn Fn() -> bool) -> Option<(usize, W)> {
        let is_idle = |state: &mut State<W, R>| {
            !state.is_closed && (state.is_paused || state.work.is_empty() || !may_start())
        };
        let state = self.work_available.wait_while(self.state(), is_idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let next = if state.is_closed { None } else { state.work.pop_front() };
        // Frees the memory of work that has left the queue, because the results need it.
        let (length, capacity) = (state.work.len(), state.work.capacity());
        if capacity > MIN_SHRUNK && length < capacity / 4 {
            state.work.shrink_to(length * 2);
        }
        state.busy += usize::from(next.is_some());
        next
    }

    fn finish(&self, key: usize, result: R, limits: &Limits<R>) {
        let pauses_pool = (limits.pauses_pool)(&result);
        let mut state = self.state();
        state.is_paused |= pauses_pool;
        state.done.push((key, result));
        state.busy -= 1;
        let is_last = state.busy == 0 && (state.is_paused || state.work.is_empty());
        drop(state);
        if !limits.queues_everything || pauses_pool || is_last {
            self.results_available.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queue when it is dropped.
struct CloseOnDrop<'a, W, R>(&'a Queue<W, R>);

impl<W, R> Drop for CloseOnDrop<'_, W, R> {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.work_available.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn starts_nothing_after_a_result_that_pauses_the_pool_until_it_is_resumed() {
        let limits = Limits { queues_everything: true, pauses_pool: &|i| *i == 0, may_start: &|| true };
        Pool::run(2, &Cancellation::default(), &limits, &|i: usize| i, |pool| {
            pool.submit((0..3).map(|key| (key, 0)));
            let mut seen = pool.wait_for_results(None).len();
            let left = pool.cancel_pending();
            // The other thread may have started some of the work.
            while seen + left.len() < 3 {
                seen += pool.wait_for_results(None).len();
            }
            assert!(!left.is_empty());
            pool.resume();
            pool.submit(left.into_iter().map(|(key, _)| (key, 7)));
            assert_eq!(pool.wait_for_results(None)[0].1, 7);
        });
    }

    #[test]
    fn leaves_work_that_may_not_start_in_the_queue() {
        let limits = Limits { queues_everything: true, pauses_pool: &|_| false, may_start: &|| false };
        Pool::run(2, &Cancellation::default(), &limits, &|i: usize| i, |pool| {
            pool.submit([(0, 1)]);
            assert!(pool.wait_for_results(Some(Instant::now() + Duration::from_millis(50))).is_empty());
            assert_eq!(pool.cancel_pending(), [(0, 1)]);
        });
    }
}

//! Threads that work beside the one that watches.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::api::interrupt::{Interrupt, NOTICE};

/// More threads would only wait for each other.
pub const MOST_THREADS: usize = 64;

/// Takes work, has it done beside its owner or, without threads, at once, and hands back what came of it.
pub struct Pool<'a, W, R> {
    work: &'a (dyn Fn(W) -> R + Sync),
    /// `None`: there are no threads.
    queue: Option<&'a Queue<W>>,
    to_owner: Sender<(usize, R)>,
    results: Receiver<(usize, R)>,
    interrupt: &'a Interrupt,
}

/// Work that waits for a thread. Each piece wakes up one of them, where a channel behind a lock would wake up two.
struct Queue<W> {
    waiting: Mutex<Waiting<W>>,
    more: Condvar,
}

struct Waiting<W> {
    work: VecDeque<(usize, W)>,
    is_closed: bool,
    /// Nothing is taken until the owner has seen a result.
    is_withheld: bool,
}

/// When a thread takes no more by itself.
pub struct Limits<'a, R> {
    /// Whether a result has to be seen by the owner before anything else is begun.
    pub withholds: &'a (dyn Fn(&R) -> bool + Sync),
    /// Whether anything may still be begun.
    pub may_begin: &'a (dyn Fn() -> bool + Sync),
}

impl<R> Limits<'_, R> {
    /// All that is given is done.
    pub const NONE: Self = Self { withholds: &|_| false, may_begin: &|| true };
}

impl<W: Send, R: Send> Pool<'_, W, R> {
    /// Runs `own` with a pool of so many threads; with 0 or 1 the work is done by its owner.
    pub fn run<T>(
        threads: usize,
        interrupt: &Interrupt,
        limits: &Limits<R>,
        work: &(dyn Fn(W) -> R + Sync),
        own: impl FnOnce(&Pool<W, R>) -> T,
    ) -> T {
        let (to_owner, results) = mpsc::channel();
        if threads < 2 {
            return own(&Pool { work, queue: None, to_owner, results, interrupt });
        }
        let waiting = Waiting { work: VecDeque::new(), is_closed: false, is_withheld: false };
        let queue = &Queue { waiting: Mutex::new(waiting), more: Condvar::new() };
        thread::scope(|scope| {
            // Also where the owner does not come to its end: the threads are waited for.
            let _closing = Closing(queue);
            for _ in 0..threads.min(MOST_THREADS) {
                let to_owner = to_owner.clone();
                scope.spawn(move || {
                    while let Some((key, item)) = queue.next(limits.may_begin) {
                        let result = work(item);
                        if (limits.withholds)(&result) {
                            queue.waiting().is_withheld = true;
                        }
                        if to_owner.send((key, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            own(&Pool { work, queue: Some(queue), to_owner, results, interrupt })
        })
    }

    /// Has it done.
    pub fn give(&self, key: usize, item: W) {
        match self.queue {
            Some(queue) => queue.push(key, item),
            // Nobody hears of a result when the owner is gone.
            None => _ = self.to_owner.send((key, (self.work)(item))),
        }
    }

    /// What was given and is not begun: nobody begins it now.
    pub fn take_back(&self) -> Vec<(usize, W)> {
        self.queue.map(|queue| queue.waiting().work.drain(..).collect()).unwrap_or_default()
    }

    /// The results are seen that withheld the rest.
    pub fn go_on(&self) {
        if let Some(queue) = self.queue
            && std::mem::take(&mut queue.waiting().is_withheld)
        {
            queue.more.notify_all();
        }
    }

    /// What has been done: at least one result, unless the time comes before, or a signal where a time is given.
    pub fn take(&self, until: Option<Instant>) -> Vec<(usize, R)> {
        let mut done = Vec::new();
        loop {
            let left = until.map_or(NOTICE, |until| until.saturating_duration_since(Instant::now()));
            match self.results.recv_timeout(left.min(NOTICE / 2)) {
                Ok(result) => done.push(result),
                Err(RecvTimeoutError::Timeout)
                    if until.is_none() || (!left.is_zero() && self.interrupt.signal().is_none()) => {}
                Err(_) => break,
            }
            if !done.is_empty() {
                done.extend(self.results.try_iter());
                break;
            }
        }
        done
    }
}

impl<W> Queue<W> {
    fn push(&self, key: usize, item: W) {
        self.waiting().work.push_back((key, item));
        self.more.notify_one();
    }

    /// The next piece; `None` when there will be none.
    fn next(&self, may_begin: &dyn Fn() -> bool) -> Option<(usize, W)> {
        let is_idle = |waiting: &mut Waiting<W>| {
            !waiting.is_closed && (waiting.is_withheld || waiting.work.is_empty() || !may_begin())
        };
        let waiting = self.more.wait_while(self.waiting(), is_idle);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if waiting.is_closed { None } else { waiting.work.pop_front() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends the threads home.
struct Closing<'a, W>(&'a Queue<W>);

impl<W> Drop for Closing<'_, W> {
    fn drop(&mut self) {
        self.0.waiting().is_closed = true;
        self.0.more.notify_all();
    }
}

/// Does `work` on all items, so many at a time; the results are in the order of the items.
pub fn map<W: Send, R: Send>(
    items: Vec<W>,
    threads: usize,
    interrupt: &Interrupt,
    work: impl Fn(W) -> R + Sync,
) -> Vec<R> {
    let count = items.len();
    Pool::run(threads.min(count), interrupt, &Limits::NONE, &work, |pool| {
        let mut results = Vec::with_capacity(count);
        items.into_iter().enumerate().for_each(|(key, item)| pool.give(key, item));
        while results.len() < count {
            results.extend(pool.take(None));
        }
        results.sort_by_key(|(key, _)| *key);
        results.into_iter().map(|(_, result)| result).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_with_and_without_threads() {
        for threads in [0, 1, 3, 100] {
            let results = map((0..50).collect(), threads, &Interrupt::default(), |i: u64| i * 2);
            assert_eq!(results, (0..50).map(|i| i * 2).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn nothing_is_begun_behind_a_result_that_withholds_until_the_owner_says_so() {
        let limits = Limits { withholds: &|i| *i == 0, may_begin: &|| true };
        Pool::run(2, &Interrupt::default(), &limits, &|i: usize| i, |pool| {
            (0..3).for_each(|key| pool.give(key, 0));
            let mut seen = pool.take(None).len();
            let left = pool.take_back();
            // The other thread may have been at it.
            while seen + left.len() < 3 {
                seen += pool.take(None).len();
            }
            assert!(!left.is_empty());
            pool.go_on();
            left.into_iter().for_each(|(key, _)| pool.give(key, 7));
            assert_eq!(pool.take(None)[0].1, 7);
        });
    }

    #[test]
    fn what_may_not_be_begun_is_left() {
        let limits = Limits { withholds: &|_| false, may_begin: &|| false };
        Pool::run(2, &Interrupt::default(), &limits, &|i: usize| i, |pool| {
            pool.give(0, 1);
            assert!(pool.take(Some(Instant::now() + Duration::from_millis(50))).is_empty());
            assert_eq!(pool.take_back(), [(0, 1)]);
        });
    }
}

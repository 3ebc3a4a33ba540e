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
}

impl<W: Send, R: Send> Pool<'_, W, R> {
    /// Runs `own` with a pool of so many threads; with 0 or 1 the work is done by its owner.
    pub fn run<T>(
        threads: usize,
        interrupt: &Interrupt,
        work: &(dyn Fn(W) -> R + Sync),
        own: impl FnOnce(&Pool<W, R>) -> T,
    ) -> T {
        let (to_owner, results) = mpsc::channel();
        if threads < 2 {
            return own(&Pool { work, queue: None, to_owner, results, interrupt });
        }
        let waiting = Waiting { work: VecDeque::new(), is_closed: false };
        let queue = &Queue { waiting: Mutex::new(waiting), more: Condvar::new() };
        thread::scope(|scope| {
            // Also where the owner does not come to its end: the threads are waited for.
            let _closing = Closing(queue);
            for _ in 0..threads.min(MOST_THREADS) {
                let to_owner = to_owner.clone();
                scope.spawn(move || {
                    while let Some((key, item)) = queue.next() {
                        if to_owner.send((key, work(item))).is_err() {
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
    fn next(&self) -> Option<(usize, W)> {
        let is_idle = |waiting: &mut Waiting<W>| waiting.work.is_empty() && !waiting.is_closed;
        let waiting = self.more.wait_while(self.waiting(), is_idle);
        waiting.unwrap_or_else(PoisonError::into_inner).work.pop_front()
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
    Pool::run(threads.min(count), interrupt, &work, |pool| {
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
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_with_and_without_threads() {
        for threads in [0, 1, 3, 100] {
            let results = map((0..50).collect(), threads, &Interrupt::default(), |i: u64| i * 2);
            assert_eq!(results, (0..50).map(|i| i * 2).collect::<Vec<_>>(), "{threads}");
        }
    }
}

//! Runs the same work for many items on several threads.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Calls `work` for every item, on at most `threads` threads including that of the caller. The results are in
/// the order of the items.
pub fn map<T: Send, R: Send>(items: Vec<T>, threads: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let done = try_map(items, threads, |item| Ok::<R, Infallible>(work(item)));
    done.unwrap_or_else(|never| match never {})
}

/// Like [`map`], for work that can fail. After a failure no further item is started.
///
/// # Errors
/// The error of the first failed item, in the order of the items.
pub fn try_map<T: Send, R: Send, E: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let count = items.len();
    let queue = Mutex::new(items.into_iter().enumerate());
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let next = || lock().next();
    let work_through = || {
        let mut results = Vec::new();
        while let Some((index, item)) = next() {
            let result = work(item);
            if result.is_err() {
                lock().by_ref().for_each(drop);
            }
            results.push((index, result));
        }
        results
    };
    let mut results = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(work_through)).collect();
        let mut results = work_through();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Calls `work` for every item, each on its own thread, while `meanwhile` runs on the caller's thread. The
/// results are in the order of the items.
pub fn map_beside<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
    meanwhile: impl FnOnce(),
) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = items.into_iter().map(|item| scope.spawn(move || work(item))).collect();
        meanwhile();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_with_and_without_threads() {
        for threads in [0, 1, 3, 100] {
            let results = map((0..50).collect(), threads, |i: u64| i * 2);
            assert_eq!(results, (0..50).map(|i| i * 2).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn no_item_is_started_after_one_has_failed() {
        for threads in [1, 3] {
            let started = Mutex::new(Vec::new());
            let result = try_map((0..50).collect(), threads, |i: usize| {
                started.lock().unwrap().push(i);
                if i == 0 { Err(i) } else { Ok(i) }
            });
            assert_eq!(result, Err(0), "{threads}");
            if threads == 1 {
                assert_eq!(started.into_inner().unwrap(), [0]);
            }
        }
    }

    #[test]
    fn the_caller_reads_what_the_threads_send() {
        let (to, from) = channel();
        let items: Vec<_> = (0..5).map(|i| (i, to.clone())).collect();
        drop(to);
        let mut sum = 0;
        let results = map_beside(
            items,
            |(i, to)| {
                to.send(i).unwrap();
                i * 2
            },
            || sum = from.iter().sum(),
        );
        assert_eq!((sum, results), (10, vec![0, 2, 4, 6, 8]));
    }
}

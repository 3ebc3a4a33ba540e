//! Which runs are deleted.

use jiff::{SignedDuration, Timestamp};

use super::store::StoredRun;

/// Maximum number of bytes of all runs.
pub const MAX_TOTAL_SIZE: u64 = 16 << 20;
/// A run that has not ended is kept until it has this age, because it may still be in progress.
const MIN_AGE_IF_STARTED: SignedDuration = SignedDuration::from_hours(24);

/// Which runs to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruning {
    /// The number of runs to keep; `None`: all.
    pub keep: Option<u64>,
    /// The maximum age of a run.
    pub older_than: Option<SignedDuration>,
    /// The maximum number of bytes of all runs.
    pub max_size: u64,
    /// The current time.
    pub now: Timestamp,
}

/// The numbers of the runs to delete, the oldest first. Runs that have not ended and are younger than a day are kept,
/// and do not count towards the limits.
pub fn to_delete(runs: &[StoredRun], pruning: &Pruning) -> Vec<u64> {
    // `None` if the label with the time is not valid.
    let age = |run: &StoredRun| Some(pruning.now.duration_since(run.summary.at.parse().ok()?));
    let is_in_progress =
        |run: &&StoredRun| run.summary.is_started() && age(run).is_some_and(|age| age < MIN_AGE_IF_STARTED);
    let mut counted: Vec<&StoredRun> = runs.iter().filter(|run| !is_in_progress(run)).collect();
    counted.sort_by_key(|run| std::cmp::Reverse(run.number));
    let (mut kept, mut size, mut deleted): (u64, u64, _) = (0, 0, Vec::new());
    for run in counted {
        let is_old = match (pruning.older_than, age(run)) {
            (Some(limit), Some(age)) => age > limit,
            _ => false,
        };
        let is_surplus = pruning.keep.is_some_and(|keep| kept >= keep);
        // If a run does not fit, the runs before it are not kept either.
        size = size.saturating_add(run.size());
        if is_old || is_surplus || size > pruning.max_size {
            deleted.push(run.number);
        } else {
            kept += 1;
        }
    }
    deleted.reverse();
    deleted
}

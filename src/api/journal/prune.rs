//! Which runs are deleted.

use jiff::{SignedDuration, Timestamp};

use super::store::StoredRun;

/// Maximum number of bytes of all runs.
pub const MAX_TOTAL_SIZE: u64 = 16 << 20;
/// How long a run that has not ended is kept in any case.
const STARTED_FOR: SignedDuration = SignedDuration::from_hours(24);

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

/// What decides whether a run is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAge {
    /// The number.
    pub number: u64,
    /// When it started, if that is known.
    pub at: Option<Timestamp>,
    /// Whether it has not ended.
    pub is_started: bool,
    /// Its size in bytes.
    pub size: u64,
}

impl RunAge {
    /// The age of a stored run.
    pub fn of_run(run: &StoredRun) -> Self {
        Self {
            number: run.number,
            at: run.summary.at.parse().ok(),
            is_started: run.summary.is_started(),
            size: run.size(),
        }
    }
}

/// The numbers of the runs to delete, the oldest first. A run that has not ended and is younger than a day is kept and not
/// counted.
pub fn to_delete(runs: &[RunAge], pruning: &Pruning) -> Vec<u64> {
    let age = |run: &RunAge| run.at.map(|at| pruning.now.duration_since(at));
    let is_in_progress = |run: &&RunAge| run.is_started && age(run).is_some_and(|age| age < STARTED_FOR);
    let mut counted: Vec<&RunAge> = runs.iter().filter(|run| !is_in_progress(run)).collect();
    counted.sort_by_key(|run| std::cmp::Reverse(run.number));
    let (mut kept, mut size, mut deleted) = (0, 0, Vec::new());
    for run in counted {
        let is_old = match (pruning.older_than, age(run)) {
            (Some(limit), Some(age)) => age > limit,
            _ => false,
        };
        let is_surplus = pruning.keep.is_some_and(|keep| kept >= keep);
        if is_old || is_surplus || size + run.size > pruning.max_size {
            deleted.push(run.number);
        } else {
            kept += 1;
            size += run.size;
        }
    }
    deleted.reverse();
    deleted
}

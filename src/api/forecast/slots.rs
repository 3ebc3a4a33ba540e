//! The slots of a service, with the tasks that an update considers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SpecOrigin, is_global};
use crate::api::resources::tasks::{TaskState, TaskWithSpec};

/// The tasks in one slot, or of a global service on one node.
pub(super) struct ForecastSlot<'a> {
    /// The tasks that an update considers.
    pub tasks: Vec<&'a TaskWithSpec>,
    /// Whether the last task has ended and is not restarted. A rollback fills the slot again, whatever its
    /// spec.
    pub is_over: bool,
}

/// The slots with a desired task, and those whose last task has ended and is not restarted because of its
/// restart policy.
pub(super) fn slots<'a>(
    tasks: &'a [TaskWithSpec],
    spec: &Value,
    origin: SpecOrigin,
) -> BTreeMap<(u64, &'a str), ForecastSlot<'a>> {
    let mut all = BTreeMap::<_, Vec<&TaskWithSpec>>::new();
    for task in tasks.iter().filter(|task| task.desired != TaskState::Remove) {
        let id = if is_global(spec) { (0, task.node.as_str()) } else { (task.slot, "") };
        all.entry(id).or_default().push(task);
    }
    all.into_iter().filter_map(|(id, tasks)| Some((id, slot(tasks, origin)?))).collect()
}

fn slot(tasks: Vec<&TaskWithSpec>, origin: SpecOrigin) -> Option<ForecastSlot<'_>> {
    let newest = tasks.iter().copied().max_by_key(|task| task.since())?;
    let desired: Vec<_> = tasks.into_iter().filter(|task| task.is_desired()).collect();
    if !desired.is_empty() {
        return Some(ForecastSlot { tasks: desired, is_over: false });
    }
    let is_over = origin == SpecOrigin::Rollback;
    (!is_started_again(newest)).then(|| ForecastSlot { tasks: vec![newest], is_over })
}

/// Whether a task that has ended is restarted. If it was not, although its policy has a limit, the limit is
/// reached.
fn is_started_again(task: &TaskWithSpec) -> bool {
    let policy = &task.spec["RestartPolicy"];
    let has_limit = policy["MaxAttempts"].as_u64().is_some_and(|most| most > 0);
    match policy["Condition"].as_str() {
        Some("none") => false,
        Some("on-failure") => task.status.state != TaskState::Complete && !has_limit,
        _ => !has_limit,
    }
}

//! The slots of a service, with the tasks that an update considers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SpecOrigin, is_global};
use crate::api::resources::tasks::{TaskState, TaskWithSpec};

/// The tasks in one slot, or of a global service on one node.
pub(super) struct ForecastSlot<'a> {
    /// The tasks that an update considers.
    pub tasks: Vec<&'a TaskWithSpec>,
    /// Whether a rollback starts a task in this slot even if the slot's last task already has the new spec, because
    /// that task has ended and is not restarted. Always false for other updates.
    pub is_refilled_by_rollback: bool,
}

/// The slot number, or the node for a global service. The other field is 0 or empty.
type SlotId<'a> = (u64, &'a str);

/// The slots with a desired task, and those whose last task has ended and whose restart policy does not start it
/// again.
pub(super) fn slots<'a>(
    tasks: &'a [TaskWithSpec],
    spec: &Value,
    origin: SpecOrigin,
) -> BTreeMap<SlotId<'a>, ForecastSlot<'a>> {
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
        return Some(ForecastSlot { tasks: desired, is_refilled_by_rollback: false });
    }
    let is_refilled_by_rollback = origin == SpecOrigin::Rollback;
    (!is_restarted(newest)).then(|| ForecastSlot { tasks: vec![newest], is_refilled_by_rollback })
}

/// Whether the engine will restart a task that has ended and has no successor yet. If the restart policy limits
/// the attempts, all of them have been used: otherwise the task would have a successor.
fn is_restarted(task: &TaskWithSpec) -> bool {
    let policy = &task.spec["RestartPolicy"];
    let has_limit = policy["MaxAttempts"].as_u64().is_some_and(|most| most > 0);
    match policy["Condition"].as_str() {
        Some("none") => false,
        Some("on-failure") => task.status.state != TaskState::Complete && !has_limit,
        _ => !has_limit,
    }
}

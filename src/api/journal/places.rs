//! Whether the places that a run changed still hold the values of the run, and how to revert them.

use serde_json::{Value, json};

use super::record::RecordedService;
use crate::api::records::held_value::{Holds, holds};
use crate::api::records::plan::{Difference, PlannedEdit};
use crate::api::spec::{Edit, Op, Place, apply_all, is_zero, restart_counter};

/// Whether the changes of a run to one service can be reverted.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    /// They can be reverted with these edits.
    Ready(Vec<Edit>),
    /// There is nothing to revert.
    Done(NothingToRevert),
    /// These places hold neither the value from before the run nor the value that the run set.
    Conflict(Vec<Difference>),
}

/// Why there is nothing to revert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NothingToRevert {
    /// Every place holds the value from before the run.
    AlreadyReverted,
    /// The run only restarted the tasks, which cannot be reverted.
    OnlyRestarted,
}

/// What to do with a place that somebody has changed since the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnThirdValue {
    /// It is a conflict.
    Conflict,
    /// It is overwritten.
    Overwrite,
}

/// What became of the changes of a run to a service. It is found by comparison if no outcome is recorded, or if the
/// recorded outcome is held but the hold has ended. Otherwise it is recorded, and only for services that the run did not
/// change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// The run ended before the update of the service was started.
    NotStarted,
    /// Every place holds the value that the run sets.
    Applied,
    /// Every place holds the value from before the run, or nothing was posted or the engine refused the post.
    NotApplied,
    /// The places hold other values, or only some of them hold the values of the run.
    ChangedSince,
}

impl RunState {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Applied => "applied",
            Self::NotApplied => "not_applied",
            Self::ChangedSince => "changed_since",
        }
    }
}

/// Determines whether the changes of the run to a service, whose spec is `now`, can be reverted.
pub fn judge(run: &RecordedService, now: &Value, on_third: OnThirdValue) -> Judged {
    if run.edits.is_empty() {
        return Judged::Done(NothingToRevert::AlreadyReverted);
    }
    let edits = || run.edits.iter().filter(|edit| !is_counter(edit));
    if edits().next().is_none() {
        return Judged::Done(NothingToRevert::OnlyRestarted);
    }
    let held: Vec<(&PlannedEdit, Holds)> = edits().map(|edit| (edit, holds(edit, now))).collect();
    let third = held.iter().filter(|(_, holds)| *holds == Holds::Third);
    if on_third == OnThirdValue::Conflict {
        let differences: Vec<Difference> = third.map(|(edit, _)| difference(edit, now)).collect();
        if !differences.is_empty() {
            return Judged::Conflict(differences);
        }
    }
    let reverted = held.iter().filter(|(_, holds)| *holds != Holds::From).map(|(edit, _)| *edit);
    let edits = revert(reverted, run, now);
    if edits.is_empty() { Judged::Done(NothingToRevert::AlreadyReverted) } else { Judged::Ready(edits) }
}

/// Compares a service whose spec is `now` with the record of a run that has not ended.
pub fn run_state(run: &RecordedService, now: &Value) -> RunState {
    let all = |wanted: Holds| {
        run.edits.iter().all(|edit| match (is_counter(edit), wanted) {
            // Later restarts may have increased the counter further.
            (true, Holds::To) => count(edit.place().get(now)) >= count(edit.to.as_ref()),
            (true, _) => count(edit.place().get(now)) <= count(edit.from.as_ref()),
            (false, wanted) => holds(edit, now) == wanted,
        })
    };
    if run.edits.is_empty() {
        RunState::ChangedSince
    } else if all(Holds::To) {
        RunState::Applied
    } else if all(Holds::From) {
        RunState::NotApplied
    } else {
        RunState::ChangedSince
    }
}

fn count(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).unwrap_or(0)
}

/// Whether the edit is one of the restart counter, which a revert ignores.
fn is_counter(edit: &PlannedEdit) -> bool {
    *edit.place() == restart_counter()
}

fn difference(edit: &PlannedEdit, now: &Value) -> Difference {
    let now = match edit.place().items_in(now)[..] {
        [] | [_] => edit.place().get(now).cloned(),
        ref items => Some(items.iter().copied().cloned().collect()),
    };
    Difference {
        place: edit.place().clone(),
        planned_from: edit.from.clone(),
        now,
        planned_to: edit.to.clone(),
    }
}

/// The edits that restore the values from before the run, and remove objects and lists that are then empty and did not
/// exist before the run.
fn revert<'a>(edits: impl Iterator<Item = &'a PlannedEdit>, run: &RecordedService, now: &Value) -> Vec<Edit> {
    let mut back = Vec::new();
    for edit in edits {
        let place = edit.place().clone();
        back.push(match &edit.from {
            Some(from) => Edit::set(place, from.clone()),
            None => Edit::remove(place),
        });
    }
    let Ok(Some(before)) = run.parsed_before() else { return back };
    let mut after = now.clone();
    apply_all(&mut after, &back);
    let mut empty: Vec<Edit> = Vec::new();
    for edit in back.iter().filter(|edit| edit.op == Op::Remove) {
        for depth in (1..edit.place.keys().len() + usize::from(edit.place.item_id().is_some())).rev() {
            let parent = ancestor(&edit.place, depth);
            let is_new = parent.get(&before).is_none();
            let left = match parent.get(&after) {
                Some(Value::Object(map)) if map.is_empty() => json!({}),
                Some(Value::Array(items)) if items.is_empty() => json!([]),
                _ => continue,
            };
            if is_new {
                let clear = Edit::clear(parent, left);
                apply_all(&mut after, std::slice::from_ref(&clear));
                empty.push(clear);
            }
        }
    }
    back.extend(empty);
    for policy in ["UpdateConfig", "RollbackConfig"].map(Place::top) {
        let is_of_run = back.iter().any(|edit| edit.place.keys().first() == policy.keys().first());
        if is_of_run
            && policy.get(&before).is_none()
            && let Some(left) = policy.get(&after)
        {
            back.extend(without_policy(policy, left));
        }
    }
    back
}

/// The edit that restores the default policy as far as possible, if the service had no policy before the run and now has the
/// rest `left`. Without `Parallelism`, all tasks would be updated at once; without a policy, they are updated one at a time.
fn without_policy(policy: Place, left: &Value) -> Option<Edit> {
    let is_default = |(key, value): (&String, &Value)| match key.as_str() {
        "FailureAction" => value == "pause",
        "Order" => value == "stop-first",
        _ => is_zero(value),
    };
    if left.as_object().is_some_and(|left| left.iter().all(is_default)) {
        return Some(Edit::clear(policy, left.clone()));
    }
    let parallelism = policy.key("Parallelism");
    left.get("Parallelism").is_none().then(|| Edit::set(parallelism, 1))
}

/// The place that the first `depth` keys of another place lead to.
fn ancestor(place: &Place, depth: usize) -> Place {
    let mut keys = place.keys()[..depth.min(place.keys().len())].iter();
    let top = Place::top(keys.next().map_or("", String::as_str));
    keys.fold(top, |place, key| place.key(key))
}

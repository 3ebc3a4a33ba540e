//! Services that have changed since a plan was made for them.

use super::{Message, value};
use crate::api::records::plan::Difference;

/// How to apply the plan without a service that it cannot be applied to.
pub const SKIP: &str = "leave such services out with `--skip-stale`";
/// What to do if the planned changes cannot be applied to the current spec of the service.
const HINT: &str = "make a new plan, or leave such services out with `--skip-stale`";

/// Explains why a planned change is not made: another writer has changed the service.
pub fn conflict(differences: &[Difference], name: &str) -> Message {
    if differences.is_empty() {
        let cause = format!("other settings of service `{name}` changed since the plan was made");
        let hint = "make a new plan, apply the changes to the current spec with `--rebase`, or leave such services out with \
                    `--skip-stale`";
        return Message::new(cause, Some(hint.to_owned()));
    }
    let differs = differences.iter().map(|Difference { place, planned_from, now, planned_to }| {
        let [from, now, to] = [planned_from, now, planned_to].map(|it| value(it.as_ref()));
        format!("{place}: the plan changes `{from}` to `{to}`, but it is now `{now}`")
    });
    let changed = format!("service `{name}` changed since the plan was made");
    Message { causes: std::iter::once(changed).chain(differs).collect(), hint: Some(HINT.to_owned()) }
}

/// Explains why a planned rollback is not made: the specs of the service have changed.
pub fn rollback_conflict(name: &str) -> Message {
    let cause = format!("the spec or the previous spec of service `{name}` changed since the plan was made");
    Message::new(cause, Some(HINT.to_owned()))
}

/// Explains why a planned change is not made: the service was removed and created again.
pub fn recreated(id: &str, name: &str) -> Message {
    let cause =
        format!("service `{name}` was removed and created again since the plan was made; its ID is now {id}");
    Message::new(cause, Some(HINT.to_owned()))
}

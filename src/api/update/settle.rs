//! What became of a post whose answer was lost, judged from what is read afterwards. Pure.

use serde_json::Value;

use super::outcome::is_new_rollback;
use super::readback::dropped;
use crate::api::services::Service;
use crate::api::spec::Edit;

/// What became of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Not applied. With the same index it may be posted again, the index guards it; else it is edited again.
    NotApplied,
    /// Applied.
    Applied,
    /// Applied, then replaced by another writer.
    Replaced,
    /// Applied, failed and rolled back by the engine.
    RolledBack,
}

/// Judges by `before`, what the post was made from, `now`, what is read, and `sent`, the posted spec.
pub fn settle(before: &Service, now: &Service, edits: &[Edit], sent: &Value) -> Settled {
    let has_all = |spec: &Value| dropped(edits, sent, spec).is_empty();
    if now.version() == before.version() {
        Settled::NotApplied
    } else if has_all(now.spec()) {
        Settled::Applied
    } else if now.previous_spec().is_some_and(has_all) {
        Settled::Replaced
    } else if is_new_rollback(before, now)
        && edits.iter().all(|edit| edit.place.get(before.spec()) == edit.place.get(now.spec()))
    {
        Settled::RolledBack
    } else {
        Settled::NotApplied
    }
}

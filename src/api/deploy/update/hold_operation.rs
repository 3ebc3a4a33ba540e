//! The posts of a held update.

use serde_json::Value;

use crate::api::deploy::steps::{Driver, Hold, HoldPost, HoldStart, PostError, Round};
use crate::api::spec::Edit;

/// What to do with a held update, one that replaces some tasks and then waits: start it, replace more tasks, or end it.
/// [`Self::post`] computes the request from the current spec, again after each read of the service.
#[derive(Clone, Debug)]
pub enum HoldOperation {
    /// The first post: these edits, and the first round.
    Start(Vec<Edit>, HoldStart),
    /// The next round.
    Advance(Hold, Driver, Round),
    /// The replacement of the remaining tasks.
    Release(Hold, Driver, Round),
    /// Like [`Self::Release`], but the edited places may have any values. Only the label is checked.
    ReleaseAsIs(Hold, Driver, Round),
    /// The replacement of the new tasks with old ones.
    Abort(Hold, Driver),
    /// The end: the settings are restored, and the label is removed.
    Finish(Hold),
}

impl HoldOperation {
    /// The post for this spec.
    ///
    /// # Errors
    /// Why the held update cannot be posted.
    pub fn post(&self, spec: &Value) -> Result<HoldPost, PostError> {
        match self {
            Self::Start(edits, start) => Hold::start(spec, edits, start),
            Self::Advance(hold, driver, round) => hold.advance(spec, driver, round),
            Self::Release(hold, driver, round) => hold.release(spec, driver, round),
            Self::ReleaseAsIs(hold, driver, round) => hold.as_is(spec).release(spec, driver, round),
            Self::Abort(hold, driver) => hold.abort(spec, driver),
            Self::Finish(hold) => hold.finish(spec),
        }
    }

    /// The edits to check for conflicting changes of other writers. Only the first post has such edits: all others
    /// compare the edited places with the label.
    pub(super) fn edits_in_conflict(&self) -> &[Edit] {
        match self {
            Self::Start(edits, _) => edits,
            _ => &[],
        }
    }
}

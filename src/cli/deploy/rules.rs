//! The rules of a batch.

use super::rollback_on_failure::OnFailure;
use super::watch::Purpose;

/// The rules of a batch.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The maximum number of services at the same time.
    pub parallel: usize,
    /// The number of services that must converge before the others start.
    pub canary: Option<usize>,
    /// The number of failed services that stops the batch; 0: none does.
    pub max_failures: usize,
    /// The number of services that have failed before the batch starts.
    pub failed_before: usize,
    /// How long to wait for the changes.
    pub follow: Follow,
    /// What to roll back if a rollout fails.
    pub on_failure: OnFailure,
    /// Whether the services are changed or rolled back.
    pub purpose: Purpose,
}

/// How long to wait for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Until the rollouts have ended.
    UntilConverged,
    /// Until the engine has accepted them.
    Once,
    /// Not at all, because nothing is sent.
    Nothing,
}

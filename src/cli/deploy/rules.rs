//! The rules of a batch.

use super::args::EditArgs;
use super::deployment::Deployment;
use super::gates::Gates;
use super::rollback_on_failure::OnFailure;
use super::steps::Steps;
use super::watch::Purpose;

/// The rules of a batch.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The maximum number of services that are updated at the same time.
    pub parallel: usize,
    /// The number of services that must converge before the others start.
    pub canary: Option<usize>,
    /// The number of failed services after which the batch stops. 0: it never stops.
    pub max_failures: usize,
    /// The number of services that have failed before the batch starts.
    pub failed_before: usize,
    /// How long to wait for the changes.
    pub follow: Follow,
    /// What to roll back if a rollout fails.
    pub on_failure: OnFailure,
    /// Whether the services are changed or rolled back.
    pub purpose: Purpose,
    /// The gates that each service must pass after its rollout.
    pub gates: Option<Gates>,
    /// How updates are made in steps, or held updates are continued.
    pub steps: Option<Steps>,
}

/// How long to wait for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Until the rollouts have ended.
    UntilConverged,
    /// Until the engine has accepted the changes.
    Once,
    /// Not at all, because nothing is sent.
    Nothing,
}

impl Deployment<'_> {
    /// Returns the rules of the batch. `failed_before` is the number of services that have failed before it starts.
    pub(super) fn rules(&self, failed_before: usize) -> Rules {
        let is_plan = self.flags.edit.is_some_and(EditArgs::is_dry_run);
        let follow = if is_plan {
            Follow::Nothing
        } else if self.flags.follow.detach {
            Follow::Once
        } else {
            Follow::UntilConverged
        };
        Rules {
            parallel: self.flags.batch.parallel,
            canary: self.flags.batch.canary,
            max_failures: self.flags.batch.max_failures,
            failed_before,
            follow,
            on_failure: self.flags.on_failure,
            purpose: Purpose::Change,
            gates: self.gates.clone(),
            steps: self.steps.clone(),
        }
    }
}

//! The flags of `apply` that decide about changed services, or replace values of the plan.

use clap::Args;

use crate::api::records::plan::{Options, RollbackScope};
use crate::cli::deploy::BatchArgs;
use crate::cli::deploy::args::positive;
use crate::cli::deploy::rollback_on_failure::OnFailure;

/// What to do with services that have changed since the plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStale {
    /// Report a conflict.
    Conflict,
    /// Leave out the service.
    Skip,
    /// Apply the changes to the current spec if possible.
    Rebase,
}

/// Which version indexes of services are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexes {
    /// Any index: only the specs are compared.
    Any,
    /// Only the indexes in the plan.
    Planned,
}

/// What to do with services that have changed since the plan was made.
#[derive(Args, Clone, Copy, Debug)]
pub struct StaleArgs {
    /// Leave out services that are stale, created again, gone or paused
    #[arg(long, conflicts_with = "rebase")]
    skip_stale: bool,
    /// Apply the plan to the current spec if nobody changed the same settings
    ///
    /// Each setting that the plan changes must still have its old value, or already have the new one. A rollback is not
    /// rebased.
    #[arg(long)]
    rebase: bool,
    /// Require that each service still has the version index in the plan
    ///
    /// Every step of a rollout increases the index, so a plan that was made during a rollout becomes stale.
    #[arg(long, conflicts_with = "rebase")]
    same_version: bool,
}

impl StaleArgs {
    /// The choice of `--skip-stale` and `--rebase`.
    pub fn on_stale(self) -> OnStale {
        if self.skip_stale {
            OnStale::Skip
        } else if self.rebase {
            OnStale::Rebase
        } else {
            OnStale::Conflict
        }
    }

    /// The choice of `--same-version`.
    pub fn indexes(self) -> Indexes {
        if self.same_version { Indexes::Planned } else { Indexes::Any }
    }
}

/// How many services at a time; each flag overrides the value in the plan.
#[derive(Args, Debug)]
pub struct BatchOverrides {
    /// Maximum number of services to update at the same time [default: that of the plan]
    #[arg(long, value_name = "N", value_parser = positive)]
    parallel: Option<usize>,
    /// Update N services first, and the rest only if they converge [default: that of the plan]
    #[arg(long, value_name = "N", value_parser = positive)]
    canary: Option<usize>,
    /// Stop after N services have failed (0: never stop) [default: that of the plan]
    #[arg(long, value_name = "N")]
    max_failures: Option<usize>,
}

impl BatchOverrides {
    /// The values of the flags, or the values in the plan for flags that are not given. The plan's canary services are
    /// ignored with `--detach`, which does not wait.
    pub fn or(&self, options: &Options, is_detached: IsDetached) -> BatchArgs {
        let planned_canary = options.canary.filter(|_| is_detached == IsDetached::No);
        BatchArgs {
            parallel: self.parallel.unwrap_or(options.parallel),
            canary: self.canary.or(planned_canary),
            max_failures: self.max_failures.unwrap_or(options.max_failures),
        }
    }
}

/// Whether the command exits without waiting for the rollouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsDetached {
    /// The command waits.
    No,
    /// The command does not wait.
    Yes,
}

/// What is rolled back after a failure: the value of the flag. If it is not given, the value in the plan, or nothing with
/// `--detach`.
pub fn on_failure(given: Option<OnFailure>, options: &Options, is_detached: IsDetached) -> OnFailure {
    match (given, options.rollback_on_failure) {
        (Some(given), _) => given,
        (None, Some(_)) if is_detached == IsDetached::Yes => OnFailure::Keep,
        (None, Some(RollbackScope::One)) => OnFailure::RollBackOne,
        (None, Some(RollbackScope::All)) => OnFailure::RollBackAll,
        (None, None) => OnFailure::Keep,
    }
}

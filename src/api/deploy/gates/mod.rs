//! Gates: checks that an update must pass after its rollout has converged.

pub mod probe;
pub mod verdict;

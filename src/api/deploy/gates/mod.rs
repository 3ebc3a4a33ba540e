//! Gates: checks that an update must pass after its rollout, or a step of it, has converged.

pub mod probe;
pub mod verdict;

//! The Docker Engine's services API, thin and blocking.
//!
//! Nothing here prints, reads the environment or knows the command line; see ARCHITECTURE.md for who may
//! import whom. `spec`, `rollout`, `image` and `endpoint` are pure.

pub mod spec;

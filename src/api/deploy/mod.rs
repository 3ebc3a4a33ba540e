//! Changes of services: update, create, remove, and why a rollout failed.

pub mod create;
pub mod failures;
pub mod remove;
pub mod update;

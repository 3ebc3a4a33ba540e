//! Changes of services: update, create, remove, steps, gates, and why a rollout failed.

pub mod create;
pub mod failures;
pub mod gates;
pub mod remove;
pub mod steps;
pub mod update;

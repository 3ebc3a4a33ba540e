//! Changes of services: update, create, remove, why a rollout failed, and gates.

pub mod create;
pub mod failures;
pub mod gates;
pub mod remove;
pub mod steps;
pub mod update;

//! swarmctl with a real engine that has its own swarm: what a user sees.
//!
//! `scripts/test` starts one engine for all of these tests and passes it in `SWARMCTL_TEST_SOCKET`. Without the
//! variable, the tests start one themselves (`scripts/engine`, as root), which ends with them.

mod api_version;
mod around;
mod batch;
mod concurrent;
mod context;
mod create;
mod cuts;
mod endpoints;
mod engine;
mod failover;
mod fake;
mod forecast;
mod format;
mod gates;
mod held;
mod history;
mod images;
mod kills;
mod lint;
mod lint_nodes;
mod loops;
mod machine;
mod managers;
mod newest;
pub mod packages;
mod plan;
mod registry;
mod resolve;
mod rollout;
mod selection;
mod ssh;
mod status;
mod steps;
mod steps_elections;
mod steps_facts;
mod transcripts;
pub mod update;
mod update_image;
mod writers;

//! Helpers of the tests: scripted engines, a fake swarm, and a way to run swarmctl.

pub mod certificates;
pub mod client;
pub mod endless;
pub mod engine;
pub mod exit;
pub mod fake_registry;
pub mod fake_swarm;
pub mod faults;
pub mod figures;
pub mod fixtures;
pub mod helper;
pub mod message;
pub mod normal;
pub mod programs;
pub mod relay;
pub mod run;
pub mod schema;
pub mod screen;
pub mod secrets;
pub mod server;
pub mod system;
pub mod terminal;
pub mod tty;
pub mod unprivileged;

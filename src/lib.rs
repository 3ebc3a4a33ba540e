//! Update Docker Swarm services, and change nothing that was not requested.
//!
//! The program is [`main`]; [`api`] is the library below it, without command line and output. There is no promise of
//! stability before version 1.0.

pub mod api;
mod cli;
mod output;

pub use cli::main;

//! Tests without an engine that need more than Rust, git and bash: other shells, docker's client, Debian's package
//! tools and root. They are skipped together with the tests on engines (`--skip swarm::`), and run once, for all
//! engines.

mod deb;
mod plugin;
mod shells;

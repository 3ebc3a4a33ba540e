//! What needs no engine, but more of the machine than Rust, git and bash: other shells, docker's client, Debian's package tools and root.
//! It is skipped with the tests on engines (`--skip swarm::`), and runs once, whatever engines there are.

mod deb;
mod plugin;
mod shells;

//! swarmctl changes what a Docker Swarm service runs, and nothing else about it.

mod api;
mod output;

fn main() {}

//! swarmctl changes what a Docker Swarm service runs, and nothing else about it.

mod api;
mod cli;
mod output;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::main(std::env::args_os()))
}

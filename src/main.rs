//! The `swarmctl` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(swarmctl::main(std::env::args_os()))
}

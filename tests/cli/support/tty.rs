//! Runs swarmctl in a terminal.

use std::process::Command;

use super::run::{Swarmctl, swarmctl_by};

/// Runs swarmctl in a terminal of this size. The program `script` creates the terminal, and copies its output to
/// stdout.
pub fn on_terminal(width: u16, height: u16, command: &str) -> Swarmctl {
    on_terminal_by("exec", width, height, command)
}

/// Like [`on_terminal`], with text before swarmctl in the command line, such as another command.
pub fn on_terminal_by(by: &str, width: u16, height: u16, command: &str) -> Swarmctl {
    let program = env!("CARGO_BIN_EXE_swarmctl");
    let line = format!("stty cols {width} rows {height}; {by} '{program}' {command}");
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    swarmctl_by(script).env("TERM", "xterm").env("SHELL", "/bin/sh")
}

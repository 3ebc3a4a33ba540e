//! docker's client, which swarmctl is compared with.

use std::process::Command;

use super::programs;

/// The major version of docker's client. Debian 12 has version 20, for which some comparisons differ.
pub fn major_version() -> u32 {
    let run = Command::new(programs::docker()).arg("--version").output();
    let run = run.expect("docker's client can be started");
    let text = String::from_utf8(run.stdout).expect("docker writes UTF-8");
    let major = text.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok());
    major.expect("docker prints its version")
}

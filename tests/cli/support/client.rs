//! docker's own client, the peer.

use std::process::Command;

use super::programs;

/// Its major version. That of Debian 12 is 20, which some of the comparisons have to allow for.
pub fn major_version() -> u32 {
    let run = Command::new(programs::docker()).arg("--version").output();
    let run = run.expect("docker's client can be started");
    let text = String::from_utf8(run.stdout).expect("docker writes UTF-8");
    let major = text.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok());
    major.expect("docker tells its version")
}

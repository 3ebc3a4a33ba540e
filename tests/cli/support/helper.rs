//! Credential helpers for tests.

use std::path::Path;
use std::process::Command;

/// Makes `docker-credential-NAME` of this script of a shell. It is written by another process: were it open for writing
/// here when another test starts a program, that would inherit it, and a file that is written to cannot be run.
pub fn install(folder: &Path, name: &str, script: &str) {
    let file = folder.join(format!("docker-credential-{name}"));
    let write = "printf '%s\\n' '#!/bin/sh' \"$2\" >\"$1\" && chmod 755 \"$1\"";
    let status = Command::new("sh").args(["-c", write, "sh"]).arg(file).arg(script).status();
    assert!(status.expect("a shell can be started").success());
}

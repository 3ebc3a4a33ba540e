//! Credential helpers.

use std::path::Path;
use std::process::Command;

/// Installs a shell script as `docker-credential-NAME`. A child process writes the file. If this process wrote it, a
/// program that another test starts at the same time could inherit the open file, and the script could not be executed.
pub fn install(directory: &Path, name: &str, script: &str) {
    let file = directory.join(format!("docker-credential-{name}"));
    let write = "printf '%s\\n' '#!/bin/sh' \"$2\" >\"$1\" && chmod 755 \"$1\"";
    let status = Command::new("sh").args(["-c", write, "sh"]).arg(file).arg(script).status();
    assert!(status.expect("a shell can be started").success());
}

//! Packages that tests need, installed by scripts/lib.sh.

use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::support::server::lock;

/// Installs the missing packages for this area (`ssh`, `shells`, ...); if that fails, the test fails with the reason.
#[track_caller]
pub fn install(area: &str) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = lock(&ONE_AT_A_TIME);
    let script = format!("set -euo pipefail; . scripts/lib.sh; need_packages {area}");
    let mut command = Command::new("bash");
    let output = command
        .args(["-c", &script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .expect("bash can be started");
    let reason = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "what a test needs for {area} cannot be installed: {reason}");
}

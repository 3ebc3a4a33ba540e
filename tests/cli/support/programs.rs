//! Programs of a Debian release that is unpacked but not installed (`scripts/engine programs`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The directory with `docker`, `docker-registry` and a static `busybox`. `SWARMCTL_TEST_RELEASE` selects the
/// release.
pub fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/engine");
        let mut command = Command::new(script);
        // The script prints to the stderr of the tests, so that a failure shows the reason.
        let output = command.arg("programs").stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.expect("scripts/engine can be started");
        assert!(output.status.success(), "`scripts/engine programs` failed: {}", output.status);
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    })
}

/// docker's client: the installed one, otherwise that of the release.
pub fn docker() -> &'static Path {
    static DOCKER: OnceLock<PathBuf> = OnceLock::new();
    DOCKER.get_or_init(|| {
        let directories = std::env::var_os("PATH").unwrap_or_default();
        let installed = std::env::split_paths(&directories).map(|directory| directory.join("docker"));
        installed.into_iter().find(|file| file.is_file()).unwrap_or_else(|| directory().join("docker"))
    })
}

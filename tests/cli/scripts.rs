//! The command lines of scripts/: invalid ones exit with 2, and `--help` only prints.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs a script with a minimal environment: only programs of the base system, no home directory and no cache.
fn run(script: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(script);
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent");
    command.env("SWARMCTL_ENGINE_CACHE", "/nonexistent/cache").stdin(Stdio::null());
    command.output().expect("the script can be started")
}

fn scripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files =
        fs::read_dir(root.join("scripts")).expect("a directory").map(|entry| entry.expect("an entry").path());
    let is_executable = |file: &PathBuf| {
        file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o100 != 0)
    };
    let mut scripts: Vec<PathBuf> = files.filter(is_executable).collect();
    scripts.push(root.join(".ci/run"));
    assert!(scripts.len() > 8, "{scripts:?}");
    scripts
}

#[test]
fn help_prints_the_usage_and_does_nothing_else() {
    for script in scripts() {
        for help in ["--help", "-h"] {
            let output = run(&script, &[help]);
            assert_eq!(output.status.code(), Some(0), "{script:?}: {output:?}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.starts_with("usage: scripts/"), "{script:?}: {text}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{script:?}");
        }
    }
}

#[test]
fn an_unknown_argument_is_a_usage_error() {
    for script in scripts() {
        for args in [&["--no-such-option"][..], &["no-such-command", "x", "y"]] {
            // `scripts/record` accepts one word as a file name, so the unknown command is followed by more words.
            let output = run(&script, args);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{script:?} {args:?}: {text}");
            assert!(text.starts_with("error: ") && text.contains("\nusage: scripts/"), "{script:?}: {text}");
        }
    }
}

#[test]
fn invalid_values_are_usage_errors() {
    let cases: [(&str, &[&str]); 11] = [
        ("test", &["--engine"]),
        ("test", &["--engine", "nosuch"]),
        ("test", &["--engine="]),
        ("test", &["swarm::"]),
        ("demo", &["x"]),
        ("engine", &["run", "--no-swarm"]),
        ("engine", &["run", "/nonexistent/e", "--release", "nosuch"]),
        ("engine", &["install", "--release"]),
        ("managers", &["kill", "/nonexistent/m", "4"]),
        ("bench", &["12x"]),
        ("reliability", &["kills", "1", "2"]),
    ];
    for (name, args) in cases {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name);
        let output = run(&script, args);
        assert_eq!(output.status.code(), Some(2), "{name} {args:?}: {output:?}");
    }
}

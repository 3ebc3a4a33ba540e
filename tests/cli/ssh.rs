//! ssh, replaced by a script in PATH: its arguments, the end of its processes, and the messages if it fails.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::exit::Exit;
use crate::support::fixtures::NEW;
use crate::support::run::{Swarmctl, swarmctl};

/// A directory with a program `ssh` that records its arguments and its process ID, then runs a script.
struct StandIn {
    directory: TempDir,
}

impl StandIn {
    fn new(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ssh");
        let notes = "echo \"$$ $*\" >>\"${0%/*}/started\"; [ -t 0 ] && echo terminal >>\"${0%/*}/started\"";
        fs::write(&file, format!("#!/bin/sh\n{notes}\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        Self { directory }
    }

    fn swarmctl(&self, args: &[&str]) -> Swarmctl {
        let path = format!("{}:/usr/bin:/bin", self.directory.path().display());
        swarmctl(args.iter().copied()).env("PATH", &path)
    }

    /// The process ID and the arguments of each `ssh` that was started.
    fn started(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.directory.path().join("started")).unwrap_or_default();
        let line = |line: &str| line.split_once(' ').map(|(id, args)| (id.to_owned(), args.to_owned()));
        text.lines().map(|text| line(text).unwrap_or_else(|| panic!("{text}"))).collect()
    }

    fn all_have_ended(&self) {
        for (id, _) in self.started() {
            assert!(!PathBuf::from(format!("/proc/{id}")).exists(), "ssh {id} is still there");
        }
    }
}

const HOST: &str = "ssh://me@manager1:2222/run/docker.sock";

#[test]
fn ssh_is_started_as_docker_does_and_its_message_is_shown() {
    for (script, whys) in [
        (
            "printf 'Host key verification failed.\\r\\nno \\033[31mway\\n' >&2; exit 255",
            &[
                "ssh cannot connect to `manager1`: Host key verification failed.",
                "`ssh -p 2222 me@manager1 docker -H unix:///run/docker.sock version`",
            ][..],
        ),
        ("exit 255", &["ssh cannot connect to `manager1`"]),
        (
            "echo 'sh: 1: docker: not found' >&2; exit 127",
            &["`docker` was not found in the PATH of `manager1`: sh: 1:"],
        ),
        (
            "echo 'permission denied' >&2; exit 1",
            &["`docker system dial-stdio` on `manager1` ended with exit code 1: permission denied"],
        ),
        ("exit 0", &["exited without a message"]),
        ("kill -9 $$", &["ssh was ended by a signal"]),
        (
            "echo 'Welcome to manager1'; exec sleep 60",
            &["is not an engine", "Welcome to manager1", ".bashrc"],
        ),
        ("exec head -c 100000 /dev/zero", &["is not an engine"]),
        ("exec yes", &["is not an engine"]),
    ] {
        let ssh = StandIn::new(script);
        let run = ssh.swarmctl(&["-H", HOST, "ls"]).run().fails_with(Exit::Unreachable).tells_an_error();
        assert!(run.took < Duration::from_secs(4), "{}", run.report());
        run.says(whys).never_says(&["\u{1b}"]);
        let started = ssh.started();
        assert_eq!(started.len(), 1, "it is not tried again: {started:?}");
        let args = "-l me -p 2222 -o ConnectTimeout=30 -T -- manager1 docker \
                    --host=unix:///run/docker.sock system dial-stdio";
        assert_eq!(started[0].1, args);
        ssh.all_have_ended();
    }
}

#[test]
fn an_ssh_process_that_hangs_ends_with_the_command() {
    let ssh = StandIn::new("exec sleep 60");
    let post = ["-H", "ssh://manager1", "update-image", "--timeout", "1s", "t001", NEW];
    let run = ssh.swarmctl(&post).run().fails_with(Exit::Unreachable).tells_an_error();
    assert!(run.took < Duration::from_secs(3), "{}", run.report());
    run.says(&["ssh did not reach an engine on `manager1` within 1 s"]);
    ssh.all_have_ended();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let ssh = StandIn::new("exec sleep 60");
        let mut running = ssh.swarmctl(&["-H", "ssh://manager1", "ls"]).spawn();
        let begun = Instant::now();
        while ssh.started().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(10));
            thread::sleep(Duration::from_millis(5));
        }
        running.signal(signal);
        let run = running.wait().exits(code);
        assert!(run.took < Duration::from_secs(3), "{}", run.report());
        ssh.all_have_ended();
    }
}

#[test]
fn reports_that_ssh_is_missing() {
    let run = swarmctl(["-H", HOST, "ls"])
        .env("PATH", "/nonexistent")
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    run.says(&["`ssh` was not found in PATH"]);
}

#[test]
fn nothing_is_started_for_a_host_that_would_be_an_option_or_a_command() {
    let ssh = StandIn::new("exit 1");
    for host in [
        "ssh://-oProxyCommand=x",
        "ssh://-l@x",
        "ssh://%2doX@h",
        "ssh://a;b",
        "ssh://$(x)@h",
        "ssh://h/a%0ab",
    ] {
        ssh.swarmctl(&["-H", host, "ls"]).run().fails_with(Exit::Usage).tells_an_error();
    }
    assert!(ssh.started().is_empty());
}

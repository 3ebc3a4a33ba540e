//! `help` and `version`.

use std::process::Command;

use serde_json::json;

use crate::plan::any_plan;
use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::run::{swarmctl, swarmctl_by};
use crate::support::server::Answer;
use crate::support::system;

#[test]
fn help_prints_the_same_as_the_flag_help() {
    for path in ["", "ls", "update", "create", "auth refresh", "context show", "help", "list", "remove"] {
        let words: Vec<&str> = path.split_whitespace().collect();
        let help = swarmctl([&["help"], &words[..]].concat()).run().succeeds();
        let flag = swarmctl([&words[..], &["--help"]].concat()).run().succeeds();
        assert_eq!((&help.stdout, help.stderr.as_str()), (&flag.stdout, ""), "{path}");
        assert!(help.stdout.contains("Usage: swarmctl"), "{path}");
    }
}

#[test]
fn help_of_an_unknown_command_is_a_usage_error() {
    for (words, says) in [
        ("help updat", "'update'"),
        ("help auth refres", "'refresh'"),
        ("help ls web", "`ls` has no subcommand `web`"),
        ("help create nginx", "`create` has no subcommand `nginx`"),
    ] {
        let run = swarmctl(words.split(' ')).run().fails_with(Exit::Usage);
        assert_eq!(run.says(&[says]).stdout, "", "{words}");
    }
}

/// The command lines of an Examples block.
fn examples(help: &str) -> Vec<&str> {
    let (_, block) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples in {help}"));
    let lines = block.lines().take_while(|line| line.starts_with("  "));
    lines.map(str::trim).filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn every_example_is_understood() {
    let config = tempfile::tempdir().unwrap();
    std::fs::write(config.path().join("plan.json"), any_plan()).unwrap();
    let root = swarmctl(["--help"]).run().succeeds().stdout;
    let commands = root.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands =
        commands.take_while(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next());
    let mut count = 0;
    for command in commands.map(str::to_owned).chain(
        ["auth refresh", "context show", "journal export", "journal prune", "plugin uninstall"]
            .map(str::to_owned),
    ) {
        let help = swarmctl(["help"].into_iter().chain(command.split(' '))).run().succeeds().stdout;
        for line in examples(&help) {
            // The engine in the example does not exist, and `source` lines are for a shell.
            if line.contains(" -H ") || line.starts_with("source ") {
                continue;
            }
            let swarm = FakeSwarm::start();
            let words = line.split('\'').enumerate().flat_map(|(i, part)| {
                let is_quoted = i % 2 == 1;
                if is_quoted { vec![part] } else { part.split_whitespace().collect() }
            });
            let run = swarmctl(words.skip(1))
                .host(swarm.host())
                .env("DOCKER_CONFIG", config.path().to_str().unwrap())
                .env("SWARMCTL_JOURNAL", "swarm");
            let run = run.current_dir(config.path()).run();
            assert_ne!(run.code, Some(2), "{line}\n{}", run.report());
            count += 1;
        }
    }
    assert!(count > 40, "{count} examples");
}

#[test]
fn flags_of_create_and_update_are_in_groups() {
    const GROUPS: [&str; 11] = [
        "Image",
        "Container environment",
        "Ports",
        "Networks",
        "Mounts",
        "Secrets and configs",
        "Resources",
        "Placement",
        "Health",
        "Update and rollback",
        "Output",
    ];
    for command in ["create", "update"] {
        for flag in ["-h", "--help"] {
            let help = swarmctl([command, flag]).run().succeeds().stdout;
            let headings: Vec<&str> = help.lines().filter_map(|line| line.strip_suffix(':')).collect();
            let at: Vec<_> = GROUPS
                .map(|group| headings.iter().position(|heading| *heading == group))
                .into_iter()
                .collect();
            assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{command} {flag}: {headings:?}");
        }
    }
}

#[test]
fn version_prints_the_client_and_the_engine() {
    let engine =
        Engine::ordered([get("/v1.41/version").answers(Answer::json(200, system::version().to_string()))]);
    let run = swarmctl(["version"]).host(engine.host()).run().succeeds();
    let run = run.prints(&[
        "Client:\n",
        &format!("  Version:       {}\n", env!("CARGO_PKG_VERSION")),
        "Engine:\n",
        "  Version:       20.10.24\n",
        "  API version:   1.41 (minimum 1.12)\n",
    ]);
    assert_eq!(run.stderr, "");
    let swarm = FakeSwarm::without_swarm();
    let shown = swarmctl(["version", "--json"]).host(swarm.host()).run().succeeds().json();
    assert_eq!(shown["client"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(shown["client"]["api_version"], "1.41");
    assert_eq!(shown["engine"]["version"], "20.10.24");
    assert_eq!(shown["engine"]["endpoint"], swarm.host().as_str());
    assert_eq!(shown["error"], json!(null));
}

#[test]
fn version_without_an_engine_prints_the_client_and_exits_8() {
    let nowhere = "unix:///nonexistent/docker.sock";
    let run = swarmctl(["version"]).host(nowhere).run().fails_with(Exit::Unreachable);
    let run =
        run.says(&["error: cannot get the version of the engine", "cannot connect to the engine", "hint: "]);
    let run = run.prints(&["Client:\n", env!("CARGO_PKG_VERSION")]);
    assert!(!run.stdout.contains("Engine"), "{}", run.report());
    let shown = swarmctl(["version", "--json"]).host(nowhere).run().fails_with(Exit::Unreachable).json();
    assert_eq!(shown["client"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(shown["engine"], json!(null));
    assert!(shown["error"].as_str().unwrap().contains("No such file"), "{shown}");
    // If no engine can be selected, the client's version is still printed, and the exit code is that of the error.
    let run = swarmctl(["version"]).host("ftp://x").run().fails_with(Exit::Usage);
    run.prints(&["Client:\n"]);
}

/// Only Linux has /dev/full.
#[cfg(target_os = "linux")]
#[test]
fn help_and_versions_that_cannot_be_written_are_an_error() {
    for words in [
        "help",
        "help create",
        "--help",
        "create --help",
        "--version",
        "-D --version",
        "version",
        "completion bash",
    ] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$@\" >/dev/full", "sh", env!("CARGO_BIN_EXE_swarmctl")]);
        shell.args(words.split(' '));
        swarmctl_by(shell)
            .run()
            .fails_with(Exit::Failed)
            .says(&["error: cannot write to stdout: No space left"]);
        swarmctl(words.split(' ')).run_into_closed_pipe().never_says(&["cannot write"]);
    }
}

//! Each flag of `create` and `update` is in a command line that the tests on real engines run with docker too.

use crate::support::run::swarmctl;
use crate::swarm::update::lines::{
    CONTAINERS, DIFFERENT, Line, MODES_AND_POLICIES, NETWORKS_SECRETS_AND_CONFIGS, PORTS,
    RESOURCES_AND_PLACEMENT, words,
};

/// Flags that are not compared: this engine or its docker client does not know them, or no service shows them.
const NOT_COMPARED: &[&str] = &[
    "health-start-interval",
    "memory-swap",
    "memory-swappiness",
    "seccomp",
    "apparmor",
    "no-new-privileges",
    "open-stdin",
    "detach",
    "progress",
    "quiet",
    "no-resolve-image",
    "resolve-image",
    "on-resolve-error",
    "unpin",
    "with-registry-auth",
    "name",
    "env-file",
    "spec",
    "force-spec",
    "resume",
    "allow-field-loss",
    "if-version",
    "filter",
    "stack",
    "all",
    "parallel",
    "canary",
    "max-failures",
    "dry-run",
    "plan",
    "steps",
    "hold",
    "bake",
    "confirm",
    "gate",
    "gate-url",
    "gate-every",
    "gate-count",
    "gate-failures",
    "journal",
    "exit-code",
    "any-repository",
    "rollback-on-failure",
    "strict",
    "timeout",
    "json",
    "help",
];

#[test]
fn every_flag_of_create_and_update_is_compared() {
    let lines: Vec<&Line> =
        [PORTS, NETWORKS_SECRETS_AND_CONFIGS, MODES_AND_POLICIES, CONTAINERS, RESOURCES_AND_PLACEMENT]
            .into_iter()
            .flatten()
            .chain(DIFFERENT.iter().map(|(line, _)| line))
            .collect();
    for command in ["create", "update"] {
        let help = swarmctl([command, "--help"]).run().succeeds().stdout;
        let flags: Vec<(Option<&str>, &str)> = help
            .lines()
            .filter_map(|line| {
                let (short, rest) =
                    line.trim_start().strip_prefix('-').map(|line| match line.split_once(", --") {
                        Some((short, rest)) if short.len() == 1 => (Some(short), rest),
                        _ => (None, line.trim_start_matches('-')),
                    })?;
                Some((short, rest.split([' ', '[', '=']).next()?))
            })
            // Lines such as `- auto: ...` describe values of flags.
            .filter(|(_, long)| !long.is_empty())
            .collect();
        assert!(flags.len() > 70, "{flags:?}");
        let missing: Vec<_> = flags
            .iter()
            .filter(|(short, long)| {
                let is_there = |text: &str| {
                    words(text).iter().any(|word| {
                        word.split('=').next() == Some(&format!("--{long}"))
                            || short.is_some_and(|short| word == &format!("-{short}"))
                    })
                };
                let of = |line: &Line| if command == "create" { line.0 } else { line.1 };
                !NOT_COMPARED.contains(long) && !lines.iter().any(|line| is_there(of(line)))
            })
            .collect();
        assert!(
            missing.is_empty(),
            "{command}: add {missing:?} to a line of tests/cli/swarm/update/lines.rs or, if docker has no such flag, to \
             NOT_COMPARED"
        );
    }
}

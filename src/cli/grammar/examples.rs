//! The examples in the help of each command, and in its man page.

use clap::Command;

/// The examples of one command.
pub struct Examples {
    /// The words that name the command, empty for the program.
    pub command: &'static str,
    /// What each example does, and its command line.
    pub lines: &'static [(&'static str, &'static str)],
}

/// The examples of all commands.
pub const EXAMPLES: &[Examples] = &[
    Examples {
        command: "",
        lines: &[
            (
                "Deploy a new image and wait until the service has converged",
                "swarmctl update-image web shop/web:1.8",
            ),
            ("See what a command would change", "swarmctl restart --stack shop --dry-run"),
            ("Use another engine", "swarmctl -H ssh://me@manager1 ls"),
            ("Show the help of a command", "swarmctl help update-image"),
        ],
    },
    Examples {
        command: "apply",
        lines: &[
            ("Make exactly the changes of a plan", "swarmctl apply plan.json"),
            ("Check whether a plan can still be applied", "swarmctl apply plan.json --dry-run"),
        ],
    },
    Examples {
        command: "auth",
        lines: &[(
            "Store new registry credentials with the services of a stack",
            "swarmctl auth refresh --stack shop",
        )],
    },
    Examples {
        command: "auth refresh",
        lines: &[
            ("Store the credentials of `docker login` with a service", "swarmctl auth refresh web"),
            ("See which services would get new credentials", "swarmctl auth refresh --all --dry-run"),
        ],
    },
    Examples {
        command: "completion",
        lines: &[("Use completion in this bash session", "source <(swarmctl completion bash)")],
    },
    Examples {
        command: "context",
        lines: &[("Show which engine is used, and why", "swarmctl context show")],
    },
    Examples { command: "context ls", lines: &[("List the contexts as JSON", "swarmctl context ls --json")] },
    Examples {
        command: "context show",
        lines: &[
            ("Show which engine is used, and why", "swarmctl context show"),
            ("Check another engine", "swarmctl context show -H tcp://10.0.0.5:2376 --timeout 5s"),
        ],
    },
    Examples {
        command: "continue",
        lines: &[
            ("Take the remaining steps of a held update", "swarmctl continue web"),
            (
                "Replace tasks until half are new, check them, and hold again",
                "swarmctl continue web --hold 50% --gate ./smoke-test",
            ),
            ("Roll out what others have set meanwhile", "swarmctl continue web --as-is"),
        ],
    },
    Examples {
        command: "create",
        lines: &[
            (
                "Create a service with two tasks and a published port",
                "swarmctl create --name web --replicas 2 --publish 8080:80 shop/web:1.8",
            ),
            (
                "Create it only if it can run",
                "swarmctl create --name web --strict --network backend shop/web:1.8",
            ),
            ("Create a service that runs a command", "swarmctl create --name tick alpine:3.20 sleep 1d"),
        ],
    },
    Examples {
        command: "help",
        lines: &[
            ("Show the help of a command", "swarmctl help update"),
            ("Show the help of a subcommand", "swarmctl help auth refresh"),
        ],
    },
    Examples {
        command: "history",
        lines: &[
            ("List the recorded runs", "swarmctl history"),
            ("Show what one run changed", "swarmctl history --run 124 --diff"),
            ("Show what the engine remembers of a service", "swarmctl history --engine web"),
        ],
    },
    Examples {
        command: "images",
        lines: &[
            ("Print the images of a stack as lines of a lock file", "swarmctl images --stack shop"),
            (
                "Print the images only if all are pinned and all services have converged",
                "swarmctl images --stack shop --pinned --converged",
            ),
        ],
    },
    Examples {
        command: "inspect",
        lines: &[
            ("Show a summary", "swarmctl inspect --pretty web"),
            ("Print one field", "swarmctl inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' web"),
            ("Print the services of a stack", "swarmctl inspect --stack shop"),
        ],
    },
    Examples { command: "journal", lines: &[("Record runs in this swarm", "swarmctl journal enable")] },
    Examples {
        command: "journal disable",
        lines: &[("Stop recording, and delete the recorded runs", "swarmctl journal disable --purge")],
    },
    Examples {
        command: "journal enable",
        lines: &[("Record runs, and keep the newest 100", "swarmctl journal enable --keep 100")],
    },
    Examples {
        command: "journal export",
        lines: &[("Write the records of all runs to a file", "swarmctl journal export runs.jsonl")],
    },
    Examples {
        command: "journal prune",
        lines: &[("Delete runs that are older than 30 days", "swarmctl journal prune --older-than 30d")],
    },
    Examples {
        command: "lint",
        lines: &[
            ("Check all services", "swarmctl lint"),
            (
                "Fail in a pipeline if a service has an error",
                "swarmctl lint --stack shop --level error --exit-code",
            ),
        ],
    },
    Examples {
        command: "logs",
        lines: &[
            (
                "Show the last 100 lines of a service, and follow its log",
                "swarmctl logs --tail 100 --follow web",
            ),
            ("Show the last hour of a stack", "swarmctl logs --since 1h --stack shop"),
        ],
    },
    Examples {
        command: "ls",
        lines: &[
            ("List the services of a stack", "swarmctl ls --stack shop"),
            ("List the services that run an image", "swarmctl ls --filter image=shop/web"),
            ("Print names only", "swarmctl ls --format '{{.Name}}'"),
        ],
    },
    Examples {
        command: "outdated",
        lines: &[
            ("Show which services do not run the digest that their tag has now", "swarmctl outdated"),
            ("List newer minor versions too", "swarmctl outdated --newest minor --stack shop"),
        ],
    },
    Examples { command: "plugin", lines: &[("Make `docker swarmctl` available", "swarmctl plugin install")] },
    Examples {
        command: "plugin install",
        lines: &[("Make `docker swarmctl` available", "swarmctl plugin install")],
    },
    Examples {
        command: "plugin uninstall",
        lines: &[("Remove `docker swarmctl`", "swarmctl plugin uninstall")],
    },
    Examples {
        command: "ps",
        lines: &[
            ("List the tasks of a service", "swarmctl ps web"),
            (
                "List the running tasks on a node",
                "swarmctl ps --all --filter node=worker1 --filter desired-state=running",
            ),
        ],
    },
    Examples {
        command: "restart",
        lines: &[
            ("Restart the tasks of a service, and wait for them", "swarmctl restart web"),
            ("Restart a stack, one service first", "swarmctl restart --stack shop --canary 1"),
            (
                "Require that a URL responds afterwards",
                "swarmctl restart web --gate-url https://web.example.com/health",
            ),
        ],
    },
    Examples {
        command: "rm",
        lines: &[
            ("Remove a service, and wait until its tasks have ended", "swarmctl rm --wait web"),
            ("Remove the services of a stack", "swarmctl rm --stack shop --yes"),
        ],
    },
    Examples {
        command: "rollback",
        lines: &[
            ("Roll back to the previous spec", "swarmctl rollback web"),
            ("See what a rollback would change", "swarmctl rollback web --dry-run"),
        ],
    },
    Examples {
        command: "scale",
        lines: &[
            ("Set the number of replicas of two services", "swarmctl scale web=5 worker=2"),
            ("Set the number of replicas of all services of a stack", "swarmctl scale --stack shop 2"),
        ],
    },
    Examples {
        command: "status",
        lines: &[
            ("Show whether a service has converged", "swarmctl status web"),
            ("Show the status of a stack as JSON", "swarmctl status --stack shop --json"),
        ],
    },
    Examples {
        command: "tags",
        lines: &[
            ("List the tags of a service's image", "swarmctl tags web"),
            ("Show which tag a policy selects", "swarmctl tags --newest minor web"),
        ],
    },
    Examples {
        command: "undo",
        lines: &[
            ("Revert what a run changed, in all of its services", "swarmctl undo 124"),
            ("See what would be reverted in one service", "swarmctl undo 124 web --dry-run"),
        ],
    },
    Examples {
        command: "update",
        lines: &[
            ("Change an environment variable", "swarmctl update --env-add LEVEL=debug web"),
            (
                "Limit the memory of all services of a stack",
                "swarmctl update --limit-memory 512m --stack shop",
            ),
            ("Roll back if the rollout fails", "swarmctl update --replicas 3 --rollback-on-failure web"),
        ],
    },
    Examples {
        command: "update-image",
        lines: &[
            (
                "Deploy an image, and wait until the service has converged",
                "swarmctl update-image web shop/web:1.8",
            ),
            (
                "Deploy two images, and roll back both if one fails",
                "swarmctl update-image web=shop/web:1.8 api=shop/api:1.8 --rollback-on-failure=all",
            ),
            ("Set the tag of all services of a stack", "swarmctl update-image --tag 1.8 --stack shop"),
            (
                "Roll back if a test of your own fails after the rollout",
                "swarmctl update-image web shop/web:1.8 --gate ./smoke-test --rollback-on-failure",
            ),
        ],
    },
    Examples {
        command: "version",
        lines: &[
            ("Show the versions of swarmctl and of the engine", "swarmctl version"),
            ("Print the versions as JSON", "swarmctl version --json"),
        ],
    },
    Examples {
        command: "wait",
        lines: &[
            ("Wait until a service has converged", "swarmctl wait web"),
            ("Wait for a stack, at most 5 minutes", "swarmctl wait --stack shop --timeout 5m"),
        ],
    },
];

/// Returns the examples of the command that these words name.
pub fn find(path: &str) -> &'static [(&'static str, &'static str)] {
    EXAMPLES.iter().find(|examples| examples.command == path).map_or(&[], |examples| examples.lines)
}

/// Adds the examples to the help of a command and its subcommands. `path` are the words that name the command.
pub fn add(command: Command, path: &str) -> Command {
    let nested: Vec<String> = command.get_subcommands().map(|nested| nested.get_name().to_owned()).collect();
    let command = nested.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |nested| add(nested, &path))
    });
    let help = format!("{}\n\nGlobal flags such as -H are listed by `swarmctl --help`.", section(path));
    match command.get_after_long_help().cloned() {
        None => command.after_help(help),
        Some(own) => {
            let long_help = format!("{own}\n\n{help}");
            command.after_help(help).after_long_help(long_help)
        }
    }
}

/// Removes the examples from the help of a command, for man pages, which have them in a section of their own.
#[cfg(test)]
pub fn without(command: Command, path: &str) -> Command {
    use clap::builder::{Resettable, StyledStr};
    let own = command.get_after_long_help().map(ToString::to_string);
    let own = own.and_then(|text| Some(text.split_once(&section(path))?.0.trim_end().to_owned()));
    let own = Resettable::from(own.map(StyledStr::from));
    command.after_help(None::<&str>).after_long_help(own)
}

/// Adds the examples to the help of the program, but not to that of its commands.
pub fn add_to_root(root: Command) -> Command {
    root.after_help(section(""))
}

fn section(path: &str) -> String {
    let lines: Vec<String> = find(path).iter().map(|(what, line)| format!("  # {what}\n  {line}")).collect();
    format!("Examples:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::plugin::Caller;

    fn check(command: &Command, path: &str) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.starts_with("Examples:\n  # "), "add examples of `{path}` to EXAMPLES");
        for (what, line) in find(path) {
            assert!(help.contains(&format!("  # {what}\n  {line}")), "{path}: {line}");
            assert!(what.chars().next().is_some_and(char::is_uppercase) && !what.ends_with('.'), "{what}");
            assert!(line.contains("swarmctl ") && line.len() <= 96, "{line}");
            let words = format!("swarmctl {path}");
            assert!(path.is_empty() || line.contains(words.trim_end()), "{line} is not one of `{path}`");
        }
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            check(below, format!("{path} {}", below.get_name()).trim_start());
        }
    }

    #[test]
    fn every_command_has_examples_of_its_own() {
        let mut root = crate::cli::root_with_examples(Caller::User);
        root.build();
        check(&root, "");
    }
}

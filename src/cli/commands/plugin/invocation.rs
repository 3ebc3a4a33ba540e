//! How docker's client invokes its plugins.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Command;
use serde_json::json;

use super::global_flags::{count_hosts, first_word};
use super::{LINK, NAME, PROGRAM};

/// The subcommand with which docker's client requests metadata.
pub const METADATA: &str = "docker-cli-plugin-metadata";

/// Returns the metadata that docker's client shows in its help.
pub fn metadata(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    json!({
        // Clients before 28.4.1 accept no other version.
        "SchemaVersion": "0.1.0",
        "Vendor": PROGRAM,
        "Version": concat!("v", env!("CARGO_PKG_VERSION")),
        "ShortDescription": about,
    })
    .to_string()
}

/// Who started the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Caller {
    /// The user.
    #[default]
    User,
    /// Docker's client, which runs the program as a plugin.
    DockerCli,
}

impl Caller {
    /// Returns the words with which the user calls the program, for messages.
    pub fn program_name(self) -> &'static str {
        match self {
            Self::User => PROGRAM,
            Self::DockerCli => NAME,
        }
    }
}

/// How the program was invoked.
pub struct Invocation {
    /// Who started the program.
    pub caller: Caller,
    /// The command line as if the program had been invoked directly.
    pub words: Vec<OsString>,
    /// The number of hosts that docker's client was given. They are the first ones in `words`.
    pub client_hosts: usize,
}

impl Invocation {
    /// Parses a command line. docker's client invokes `docker-swarmctl [DOCKER'S FLAGS] swarmctl ...`,
    /// `docker-swarmctl help swarmctl ...` and `docker-swarmctl __complete swarmctl ...`; the word `swarmctl`
    /// is removed.
    pub fn read(root: &Command, mut words: Vec<OsString>) -> Self {
        let name = words.first().and_then(|word| Path::new(word).file_name());
        if name != Some(OsStr::new(LINK)) {
            return Self { caller: Caller::User, words, client_hosts: 0 };
        }
        words[0] = PROGRAM.into();
        let at = first_word(root, &words);
        let is_own = |at: usize| words.get(at).is_some_and(|word| word == PROGRAM);
        let is = |name: &str| words.get(at).is_some_and(|word| word == name);
        if is("help") && is_own(at + 1) {
            words.drain(at..at + 2);
            words.push("--help".into());
        } else if crate::cli::complete::NAMES.into_iter().any(is) && is_own(at + 1) {
            words.remove(at + 1);
        } else if is_own(at) {
            words.remove(at);
        }
        let client_hosts = count_hosts(root, &words[..at.min(words.len())]);
        Self { caller: Caller::DockerCli, words, client_hosts }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn dockers_command_words_are_replaced() {
        for (words, ours) in [
            ("docker-swarmctl swarmctl ls", "swarmctl ls"),
            (
                "/x/cli-plugins/docker-swarmctl -H unix:///x -D swarmctl ps web",
                "swarmctl -H unix:///x -D ps web",
            ),
            (
                "docker-swarmctl --host=unix:///x --config /y swarmctl",
                "swarmctl --host=unix:///x --config /y",
            ),
            ("docker-swarmctl --config swarmctl swarmctl ls", "swarmctl --config swarmctl ls"),
            (
                "docker-swarmctl -Hunix:///x swarmctl inspect swarmctl",
                "swarmctl -Hunix:///x inspect swarmctl",
            ),
            (
                "docker-swarmctl --tls --tlsverify -c swarmctl -l info swarmctl ls",
                "swarmctl --tls --tlsverify -c swarmctl -l info ls",
            ),
            ("docker-swarmctl help swarmctl", "swarmctl --help"),
            ("docker-swarmctl help swarmctl update", "swarmctl update --help"),
            ("docker-swarmctl __complete swarmctl ps w", "swarmctl __complete ps w"),
            ("docker-swarmctl ls", "swarmctl ls"),
            ("docker-swarmctl", "swarmctl"),
            ("swarmctl swarmctl ls", "swarmctl swarmctl ls"),
            ("/usr/bin/swarmctl ls", "/usr/bin/swarmctl ls"),
        ] {
            let given: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            let called = Invocation::read(&Cli::command(), given);
            assert_eq!(called.words, ours.split(' ').map(OsString::from).collect::<Vec<_>>(), "{words}");
            let caller = if words.contains(LINK) { Caller::DockerCli } else { Caller::User };
            assert_eq!(called.caller, caller);
        }
    }

    #[test]
    fn the_hosts_of_dockers_client_are_counted() {
        for (words, count) in [
            ("docker-swarmctl swarmctl -H a ls", 0),
            ("docker-swarmctl -H a -D swarmctl -H b ls", 1),
            ("docker-swarmctl -Ha --config -H swarmctl ls", 1),
            ("docker-swarmctl --host a --host=b swarmctl ls", 2),
            ("swarmctl -H a swarmctl ls", 0),
        ] {
            let given: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            assert_eq!(Invocation::read(&Cli::command(), given).client_hosts, count, "{words}");
        }
    }
}

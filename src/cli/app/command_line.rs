//! The command line as it was typed, for hints that repeat it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use super::described::describe_command;
use crate::cli::commands::plugin::{Caller, first_word};
use crate::cli::messages::shell;

/// Maximum length of a command line that a hint repeats.
const MAX_LEN: usize = 4000;

/// The words of the command line, split at the subcommand.
#[derive(Debug, Default)]
pub struct CommandLine {
    caller: Caller,
    before: Vec<OsString>,
    command: OsString,
    after: Vec<OsString>,
    /// The command in the form that the journal records.
    described: String,
}

impl CommandLine {
    /// Splits the words at the subcommand. The first word is the program's name.
    pub fn new(caller: Caller, root: &clap::Command, words: &[OsString]) -> Self {
        let at = first_word(root, words);
        let mut words = words.iter().cloned();
        let before = words.by_ref().take(at).skip(1).collect();
        let command = words.next().unwrap_or_default();
        let after: Vec<OsString> = words.collect();
        let described = command.to_str().and_then(|name| {
            let texts: Vec<String> = after.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            Some(describe_command(root, root.find_subcommand(name)?, &texts))
        });
        Self { caller, before, command, after, described: described.unwrap_or_default() }
    }

    /// Who started the program.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The subcommand, as it was typed. Empty if there is none.
    pub fn subcommand(&self) -> &str {
        self.command.to_str().unwrap_or_default()
    }

    /// The command with its services and images, without values that may be secret.
    pub fn described(&self) -> &str {
        &self.described
    }

    /// Returns the command line with an additional flag after the subcommand, quoted for a shell. A `--dry-run` is left
    /// out, because hints are about commands that do something. `None` if there is no subcommand or the line is too long.
    pub fn with_flag(&self, flag: &str) -> Option<String> {
        let flag = OsString::from(flag);
        let words = self.before.iter().chain([&self.command, &flag]).chain(&self.after);
        let words = words.filter(|word| *word != "--dry-run");
        let quoted: Vec<String> = words.map(|word| shell::argument(word.as_bytes()).into_owned()).collect();
        let line = format!("swarmctl {}", quoted.join(" "));
        (!self.command.is_empty() && line.len() <= MAX_LEN).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_flag_follows_the_subcommand_and_every_word_is_quoted() {
        for (words, expected) in [
            (&["swarmctl", "restart", "web"][..], "swarmctl restart --resume web"),
            (&["swarmctl", "restart", "--dry-run", "web"], "swarmctl restart --resume web"),
            (
                &["/usr/bin/swarmctl", "-H", "unix:///x", "-D", "update", "--env-rm", "OK", "web"],
                "swarmctl -H unix:///x -D update --resume --env-rm OK web",
            ),
            (
                &["swarmctl", "--context", "update", "update", "--env-add", "A=b c", "--", "web"],
                "swarmctl --context update update --resume --env-add 'A=b c' -- web",
            ),
            (&["swarmctl", "scale", "web=3", "$(reboot)=1"], "swarmctl scale --resume web=3 '$(reboot)=1'"),
        ] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(
                CommandLine::new(Caller::User, &Cli::command(), &words).with_flag("--resume").as_deref(),
                Some(expected)
            );
        }
        assert_eq!(CommandLine::default().with_flag("--resume"), None);
    }
}

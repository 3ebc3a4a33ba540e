//! What the words before the cursor make of the one that it is on.

use clap::{Arg, ArgAction, Command};

use crate::cli::grammar::takes_next;

/// A command line up to the cursor.
pub struct Line<'a> {
    /// The command that it is for, as far as it has come.
    pub command: &'a Command,
    /// What may stand at the cursor.
    pub wanted: Wanted<'a>,
    /// What stands there already; candidates begin with it.
    pub prefix: &'a str,
    /// Flags before the subcommand and their values.
    pub globals: Vec<&'a str>,
    /// The flags of the command that are given, by their IDs.
    pub flags: Vec<&'a str>,
    /// The words of the command that are no flags.
    pub words: Vec<&'a str>,
}

/// What may stand at the cursor.
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    /// A subcommand.
    Commands,
    /// A flag.
    Flags,
    /// The value of a flag.
    Value(&'a Arg),
    /// A word that is no flag.
    Word(&'a Arg),
    /// A command that the service runs.
    Files,
    /// Nothing that this program knows.
    Nothing,
}

impl<'a> Line<'a> {
    /// Reads the words, the program's name left out.
    pub fn read(root: &'a Command, before: &'a [String], cursor: &'a str) -> Self {
        let mut line = Self {
            command: root,
            wanted: Wanted::Nothing,
            prefix: cursor,
            globals: Vec::new(),
            flags: Vec::new(),
            words: Vec::new(),
        };
        let mut pending = None;
        let mut only_words = false;
        for word in before {
            if line.is_at_root(root) {
                line.globals.push(word);
            }
            if pending.take().is_some() {
                continue;
            }
            if line.is_beyond_image() {
                line.words.push(word);
            } else if word == "--" && !only_words {
                only_words = true;
            } else if is_flag(word) && !only_words {
                match line.flag(word) {
                    Some((arg, has_value)) => {
                        line.flags.push(arg.get_id().as_str());
                        pending = (takes_next(arg) && !has_value).then_some(arg);
                    }
                    // A line that is wrong has no end that is right.
                    None => return line,
                }
            } else if let Some(command) = line.command.find_subcommand(word) {
                if line.is_at_root(root) {
                    line.globals.pop();
                }
                line.command = command;
                line.flags.clear();
            } else if line.command.has_subcommands() && !line.command.is_allow_external_subcommands_set() {
                return line;
            } else {
                line.words.push(word);
            }
        }
        line.wanted = match pending {
            Some(arg) => Wanted::Value(arg),
            None => line.at_cursor(cursor, only_words),
        };
        line
    }

    fn at_cursor(&mut self, cursor: &'a str, only_words: bool) -> Wanted<'a> {
        let command = self.command;
        if self.is_beyond_image() {
            return Wanted::Files;
        }
        if is_flag(cursor) && !only_words {
            return match (cursor.split_once('='), self.flag(cursor)) {
                (Some((_, value)), Some((arg, _))) => {
                    self.prefix = value;
                    Wanted::Value(arg)
                }
                (Some(_), None) => Wanted::Nothing,
                _ => Wanted::Flags,
            };
        }
        if command.has_subcommands() {
            return Wanted::Commands;
        }
        let positionals: Vec<&Arg> = command.get_positionals().collect();
        match positionals.get(self.words.len()).or(positionals.last()) {
            Some(arg) if self.words.len() < positionals.len() || takes_many(arg) => Wanted::Word(arg),
            _ => Wanted::Nothing,
        }
    }

    fn is_at_root(&self, root: &Command) -> bool {
        std::ptr::eq(self.command, root)
    }

    /// Behind create's IMAGE everything is the command.
    fn is_beyond_image(&self) -> bool {
        self.command.is_allow_external_subcommands_set() && !self.words.is_empty()
    }

    /// The flag of this word, and whether its value is in the word too; of short flags that stand together the last.
    fn flag(&self, word: &str) -> Option<(&'a Arg, bool)> {
        let args = || self.command.get_arguments();
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let is_named =
                |arg: &&Arg| arg.get_long_and_visible_aliases().is_some_and(|names| names.contains(&name));
            return args().find(is_named).map(|arg| (arg, value.is_some()));
        }
        let mut last = None;
        let mut rest = word.strip_prefix('-')?.chars();
        while let Some(short) = rest.next() {
            if short == '=' {
                return last.map(|arg| (arg, true));
            }
            let arg = args().find(|arg| arg.get_short() == Some(short))?;
            if takes_next(arg) {
                return Some((arg, !rest.as_str().is_empty()));
            }
            last = Some(arg);
        }
        last.map(|arg| (arg, false))
    }
}

fn is_flag(word: &str) -> bool {
    word.starts_with('-')
}

fn takes_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
        || arg.get_num_args().is_some_and(|count| count.max_values() > 1)
}

//! Reads an incomplete command line to find out what is expected at the cursor.

use clap::{Arg, ArgAction, Command};

use crate::cli::grammar::{globals, value_is_next_word};

/// A command line up to the cursor.
pub struct PartialLine<'a> {
    /// The program.
    pub root: &'a Command,
    /// The innermost command so far.
    pub command: &'a Command,
    /// What is expected at the cursor.
    pub expected: Expected<'a>,
    /// The text at the cursor, which candidates must begin with.
    pub prefix: &'a str,
    /// Global flags before or after the subcommand, and their values.
    pub globals: Vec<&'a str>,
    /// The IDs of the flags that were given to the command.
    pub flags: Vec<&'a str>,
    /// The positional arguments of the command.
    pub words: Vec<&'a str>,
}

/// What is expected at the cursor.
#[derive(Clone, Copy)]
pub enum Expected<'a> {
    /// A subcommand.
    Commands,
    /// A flag.
    Flags,
    /// The value of a flag.
    Value(&'a Arg),
    /// A positional argument.
    Word(&'a Arg),
    /// A word of the command that the containers of the service run.
    Files,
    /// Nothing that can be completed.
    Nothing,
}

impl<'a> PartialLine<'a> {
    /// Reads the words before the cursor, without the program's name, and the word at the cursor.
    pub fn read(root: &'a Command, before: &'a [String], cursor: &'a str) -> Self {
        let mut line = Self {
            root,
            command: root,
            expected: Expected::Nothing,
            prefix: cursor,
            globals: Vec::new(),
            flags: Vec::new(),
            words: Vec::new(),
        };
        let mut pending = None;
        // Whether the pending value belongs to a global flag after the subcommand.
        let mut is_global = false;
        let mut only_words = false;
        for word in before {
            if line.is_at_root(root) || std::mem::take(&mut is_global) {
                line.globals.push(word);
            }
            if pending.take().is_some() {
                continue;
            }
            if line.is_container_command() {
                line.words.push(word);
            } else if word == "--" && !only_words {
                only_words = true;
            } else if is_flag(word) && !only_words {
                let Some((arg, has_value)) = line.flag(word).or_else(|| line.global_flag(word)) else {
                    // Nothing can be completed after an error.
                    return line;
                };
                line.flags.push(arg.get_id().as_str());
                pending = (value_is_next_word(arg) && !has_value).then_some(arg);
                if !line.is_at_root(root) && line.flag(word).is_none() {
                    line.globals.push(word);
                    is_global = pending.is_some();
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
        line.expected = match pending {
            Some(arg) => Expected::Value(arg),
            None if line.is_container_command() => Expected::Files,
            None if is_flag(cursor) && !only_words => line.expected_flag(cursor),
            None => line.expected_word(),
        };
        line
    }

    /// Returns what is expected at a cursor in a word that begins with `-`. After `=`, it is the value of the flag.
    fn expected_flag(&mut self, cursor: &'a str) -> Expected<'a> {
        match (cursor.split_once('='), self.flag(cursor).or_else(|| self.global_flag(cursor))) {
            (Some((_, value)), Some((arg, _))) => {
                self.prefix = value;
                Expected::Value(arg)
            }
            (Some(_), None) => Expected::Nothing,
            _ => Expected::Flags,
        }
    }

    fn expected_word(&self) -> Expected<'a> {
        if self.command.has_subcommands() {
            return Expected::Commands;
        }
        let positionals: Vec<&Arg> = self.command.get_positionals().collect();
        match positionals.get(self.words.len()).or(positionals.last()) {
            Some(arg) if self.words.len() < positionals.len() || takes_many(arg) => Expected::Word(arg),
            _ => Expected::Nothing,
        }
    }

    fn is_at_root(&self, root: &Command) -> bool {
        std::ptr::eq(self.command, root)
    }

    /// Whether the next word is part of the container's command: after the IMAGE of `create`, all words are.
    fn is_container_command(&self) -> bool {
        self.command.is_allow_external_subcommands_set() && !self.words.is_empty()
    }

    /// Returns the global flag in a word after the subcommand, and whether its value is in the word too.
    fn global_flag(&self, word: &str) -> Option<(&'a Arg, bool)> {
        globals::global_flag(self.root, self.command, word)
    }

    /// Returns the flag in a word, and whether its value is in the word too. For combined short flags, it returns the
    /// last one.
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
            if value_is_next_word(arg) {
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

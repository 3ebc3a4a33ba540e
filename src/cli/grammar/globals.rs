//! Global flags after the subcommand.
//!
//! The parser accepts global flags only before the subcommand. If it refuses a command line, these flags are moved
//! before the subcommand, and the line is parsed again. A line that is accepted at first costs nothing more.

use std::ffi::OsString;

use clap::{Arg, Command};

use super::value_is_next_word;

/// A word that begins with `-`. If it combines short flags, some may belong to the command and others to the program:
/// `-qD`.
#[derive(Default)]
struct Word {
    /// The flags of the command, or unknown ones. Empty if there are none.
    own: String,
    /// The global flags. Empty if there are none.
    global: String,
    /// The owner of the flag whose value is the next word.
    next: Option<Owner>,
}

/// Whether a flag belongs to the command or to the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Command,
    Program,
}

/// Moves global flags that follow the subcommand (the word at `at`) before it. `None` if there are no such flags. The
/// subcommands of `root` need not be built yet: the one that is used is built here.
pub fn moved_to_front(root: &Command, words: &[OsString], at: usize) -> Option<Vec<OsString>> {
    let mut command = root.find_subcommand(words.get(at)?)?.clone();
    command.build();
    let mut command = &command;
    let (mut front, mut rest) = (words[..at].to_vec(), vec![words[at].clone()]);
    let mut left = words[at + 1..].iter();
    while let Some(word) = left.next() {
        let flag = word.to_str().filter(|text| text.len() > 1 && text.starts_with('-') && *text != "--");
        if let Some(flag) = flag {
            let Word { own, global, next } = read(root, command, flag);
            for (part, words) in [(own, &mut rest), (global, &mut front)] {
                words.extend(Some(part).filter(|part| !part.is_empty()).map(OsString::from));
            }
            match next {
                Some(Owner::Command) => rest.extend(left.next().cloned()),
                Some(Owner::Program) => match left.next() {
                    Some(value) => front.push(value.clone()),
                    // The value is missing. The subcommand is left out, because it would become the value.
                    None => return Some(front),
                },
                None => {}
            }
            continue;
        }
        rest.push(word.clone());
        // After the image of `create`, nothing is a flag.
        if word == "--" || command.is_allow_external_subcommands_set() {
            break;
        }
        command = command.find_subcommand(word).unwrap_or(command);
    }
    rest.extend(left.cloned());
    (front.len() > at).then(|| [front, rest].concat())
}

/// Returns the global flag that a word after `command` names, and whether its value is in the word too. `None` if the
/// word is a flag of the command, or if the command uses the name for something else.
pub fn global_flag<'a>(root: &'a Command, command: &Command, word: &str) -> Option<(&'a Arg, bool)> {
    let (arg, has_value) = if let Some(long) = word.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or_default();
        (global(root, |arg| has_long(arg, name))?, long.contains('='))
    } else {
        let mut letters = word.strip_prefix('-')?.chars();
        let short = letters.next()?;
        (global(root, |arg| arg.get_short() == Some(short))?, !letters.as_str().is_empty())
    };
    (!is_used_by(command, arg)).then_some((arg, has_value))
}

/// Returns the global flag that a word names, if `command` uses its short or long name for something else.
pub fn reserved<'a>(root: &'a Command, command: &Command, word: &str) -> Option<&'a Arg> {
    let name = word.split('=').next().unwrap_or_default();
    let arg = global(root, |arg| match name.strip_prefix("--") {
        Some(long) => has_long(arg, long),
        None => name.chars().nth(1).is_some_and(|short| arg.get_short() == Some(short)),
    })?;
    is_used_by(command, arg).then_some(arg)
}

fn read(root: &Command, command: &Command, word: &str) -> Word {
    let Some(long) = word.strip_prefix("--") else { return read_letters(root, command, word) };
    let (name, has_value) = long.split_once('=').map_or((long, false), |(name, _)| (name, true));
    let takes_next = |arg: &Arg| value_is_next_word(arg) && !has_value;
    let own = command.get_arguments().find(|arg| has_long(arg, name));
    match own.map_or_else(|| global_flag(root, command, word), |_| None) {
        Some((arg, _)) => Word {
            global: word.to_owned(),
            next: takes_next(arg).then_some(Owner::Program),
            ..Word::default()
        },
        None => Word {
            own: word.to_owned(),
            next: own.is_some_and(takes_next).then_some(Owner::Command),
            ..Word::default()
        },
    }
}

/// Reads short flags, which may be combined.
fn read_letters(root: &Command, command: &Command, word: &str) -> Word {
    let mut read = Word::default();
    let letters = &word[1..];
    for (at, letter) in letters.char_indices() {
        let (end, after) = (&letters[at..], &letters[at + letter.len_utf8()..]);
        let own = command.get_arguments().find(|arg| arg.get_short() == Some(letter));
        let global = own.map_or_else(|| global_flag(root, command, &format!("-{letter}")), |_| None);
        let (to, owner) = match global {
            Some(_) => (&mut read.global, Owner::Program),
            None => (&mut read.own, Owner::Command),
        };
        if to.is_empty() {
            to.push('-');
        }
        let takes_value = own.or(global.map(|(arg, _)| arg)).is_some_and(value_is_next_word);
        if takes_value || after.starts_with('=') {
            to.push_str(end);
            read.next = (takes_value && after.is_empty()).then_some(owner);
            break;
        }
        to.push(letter);
    }
    read
}

fn global(root: &Command, is_meant: impl Fn(&Arg) -> bool) -> Option<&Arg> {
    root.get_arguments().find(|arg| !["help", "version"].contains(&arg.get_id().as_str()) && is_meant(arg))
}

fn has_long(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
}

/// Whether the command has a flag with the long or the short name of a global flag, or with `-add` after the long name.
fn is_used_by(command: &Command, global: &Arg) -> bool {
    command.get_arguments().any(|own| {
        let own_long = own.get_long().map(|long| long.strip_suffix("-add").unwrap_or(long));
        let is_long = own_long.is_some() && own_long == global.get_long();
        is_long || (own.get_short().is_some() && own.get_short() == global.get_short())
    })
}

//! The global flags in front of the subcommand, read before the command line is parsed.

use std::ffi::OsString;

use clap::Command;

use crate::cli::grammar::value_is_next_word;

/// Returns the index of the first word that is neither a global flag nor its value.
pub fn first_word(root: &Command, words: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(count) = words.get(at).and_then(|word| flag_len(root, word)) {
        at += count;
    }
    at
}

/// Returns how many of the global flags in front of the first other word are hosts.
pub fn count_hosts(root: &Command, words: &[OsString]) -> usize {
    let (mut at, mut count) = (1, 0);
    while let Some((word, len)) = words.get(at).and_then(|word| Some((word, flag_len(root, word)?))) {
        let word = word.to_string_lossy();
        count += usize::from(word == "--host" || word.starts_with("--host=") || word.starts_with("-H"));
        at += len;
    }
    count
}

/// Returns the number of words of a global flag: 2 if its value is the next word; `None` if the word is not a flag.
fn flag_len(root: &Command, word: &OsString) -> Option<usize> {
    let word = word.to_str().filter(|word| word.starts_with('-'))?;
    let has_value = root.get_arguments().any(|arg| {
        let is_long = arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long));
        let is_short =
            arg.get_short().is_some_and(|short| word.strip_prefix('-') == Some(short.to_string().as_str()));
        value_is_next_word(arg) && (is_long || is_short)
    });
    Some(1 + usize::from(has_value))
}

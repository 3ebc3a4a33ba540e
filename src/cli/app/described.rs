//! Describes a command for the journal: services, images and the values of a few flags.

use clap::{Arg, Command};

/// Flags whose values are recorded: services, tags and numbers. Of all other flags, only the name is recorded, because
/// values may be secret.
const SHOWN: [&str; 8] = ["stack", "filter", "tag", "newest", "canary", "steps", "name", "to"];
/// Maximum number of characters of a description.
const MAX_LEN: usize = 4_000;

/// Describes a command: its name, the words that are not flags, and the flags. `command` is the parser of the
/// command, and `words` are the words after the command's name.
pub fn describe_command(root: &Command, command: &Command, words: &[String]) -> String {
    let mut shown = vec![command.get_name().to_owned()];
    let mut rest = words.iter();
    let is_create = command.get_name() == "create";
    while let Some(word) = rest.next() {
        if word == "--" {
            let services = rest.by_ref().take(if is_create { 1 } else { usize::MAX });
            shown.extend(services.cloned());
            break;
        }
        let Some(flag) = word.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
            shown.push(word.clone());
            // The words after the image are the command of the container, which may have secrets.
            if is_create {
                break;
            }
            continue;
        };
        let (arg, value) = match flag.strip_prefix('-') {
            Some(long) => {
                let (name, value) =
                    long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                (find(root, command, |arg| has_long(arg, name)), value.map(str::to_owned))
            }
            None => short_flag(root, command, flag),
        };
        let Some(arg) = arg else { continue };
        let value = value.or_else(|| if takes_word(arg) { rest.next().cloned() } else { None });
        let name = arg.get_long().unwrap_or_default();
        shown.push(match value.filter(|_| SHOWN.contains(&name)) {
            Some(value) => format!("--{name} {value}"),
            None => format!("--{name}"),
        });
    }
    shown.join(" ").chars().take(MAX_LEN).collect()
}

/// The last of several short flags, and its value if the value is in the same word.
fn short_flag<'a>(root: &'a Command, command: &'a Command, flags: &str) -> (Option<&'a Arg>, Option<String>) {
    let mut found = None;
    for (at, short) in flags.char_indices() {
        let arg = find(root, command, |arg| arg.get_short() == Some(short));
        let value = &flags[at + short.len_utf8()..];
        found = arg;
        if let Some(arg) = arg
            && takes_word(arg)
            && !value.is_empty()
        {
            return (Some(arg), Some(value.strip_prefix('=').unwrap_or(value).to_owned()));
        }
    }
    (found, None)
}

fn find<'a>(root: &'a Command, command: &'a Command, is_it: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
    command.get_arguments().chain(root.get_arguments()).find(|arg| is_it(arg))
}

fn has_long(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
}

/// Whether the flag takes a value that is a separate word.
fn takes_word(arg: &Arg) -> bool {
    arg.get_action().takes_values()
        && !arg.is_require_equals_set()
        && arg.get_num_args().is_none_or(|count| count.min_values() > 0)
}

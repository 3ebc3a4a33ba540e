//! Suggestions for unknown flags: the flag that does what the user wants. For a flag that removes something, no flag
//! that adds something is suggested, and vice versa.

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::globals;
use crate::cli::complete::line::PartialLine;

/// Flags of other docker commands and similar words, with the flags to use here instead.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("-m", &["limit-memory"]),
    ("-p", &["publish-add"]),
    ("-v", &["mount-add", "mount"]),
    ("attach", &["detach"]),
    ("cpu", &["limit-cpu"]),
    ("cpus", &["limit-cpu"]),
    ("expose", &["publish-add", "publish"]),
    ("health-check", &["health-cmd"]),
    ("healthcheck", &["health-cmd"]),
    ("mem", &["limit-memory"]),
    ("mem-limit", &["limit-memory"]),
    ("memory", &["limit-memory"]),
    ("memory-limit", &["limit-memory"]),
    ("memory-reservation", &["reserve-memory"]),
    ("pids", &["limit-pids"]),
    ("pids-limit", &["limit-pids"]),
    ("port", &["publish-add", "publish"]),
    ("ports", &["publish-add", "publish"]),
    ("restart", &["restart-condition"]),
    ("stop-timeout", &["stop-grace-period"]),
    ("swap", &["memory-swap"]),
    ("tmpfs", &["mount-add", "mount"]),
    ("volume", &["mount-add", "mount"]),
    ("volumes-from", &["mount-add", "mount"]),
];

/// Flags that users may expect but whose values are arguments: the command, the flag, and an example.
const ARGUMENTS: &[(&str, &str, &str)] = &[
    ("create", "--args", "swarmctl create --name web shop/web:1.8 --verbose"),
    ("create", "--image", "swarmctl create --name web shop/web:1.8"),
    ("scale", "--replicas", "swarmctl scale web=3"),
    ("update-image", "--image", "swarmctl update-image web shop/web:1.8"),
];

/// Replaces the suggestion for an unknown flag. `words` is the command line; `root` must have been built.
pub fn correct(error: &mut Error, root: &Command, words: &[String]) {
    if is_repeated_stack(error) {
        let tip = "run the command once for each stack, or specify the services";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    if error.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return };
    let command = PartialLine::read(root, words.get(1..).unwrap_or_default(), "").command;
    let similar = match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(similar)) => Some(similar.trim_start_matches('-').to_owned()),
        _ => None,
    };
    let flag = unknown.split('=').next().unwrap_or_default();
    let argument = ARGUMENTS.iter().find(|(name, other, _)| (*name, *other) == (command.get_name(), flag));
    let (better, tip) = match argument {
        Some((.., example)) => (None, Some(format!("the value is an argument: '{example}'"))),
        None => (
            suggestion(command, unknown, similar.as_deref()),
            globals::reserved(root, command, unknown).map(|_| before_subcommand(command, flag)),
        ),
    };
    if better == similar && tip.is_none() {
        return;
    }
    error.remove(ContextKind::SuggestedArg);
    if let Some(name) = better {
        // With a suggested flag, clap's hint to escape the value would be misleading.
        error.remove(ContextKind::Suggested);
        error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{name}")));
    }
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    let usage = command.clone().render_usage();
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
}

/// Whether the error is that `--stack` was given twice.
fn is_repeated_stack(error: &Error) -> bool {
    let of = |kind: ContextKind| match error.get(kind)? {
        ContextValue::String(arg) => Some(arg.as_str()),
        ContextValue::Strings(args) => args.first().map(String::as_str),
        _ => None,
    };
    let arg = of(ContextKind::InvalidArg).unwrap_or_default();
    error.kind() == ErrorKind::ArgumentConflict
        && arg.starts_with("--stack ")
        && of(ContextKind::PriorArg) == Some(arg)
}

/// Describes how to use a global flag whose name the command uses for something else.
fn before_subcommand(command: &Command, flag: &str) -> String {
    let name = command.get_name();
    format!("to use the global flag '{flag}', put it before the subcommand: 'swarmctl {flag} ... {name}'")
}

/// Returns the flag to suggest. `similar` is the one with the most similar spelling.
fn suggestion(command: &Command, unknown: &str, similar: Option<&str>) -> Option<String> {
    let has = |name: &&str| command.get_arguments().any(|arg| arg.get_long() == Some(name));
    let name = if unknown.starts_with("--") { unknown.trim_start_matches('-') } else { unknown };
    let table = SYNONYMS.iter().find(|(other, _)| *other == name);
    let known = table.and_then(|(_, flags)| flags.iter().copied().find(|flag| has(flag)));
    let addition = format!("{name}-add");
    if let Some(known) = known.or_else(|| Some(addition.as_str()).filter(has)) {
        return Some(known.to_owned());
    }
    let similar = similar?;
    let stem = similar.strip_suffix("-rm").or_else(|| similar.strip_suffix("-add")).unwrap_or(similar);
    let with_suffix = |end: &str| Some(format!("{stem}-{end}")).filter(|flag| has(&flag.as_str()));
    if is_removal(name) {
        with_suffix("rm")
    } else if is_removal(similar) {
        with_suffix("add")
    } else {
        // In `update` the flag without `-add` replaces all values.
        with_suffix("add").or_else(|| Some(similar.to_owned()))
    }
}

/// Whether a flag removes something, judging by its name.
fn is_removal(name: &str) -> bool {
    let last = name.rsplit('-').next().unwrap_or_default();
    name.contains('-') && ["rm", "r", "remove", "del", "delete", "unset"].contains(&last)
}

/// Whether a word is a flag of the command: `--env`, `--env=A=1`, `-e`, `-eA=1`.
pub fn is_flag_of(command: &Command, word: &str) -> bool {
    let long = word.strip_prefix("--").map(|long| long.split('=').next().unwrap_or_default());
    let short = word.strip_prefix('-').and_then(|rest| rest.chars().next());
    command.get_arguments().any(|arg| match long {
        Some(long) => arg.get_long() == Some(long),
        None => short.is_some() && arg.get_short() == short,
    })
}

//! What is suggested where a flag does not exist: the flag that does what was asked for, never its opposite.

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::cli::complete::line::Line;

/// Flags of other docker commands, and the flags here that do the same.
const OTHERWISE: &[(&str, &[&str])] = &[
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

/// Corrects the suggestion of an unknown flag. `words` is the whole command line, and `root` is built.
pub fn correct(said: &mut Error, root: &Command, words: &[String]) {
    if said.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let Some(ContextValue::String(unknown)) = said.get(ContextKind::InvalidArg) else { return };
    let command = Line::read(root, words.get(1..).unwrap_or_default(), "").command;
    let offered = match said.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(offered)) => Some(offered.trim_start_matches('-').to_owned()),
        _ => None,
    };
    let better = suggestion(command, unknown, offered.as_deref());
    if better == offered {
        return;
    }
    said.remove(ContextKind::SuggestedArg);
    if let Some(name) = better {
        // Nobody who is offered a flag means a value.
        said.remove(ContextKind::Suggested);
        said.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{name}")));
    }
    let usage = command.clone().render_usage();
    said.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
}

/// The flag of the command to suggest, if it has one: `offered` is the one that is spelled most alike.
fn suggestion(command: &Command, unknown: &str, offered: Option<&str>) -> Option<String> {
    let has = |name: &&str| command.get_arguments().any(|arg| arg.get_long() == Some(name));
    let name = if unknown.starts_with("--") { unknown.trim_start_matches('-') } else { unknown };
    let table = OTHERWISE.iter().find(|(other, _)| *other == name);
    let known = table.and_then(|(_, flags)| flags.iter().copied().find(|flag| has(flag)));
    let addition = format!("{name}-add");
    if let Some(known) = known.or_else(|| Some(addition.as_str()).filter(has)) {
        return Some(known.to_owned());
    }
    let offered = offered?;
    let stem = offered.strip_suffix("-rm").or_else(|| offered.strip_suffix("-add")).unwrap_or(offered);
    let with = |end: &str| Some(format!("{stem}-{end}")).filter(|flag| has(&flag.as_str()));
    if is_removal(name) {
        with("rm")
    } else if is_removal(offered) {
        with("add")
    } else {
        // On update the flag without `-add` replaces all there is.
        with("add").or_else(|| Some(offered.to_owned()))
    }
}

/// Whether a flag removes something, by its name.
fn is_removal(name: &str) -> bool {
    let last = name.rsplit('-').next().unwrap_or_default();
    name.contains('-') && ["rm", "r", "remove", "del", "delete", "unset"].contains(&last)
}

/// Whether a word is spelled like a flag of the command: `--env`, `--env=A=1`, `-e`, `-eA=1`.
pub fn is_flag_of(command: &Command, word: &str) -> bool {
    let long = word.strip_prefix("--").map(|long| long.split('=').next().unwrap_or_default());
    let short = word.strip_prefix('-').and_then(|rest| rest.chars().next());
    command.get_arguments().any(|arg| match long {
        Some(long) => arg.get_long() == Some(long),
        None => short.is_some() && arg.get_short() == short,
    })
}

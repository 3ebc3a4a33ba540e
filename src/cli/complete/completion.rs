//! How shells complete the values of arguments. A `Completion` is attached to its argument with clap's `add`.

use clap::Arg;
use clap::builder::ArgExt;

use super::Candidate;
use super::engine::CandidateKind;
use super::line::PartialLine;

/// How the value of an argument is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// One of the space-separated words in this string.
    Words(&'static str),
    /// A file name, which the shell completes.
    Files,
    /// Names that the engine or Docker's configuration directory has.
    Dynamic(CandidateKind),
    /// Commands and their subcommands.
    Commands,
    /// The arguments of `update-image`: `SERVICE IMAGE`, `SERVICE=IMAGE...`, or one IMAGE for a selection.
    UpdatedImages,
}

impl ArgExt for Completion {}

impl Completion {
    /// Names of services.
    pub const SERVICES: Self = Self::Dynamic(CandidateKind::Services);
    /// Images that the engine has, and those that services run.
    pub const IMAGES: Self = Self::Dynamic(CandidateKind::Images);
    /// Names of stacks.
    pub const STACKS: Self = Self::Dynamic(CandidateKind::Stacks);
    /// Names of networks.
    pub const NETWORKS: Self = Self::Dynamic(CandidateKind::Networks);
    /// Names of secrets.
    pub const SECRETS: Self = Self::Dynamic(CandidateKind::Secrets);
    /// Names of configs.
    pub const CONFIGS: Self = Self::Dynamic(CandidateKind::Configs);
    /// Numbers of recorded runs.
    pub const RUNS: Self = Self::Dynamic(CandidateKind::Runs);
    /// Placement constraints.
    pub const CONSTRAINTS: Self = Self::Dynamic(CandidateKind::Constraints);
    /// Names of contexts.
    pub const CONTEXTS: Self = Self::Dynamic(CandidateKind::Contexts);
    /// Names of services with `=`, after which the user types the number of replicas.
    pub const REPLICA_COUNTS: Self = Self::Dynamic(CandidateKind::ReplicaCounts);
    /// Filters of tasks.
    pub const TASK_FILTERS: Self = Self::Dynamic(CandidateKind::TaskFilters);
    /// Filters of services.
    pub const FILTERS: Self = Self::Dynamic(CandidateKind::Filters);
    /// The list formats other than templates.
    pub const FORMATS: Self = Self::Words("json raw table");
    /// The policies of `--newest` other than version ranges.
    pub const POLICIES: Self = Self::Words("patch minor major label");
    /// The values of boolean flags.
    pub const SWITCH: Self = Self::Words("true false");
}

/// Where candidates come from.
pub enum Candidates {
    /// A fixed list.
    Static(Vec<Candidate>),
    /// File names, which the shell completes.
    Files,
    /// The engine or Docker's configuration directory.
    Dynamic(CandidateKind),
}

impl Candidates {
    /// Returns where the candidates for the value of an argument come from.
    pub fn for_value(line: &PartialLine, arg: &Arg) -> Self {
        match arg.get::<Completion>() {
            Some(Completion::Words(words)) => {
                Self::Static(words.split_whitespace().map(|word| Candidate::new(word, "")).collect())
            }
            Some(Completion::Files) => Self::Files,
            Some(Completion::Commands) => Self::Static(subcommands(line)),
            Some(Completion::Dynamic(source)) => Self::Dynamic(*source),
            Some(Completion::UpdatedImages) => {
                updated_images(line).map_or(Self::Static(Vec::new()), Self::Dynamic)
            }
            None => Self::Static(possible_values(arg)),
        }
    }
}

/// Returns the subcommands of the command that the words so far name.
fn subcommands(line: &PartialLine) -> Vec<Candidate> {
    let named = line.words.iter().try_fold(line.root, |command, word| command.find_subcommand(word));
    named.map(super::commands).unwrap_or_default()
}

/// Returns what `update-image` accepts at the cursor.
fn updated_images(line: &PartialLine) -> Option<CandidateKind> {
    let has = |names: &[&str]| line.flags.iter().any(|flag| names.contains(flag));
    match line.words[..] {
        _ if has(&["tag", "refresh", "newest"]) => Some(CandidateKind::Services),
        [] if has(&["filter", "stack", "all"]) => Some(CandidateKind::Images),
        [] => Some(CandidateKind::ImagePairs),
        [first, ..] if first.contains('=') => Some(CandidateKind::ImagePairs),
        [_] => Some(CandidateKind::Images),
        _ => None,
    }
}

/// Returns the values that clap knows, and their help unless the argument is positional.
fn possible_values(arg: &Arg) -> Vec<Candidate> {
    let description = |value: &clap::builder::PossibleValue| {
        if arg.is_positional() { String::new() } else { super::description(value.get_help()) }
    };
    arg.get_possible_values()
        .iter()
        .map(|value| Candidate::new(value.get_name(), description(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All arguments with these value names must have a completion.
    const COMPLETED: [&str; 12] = [
        "SERVICE",
        "RUN",
        "SERVICE|REPOSITORY[:TAG]",
        "POLICY",
        "SERVICE|TASK",
        "SERVICE=REPLICAS",
        "SERVICE IMAGE | SERVICE=IMAGE",
        "IMAGE",
        "TEMPLATE",
        "FILE",
        "DIR",
        "PATH",
    ];

    fn check(command: &clap::Command, wrong: &mut Vec<String>) {
        for arg in command.get_arguments() {
            let name = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
            let is_completed = arg.get::<Completion>().is_some() || !arg.get_possible_values().is_empty();
            if COMPLETED.contains(&name) && !is_completed {
                wrong.push(format!("{} {}", command.get_name(), arg.get_id()));
            }
        }
        command.get_subcommands().for_each(|command| check(command, wrong));
    }

    #[test]
    fn every_argument_that_names_services_images_or_files_says_how_it_is_completed() {
        let (mut root, mut wrong) = (crate::cli::root(), Vec::new());
        root.build();
        check(&root, &mut wrong);
        assert!(wrong.is_empty(), "add `add = Completion::...` to these arguments: {}", wrong.join(", "));
    }
}

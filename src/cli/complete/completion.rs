//! How the value of an argument is completed: attached to the argument itself, by `add` of clap.

use clap::Arg;
use clap::builder::ArgExt;

use super::Candidate;
use super::engine::Source;
use super::line::Line;

/// How the value of an argument is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// By one of these words, which blanks separate.
    Words(&'static str),
    /// By names of files, which the shell knows.
    Files,
    /// By what the engine, or Docker's config folder, has.
    Of(Source),
    /// The words of `update-image`: `SERVICE IMAGE`, `SERVICE=IMAGE...`, or one IMAGE for a selection.
    UpdatedImages,
}

impl ArgExt for Completion {}

impl Completion {
    /// Names of services.
    pub const SERVICES: Self = Self::Of(Source::Services);
    /// Tags of images.
    pub const IMAGES: Self = Self::Of(Source::Images);
    /// Names of stacks.
    pub const STACKS: Self = Self::Of(Source::Stacks);
    /// Names of networks.
    pub const NETWORKS: Self = Self::Of(Source::Networks);
    /// Names of secrets.
    pub const SECRETS: Self = Self::Of(Source::Secrets);
    /// Names of configs.
    pub const CONFIGS: Self = Self::Of(Source::Configs);
    /// Placement constraints.
    pub const CONSTRAINTS: Self = Self::Of(Source::Constraints);
    /// Names of contexts.
    pub const CONTEXTS: Self = Self::Of(Source::Contexts);
    /// `SERVICE=`, to be followed by a number.
    pub const SCALED: Self = Self::Of(Source::Scaled);
    /// Filters of tasks.
    pub const TASK_FILTERS: Self = Self::Of(Source::TaskFilters);
    /// Filters of services.
    pub const FILTERS: Self = Self::Of(Source::Filters);
    /// The formats of lists, beside templates.
    pub const FORMATS: Self = Self::Words("json raw table");
    /// The values of switches.
    pub const SWITCH: Self = Self::Words("true false");
}

/// Where candidates come from.
pub enum Candidates {
    /// They are these.
    Known(Vec<Candidate>),
    /// The shell knows files.
    Files,
    /// The engine, or Docker's config folder, is asked.
    Of(Source),
}

impl Candidates {
    /// The candidates for the value of an argument.
    pub fn for_value(line: &Line, arg: &Arg) -> Self {
        match arg.get::<Completion>() {
            Some(Completion::Words(words)) => {
                Self::Known(words.split_whitespace().map(|word| Candidate::new(word, "")).collect())
            }
            Some(Completion::Files) => Self::Files,
            Some(Completion::Of(source)) => Self::Of(*source),
            Some(Completion::UpdatedImages) => updated_images(line).map_or(Self::Known(Vec::new()), Self::Of),
            None => Self::Known(possible_values(arg)),
        }
    }
}

/// What `update-image` takes at the cursor.
fn updated_images(line: &Line) -> Option<Source> {
    let has = |names: &[&str]| line.flags.iter().any(|flag| names.contains(flag));
    match line.words[..] {
        _ if has(&["tag", "refresh"]) => Some(Source::Services),
        [] if has(&["filter", "stack", "all"]) => Some(Source::Images),
        [] => Some(Source::Pairs),
        [first, ..] if first.contains('=') => Some(Source::Pairs),
        [_] => Some(Source::Images),
        _ => None,
    }
}

/// The values that clap knows, with their help; a word that is no flag shows none.
fn possible_values(arg: &Arg) -> Vec<Candidate> {
    let about = |value: &clap::builder::PossibleValue| {
        if arg.is_positional() { String::new() } else { super::about(value.get_help()) }
    };
    arg.get_possible_values().iter().map(|value| Candidate::new(value.get_name(), about(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What these names stand for can be completed, so an argument that is called so says how.
    const COMPLETED: [&str; 9] = [
        "SERVICE",
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

//! Hints about names that do not exist.

use super::hint;
use crate::api::error::{Error, Suggestion};
use crate::cli::messages::shell;

/// Describes what to do about a name that does not exist.
pub fn for_unknown(kind: &str, name: &str, suggestion: Option<&Suggestion>) -> String {
    let list = match kind {
        "service" | "service or task" => "list the services with `swarmctl ls`".to_owned(),
        "context" => "list the contexts with `swarmctl context ls`".to_owned(),
        "config" if name.contains('/') => {
            return "to select the directory of Docker's config.json, put --config before the subcommand"
                .to_owned();
        }
        kind => format!("list them with `docker {kind} ls`"),
    };
    match suggestion {
        None => list,
        Some(Suggestion::Run(run)) => {
            format!("list the services of the run with `swarmctl history --run {run}`")
        }
        Some(Suggestion::Stack) => format!("`{name}` is a stack: use `--stack {}`", shell::word(name)),
        Some(Suggestion::Similar(names)) => format!("did you mean `{}`? {list}", names.join("` or `")),
    }
}

/// Describes what to do about several names of services that do not exist. `None` if there is no such error.
pub fn for_unknown_services<'e>(errors: impl Iterator<Item = &'e Error>) -> Option<String> {
    let errors: Vec<&Error> = errors.collect();
    let mut similar = Vec::new();
    let mut hints = Vec::new();
    for error in &errors {
        let Error::NoSuch { kind, name, suggestion: Some(suggestion), .. } = error else { continue };
        match &**suggestion {
            Suggestion::Similar(names) => {
                similar.push(format!("`{}` instead of `{name}`", names.join("` or `")));
            }
            Suggestion::Stack | Suggestion::Run(_) => hints.push(for_unknown(kind, name, Some(suggestion))),
        }
    }
    if errors.len() == 1 || (similar.is_empty() && hints.is_empty()) {
        return errors.into_iter().find_map(hint);
    }
    if !similar.is_empty() {
        hints.push(format!("did you mean {}?", similar.join(", ")));
    }
    Some(hints.join("; "))
}

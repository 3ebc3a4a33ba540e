//! Hints on a rollout that is paused: what resumes it, and what that does.

use super::Said;
use crate::api::deploy::update::{Outcome, Posts, Unchanged, Verdict};
use crate::api::rollout::Why;
use crate::api::shell;
use crate::cli::global::typed::Typed;

/// What resuming a rollout does.
const RESUMES: &str = "resumes the rollout: the engine continues to replace tasks";
/// The commands that refuse a paused rollout unless `--resume` is given.
const WITH_RESUME: [&str; 3] = ["restart", "scale", "update"];

/// Adds the ways out of a paused rollout, for a command that has not sent anything.
pub fn with_ways_out(said: Said, outcome: &Outcome, command: &str, typed: &Typed) -> Said {
    let name = shell::service(outcome.name());
    let is_refused = matches!(outcome.verdict, Verdict::Paused) && WITH_RESUME.contains(&command);
    let is_paused = match &outcome.verdict {
        Verdict::Paused | Verdict::Unchanged(Unchanged::Paused) => true,
        Verdict::RolloutFailed(Why::Paused(_)) => outcome.posts == Posts::None,
        Verdict::Skipped(_) => outcome.service.as_ref().is_some_and(|service| service.is_paused()),
        _ => false,
    };
    if !is_paused {
        return said;
    }
    let image = format!(
        "set a good image with `swarmctl update-image {name} IMAGE` (the update resumes the rollout; \
         `--with-registry-auth` also stores credentials)"
    );
    let back = format!("roll back with `swarmctl rollback {name}`");
    let resume = match typed.with_flag("--resume").filter(|_| is_refused) {
        Some(command) => format!("`{command}` makes this change and {RESUMES}, with the changed spec"),
        None if is_refused => format!("the same command with `--resume` makes this change and {RESUMES}"),
        None => format!("`swarmctl restart --resume {name}` {RESUMES}, with the current spec"),
    };
    let ways = match is_refused {
        true => [resume, back, image],
        false => [back, image, resume],
    };
    let hint = said.hint.into_iter().chain([format!("{}; {}; or {}", ways[0], ways[1], ways[2])]);
    Said { hint: Some(hint.collect::<Vec<_>>().join("; ")), ..said }
}

//! What acting commands say: one object of one shape, or lines for people.

use serde_json::{Value, json};

use super::exit::{Exit, after_interrupt, chain, hint};
use super::global::Global;
use crate::api::error::Error;
use crate::api::services::Service;
use crate::api::spec::Change;
use crate::api::update::{Conflict, Outcome, Posts, Verdict};
use crate::output;

/// How an acting command reports.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The command's name, as in `update-image`.
    pub command: &'static str,
    /// What it does to a service, as in `update`.
    pub verb: &'static str,
    /// What it has done to one then, as in `updated`.
    pub done: &'static str,
    /// One JSON object on stdout instead of lines.
    pub json: bool,
}

impl Style {
    /// Lines for people.
    pub fn of(command: &'static str, verb: &'static str, done: &'static str) -> Self {
        Self { command, verb, done, json: false }
    }
}

/// Prints what became of the services and gives the command's exit code.
pub fn report(style: Style, outcomes: &[Outcome], global: &Global) -> anyhow::Result<Exit> {
    let codes: Vec<Exit> = outcomes.iter().map(|one| Exit::of_outcome(one, global.signal())).collect();
    let code = Exit::merge(codes.iter().copied());
    let mut out = output::stdout();
    if style.json {
        let services: Vec<Value> =
            outcomes.iter().zip(&codes).map(|(one, code)| as_json(one, *code)).collect();
        let whole = json!({ "command": style.command, "exit_code": code.code(), "services": services });
        out.json_object(&whole);
    }
    for outcome in outcomes {
        if !style.json {
            for line in lines(style, outcome) {
                out.line(&line);
            }
        }
        tell(style, outcome, global);
    }
    out.finish()?;
    Ok(code)
}

/// The service's lines on stdout: what is so now.
fn lines(style: Style, outcome: &Outcome) -> Vec<String> {
    let (name, done) = (outcome.name(), style.done);
    let head = match &outcome.verdict {
        // The new service's ID was printed when the engine had taken it.
        Verdict::Applied | Verdict::Converged if done.is_empty() => return Vec::new(),
        Verdict::Applied | Verdict::Converged => format!("{name}: {done}"),
        Verdict::Planned => format!("{name}: would be {done} (dry run, nothing was posted)"),
        Verdict::Unchanged(_) => format!("{name}: nothing to change, nothing was posted"),
        _ => return Vec::new(),
    };
    std::iter::once(head).chain(outcome.changes.iter().map(|change| format!("  {}", shown(change)))).collect()
}

/// The service's lines on stderr: warnings, and why it failed.
fn tell(style: Style, outcome: &Outcome, global: &Global) {
    let name = outcome.name();
    if let Some(service) = &outcome.service
        && ![service.name(), service.id(), ""].contains(&outcome.given.as_str())
    {
        output::note(&format!("`{}` is service `{name}`", outcome.given));
    }
    for note in &outcome.notes {
        output::note(&format!("{name}: {note}"));
    }
    for warning in &outcome.warnings {
        output::warning(&format!("service `{name}`: {warning}"));
    }
    if !outcome.dropped.is_empty() {
        let places: Vec<String> = outcome.dropped.iter().map(ToString::to_string).collect();
        output::warning(&format!("service `{name}`: the engine did not store {}", places.join(", ")));
    }
    let (causes, hint) = match &outcome.verdict {
        Verdict::Unchanged(_) | Verdict::Planned | Verdict::Applied | Verdict::Converged => return,
        Verdict::RolloutFailed(why) => {
            let why = std::iter::once(why.to_string()).chain(causes_in_words(outcome));
            (why.collect(), Some(format!("see more with `docker service ps --no-trunc {name}`")))
        }
        Verdict::Removed => (vec!["the service was removed while it was watched".to_owned()], None),
        Verdict::Refused(why) => (vec![why.clone()], None),
        Verdict::Paused => (
            vec!["its rollout is paused, and any post would resume it".to_owned()],
            Some(format!(
                "give it a good image with `swarmctl update-image {name} IMAGE`, go back with `swarmctl rollback \
                 {name}`, or add --resume"
            )),
        ),
        Verdict::Conflict(conflict) => conflict_in_words(conflict, name),
        Verdict::RolledBack => (
            std::iter::once("the engine applied it, the rollout failed, and the engine rolled it back".to_owned())
                .chain(causes_in_words(outcome))
                .collect(),
            Some(format!("see why with `docker service ps --no-trunc {name}`")),
        ),
        Verdict::Failed(error) => (chain(error).collect(), hint(error)),
        Verdict::Unknown(error) => (
            std::iter::once(
                "the answer was lost and could not be looked up: it may have happened".to_owned(),
            )
            .chain(chain(error))
            .collect(),
            Some("look with `swarmctl ls` and `swarmctl inspect` once the engine answers again".to_owned()),
        ),
        Verdict::GaveUp(why) => {
            (vec![why.clone()], Some("see what is going on with `swarmctl ls`".to_owned()))
        }
        Verdict::Interrupted => (vec![interrupted(outcome.posts, global)], None),
    };
    let which = if name.is_empty() { String::new() } else { format!(" `{name}`") };
    let what = match (&outcome.verdict, outcome.posts) {
        (Verdict::GaveUp(_) | Verdict::Interrupted, Posts::Taken) => {
            format!("service{which} was {}, but not watched to its end", style.done)
        }
        _ => format!("cannot {} service{which}", style.verb),
    };
    output::error(&what, causes, hint.as_deref());
}

fn as_json(outcome: &Outcome, code: Exit) -> Value {
    let error = match &outcome.verdict {
        Verdict::Unchanged(_) | Verdict::Planned | Verdict::Applied | Verdict::Converged => None,
        Verdict::RolloutFailed(why) => Some(why.to_string()),
        Verdict::Removed => Some("the service was removed while it was watched".to_owned()),
        Verdict::Failed(error) | Verdict::Unknown(error) => Some(chain(error).collect::<Vec<_>>().join(": ")),
        Verdict::Refused(why) | Verdict::GaveUp(why) => Some(why.clone()),
        Verdict::Paused => Some("its rollout is paused, and any post would resume it".to_owned()),
        Verdict::Conflict(conflict) => Some(conflict_in_words(conflict, outcome.name()).0.join(": ")),
        Verdict::RolledBack => Some("the rollout failed and was rolled back".to_owned()),
        Verdict::Interrupted => Some(after_interrupt(outcome.posts).to_owned()),
    };
    let changes: Vec<Value> = outcome
        .changes
        .iter()
        .map(|change| json!({ "place": change.place.to_string(), "old": change.old, "new": change.new }))
        .collect();
    let posted = match outcome.posts {
        Posts::None => json!(false),
        Posts::InDoubt => Value::Null,
        Posts::Taken => json!(true),
    };
    json!({
        "name": outcome.name(),
        "id": outcome.service.as_ref().map(Service::id),
        "outcome": word(&outcome.verdict),
        "exit_code": code.code(),
        "posted": posted,
        "version_index": outcome.service.as_ref().map(Service::version),
        "previous_version_index": outcome.version_before,
        "changes": changes,
        "dropped": outcome.dropped.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "warnings": outcome.warnings,
        "notes": outcome.notes,
        "error": error,
    })
}

/// Why the tasks of the rollout failed.
fn causes_in_words(outcome: &Outcome) -> impl Iterator<Item = String> {
    outcome.rollout.iter().flat_map(|rollout| &rollout.causes).map(|cause| {
        let node = if cause.node.is_empty() { String::new() } else { format!(" on node {}", cause.node) };
        let tasks = if cause.tasks > 1 { format!(", and {} more tasks alike", cause.tasks - 1) } else { String::new() };
        format!("task {}{node}: {}{tasks}", cause.task, cause.error)
    })
}

/// `TaskTemplate.ContainerSpec.Image: a -> b`.
pub fn shown(change: &Change) -> String {
    format!("{}: {} -> {}", change.place, value(change.old.as_ref()), value(change.new.as_ref()))
}

fn value(value: Option<&Value>) -> String {
    match value {
        None => "(none)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn interrupted(posts: Posts, global: &Global) -> String {
    let signal = if Exit::of_signal(global.signal()) == Exit::Terminated { "SIGTERM" } else { "Ctrl-C" };
    format!("interrupted ({signal}): {}", after_interrupt(posts))
}

fn conflict_in_words(conflict: &Conflict, name: &str) -> (Vec<String>, Option<String>) {
    let look = format!("look with `swarmctl inspect --pretty {name}`, decide, and run the command again");
    match conflict {
        Conflict::Place { place, base, theirs, mine, by_rollback, was_applied } => {
            let (base, theirs, mine) = (value(base.as_ref()), value(theirs.as_ref()), value(mine.as_ref()));
            let cause = match (was_applied, by_rollback) {
                (true, _) => format!(
                    "the update was applied, then another writer set {place} to `{theirs}` (this command: `{mine}`)"
                ),
                (_, true) => format!(
                    "the engine rolled back meanwhile: {place} was `{base}`, is `{theirs}` and should become `{mine}`"
                ),
                _ => format!(
                    "someone else changed the same place: {place} was `{base}`, is `{theirs}` and should become `{mine}`"
                ),
            };
            (vec![cause], Some(look))
        }
        Conflict::Version { wanted, now } => (
            vec![format!(
                "the version index is {now}, not {wanted}; every change moves it, a rollout under way too"
            )],
            Some(look),
        ),
        Conflict::Retries { tries } => (
            vec![format!(
                "others changed the service {tries} times while this command tried (\"update out of sequence\")"
            )],
            Some("run the command again when the other writers are done".to_owned()),
        ),
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Unchanged(_) => "unchanged",
        Verdict::Planned => "planned",
        Verdict::Applied => "applied",
        Verdict::Converged => "converged",
        Verdict::RolloutFailed(_) => "failed",
        Verdict::Removed => "removed",
        Verdict::Conflict(_) => "conflict",
        Verdict::RolledBack => "rolled_back",
        Verdict::Refused(_) => "refused",
        Verdict::Paused => "paused",
        Verdict::Failed(error) => failure_word(error),
        Verdict::Unknown(_) => "unknown",
        Verdict::GaveUp(_) => "gave_up",
        Verdict::Interrupted => "interrupted",
    }
}

fn failure_word(error: &Error) -> &'static str {
    match Exit::of(error, None) {
        Exit::NoSuch => "no_such_service",
        Exit::Unreachable => "unreachable",
        _ => "refused",
    }
}

//! What acting commands say: one object of one shape, or lines for people.

use serde_json::{Value, json};

use super::exit::Exit;
use super::global::Global;
use super::image_args::same_digest;
use super::{progress, words};
use crate::api::failures::Failure;
use crate::api::services::Service;
use crate::api::spec::Change;
use crate::api::update::{Outcome, Posts, Unchanged, Verdict};
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
    /// What would end with 0 ends with [`Exit::Different`] where something changes.
    pub tells_difference: bool,
}

impl Style {
    /// Lines for people.
    pub fn of(command: &'static str, verb: &'static str, done: &'static str) -> Self {
        Self { command, verb, done, json: false, tells_difference: false }
    }
}

/// Prints what became of the services and gives the command's exit code.
pub fn report(style: Style, outcomes: &[Outcome], global: &Global) -> anyhow::Result<Exit> {
    let (code, object) = object(style, outcomes, global);
    let mut out = output::stdout();
    if style.json {
        out.json_object(&object);
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

/// The command's exit code, and the one object of `--json`.
pub fn object(style: Style, outcomes: &[Outcome], global: &Global) -> (Exit, Value) {
    let code_of = |one: &Outcome| match Exit::of_outcome(one, global.signal()) {
        Exit::Done if style.tells_difference && !matches!(one.verdict, Verdict::Unchanged(_)) => {
            Exit::Different
        }
        code => code,
    };
    let codes: Vec<Exit> = outcomes.iter().map(code_of).collect();
    let code = Exit::merge(codes.iter().copied());
    let services: Vec<Value> = outcomes.iter().zip(&codes).map(|(one, code)| as_json(one, *code)).collect();
    (code, json!({ "command": style.command, "exit_code": code.code(), "services": services }))
}

/// The service's lines on stdout: what is so now.
fn lines(style: Style, outcome: &Outcome) -> Vec<String> {
    let (name, done) = (outcome.name(), style.done);
    let head = match &outcome.verdict {
        // The new service's ID was printed when the engine had taken it.
        Verdict::Applied | Verdict::Converged if done.is_empty() => return Vec::new(),
        Verdict::Applied | Verdict::Converged => format!("{name}: {done}"),
        Verdict::Planned => {
            let done = if done.is_empty() { "created" } else { done };
            let name = if name.is_empty() { "a new service" } else { name };
            format!("{name}: would be {done} (dry run, nothing was posted)")
        }
        Verdict::Unchanged(Unchanged::AlreadySo) => format!("{name}: nothing to change, nothing was posted"),
        Verdict::Unchanged(Unchanged::SameImage(image)) => {
            format!("{name}: runs {image} already, nothing was posted")
        }
        Verdict::Unchanged(Unchanged::SameDigest { tags: Some((runs, asked)), .. }) => {
            format!("{name}: {}; nothing was posted", same_digest(runs.as_deref(), asked.as_deref()))
        }
        Verdict::Unchanged(Unchanged::SameDigest { runs, tags: None }) => {
            format!("{name}: runs {runs} already, nothing was posted")
        }
        Verdict::Unchanged(Unchanged::Skipped(why)) => format!("{name}: skipped: {why}"),
        _ => return Vec::new(),
    };
    let changes = outcome.changes.iter().map(shown);
    let forecast = outcome.forecast.iter().map(words::forecast);
    std::iter::once(head).chain(changes.chain(forecast).map(|line| format!("  {line}"))).collect()
}

/// The service's lines on stderr: warnings, and why it failed.
pub fn tell(style: Style, outcome: &Outcome, global: &Global) {
    let name = outcome.name();
    if let Some(service) = &outcome.service
        && ![service.name(), service.id(), ""].contains(&outcome.given.as_str())
    {
        output::note(&format!("`{}` is service `{name}`", outcome.given));
    }
    for note in &outcome.notes {
        output::note(&format!("{name}: {note}"));
    }
    let of_forecast = outcome.forecast.iter().flat_map(|forecast| &forecast.warnings);
    for warning in outcome.warnings.iter().chain(of_forecast) {
        output::warning(&format!("service `{name}`: {warning}"));
    }
    if !outcome.dropped.is_empty() {
        let places: Vec<String> = outcome.dropped.iter().map(ToString::to_string).collect();
        output::warning(&format!("service `{name}`: the engine did not store {}", places.join(", ")));
    }
    if let Some(said) = words::of(outcome, global.signal()) {
        output::error(&words::head(outcome, style.verb, style.done), said.causes, said.hint.as_deref());
    }
}

fn as_json(outcome: &Outcome, code: Exit) -> Value {
    let error = words::of(outcome, None).map(|said| said.causes.join("; "));
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
        "outcome": words::word(&outcome.verdict),
        "reason": match &outcome.verdict {
            Verdict::Unchanged(Unchanged::AlreadySo) => Some("already_so"),
            Verdict::Unchanged(Unchanged::SameImage(_)) => Some("same_image"),
            Verdict::Unchanged(Unchanged::SameDigest { .. }) => Some("same_digest"),
            Verdict::Unchanged(Unchanged::Skipped(_)) => Some("skipped"),
            _ => None,
        },
        "exit_code": code.code(),
        "posted": posted,
        "version_index": outcome.service.as_ref().map(Service::version),
        "previous_version_index": outcome.version_before,
        "changes": changes,
        "restarts": outcome.forecast.as_ref().map(|forecast| json!({
            "tasks": forecast.restarted,
            "of": forecast.of,
            "added": forecast.added,
            "removed": forecast.removed,
            "job_runs_again": forecast.job_runs_again,
            "warnings": forecast.warnings,
        })),
        "dropped": outcome.dropped.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "warnings": outcome.warnings,
        "notes": outcome.notes,
        "rollout": outcome.rollout.as_ref().map(progress::as_json),
        "failures": outcome.explanation.failures.iter().map(failure_as_json).collect::<Vec<_>>(),
        "error": error,
    })
}

fn failure_as_json(Failure { cause, node, log }: &Failure) -> Value {
    json!({
        "task": cause.task,
        "slot": cause.slot.to_string(),
        "node": node,
        "node_id": cause.node,
        "state": cause.state.word(),
        "error": cause.error,
        "exit_code": cause.exit_code,
        "at": cause.at.to_string(),
        "tasks": cause.tasks,
        "log": log,
    })
}

/// `TaskTemplate.ContainerSpec.Image: a -> b`.
pub fn shown(change: &Change) -> String {
    let (old, new) = (words::value(change.old.as_ref()), words::value(change.new.as_ref()));
    format!("{}: {old} -> {new}", change.place)
}

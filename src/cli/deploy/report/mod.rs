//! What acting commands say: one object of one shape, or lines for people.

mod blocked;

use serde_json::{Value, json};

use crate::api::deploy::failures::Failure;
use crate::api::deploy::update::{NotBegun, Outcome, Posts, Unchanged, Verdict};
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::shell;
use crate::api::spec::Change;
use crate::cli::exit;
use crate::cli::exit::Exit;
use crate::cli::flags::image::same_digest;
use crate::cli::global::Global;
use crate::cli::select::{Chosen, Jobs, MOST_NAMES_SHOWN, SelectArgs, counted, listed};
use crate::cli::{messages, progress};
use crate::output;
use blocked::Unknown;
pub use blocked::why_nothing_changed;

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
    /// How many of several services ended how is told at the end.
    pub sums_up: bool,
    /// A dry run: nothing is posted.
    pub is_plan: bool,
}

impl Style {
    /// Lines for people.
    pub fn of(command: &'static str, verb: &'static str, done: &'static str) -> Self {
        Self { command, verb, done, json: false, tells_difference: false, sums_up: false, is_plan: false }
    }
}

/// Prints what became of the services and gives the command's exit code.
pub fn report(style: Style, outcomes: &[Outcome], global: &Global) -> anyhow::Result<Exit> {
    let unknown = blocked::by_unknown_services(outcomes);
    let code = exit_code(style, outcomes, global);
    let mut out = output::stdout();
    if style.json {
        out.json_object(&object(style, outcomes, global));
    }
    for outcome in outcomes {
        if !style.json {
            for line in lines(style, outcome) {
                out.line(&line);
            }
        }
        remark(outcome);
        if unknown.is_none() && !is_told_with_others(outcome, outcomes.len()) {
            tell_error(style, outcome, global);
        }
    }
    match &unknown {
        Some(Unknown { why, hint }) => output::error(why, std::iter::empty::<&str>(), hint.as_deref()),
        None => tell_together(style, outcomes, global),
    }
    if style.sums_up && outcomes.len() > 1 {
        output::note(&summary(style, outcomes));
    }
    out.finish()?;
    Ok(code)
}

/// The services that are named or selected; where there are none to be had, that is reported.
///
/// # Errors
/// The inner one is the exit code of what was reported.
pub fn choose(
    client: &Client,
    select: &SelectArgs,
    names: &[String],
    jobs: Jobs,
    style: Style,
    global: &Global,
) -> anyhow::Result<Result<Vec<Chosen>, Exit>> {
    match select.choose(client, names, jobs) {
        Ok(chosen) => Ok(Ok(chosen)),
        Err(error) => none_of(style, names, error, global).map(Err),
    }
}

/// Reports that nothing can be done, and why.
fn none_of(style: Style, names: &[String], error: Error, global: &Global) -> anyhow::Result<Exit> {
    if let Some((first, rest)) = names.split_first() {
        let mut outcomes = vec![Outcome::new(first, Outcome::ending(error, Posts::None))];
        let why = if global.signal().is_some() { NotBegun::Interrupted } else { NotBegun::Engine };
        outcomes.extend(rest.iter().map(|given| Outcome::new(given, Verdict::NotBegun(why.clone()))));
        return report(style, &outcomes, global);
    }
    let error = anyhow::Error::from(error).context(format!("cannot {} any service", style.verb));
    let code = exit::tell(&error, global.signal());
    if style.json {
        let mut out = output::stdout();
        out.json_object(&object_of(style, code, Vec::new()));
        out.finish()?;
    }
    Ok(code)
}

/// Whether it was stopped, or could not be begun, as others of its command: one error tells of all that are alike.
fn is_told_with_others(outcome: &Outcome, of: usize) -> bool {
    of > 1
        && match outcome.verdict {
            Verdict::NotBegun(_) | Verdict::Interrupted | Verdict::GaveUp(_) | Verdict::Undone => true,
            Verdict::Failed(_) => outcome.posts == Posts::None,
            _ => false,
        }
}

/// What is told of several services together: those that were stopped alike, and how many ended how.
fn tell_together(style: Style, outcomes: &[Outcome], global: &Global) {
    let mut groups: Vec<(Vec<&Outcome>, String, messages::Said)> = Vec::new();
    for outcome in outcomes.iter().filter(|one| is_told_with_others(one, outcomes.len())) {
        let Some(said) = said(style, outcome, global) else { continue };
        let is_alike = |(members, _, other): &&mut (Vec<&Outcome>, String, messages::Said)| {
            other.causes == said.causes
                && members[0].posts == outcome.posts
                && members[0].no_change.is_some() == outcome.no_change.is_some()
                && ended_alike(members[0], outcome)
        };
        match groups.iter_mut().find(is_alike) {
            Some((members, _, _)) => members.push(outcome),
            None => groups.push((vec![outcome], messages::head(outcome, style.verb, style.done), said)),
        }
    }
    for (members, head, said) in groups {
        let names = listed(members.iter().map(|one| one.name()));
        match members.len() {
            1 => output::error(&head, said.causes, said.hint.as_deref()),
            many => {
                let what = messages::head_of_many(members[0], many, &names, style.verb, style.done);
                let waits = matches!(members[0].verdict, Verdict::GaveUp(_) | Verdict::Interrupted)
                    && messages::is_still_watchable(members[0]);
                let hint = match waits {
                    true if many <= MOST_NAMES_SHOWN => Some(wait_for(&members)),
                    true => Some(format!(
                        "{}; to keep watching, run `swarmctl wait` with the same names or selection",
                        what_continues(&members)
                    )),
                    false => said.hint,
                };
                output::error(&what, said.causes, hint.as_deref());
            }
        }
    }
}

/// Whether they ended in the same way, whatever the reason.
fn ended_alike(one: &Outcome, other: &Outcome) -> bool {
    std::mem::discriminant(&one.verdict) == std::mem::discriminant(&other.verdict)
}

fn wait_for(members: &[&Outcome]) -> String {
    let names: Vec<_> = members.iter().map(|one| shell::service(one.name())).collect();
    format!("{}; {}", what_continues(members), messages::keep_watching(&names.join(" ")))
}

fn what_continues(members: &[&Outcome]) -> &'static str {
    match members {
        [Outcome { verdict: Verdict::Interrupted, posts, .. }, ..] => exit::after_interrupt(*posts),
        _ => messages::ROLLOUT_CONTINUES,
    }
}

/// Why the service is not as requested, with the hint that fits the command.
fn said(style: Style, outcome: &Outcome, global: &Global) -> Option<messages::Said> {
    let said = messages::of(outcome, global.signal())?;
    Some(messages::with_ways_out(said, outcome, style.command, global.typed()))
}

/// How many ended how, the one line that many lines come to.
fn summary(style: Style, outcomes: &[Outcome]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for outcome in outcomes {
        let word = messages::in_summary(outcome, style.done);
        match counts.iter_mut().find(|(other, _)| *other == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    format!("{}: {}", counted(outcomes.len(), "service"), counts.join(", "))
}

/// The command's exit code.
pub fn exit_code(style: Style, outcomes: &[Outcome], global: &Global) -> Exit {
    Exit::merge(outcomes.iter().map(|one| code_of(style, one, global)))
}

/// The one object of `--json`.
pub fn object(style: Style, outcomes: &[Outcome], global: &Global) -> Value {
    let services = outcomes.iter().map(|one| as_json(one, code_of(style, one, global)));
    object_of(style, exit_code(style, outcomes, global), services.collect())
}

fn code_of(style: Style, outcome: &Outcome, global: &Global) -> Exit {
    match Exit::of_outcome(outcome, global.signal()) {
        Exit::Done if style.tells_difference && !is_unchanged(outcome) => Exit::Different,
        code => code,
    }
}

/// Whether nothing had to be posted, also where a rollout was waited for that was under way.
fn is_unchanged(outcome: &Outcome) -> bool {
    match outcome.verdict {
        Verdict::Unchanged(_) => true,
        Verdict::Converged => outcome.posts == Posts::None,
        _ => false,
    }
}

fn object_of(style: Style, code: Exit, services: Vec<Value>) -> Value {
    json!({ "command": style.command, "exit_code": code.code(), "services": services })
}

/// The service's lines on stdout: what is so now.
fn lines(style: Style, outcome: &Outcome) -> Vec<String> {
    let (name, done) = (outcome.name(), style.done);
    let head = match &outcome.verdict {
        // The new service's ID was printed when the engine had taken it.
        Verdict::Applied | Verdict::Converged if done.is_empty() => return Vec::new(),
        // Waiting was all there was to do.
        Verdict::Converged if is_unchanged(outcome) && done != "converged" => {
            format!("{name}: converged, nothing was posted")
        }
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
    let forecast = outcome.forecast.iter().map(messages::forecast);
    std::iter::once(head).chain(changes.chain(forecast).map(|line| format!("  {line}"))).collect()
}

/// The service's lines on stderr: remarks, warnings, and why it failed.
pub fn tell(style: Style, outcome: &Outcome, global: &Global) {
    remark(outcome);
    tell_error(style, outcome, global);
}

/// The service's lines on stderr that are no errors.
fn remark(outcome: &Outcome) {
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
}

/// Why the service is not as it was asked for.
fn tell_error(style: Style, outcome: &Outcome, global: &Global) {
    if let Some(said) = said(style, outcome, global) {
        output::error(&messages::head(outcome, style.verb, style.done), said.causes, said.hint.as_deref());
    }
}

fn as_json(outcome: &Outcome, code: Exit) -> Value {
    let error = match &outcome.verdict {
        // No failure, and yet not what was asked for.
        Verdict::Unchanged(Unchanged::Skipped(why)) => Some(why.clone()),
        _ => messages::of(outcome, None).map(|said| said.causes.join("; ")),
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
        "name": outcome.service.as_ref().map_or(outcome.given.as_str(), Service::name),
        "id": outcome.id(),
        "outcome": messages::word(&outcome.verdict),
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
        "warnings": outcome.announced.iter().chain(&outcome.warnings).collect::<Vec<_>>(),
        "notes": notes(outcome),
        "rollout": outcome.rollout.as_ref().map(progress::as_json),
        "failures": outcome.explanation.failures.iter().map(failure_as_json).collect::<Vec<_>>(),
        "error": error,
    })
}

/// What else is worth knowing; in lines, another tag of the same digest is what the result says.
fn notes(outcome: &Outcome) -> Vec<String> {
    let mut notes = outcome.notes.clone();
    if let Verdict::Unchanged(Unchanged::SameDigest { tags: Some((runs, asked)), .. }) = &outcome.verdict {
        notes.push(same_digest(runs.as_deref(), asked.as_deref()));
    }
    notes
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
    let (old, new) = (messages::value(change.old.as_ref()), messages::value(change.new.as_ref()));
    format!("{}: {old} -> {new}", change.place)
}

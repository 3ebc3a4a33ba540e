//! Reports as text: results on stdout; notes, warnings and errors on stderr.

use std::mem::discriminant;

use super::facts::EngineWarnings;
use super::outcome::Outcome;
use super::service::{BatchStop, Conclusion, NotStarted, ServiceReport, Stage, WatchResult, Watchable};
use super::{ReportStyle, after_interrupt};
use crate::api::deploy::update::{Delivery, NoChange};
use crate::api::spec::Change;
use crate::cli::app::App;
use crate::cli::flags::image_report;
use crate::cli::messages;
use crate::cli::messages::Message;
use crate::cli::messages::shell;
use crate::cli::newest::Decision;
use crate::cli::select::{MAX_NAMES_SHOWN, format_count};

/// Returns the lines on stdout: the state of the service.
pub fn lines(style: ReportStyle, report: &ServiceReport) -> Vec<String> {
    let (name, done) = (report.name(), style.done);
    let head = match report.outcome() {
        // The ID of a new service is printed as soon as the engine has accepted it.
        Outcome::Applied | Outcome::Converged if done.is_empty() => return Vec::new(),
        // Only the wait had an effect.
        Outcome::Converged if is_unchanged(report) && done != "converged" => {
            format!("{name}: converged; nothing was posted")
        }
        Outcome::Applied | Outcome::Converged => format!("{name}: {done}"),
        Outcome::Planned => {
            let done = if done.is_empty() { "created" } else { done };
            let name = if name.is_empty() { "a new service" } else { name };
            format!("{name}: would be {done} (dry run, nothing was posted)")
        }
        Outcome::Unchanged(NoChange::AlreadySo) => format!("{name}: nothing to change; nothing was posted"),
        Outcome::Unchanged(NoChange::SameImage(image)) => {
            format!("{name}: already runs {image}; nothing was posted")
        }
        Outcome::Unchanged(NoChange::SameDigest { tags: Some((runs, asked)), .. }) => {
            let same = same_digest(report, runs.as_deref(), asked.as_deref());
            format!("{name}: {same}; nothing was posted")
        }
        Outcome::Unchanged(NoChange::SameDigest { runs, tags: None }) => {
            format!("{name}: already runs {runs}; nothing was posted")
        }
        Outcome::LeftOut(why) => format!("{name}: skipped: {why}"),
        Outcome::NoNewer(decision) => format!("{name}: {}", decision.unchanged()),
        _ => return Vec::new(),
    };
    let changes = report.changes().iter().map(shown);
    let forecast = report.forecast().map(messages::forecast);
    std::iter::once(head).chain(changes.chain(forecast).map(|line| format!("  {line}"))).collect()
}

/// The tags of one digest. `--newest` and `--force` do not go together, so the image itself must be named then.
pub fn same_digest(report: &ServiceReport, runs: Option<&str>, asked: Option<&str>) -> String {
    match (report.newest(), asked) {
        (Some(_), Some(asked)) => {
            let runs = runs.map_or_else(|| "without a tag".to_owned(), |tag| format!("as {tag}"));
            format!("runs this digest {runs}; the newest tag, {asked}, has the same")
        }
        _ => image_report::same_digest(runs, asked),
    }
}

/// Whether nothing had to be posted, even if a rollout in progress was waited for.
pub fn is_unchanged(report: &ServiceReport) -> bool {
    match report.outcome() {
        Outcome::Unchanged(_)
        | Outcome::LeftOut(_)
        | Outcome::Skipped(..)
        | Outcome::NoNewer(_)
        | Outcome::NotComparable(_) => true,
        Outcome::Converged => report.delivery() == Delivery::None,
        _ => false,
    }
}

/// Formats a change: `TaskTemplate.ContainerSpec.Image: a -> b`.
pub fn shown(change: &Change) -> String {
    let (old, new) = (messages::value(change.old.as_ref()), messages::value(change.new.as_ref()));
    format!("{}: {old} -> {new}", change.place)
}

/// Returns the warnings that were not printed before the request.
pub fn warnings(report: &ServiceReport) -> Vec<String> {
    let mut warnings = match report.engine_warnings() {
        EngineWarnings::Update(warnings) => warnings.iter().map(messages::warning).collect(),
        EngineWarnings::Create(warnings) => warnings.to_vec(),
    };
    warnings.extend(report.remarks.warnings.iter().cloned());
    if let Stage::RolledBack(rolled_back) = &report.stage
        && matches!(report.outcome(), Outcome::RolloutFailed(_) | Outcome::Converged | Outcome::Conflict(_))
    {
        let rollback = &rolled_back.rollback;
        let why = messages::explain(rollback, None).map(|message| message.causes.join("; "));
        warnings.push(format!(
            "it could not be rolled back ({}): {}",
            messages::outcome_name(&rollback.outcome()),
            why.unwrap_or_default()
        ));
    }
    warnings
}

/// Returns the notes.
pub fn notes(report: &ServiceReport) -> Vec<String> {
    let mut notes = report.remarks.notes.clone();
    if let Outcome::Skipped(why, _) = report.outcome() {
        notes.push(format!("skipped: {why}"));
    }
    if let Outcome::NotComparable(refusal) = report.outcome() {
        notes.push(format!("skipped: {}", refusal.why));
    }
    notes.extend(report.newest().into_iter().flat_map(Decision::notes));
    if let Some(result) = report.watch_result() {
        notes.extend(left_behind(result));
        notes.extend(about_unchanged(result).map(str::to_owned));
    }
    if let (Stage::RolledBack(_), Outcome::RolledBack) = (&report.stage, report.outcome()) {
        notes.push("rolled back (--rollback-on-failure)".to_owned());
    }
    notes
}

/// Describes surplus tasks that are not waited for.
fn left_behind(result: &WatchResult) -> Vec<String> {
    let Some(rollout) = &result.judgement else { return Vec::new() };
    let note = |task: String| {
        format!("{task} is not waited for: its node is down, so it is unknown whether the task has ended")
    };
    let name = result.service.as_ref().map_or("", |service| service.name());
    rollout.left_behind.iter().map(|task| note(task.describe(name, &rollout.node_names))).collect()
}

/// Describes an unchanged service whose rollout was waited for.
fn about_unchanged(result: &WatchResult) -> Option<&'static str> {
    let Watchable::Unchanged(_) = &result.watched else { return None };
    match result.conclusion {
        Conclusion::Converged => Some("already as requested; its rollout was in progress"),
        Conclusion::Failed(_) | Conclusion::RolledBack => Some("already as requested; nothing was posted"),
        _ => None,
    }
}

/// Prints notes, warnings and the error on stderr.
pub fn print_remarks_and_error(style: ReportStyle, report: &ServiceReport, app: &App) {
    print_remarks(report, app);
    print_error(style, report, app);
}

/// Prints notes and warnings on stderr.
pub fn print_remarks(report: &ServiceReport, app: &App) {
    let name = report.name();
    if let Some(service) = report.service()
        && ![service.name(), service.id(), ""].contains(&report.given.as_str())
    {
        app.ui.note(&format!("`{}` is service `{name}`", report.given));
    }
    for note in notes(report) {
        app.ui.note(&format!("{name}: {note}"));
    }
    let of_forecast =
        report.forecast().into_iter().flat_map(|forecast| &forecast.warnings).map(messages::forecast_warning);
    for warning in warnings(report).into_iter().chain(of_forecast) {
        app.ui.warning(&format!("service `{name}`: {warning}"));
    }
    let dropped: Vec<String> = report.dropped().map(ToString::to_string).collect();
    if !dropped.is_empty() {
        app.ui.warning(&format!("service `{name}`: the engine did not store {}", dropped.join(", ")));
    }
}

/// Prints the error, if the service is not as requested.
pub fn print_error(style: ReportStyle, report: &ServiceReport, app: &App) {
    if let Some(Message { causes, hint }) = explain(style, report, app) {
        app.ui.error(&messages::headline(report, style.verb, style.done), causes, hint.as_deref());
    }
}

/// Whether the error is printed together with those of other services with the same outcome.
pub fn is_grouped(report: &ServiceReport, of: usize) -> bool {
    of > 1
        && match report.outcome() {
            Outcome::NotStarted(_) | Outcome::Interrupted | Outcome::GaveUp(_) | Outcome::Undone => true,
            Outcome::Failed(_) => report.delivery() == Delivery::None,
            _ => false,
        }
}

/// Prints one error for all services that have the same outcome and cause.
pub fn print_grouped_errors(style: ReportStyle, reports: &[ServiceReport], app: &App) {
    let mut groups: Vec<(Vec<&ServiceReport>, Message)> = Vec::new();
    for report in reports.iter().filter(|one| is_grouped(one, reports.len())) {
        let Some(message) = explain(style, report, app) else { continue };
        let is_alike = |(members, other): &&mut (Vec<&ServiceReport>, Message)| {
            other.causes == message.causes && has_same_outcome(members[0], report)
        };
        match groups.iter_mut().find(is_alike) {
            Some((members, _)) => members.push(report),
            None => groups.push((vec![report], message)),
        }
    }
    for (members, message) in groups {
        let head = match members.as_slice() {
            [one] => messages::headline(one, style.verb, style.done),
            many => messages::headline_of_many(many, style.verb, style.done),
        };
        let hint = if members.len() > 1 { hint_for_many(&members, message.hint) } else { message.hint };
        app.ui.error(&head, message.causes, hint.as_deref());
    }
}

/// Whether two services have the same outcome, whatever the cause.
fn has_same_outcome(one: &ServiceReport, other: &ServiceReport) -> bool {
    discriminant(&one.outcome()) == discriminant(&other.outcome())
        && one.delivery() == other.delivery()
        && one.is_as_requested() == other.is_as_requested()
}

/// Returns the hint for services with the same outcome; `hint` is that of the first one.
fn hint_for_many(members: &[&ServiceReport], hint: Option<String>) -> Option<String> {
    let outcome = members[0].outcome();
    let waits = matches!(outcome, Outcome::GaveUp(_) | Outcome::Interrupted)
        && messages::is_still_watchable(members[0]);
    if !waits {
        return hint;
    }
    let continues = match outcome {
        Outcome::Interrupted => after_interrupt(members[0].delivery()),
        _ => messages::ROLLOUT_CONTINUES,
    };
    Some(if members.len() <= MAX_NAMES_SHOWN {
        let names: Vec<_> = members.iter().map(|one| shell::service(one.name())).collect();
        format!("{continues}; {}", messages::keep_watching(&names.join(" ")))
    } else {
        format!("{continues}; to keep watching, run `swarmctl wait` with the same names or selection")
    })
}

/// Explains the error, with a hint that fits the command.
fn explain(style: ReportStyle, report: &ServiceReport, app: &App) -> Option<Message> {
    let message = messages::explain(report, app.signal())?;
    if style.command == "apply" && matches!(report.outcome(), Outcome::NotStarted(BatchStop::Blocked(_))) {
        // All or nothing: no flag lets the others start, except those in the hints of the other errors.
        return Some(Message { hint: None, ..message });
    }
    Some(messages::with_alternatives(message, report, style.command, app.command_line()))
}

/// Formats the summary: the number of services for each outcome.
pub fn summary(style: ReportStyle, reports: &[ServiceReport]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for report in reports {
        let word = messages::summary_name(report, style.done);
        match counts.iter_mut().find(|(other, _)| *other == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    format!("{}: {}", format_count(reports.len(), "service"), counts.join(", "))
}

impl ServiceReport {
    /// Converts a refusal to a skip, which is not a failure, if the service was only selected.
    pub fn left_out_if_refused(self) -> Self {
        let why = match self.outcome() {
            Outcome::NotAtRest(why) | Outcome::Refused(why) => why.to_owned(),
            Outcome::WouldRestart(_)
            | Outcome::WouldCrash(..)
            | Outcome::FieldLoss(_)
            | Outcome::LosesPlacement => {
                // The hint contains the reason, since no error is printed.
                let message = messages::explain(&self, None);
                let words = message.into_iter().flat_map(|it| it.causes.into_iter().chain(it.hint));
                words.collect::<Vec<_>>().join("; ")
            }
            _ => return self,
        };
        let (service, version) = (self.service().cloned(), self.version_before());
        let stage = Stage::NotStarted { service, why: NotStarted::LeftOut { why, version } };
        Self { stage, ..self }
    }
}

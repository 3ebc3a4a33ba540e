//! Reports as text: errors on stderr, and the summary.

use std::mem::discriminant;

use super::outcome::Outcome;
use super::service::{NotStarted, ServiceReport, Stage};
use super::{ReportStyle, after_interrupt, remarks};
use crate::api::deploy::update::Delivery;
use crate::api::error::Error;
use crate::cli::app::App;
use crate::cli::flags::image_report;
use crate::cli::messages;
use crate::cli::messages::Message;
use crate::cli::messages::shell;
use crate::cli::select::format_count;

/// Maximum number of services in a command that the user can paste.
const MAX_NAMES_IN_COMMAND: usize = 50;

/// Returns the message that the service already runs the digest of the requested tag. It suggests `--force` to write
/// the tag anyway, except with `--newest`, which cannot be combined with `--force`.
pub fn same_digest(report: &ServiceReport, runs: Option<&str>, asked: Option<&str>) -> String {
    match (report.newest(), asked) {
        (Some(_), Some(asked)) => {
            let runs = runs.map_or_else(|| "without a tag".to_owned(), |tag| format!("as {tag}"));
            format!("already runs this digest {runs}; the newest tag, {asked}, has the same digest")
        }
        _ => image_report::same_digest(runs, asked),
    }
}

/// Whether nothing had to be posted, even if a rollout in progress was waited for.
pub fn is_unchanged(report: &ServiceReport) -> bool {
    match report.outcome() {
        Outcome::Unchanged(_)
        | Outcome::NotApplicable(_)
        | Outcome::Skipped(..)
        | Outcome::NoNewer(_)
        | Outcome::NotComparable(_) => true,
        Outcome::Converged | Outcome::Inconclusive => report.delivery() == Delivery::None,
        _ => false,
    }
}

/// Prints notes, warnings and the error on stderr.
pub fn print_remarks_and_error(style: ReportStyle, report: &ServiceReport, app: &App) {
    remarks::print_of(&[report], app);
    print_error(style, report, app);
}

/// Prints the error, if the service is not as requested, and what runs now.
pub fn print_error(style: ReportStyle, report: &ServiceReport, app: &App) {
    if let Some(message) = explain(style, report, app) {
        print_message(style, report, message, app);
    }
}

/// Prints the errors that are not grouped by outcome, and one hint if several rollouts failed. Rollouts that failed
/// for the same reason are one error.
pub fn print_single_errors(style: ReportStyle, reports: &[ServiceReport], app: &App) {
    let failed: Vec<&ServiceReport> = reports.iter().filter(|one| has_failed_rollout(one)).collect();
    let is_alone = failed.len() < 2;
    for members in by_reason(reports.iter().filter(|one| !is_grouped(one, reports.len()))) {
        let report = members[0];
        let Some(message) = explain(style, report, app) else { continue };
        let has_common_hint = !is_alone && has_failed_rollout(report);
        if members.len() > 1 {
            let special = || messages::special_hint(&members);
            let hint = if has_common_hint { special() } else { Some(messages::same::hint(&members)) };
            let causes = messages::same::causes(&members, message.causes);
            app.ui.error(&messages::same::headline(&members), causes, hint.as_deref());
            messages::same::now_of_many(&members).iter().for_each(|now| app.ui.now(now));
            continue;
        }
        let hint = if has_common_hint { messages::special_hint(&members) } else { message.hint };
        print_message(style, report, Message { hint, ..message }, app);
    }
    if !is_alone {
        let hints = [Some(messages::common_hint(&failed)), style.undo_run.map(messages::undo_hint)];
        app.ui.hint(&hints.into_iter().flatten().collect::<Vec<_>>().join("; "));
    }
}

/// Groups rollouts that failed for the same reason. Each of the other reports is a group of its own.
fn by_reason<'r>(reports: impl Iterator<Item = &'r ServiceReport>) -> Vec<Vec<&'r ServiceReport>> {
    let mut groups: Vec<(Option<String>, Vec<&ServiceReport>)> = Vec::new();
    for report in reports {
        let reason = messages::same::reason(report);
        let group = reason
            .as_ref()
            .and_then(|reason| groups.iter_mut().find(|(other, _)| other.as_ref() == Some(reason)));
        match group {
            Some((_, members)) => members.push(report),
            None => groups.push((reason, vec![report])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// Whether the rollout of a change of this command failed.
fn has_failed_rollout(report: &ServiceReport) -> bool {
    report.delivery() == Delivery::Accepted
        && matches!(report.outcome(), Outcome::RolloutFailed(_) | Outcome::RolledBack)
}

fn print_message(style: ReportStyle, report: &ServiceReport, message: Message, app: &App) {
    let Message { causes, hint } = message;
    app.ui.error(&messages::headline(report, style.verb, style.done), causes, hint.as_deref());
    if let Some(now) = messages::now(report) {
        app.ui.now(&now);
    }
}

/// Whether the error is printed together with those of other services with the same outcome.
pub fn is_grouped(report: &ServiceReport, of: usize) -> bool {
    of > 1
        && match report.outcome() {
            Outcome::NotStarted(_)
            | Outcome::Interrupted
            | Outcome::GaveUp(_)
            | Outcome::RolledBackWithBatch => true,
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

/// Whether two services have the same outcome. The causes may differ.
fn has_same_outcome(one: &ServiceReport, other: &ServiceReport) -> bool {
    discriminant(&one.outcome()) == discriminant(&other.outcome())
        && one.delivery() == other.delivery()
        && one.is_as_requested() == other.is_as_requested()
}

/// Returns the hint for services with the same outcome; `hint` is the hint for the first of them.
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
    Some(if members.len() <= MAX_NAMES_IN_COMMAND {
        let names: Vec<_> = members.iter().map(|one| shell::service(one.name())).collect();
        format!("{continues}; {}", messages::keep_watching(&names.join(" ")))
    } else {
        format!("{continues}; to keep watching, run `swarmctl wait` with the same names or selection")
    })
}

/// Explains the error, with a hint that fits the command.
fn explain(style: ReportStyle, report: &ServiceReport, app: &App) -> Option<Message> {
    let message = explain_outcome(style, report, app)?;
    Some(match style.undo_run {
        Some(run) if is_undoable(report) => messages::with_undo(message, run),
        _ => message,
    })
}

fn explain_outcome(style: ReportStyle, report: &ServiceReport, app: &App) -> Option<Message> {
    let message = messages::explain(report, app.signal())?;
    if let Outcome::Failed(Error::Registry { registry, image, kind, message: text }) = report.outcome() {
        let cause = messages::errors::registry::describe(registry, &format!("`{image}`"), *kind, text);
        let text = app.ui.is_debug().then(|| text.clone());
        return Some(Message { causes: std::iter::once(cause).chain(text).collect(), ..message });
    }
    if let Some(causes) = messages::causes_for_people(report) {
        return Some(Message { causes, ..message });
    }
    Some(messages::with_alternatives(message, report, style.command, app.command_line()))
}

/// Whether the user may want to undo the whole run after this failure.
fn is_undoable(report: &ServiceReport) -> bool {
    matches!(
        report.outcome(),
        Outcome::RolloutFailed(_) | Outcome::Failed(_) | Outcome::Conflict(_) | Outcome::Unknown(_)
    )
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
    /// Converts a refusal to a skip, which is not a failure. This is for services that were not named.
    pub fn not_applicable_if_refused(self) -> Self {
        let why = match self.outcome() {
            Outcome::HasSideEffect(why) | Outcome::Refused(why) => why.to_owned(),
            Outcome::WouldRestart(_)
            | Outcome::WouldCrash(..)
            | Outcome::FieldLoss(_)
            | Outcome::LosesPlacement => {
                // No error is printed for a skipped service, so the reason includes the hint.
                let message = messages::explain(&self, None);
                let words = message.into_iter().flat_map(|it| it.causes.into_iter().chain(it.hint));
                words.collect::<Vec<_>>().join("; ")
            }
            _ => return self,
        };
        let (service, version) = (self.service().cloned(), self.version_before());
        let stage = Stage::NotStarted { service, why: NotStarted::NotApplicable { why, version } };
        Self { stage: Box::new(stage), ..self }
    }
}

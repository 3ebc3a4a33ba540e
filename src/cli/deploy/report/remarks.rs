//! Notes and warnings on stderr.

use super::facts::EngineWarnings;
use super::outcome::Outcome;
use super::service::{Conclusion, ServiceReport, Stage, WatchResult, Watchable};
use crate::cli::app::App;
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::steps::StepReport;
use crate::cli::messages;
use crate::cli::messages::shared::{SharedTexts, count_and_names, with_services};
use crate::cli::newest::Decision;
use crate::output::Ui;

/// Prints the notes and warnings about these services. A text that several services share is printed once.
pub fn print(reports: &[ServiceReport], app: &App) {
    print_of(&reports.iter().collect::<Vec<_>>(), app);
}

/// Prints the notes and warnings about these services.
pub fn print_of(reports: &[&ServiceReport], app: &App) {
    let (mut all_notes, mut all_warnings) = (SharedTexts::default(), SharedTexts::default());
    for report in reports {
        let name = report.name();
        if let Some(service) = report.service()
            && ![service.name(), service.id(), ""].contains(&report.given.as_str())
        {
            app.ui.note(&format!("`{}` is service `{name}`", report.given));
        }
        notes(report).into_iter().for_each(|note| all_notes.add(note, name));
        let forecast = report.forecast().into_iter().flat_map(|forecast| &forecast.warnings);
        let of_forecast = forecast.map(messages::forecast_warning);
        let dropped: Vec<String> = report.dropped().map(ToString::to_string).collect();
        let dropped =
            (!dropped.is_empty()).then(|| format!("the engine did not store {}", dropped.join(", ")));
        for warning in warnings(report).into_iter().chain(of_forecast).chain(dropped) {
            all_warnings.add(warning, name);
        }
    }
    print_notes(all_notes, app.ui);
    for (warning, services) in all_warnings.into_groups() {
        app.ui.warning(&with_services(&warning, &services));
    }
}

/// Prints each note once, with the names of its services.
pub fn print_notes(notes: SharedTexts, ui: Ui) {
    for (note, services) in notes.into_groups() {
        ui.note(&match services.as_slice() {
            // The name is unknown only for a `create` without `--name`.
            [name] if name.is_empty() => note,
            [name] => format!("{name}: {note}"),
            many => format!("{}: {note}", count_and_names(many)),
        });
    }
}

/// Returns the warnings that were not printed before the request.
pub fn warnings(report: &ServiceReport) -> Vec<String> {
    let mut warnings = match report.engine_warnings() {
        EngineWarnings::Update(warnings) => warnings.iter().map(messages::warning).collect(),
        EngineWarnings::Create(warnings) => warnings.to_vec(),
    };
    warnings.extend(report.remarks.warnings.iter().cloned());
    if let (Outcome::Inconclusive | Outcome::Held, Some(gate)) =
        (report.outcome(), report.step().and_then(StepReport::not_passed))
    {
        warnings.push(messages::gates::inconclusive(gate));
    }
    if let Stage::RolledBack(rolled_back) = &*report.stage
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
    if let Some(decision) = report.newest().filter(|newest| newest.keeps_image())
        && !matches!(report.outcome(), Outcome::NoNewer(_))
    {
        notes.push(decision.unchanged());
    }
    if let Some(result) = report.watch_result() {
        notes.extend(left_behind(result));
        notes.extend(about_unchanged(result).map(str::to_owned));
    }
    if let (Stage::RolledBack(_), Outcome::RolledBack) = (&*report.stage, report.outcome()) {
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
    // The notes below do not fit a held update, which continues even if nothing was posted.
    if !result.steps.is_empty()
        && result.service.as_ref().is_some_and(|service| HeldUpdate::of(service).is_some())
    {
        return None;
    }
    match result.conclusion {
        Conclusion::Converged => Some("already as requested; its rollout was in progress"),
        Conclusion::Failed(_) | Conclusion::RolledBack => Some("already as requested; nothing was posted"),
        _ => None,
    }
}

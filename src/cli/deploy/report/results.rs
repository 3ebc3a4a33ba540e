//! The lines on stdout, which show what was done to the services.

use super::ReportStyle;
use super::outcome::Outcome;
use super::service::{ServiceReport, Stage};
use super::text::{is_unchanged, same_digest};
use crate::api::deploy::update::NoChange;
use crate::cli::deploy::held;
use crate::cli::messages;
use crate::cli::messages::changes;
use crate::cli::messages::shared::SharedTexts;
use crate::cli::select::join_names;

/// How the results of services are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultLayout {
    /// The result, followed by a line for each change.
    WithDetails,
    /// One line for each service.
    OneLineEach,
    /// Services with the same result on one line.
    Folded,
}

/// The result of a service, without its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServiceResult {
    /// What was done, as in `updated`.
    done: String,
    /// Whether the changes show what was done, so that `done` can be omitted.
    is_implied: bool,
    /// The description of the change, if only the image changes.
    image: Option<String>,
    /// The changes.
    changes: Vec<String>,
    /// The forecast for the tasks, in a dry run.
    forecast: Option<String>,
}

/// Returns the lines for these services.
pub fn lines(style: ReportStyle, reports: &[ServiceReport], layout: ResultLayout) -> Vec<String> {
    let results = reports.iter().filter_map(|report| Some((report, result(style, report)?)));
    match layout {
        ResultLayout::WithDetails => {
            results.flat_map(|(report, it)| it.with_details(shown_name(report))).collect()
        }
        ResultLayout::OneLineEach => results.map(|(report, it)| it.on_one_line(shown_name(report))).collect(),
        ResultLayout::Folded => {
            let mut groups = SharedTexts::default();
            results.for_each(|(report, result)| groups.add(result, shown_name(report)));
            groups.into_groups().flat_map(|(result, names)| result.folded(&names)).collect()
        }
    }
}

fn shown_name(report: &ServiceReport) -> &str {
    if report.name().is_empty() { "a new service" } else { report.name() }
}

/// Returns the result; `None` if an error or a note is printed instead, or the result was printed already.
fn result(style: ReportStyle, report: &ServiceReport) -> Option<ServiceResult> {
    let done = style.done;
    let done = match report.outcome() {
        // The ID of a new service is printed as soon as the engine has accepted it.
        Outcome::Applied | Outcome::Converged | Outcome::Inconclusive if done.is_empty() => return None,
        // The command only waited.
        Outcome::Converged | Outcome::Inconclusive if is_unchanged(report) && done != "converged" => {
            "converged; nothing was posted".to_owned()
        }
        Outcome::Applied | Outcome::RemovedAndEnded | Outcome::Converged | Outcome::Inconclusive => {
            done.to_owned()
        }
        Outcome::Held => held::result(report)?,
        Outcome::Planned => {
            let done = if done.is_empty() { "created" } else { done };
            format!("would be {done} (dry run, nothing was posted)")
        }
        Outcome::Unchanged(NoChange::SameSpec) => "nothing to change; nothing was posted".to_owned(),
        Outcome::Unchanged(NoChange::NotHeld) => "is not held; nothing was posted".to_owned(),
        Outcome::Unchanged(NoChange::SameImage(image)) => format!("already runs {image}; nothing was posted"),
        Outcome::Unchanged(NoChange::SameDigest { tags: Some((runs, asked)), .. }) => {
            let same = same_digest(report, runs.as_deref(), asked.as_deref());
            format!("{same}; nothing was posted")
        }
        Outcome::Unchanged(NoChange::SameDigest { runs, tags: None }) => {
            format!("already runs {runs}; nothing was posted")
        }
        Outcome::NotApplicable(why) => format!("skipped: {why}"),
        Outcome::NoNewer(decision) => decision.unchanged(),
        _ => return None,
    };
    let changes = changes::describe(report.changes(), &report.remarks.network_names);
    Some(ServiceResult {
        is_implied: matches!(report.outcome(), Outcome::Applied | Outcome::Converged | Outcome::Inconclusive),
        done,
        image: changes::image_only(report.changes(), &changes),
        changes,
        forecast: forecast(report),
    })
}

/// Describes what a planned change does to the tasks.
fn forecast(report: &ServiceReport) -> Option<String> {
    let forecast = report.forecast()?;
    Some(match &*report.stage {
        // No task of a new or removed service can restart.
        Stage::Created(_) if forecast.added == 0 => "no task will be added".to_owned(),
        Stage::Removed(_) if forecast.removed == 0 => "no task will be removed".to_owned(),
        _ => messages::forecast(forecast),
    })
}

impl ServiceResult {
    /// Formats the result as `web: updated`, and the changes on the lines below.
    fn with_details(self, name: &str) -> Vec<String> {
        let details = self.changes.into_iter().chain(self.forecast).map(|line| format!("  {line}"));
        std::iter::once(format!("{name}: {}", self.done)).chain(details).collect()
    }

    /// Formats the result as `web: updated; image opera443399/whoami:0.7 -> 0.6; env LEVEL=debug added`.
    fn on_one_line(self, name: &str) -> String {
        let details = self.changes.into_iter().chain(self.forecast).map(|detail| format!("; {detail}"));
        std::iter::once(format!("{name}: {}", self.done)).chain(details).collect()
    }

    /// Formats the result of several services as `opera443399/whoami:0.7 -> 0.6: shop_admin, shop_api and 12 more`.
    fn folded(self, names: &[String]) -> Vec<String> {
        let names = join_names(names.iter().map(String::as_str));
        if let (true, [only]) = (self.is_implied, self.changes.as_slice()) {
            return vec![format!("{}: {names}", self.image.as_ref().unwrap_or(only))];
        }
        let details = self.changes.into_iter().chain(self.forecast).map(|line| format!("  {line}"));
        std::iter::once(format!("{}: {names}", self.done)).chain(details).collect()
    }
}

//! Errors of batches in which one service cannot be changed: nothing is changed, and the reason is reported once.

use super::ReportStyle;
use super::outcome::Outcome;
use super::service::ServiceReport;
use super::stop::BatchStop;
use crate::api::deploy::update::Delivery;
use crate::cli::messages;
use crate::cli::messages::errors;

/// Names that match no service, or more than one. Because of them, no service is changed.
pub struct UnknownServices {
    /// The error: why nothing was changed.
    pub why: String,
    /// What the user can do.
    pub hint: Option<String>,
}

/// Describes why nothing was changed: lists the services that failed before anything was sent.
pub fn why_nothing_changed<'a>(
    failed: impl Iterator<Item = &'a ServiceReport>,
    style: ReportStyle,
) -> String {
    let whys: Vec<String> = failed
        .map(|report| match report.outcome() {
            Outcome::Failed(error) if is_unknown(report) => error.to_string(),
            _ => messages::headline(report, style.verb, style.done),
        })
        .collect();
    format!("nothing was changed: {}", whys.join("; "))
}

/// Returns the only error to report, if nothing was changed because names match no service, or more than one.
pub fn by_unknown_services(reports: &[ServiceReport]) -> Option<UnknownServices> {
    let why = reports.iter().find_map(|report| match report.outcome() {
        Outcome::NotStarted(BatchStop::Blocked(blocked)) => Some(blocked.why.clone()),
        _ => None,
    })?;
    let is_included = |report: &ServiceReport| {
        is_unknown(report)
            || matches!(
                report.outcome(),
                Outcome::NotStarted(BatchStop::Blocked(_))
                    | Outcome::NotApplicable(_)
                    | Outcome::Skipped(..)
                    | Outcome::NotComparable(_)
            )
    };
    let hint = errors::for_unknown_services(reports.iter().filter_map(|report| match report.outcome() {
        Outcome::Failed(error) => Some(error),
        _ => None,
    }));
    reports.iter().all(is_included).then_some(UnknownServices { why, hint })
}

/// Whether the name in the report matches no service, or more than one.
fn is_unknown(report: &ServiceReport) -> bool {
    report.service().is_none()
        && report.delivery() == Delivery::None
        && matches!(report.outcome(), Outcome::Failed(error) if error.is_not_found() || error.is_ambiguous_name())
}

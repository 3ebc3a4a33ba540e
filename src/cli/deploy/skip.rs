//! Skips services of a deployment.

use super::deployment::Selected;
use super::report::{NotStarted, Outcome, ServiceReport, SkipReason, Stage};

impl<T: Send> Selected<'_, T> {
    /// Skips services that do not exist, unless none exists.
    pub fn without_missing(self) -> Self {
        let missing = |report: &ServiceReport| match &*report.stage {
            Stage::NotStarted { why: NotStarted::Failed(error), .. } if error.is_not_found() => {
                Some(NotStarted::Skipped { why: error.to_string(), skip: SkipReason::Missing })
            }
            _ => None,
        };
        let are_all_missing =
            self.entries.iter().all(|entry| entry.as_ref().is_err_and(|report| missing(report).is_some()));
        if are_all_missing {
            return self;
        }
        let skipped = |report: ServiceReport| match missing(&report) {
            Some(why) => ServiceReport::not_started(&report.given, None, why),
            None => report,
        };
        let entries = self.entries.into_iter().map(|entry| entry.map_err(skipped)).collect();
        Self { entries, ..self }
    }

    /// Skips services that cannot be updated because their rollout is paused.
    pub fn without_paused(self, skip: SkipReason) -> Self {
        let skipped = |report: ServiceReport| match report.outcome() {
            Outcome::Paused => {
                let why = "its rollout is paused".to_owned();
                let why = NotStarted::Skipped { why, skip };
                ServiceReport::not_started(&report.given, report.service().cloned(), why)
            }
            _ => report,
        };
        let entries = self.entries.into_iter().map(|entry| entry.map_err(skipped)).collect();
        Self { entries, ..self }
    }
}

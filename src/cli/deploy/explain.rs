//! Finds out why a rollout failed. This must happen before a rollback, because the engine keeps the failed tasks
//! and their logs only for a limited time.

use super::report::{Conclusion, ServiceReport, Stage, WatchResult};
use crate::api::deploy::failures::{self, Explanation, PreviousSpec};
use crate::api::http::client::Client;

/// Adds the causes of a failed rollout to the report.
pub fn explain(client: &Client, report: ServiceReport) -> ServiceReport {
    report.map_stage(|stage| match stage {
        Stage::Watched(result) => Stage::Watched(Box::new(with_explanation(client, *result))),
        stage => stage,
    })
}

fn with_explanation(client: &Client, result: WatchResult) -> WatchResult {
    match (&result.conclusion, &result.service, &result.judgement) {
        (Conclusion::Failed(_) | Conclusion::RolledBack, Some(service), Some(judgement)) => {
            let explanation = failures::explain_with_logs(client, service, judgement);
            // If the rollout before this one had failed too, a rollback may return to the spec that failed.
            let is_second = result
                .base()
                .is_some_and(|base| base.is_paused() && service.previous_spec() == Some(base.spec()));
            let previous =
                if is_second { failures::judge_previous(client, service) } else { PreviousSpec::Usable };
            WatchResult { explanation: Explanation { previous, ..explanation }, ..result }
        }
        _ => result,
    }
}
